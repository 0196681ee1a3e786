// Compressed debug sections: SHF_COMPRESSED with zlib or zstd (gABI), and the older GNU `.zdebug_*` form.

import { unzlibSync } from 'fflate';
import { decompress as unzstd } from 'fzstd';
import { Reader } from '../bytes.ts';
import { ImageError } from '../error.ts';
import type { ElfSection } from './types.ts';

const LIMIT = 2 ** 30;
// Largest expansion that the formats allow; a larger claim is a damaged (or hostile) header and must not allocate memory.
const ZLIB_RATIO = 1040;
const ZSTD_RATIO = 45_000;

function inflate(name: string, packed: Uint8Array, size: number, kind: 'zlib' | 'zstd'): Uint8Array {
  const damaged = (why: string): ImageError =>
    new ImageError(
      'compression',
      `Section ${name} cannot be decompressed (${kind}: ${why}). The file is damaged: build it again, or without compressed debug sections (-gz=none).`,
    );
  if (size > LIMIT || size > (packed.length + 64) * (kind === 'zlib' ? ZLIB_RATIO : ZSTD_RATIO))
    throw damaged(`claimed size ${size} is impossible`);
  let out: Uint8Array;
  try {
    out = kind === 'zlib' ? unzlibSync(packed, { out: new Uint8Array(size) }) : unzstd(packed, new Uint8Array(size));
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : String(error));
  }
  if (out.length !== size) throw damaged(`${out.length} bytes instead of ${size}`);
  return out;
}

/** Answers the plain contents of a compressed section. `bytes` is what stands in the file. */
export function decompressSection(bytes: Uint8Array, section: ElfSection, bits: 32 | 64): Uint8Array {
  const r = new Reader(bytes, section.name);
  if (section.name.startsWith('.zdebug_')) {
    if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 4)) !== 'ZLIB') return bytes;
    const size = Number(r.view.getBigUint64(4, false));
    return inflate(section.name, bytes.subarray(12), size, 'zlib');
  }
  const type = r.u32();
  if (bits === 64) r.u32();
  const size = bits === 64 ? r.size64() : r.u32();
  r.skip(bits === 64 ? 8 : 4);
  if (type !== 1 && type !== 2) {
    throw new ImageError(
      'compression',
      `Section ${section.name} uses compression method ${type}; zlib (1) and zstd (2) can be read. Build without compressed debug sections (-gz=none).`,
    );
  }
  return inflate(section.name, bytes.subarray(r.offset), size, type === 1 ? 'zlib' : 'zstd');
}
