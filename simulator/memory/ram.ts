// Machine RAM: a run of 4 KiB frames over a buffer that the CPU engine owns (or that a test made). A frame's number is
// `base + index`; `base` is far from 0 so that no domain can take a machine frame for a pseudo-physical one by luck.

import { asMfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';

export class Ram {
  /** First machine frame that exists. */
  readonly base: Mfn;
  readonly frames: number;
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  /** Pages behind the frames that hold memory of the machine which is none of its heap: firmware's (by machine frame, the page's index). */
  private readonly others = new Map<number, number>();

  /** `offset` is where frame `base` starts in `buffer`, a multiple of 8. `others`: machine frames of firmware's memory, one page each behind. */
  constructor(buffer: ArrayBufferLike, offset: number, frames: number, base: Mfn, others: readonly number[] = []) {
    const pages = frames + others.length;
    this.base = base;
    this.frames = frames;
    this.bytes = new Uint8Array(buffer, offset, pages * PAGE_SIZE);
    this.u32 = new Uint32Array(buffer, offset, (pages * PAGE_SIZE) >>> 2);
    this.u64 = new BigUint64Array(buffer, offset, (pages * PAGE_SIZE) >>> 3);
    for (const [n, mfn] of others.entries()) this.others.set(mfn, frames + n);
  }

  /** Index of the page that holds a frame of RAM or of firmware's memory; -1: no memory is there. */
  pageIndex(mfn: number): number {
    return this.valid(mfn) ? mfn - this.base : (this.others.get(mfn) ?? -1);
  }

  valid(mfn: number): boolean {
    return mfn >= this.base && mfn < this.base + this.frames;
  }

  /** Index of a valid frame. */
  index(mfn: Mfn): number {
    return mfn - this.base;
  }

  mfnAt(index: number): Mfn {
    return asMfn(this.base + index);
  }

  /** The bytes of one valid frame. */
  page(mfn: Mfn): Uint8Array {
    const at = (mfn - this.base) * PAGE_SIZE;
    return this.bytes.subarray(at, at + PAGE_SIZE);
  }

  entry(mfn: Mfn, slot: number): bigint {
    return this.u64[(mfn - this.base) * 512 + slot] as bigint;
  }

  setEntry(mfn: Mfn, slot: number, value: bigint): void {
    this.u64[(mfn - this.base) * 512 + slot] = value;
  }
}
