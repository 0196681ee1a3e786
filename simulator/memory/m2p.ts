// The machine-to-physical table as the guest sees it: one array over all frames of the host, read only, at 0xffff800000000000 for a
// 64-bit guest (8 bytes an entry), at 0xf5800000 for a 32-bit one (4 bytes). Frames below the machine's RAM window share one page
// of 'no such frame' entries.

import { type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import type { FrameTable } from './frame-table.ts';
import type { M2pWindow } from './walk.ts';

const INVALID = 0xffff_ffff_ffff_ffffn;

/** Frames that the table over `frames` machine frames from `base` needs, the shared page included. */
export const m2pFrames = (base: number, frames: number, bits: 64 | 32 = 64): number => {
  const bytes = bits / 8;
  const first = Math.floor((base * bytes) / PAGE_SIZE);
  const last = Math.floor(((base + frames) * bytes - 1) / PAGE_SIZE);
  return last - first + 2;
};

export class M2p implements M2pWindow {
  readonly length: number;
  private readonly frames: FrameTable;
  private readonly shared: Mfn;
  private readonly first: Mfn;
  private readonly firstPage: number;
  private readonly lastPage: number;
  /** Bytes of an entry. */
  private readonly bytes: 8 | 4;

  /** `at`: first of m2pFrames() frames that hold the table. */
  constructor(frames: FrameTable, at: Mfn, bits: 64 | 32 = 64) {
    const { ram } = frames;
    this.bytes = bits === 64 ? 8 : 4;
    this.frames = frames;
    this.shared = at;
    this.first = (at + 1) as Mfn;
    this.firstPage = Math.floor((ram.base * this.bytes) / PAGE_SIZE);
    this.length = (ram.base + ram.frames) * this.bytes;
    this.lastPage = Math.floor((this.length - 1) / PAGE_SIZE);
    for (let n = 0; n < m2pFrames(ram.base, ram.frames, bits); n++) {
      for (let slot = 0; slot < 512; slot++) ram.setEntry((at + n) as Mfn, slot, INVALID);
    }
  }

  frame(offset: number): Mfn {
    const page = Math.floor(offset / PAGE_SIZE);
    return page < this.firstPage || page > this.lastPage ? this.shared : ((this.first + page - this.firstPage) as Mfn);
  }

  /** What the guest reads for a frame of the machine; -1n for none. */
  shown(mfn: number): bigint {
    const { ram } = this.frames;
    const frame = this.frame(mfn * this.bytes);
    if (this.bytes === 8) return BigInt.asIntN(64, ram.entry(frame, mfn % 512));
    return BigInt(ram.u32[ram.index(frame) * 1024 + (mfn % 1024)]! | 0);
  }

  /** Sets an entry; -1 for none. Returns the frame of the table that changed. */
  set(mfn: Mfn, pfn: number | bigint): Mfn {
    const { ram, m2p } = this.frames;
    const none = typeof pfn === 'number' && pfn < 0;
    m2p[ram.index(mfn)] = none ? -1 : Number(pfn) > 2 ** 52 ? -1 : Number(pfn);
    const frame = this.frame(mfn * this.bytes);
    if (this.bytes === 8) ram.setEntry(frame, mfn % 512, none ? INVALID : BigInt.asUintN(64, BigInt(pfn)));
    else ram.u32[ram.index(frame) * 1024 + (mfn % 1024)] = none ? 0xffff_ffff : Number(BigInt.asUintN(32, BigInt(pfn)));
    return frame;
  }
}
