// Unpacks a compressed kernel: gzip (Debian ships GNU Mach as gnumach.gz), xz, and what a Linux bzImage carries; anything else is handed
// back as it is.

import { Gunzip } from 'fflate';
import { decompress as unzstd } from 'fzstd';
import { bzImagePayload, isBzImage } from './bzimage.ts';
import { crc32 } from './compression/crc.ts';
import { unlz4 } from './compression/lz4.ts';
import { isXz, unxz } from './compression/xz.ts';
import { ImageError } from './error.ts';

const LIMIT = 2 ** 30;
const PIECE = 1 << 16;

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

function tried(what: string, decode: () => Uint8Array): Uint8Array {
  try {
    return decode();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ImageError('compression', `The ${what} cannot be unpacked: ${why}. It is cut or damaged: copy it again, or build it again.`);
  }
}

/** How a bzImage's kernel may be packed, by its first bytes. The last four bytes of all but gzip are the size of what comes out. */
const PAYLOADS: readonly { magic: readonly number[]; name: string; unpack?: (payload: Uint8Array) => Uint8Array }[] = [
  { magic: [0x1f, 0x8b], name: 'gzip', unpack: gunzip },
  { magic: [0xfd, 0x37, 0x7a, 0x58], name: 'xz', unpack: (payload) => unxz(payload, LIMIT) },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd', unpack: (payload) => unzstd(payload.subarray(0, -4)) },
  { magic: [0x02, 0x21, 0x4c, 0x18], name: 'lz4', unpack: (payload) => unlz4(payload.subarray(0, -4), LIMIT) },
  { magic: [0x42, 0x5a, 0x68], name: 'bzip2' },
  { magic: [0x5d, 0x00, 0x00], name: 'lzma' },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], name: 'lzo' },
];

function fromBzImage(bytes: Uint8Array): Uint8Array {
  const payload = bzImagePayload(bytes);
  const kind = PAYLOADS.find(({ magic }) => magic.every((byte, i) => payload[i] === byte));
  if (!kind?.unpack) {
    throw new ImageError(
      'compression',
      `The kernel in this bzImage is packed ${kind ? `with ${kind.name}` : 'in a way that is not known'}; gzip, xz, zstd and lz4 are unpacked here. Extract it (the kernel tree's scripts/extract-vmlinux), or give the vmlinux of the build.`,
    );
  }
  const { name, unpack: decode } = kind;
  const kernel = tried(`kernel in this bzImage (${name})`, () => decode(payload));
  const size = new DataView(payload.buffer, payload.byteOffset + payload.length - 4, 4).getUint32(0, true);
  if (kernel.length !== size) {
    throw new ImageError(
      'compression',
      `The kernel in this bzImage has ${kernel.length} bytes, its header says ${size}. It is cut or damaged: copy it again.`,
    );
  }
  return kernel;
}

/** Plain bytes of an image that may be compressed with gzip or xz or lie in a bzImage. */
export function unpack(bytes: Uint8Array): Uint8Array {
  if (isGzip(bytes)) return gunzip(bytes);
  if (isXz(bytes)) return tried('xz file', () => unxz(bytes, LIMIT));
  return isBzImage(bytes) ? fromBzImage(bytes) : bytes;
}
