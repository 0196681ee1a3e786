// Checksums of compressed files: CRC-32 as gzip, xz and .gnu_debuglink use it, CRC-64 of xz.

const TABLE_32 = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32, reflected polynomial 0xedb88320. */
export function crc32(bytes: Uint8Array): number {
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = TABLE_32[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ -1) >>> 0;
}

const POLYNOMIAL = { lo: 0xd7870f42, hi: 0xc96c5795 };
const TABLE_64 = { lo: new Int32Array(256), hi: new Int32Array(256) };
for (let n = 0; n < 256; n++) {
  let lo = n;
  let hi = 0;
  for (let k = 0; k < 8; k++) {
    const odd = lo & 1;
    lo = (lo >>> 1) | (hi << 31);
    hi >>>= 1;
    if (odd) {
      lo ^= POLYNOMIAL.lo;
      hi ^= POLYNOMIAL.hi;
    }
  }
  TABLE_64.lo[n] = lo;
  TABLE_64.hi[n] = hi;
}

/** CRC-64 with the polynomial of ECMA-182, reflected; halves as unsigned numbers. */
export function crc64(bytes: Uint8Array): { lo: number; hi: number } {
  let lo = -1;
  let hi = -1;
  for (let i = 0; i < bytes.length; i++) {
    const n = (lo ^ bytes[i]!) & 255;
    lo = ((lo >>> 8) | (hi << 24)) ^ TABLE_64.lo[n]!;
    hi = (hi >>> 8) ^ TABLE_64.hi[n]!;
  }
  return { lo: ~lo >>> 0, hi: ~hi >>> 0 };
}
