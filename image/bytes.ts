// A bounds-checked little-endian reader. Every read beyond `end` is an ImageError, so no parser above needs checks of its own.

import { hex, ImageError } from './error.ts';

const utf8 = new TextDecoder('utf-8');

/** A string up to its terminating zero (or up to `end` where it has none). */
export function stringAt(bytes: Uint8Array, offset: number, end = bytes.length): string {
  if (!(offset >= 0 && offset < end)) return '';
  let stop = bytes.indexOf(0, offset);
  if (stop < 0 || stop > end) stop = end;
  return utf8.decode(bytes.subarray(offset, stop));
}

export class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** What is read, for messages: 'the ELF header', '.debug_info'. */
  readonly what: string;
  offset: number;
  end: number;

  constructor(bytes: Uint8Array, what: string, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.what = what;
    this.end = Math.min(end, bytes.length);
    this.offset = offset;
    if (!(offset >= 0 && offset <= this.end)) this.fail(offset, 0);
  }

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  private fail(offset: number, length: number): never {
    throw new ImageError(
      'truncated',
      `${this.what} ends at offset ${hex(this.end)}, but ${length} byte(s) are needed at ${hex(Math.max(0, offset))}. The file is truncated or damaged: build or copy it again.`,
    );
  }

  /** Moves on by `length` bytes and answers where they began. */
  take(length: number): number {
    const at = this.offset;
    if (!(length >= 0 && at + length <= this.end)) this.fail(at, length);
    this.offset = at + length;
    return at;
  }

  u8(): number {
    const at = this.offset;
    if (at >= this.end) this.fail(at, 1);
    this.offset = at + 1;
    return this.bytes[at]!;
  }
  i8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  i16(): number {
    return this.view.getInt16(this.take(2), true);
  }
  u24(): number {
    const at = this.take(3);
    return this.bytes[at]! | (this.bytes[at + 1]! << 8) | (this.bytes[at + 2]! << 16);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }
  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }
  /** A 64-bit size or file offset. Values above 2^53 lose precision, but are beyond any file and fail where they are used. */
  size64(): number {
    return Number(this.u64());
  }
  /** An unsigned value of 1, 2, 4 or 8 bytes. */
  unsigned(size: number): bigint {
    switch (size) {
      case 1:
        return BigInt(this.u8());
      case 2:
        return BigInt(this.u16());
      case 4:
        return BigInt(this.u32());
      case 8:
        return this.u64();
      default:
        throw new ImageError('malformed', `${this.what} uses a value of ${size} bytes at ${hex(this.offset)}; only 1, 2, 4 and 8 exist.`);
    }
  }
  signed(size: number): bigint {
    return BigInt.asIntN(size * 8, this.unsigned(size));
  }

  /** Unsigned LEB128 that is known to be small (codes, counts, offsets); beyond 2^53 it is an error. */
  uleb(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new ImageError(
      'malformed',
      `${this.what} holds an impossibly large number at ${hex(this.offset)}. The file is damaged: build or copy it again.`,
    );
  }
  /** Unsigned LEB128, modulo 2^64. */
  uleb64(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift < 64n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }
  /** Signed LEB128, wrapped to 64 bits. */
  sleb64(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift < 64n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) {
        if (shift < 64n && byte & 0x40) value -= 1n << shift;
        return BigInt.asIntN(64, value);
      }
    }
  }
  /** Signed LEB128 of a value that fits a double exactly in practice (line advances, factored offsets). */
  sleb(): number {
    return Number(this.sleb64());
  }

  /** Bytes without copying. */
  block(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
  /** A zero-terminated string; unterminated is an error. */
  string(): string {
    const at = this.offset;
    const stop = this.bytes.indexOf(0, at);
    if (stop < 0 || stop >= this.end) this.fail(at, this.end - at + 1);
    this.offset = stop + 1;
    return utf8.decode(this.bytes.subarray(at, stop));
  }
  skip(length: number): void {
    this.take(length);
  }
  /** Another reader on the same bytes. */
  at(offset: number, end = this.end): Reader {
    return new Reader(this.bytes, this.what, offset, end);
  }
}
