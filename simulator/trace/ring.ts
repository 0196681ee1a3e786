// A ring of records in a fixed number of bytes: each record is stored as tagged binary values, oldest ones are overwritten and
// counted. Names (keys, kinds) are stored once in a table; hypercalls lie there as they were captured.

import { readCall, sizeOfCall, writeCall } from './call-bytes.ts';
import { type CapturedCall, recordOf } from './captured-call.ts';
import type { TraceRecord } from './records.ts';

const Tag = { null: 0, true: 1, false: 2, small: 3, double: 4, text: 5, name: 6, array: 7, object: 8, undefined: 9, call: 10 } as const;
const HEADER = 4;
const MAX_NAMES = 4096;
const LONGEST_WORD = 32;

/** A text that will come again: a name of the interface, not a number. */
const isWord = (text: string): boolean => text.length <= LONGEST_WORD && !text.startsWith('0x');

export class TraceRing {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly names: string[] = [];
  private readonly nameIndex = new Map<string, number>();
  private scratch = new Uint8Array(4096);
  private scratchView = new DataView(this.scratch.buffer);
  private length = 0;
  /** Start of the oldest record and end of the newest, as running byte counts. */
  private tail = 0;
  private head = 0;
  private records = 0;
  private droppedCount = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  push(record: TraceRecord): void {
    this.length = HEADER;
    this.put(record);
    this.append();
  }

  /** A hypercall whose record is made when it is read. */
  pushCall(call: CapturedCall, n: number, icount: number): void {
    const size = HEADER + 1 + sizeOfCall(call);
    const offset = this.head % this.bytes.length;
    if (offset + size <= this.bytes.length) {
      this.makeRoom(size);
      this.view.setUint32(offset, size, true);
      this.bytes[offset + HEADER] = Tag.call;
      writeCall(this.view, this.bytes, offset + HEADER + 1, call, n, icount);
      this.head += size;
      this.records++;
      return;
    }
    // Over the end of the ring: by way of the scratch bytes.
    this.length = HEADER;
    this.tag(Tag.call);
    this.room(size);
    writeCall(this.scratchView, this.scratch, this.length, call, n, icount);
    this.length = size;
    this.append();
  }

  /** What lies in the scratch bytes becomes the newest record. */
  private append(): void {
    const size = this.length;
    this.scratchView.setUint32(0, size, true);
    if (size > this.bytes.length) {
      this.droppedCount++;
      return;
    }
    this.makeRoom(size);
    this.copyIn(this.head, this.scratch.subarray(0, size));
    this.head += size;
    this.records++;
  }

  /** Drops the oldest records until there is room for another. */
  private makeRoom(size: number): void {
    while (this.head + size - this.tail > this.bytes.length) {
      this.tail += this.sizeAt(this.tail);
      this.records--;
      this.droppedCount++;
    }
  }

  /** The last `limit` records, oldest first, and how many are gone before them. */
  last(limit: number): { records: TraceRecord[]; dropped: number } {
    const out: TraceRecord[] = [];
    const skip = Math.max(0, this.records - limit);
    let at = this.tail;
    for (let n = 0; at < this.head; n++) {
      const size = this.sizeAt(at);
      if (n >= skip) out.push(this.read(at, size) as TraceRecord);
      at += size;
    }
    return { records: out, dropped: this.droppedCount + skip };
  }

  private sizeAt(at: number): number {
    const offset = at % this.bytes.length;
    if (offset + 4 <= this.bytes.length) return this.view.getUint32(offset, true);
    let size = 0;
    for (let n = 0; n < 4; n++) size |= this.bytes[(offset + n) % this.bytes.length]! << (8 * n);
    return size >>> 0;
  }

  private copyIn(at: number, data: Uint8Array): void {
    const offset = at % this.bytes.length;
    const first = Math.min(data.length, this.bytes.length - offset);
    this.bytes.set(first < data.length ? data.subarray(0, first) : data, offset);
    if (first < data.length) this.bytes.set(data.subarray(first), 0);
  }

