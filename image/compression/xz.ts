// .xz files (tukaani.org's xz-file-format 1.1.0): one stream, its blocks with LZMA2 and the x86 filter, checksums compared.

import { unfilterX86 } from './bcj-x86.ts';
import { crc32, crc64 } from './crc.ts';
import { DamagedStream, Lzma2Decoder } from './lzma2.ts';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const LZMA2 = 0x21;
const X86 = 0x04;
const CHECKS: Readonly<Record<number, number>> = { 0: 0, 1: 4, 4: 8 };

export const isXz = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
  }
  need(count: number): void {
    if (this.at + count > this.bytes.length) throw new DamagedStream('it ends too early');
  }
  u8(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }
  u32(): number {
    this.need(4);
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  /** Seven bits in each byte, the lowest first. */
  multibyte(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new DamagedStream('a number is too long');
  }
}

/** The filters in front of LZMA2: where the x86 filter counts from, null without one. */
function blockFilters(reader: Reader): { x86: number | null } {
  const from = reader.at;
  const size = (reader.u8() + 1) * 4;
  reader.need(size - 1);
  if (reader.view.getUint32(from + size - 4, true) !== crc32(reader.bytes.subarray(from, from + size - 4)))
    throw new DamagedStream('the checksum of a block header is wrong');
  const flags = reader.u8();
  if (flags & 0x40) reader.multibyte();
  if (flags & 0x80) reader.multibyte();
  let x86: number | null = null;
  const count = (flags & 3) + 1;
  for (let i = 0; i < count; i++) {
    const id = reader.multibyte();
    const length = reader.multibyte();
    const last = i === count - 1;
    if (id === X86 && !last) x86 = length === 4 ? reader.u32() : 0;
    else if (id === LZMA2 && last) reader.at += length;
    else throw new DamagedStream(`it uses filter 0x${id.toString(16)}, only LZMA2 and the x86 filter are known here`);
  }
  reader.at = from + size;
  return { x86 };
}

function compareCheck(reader: Reader, kind: number, bytes: Uint8Array): void {
  if (kind === 0) return;
  const lo = reader.u32();
  if (kind === 1) {
    if (lo !== crc32(bytes)) throw new DamagedStream('its checksum does not match its contents');
    return;
  }
  const hi = reader.u32();
  const sum = crc64(bytes);
  if (lo !== sum.lo || hi !== sum.hi) throw new DamagedStream('its checksum does not match its contents');
}

/** Contents of the first stream; what follows it is not looked at. `limit`: most bytes that may come out. @throws DamagedStream */
export function unxz(bytes: Uint8Array, limit: number): Uint8Array {
  if (!isXz(bytes)) throw new DamagedStream('it does not begin as an xz file does');
  const reader = new Reader(bytes, 6);
  reader.need(6);
  const kind = bytes[7]!;
  reader.at = 8;
  if (reader.u32() !== crc32(bytes.subarray(6, 8))) throw new DamagedStream('the checksum of its header is wrong');
  if (CHECKS[kind] === undefined) throw new DamagedStream(`its checksum is of kind ${kind}; compress it with xz --check=crc32`);
  const blocks: Uint8Array[] = [];
  let total = 0;
  // An index follows the blocks and begins with a zero.
  while (bytes[reader.at] !== 0) {
    reader.need(1);
    const { x86 } = blockFilters(reader);
    const from = reader.at;
    const { bytes: block, end } = new Lzma2Decoder(bytes, from, limit - total).decode();
    reader.at = end + ((4 - ((end - from) & 3)) & 3);
    if (x86 !== null) unfilterX86(block, x86);
    compareCheck(reader, kind, block);
    blocks.push(block);
    total += block.length;
  }
  if (blocks.length === 1) return blocks[0]!;
  const all = new Uint8Array(total);
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
