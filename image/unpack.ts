// Unpacks a gzip-compressed kernel (Debian ships GNU Mach as gnumach.gz); anything else is handed back as it is.

import { Gunzip } from 'fflate';
import { ImageError } from './error.ts';

const LIMIT = 2 ** 30;
const PIECE = 1 << 16;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 as gzip and .gnu_debuglink use it. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = CRC_TABLE[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

export const isGzip = (bytes: Uint8Array): boolean => bytes.length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;

function gunzip(bytes: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Gunzip((chunk) => {
    chunks.push(chunk);
    total += chunk.length;
  });
  try {
    for (let at = 0; at < bytes.length; at += PIECE) {
      stream.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length);
      if (total > LIMIT)
        throw new ImageError(
          'too-large',
          'The gzip file unpacks to more than 1 GiB; no kernel is that large. Check that it is the right file.',
        );
    }
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ImageError(
      'compression',
      `The file is a gzip file that cannot be unpacked (${why}). It is truncated or damaged: copy or compress it again.`,
    );
  }
  const out = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  // The trailer is CRC-32 and size of the contents.
  const trailer = bytes.length >= 18 ? new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8) : null;
  if (!trailer || trailer.getUint32(0, true) !== crc32(out) || trailer.getUint32(4, true) !== total >>> 0) {
    throw new ImageError(
      'compression',
      'The file is a gzip file whose checksum does not match its contents. It is truncated, damaged or made of several parts: copy it again, or unpack it first with gunzip.',
    );
  }
  return out;
}

/** Plain bytes of an image that may be compressed with gzip. */
export const unpack = (bytes: Uint8Array): Uint8Array => (isGzip(bytes) ? gunzip(bytes) : bytes);