  private room(count: number): void {
    if (this.length + count <= this.scratch.length) return;
    const larger = new Uint8Array(Math.max(this.scratch.length * 2, this.length + count));
    larger.set(this.scratch.subarray(0, this.length));
    this.scratch = larger;
    this.scratchView = new DataView(larger.buffer);
  }

  private tag(tag: number): void {
    this.room(1);
    this.scratch[this.length++] = tag;
  }

  private u32(value: number): void {
    this.room(4);
    this.scratchView.setUint32(this.length, value, true);
    this.length += 4;
  }

  private put(value: unknown): void {
    if (value === null) {
      this.tag(Tag.null);
      return;
    }
    switch (typeof value) {
      case 'boolean':
        this.tag(value ? Tag.true : Tag.false);
        return;
      case 'undefined':
        this.tag(Tag.undefined);
        return;
      case 'number':
        if (Number.isInteger(value) && value >= -0x8000_0000 && value < 0x8000_0000) {
          this.tag(Tag.small);
          this.u32(value >>> 0);
          return;
        }
        this.tag(Tag.double);
        this.room(8);
        this.scratchView.setFloat64(this.length, value, true);
        this.length += 8;
        return;
      case 'string':
        this.putText(value);
        return;
    }
    if (Array.isArray(value)) {
      this.tag(Tag.array);
      this.u32(value.length);
      for (const item of value) this.put(item);
      return;
    }
    const object = value as Record<string, unknown>;
    this.tag(Tag.object);
    const countAt = this.length;
    this.u32(0);
    let count = 0;
    for (const key in object) {
      this.putText(key, true);
      this.put(object[key]);
      count++;
    }
    this.scratchView.setUint32(countAt, count, true);
  }

  private putText(text: string, isName = false): void {
    const known = this.nameIndex.get(text);
    if (known !== undefined || ((isName || isWord(text)) && this.names.length < MAX_NAMES)) {
      this.tag(Tag.name);
      this.u32(known ?? this.intern(text));
      return;
    }
    this.tag(Tag.text);
    const lengthAt = this.length;
    this.u32(text.length);
    this.room(text.length);
    for (let n = 0; n < text.length; n++) {
      const code = text.charCodeAt(n);
      if (code >= 0x80) {
        this.length = lengthAt;
        this.putEncoded(new TextEncoder().encode(text));
        return;
      }
      this.scratch[this.length++] = code;
    }
  }

  private putEncoded(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.room(bytes.length);
    this.scratch.set(bytes, this.length);
    this.length += bytes.length;
  }

  private intern(text: string): number {
    const index = this.names.length;
    this.names.push(text);
    this.nameIndex.set(text, index);
    return index;
  }

  private read(at: number, size: number): unknown {
    const data = new Uint8Array(size);
    for (let n = 0; n < size; n++) data[n] = this.bytes[(at + n) % this.bytes.length]!;
    const view = new DataView(data.buffer);
    let p = HEADER;
    if (data[p] === Tag.call) {
      const { call, n, icount } = readCall(view, p + 1);
      return recordOf(call, n, icount);
    }
    const u32 = (): number => {
      p += 4;
      return view.getUint32(p - 4, true);
    };
    const value = (): unknown => {
      switch (data[p++]) {
        case Tag.null:
          return null;
        case Tag.true:
          return true;
        case Tag.false:
          return false;
        case Tag.undefined:
          return undefined;
        case Tag.small:
          return u32() | 0;
        case Tag.double:
          p += 8;
          return view.getFloat64(p - 8, true);
        case Tag.name:
          return this.names[u32()];
        case Tag.text: {
          const length = u32();
          p += length;
          return new TextDecoder().decode(data.subarray(p - length, p));
        }
        case Tag.array:
          return Array.from({ length: u32() }, value);
        default: {
          const object: Record<string, unknown> = {};
          for (let n = u32(); n > 0; n--) {
            const key = value() as string;
            object[key] = value();
          }
          return object;
        }
      }
    };
    return value();
  }
}
