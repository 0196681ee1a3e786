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

  /** `offset` is where frame `base` starts in `buffer`, a multiple of 8. */
  constructor(buffer: ArrayBufferLike, offset: number, frames: number, base: Mfn) {
    this.base = base;
    this.frames = frames;
    this.bytes = new Uint8Array(buffer, offset, frames * PAGE_SIZE);
    this.u32 = new Uint32Array(buffer, offset, (frames * PAGE_SIZE) >>> 2);
    this.u64 = new BigUint64Array(buffer, offset, (frames * PAGE_SIZE) >>> 3);
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
