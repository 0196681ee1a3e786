// The machine's frames: how many there are, where they start, who gets which. A domain's frames come in runs of 2 MiB from the
// top of RAM downwards, as Xen's heap gives them, so that a machine frame number never looks like a pseudo-physical one.

import { asMfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import { makeEntry, PTE, XEN_L2_FIRST_SLOT } from './entry.ts';
import { FrameTable, OWNER_XEN } from './frame-table.ts';
import { M2p, m2pFrames } from './m2p.ts';
import { type FrameObserver, PageTypes } from './page-types.ts';
import { Ram } from './ram.ts';
import { type GuestWalker, Walker } from './walk.ts';
import { PaeWalker } from './walk-pae.ts';

/** Frames of the reference host (2 GiB under QEMU, less a few at the top); larger hosts where the guest needs one. */
const HOST_FRAMES = [0x7ffe0, 0xfffe0, 0x1fffe0];
const CHUNK = 512;
const LARGE_PAGE = 2 ** 21;
const M2P_LARGE_PAGE = PTE.present | PTE.size;

export interface MemoryPlan {
  /** Frames of the RAM window. */
  readonly frames: number;
  readonly base: Mfn;
  readonly hostFrames: number;
  /** Machine frames of firmware's memory, where there is a PC around Xen. */
  readonly firmware?: readonly number[];
  /** Width of the guest kernel: decides the form of its page tables and of the machine-to-physical table. */
  readonly bits: 64 | 32;
  /** Xen keeps its memory out of the tables that guests run on: it does for processors with the Meltdown flaw. */
  readonly xpti?: boolean;
}

/** Sizes the RAM window for `guestPages` pages, `extraPages` that the guest may add, and `xenPages` of Xen's own heap. `hosts`: frames that a host
 * can have, smallest first. */
export function planMemory(
  guestPages: number,
  extraPages: number,
  xenPages: number,
  bits: 64 | 32 = 64,
  hosts: readonly number[] = HOST_FRAMES,
): MemoryPlan {
  let frames = Math.ceil((guestPages + extraPages) / CHUNK) * CHUNK + xenPages;
  frames += Math.ceil((frames * 8) / PAGE_SIZE) + 4 + CHUNK;
  const hostFrames = hosts.find((n) => n >= frames + 0x10000) ?? hosts.at(-1)!;
  return { frames, base: asMfn(hostFrames - frames), hostFrames, bits };
}

export class MachineMemory {
  readonly ram: Ram;
  readonly frames: FrameTable;
  readonly types: PageTypes;
  readonly m2p: M2p;
  readonly walker: GuestWalker;
  readonly hostFrames: number;
  /** Width of the guest kernel. */
  readonly bits: 64 | 32;
  /** Frames that nobody has, last in first out. */
  private readonly free: Mfn[] = [];
  /** Frames that a domain had before: RAM that was never used is zero as it is. */
  private readonly used: Uint8Array;
  private xenNext: number;
  private readonly xenEnd: number;
  /** Pages of Xen's heap that were shared before. */
  private readonly xenFree: Mfn[] = [];

  /** `ram` is the engine's, `plan.frames` frames long. */
  constructor(
    buffer: ArrayBufferLike,
    offset: number,
    plan: MemoryPlan,
    xenPages: number,
    observer: Omit<FrameObserver, 'bits' | 'fillXenL2'>,
  ) {
    this.ram = new Ram(buffer, offset, plan.frames, plan.base, plan.firmware);
    this.hostFrames = plan.hostFrames;
    this.bits = plan.bits;
    this.used = new Uint8Array(plan.frames);
    this.frames = new FrameTable(this.ram);
    this.frames.hostFrames = plan.hostFrames;
    const own = m2pFrames(plan.base, plan.frames, plan.bits);
    this.m2p = new M2p(this.frames, plan.base, plan.bits);
    this.xenNext = plan.base + own;
    this.xenEnd = this.xenNext + xenPages;
    this.walker = plan.bits === 64 ? new Walker(this.ram, this.m2p, plan.xpti ? null : plan.hostFrames) : new PaeWalker(this.ram, this.m2p);
    this.types = new PageTypes(this.frames, {
      ...observer,
      revoke: (mfn, why) => observer.revoke(mfn, why),
      typeChanged: (mfn, from, to) => observer.typeChanged(mfn, from, to),
      written: (mfn) => observer.written(mfn),
      ioRights: (domain) => observer.ioRights(domain),
      bits: () => plan.bits,
      fillXenL2: (mfn) => this.fillXenL2(mfn),
      freed: (mfn, owner) => {
        this.giveBack(mfn);
        observer.freed(mfn, owner);
      },
    });
    for (let mfn = plan.base as number; mfn < this.xenEnd; mfn++) this.frames.owner[mfn - plan.base] = OWNER_XEN;
    for (let index = 0; index < own; index++) this.frames.shareReadOnly(index);
    for (const mfn of chunkOrder(this.xenEnd, plan.base + plan.frames)) this.free.push(asMfn(mfn));
    this.free.reverse();
  }

  /** The end of a 32-bit guest's last level 2 table shows the machine-to-physical table, 2 MiB an entry. */
  private fillXenL2(mfn: Mfn): void {
    for (let slot = XEN_L2_FIRST_SLOT; slot < 512; slot++) {
      const offset = (slot - XEN_L2_FIRST_SLOT) * LARGE_PAGE;
      this.ram.setEntry(mfn, slot, offset < this.m2p.length ? makeEntry(this.m2p.frame(offset), M2P_LARGE_PAGE) : 0n);
    }
  }

  /** A frame for a domain (its contents are cleared), or null when RAM is used up. The caller sets the M2P. */
  allocate(domain: number): Mfn | null {
    const mfn = this.free.pop();
    if (mfn === undefined) return null;
    this.give(mfn, domain);
    return mfn;
  }

  private give(mfn: Mfn, domain: number): void {
    const index = this.ram.index(mfn);
    if (this.used[index]) this.ram.page(mfn).fill(0);
    this.used[index] = 1;
    this.types.allocated(mfn, domain);
  }

  /** A frame that nobody has any more can be given out again. */
  giveBack(mfn: Mfn): void {
    this.m2p.set(mfn, -1);
    if (mfn >= this.xenEnd) this.free.push(mfn);
    else this.frames.owner[this.ram.index(mfn)] = OWNER_XEN;
  }

  /** `count` consecutive frames (a power of 2) below frame `limit`, or null. */
  allocateRun(domain: number, count: number, limit = Number.POSITIVE_INFINITY): Mfn[] | null {
    if (limit <= this.xenEnd) return null;
    if (count === 1 && limit === Number.POSITIVE_INFINITY) {
      const mfn = this.allocate(domain);
      return mfn === null ? null : [mfn];
    }
    const sorted = this.free.filter((mfn) => mfn < limit).sort((a, b) => a - b);
    let run = 0;
    for (let n = 0; n < sorted.length; n++) {
      run = n > 0 && sorted[n]! === sorted[n - 1]! + 1 && run > 0 ? run + 1 : sorted[n]! % count === 0 ? 1 : 0;
      if (run < count) continue;
      const chosen = new Set<number>(sorted.slice(n - count + 1, n + 1));
      for (let k = this.free.length - 1; k >= 0; k--) if (chosen.has(this.free[k]!)) this.free.splice(k, 1);
      const frames = [...chosen].map(asMfn);
      for (const mfn of frames) this.give(mfn, domain);
      return frames;
    }
    return null;
  }

  /** A page of Xen's heap shared with a domain: shared_info, grant frames. */
  allocateShared(domain: number): Mfn {
    const again = this.xenFree.pop();
    if (again === undefined && this.xenNext >= this.xenEnd) throw new Error('the simulated Xen heap is too small');
    const mfn = again ?? asMfn(this.xenNext++);
    this.types.allocated(mfn, domain, true);
    return mfn;
  }

  /** Takes a shared page back into Xen's heap. Throws while others than Xen hold it. */
  freeShared(mfn: Mfn): void {
    this.types.takeBackShared(mfn);
    this.reuseShared(mfn);
  }

  /** A page of Xen's heap that nobody holds any more can be shared again. */
  reuseShared(mfn: Mfn): void {
    this.ram.page(mfn).fill(0);
    this.xenFree.push(mfn);
  }

  /** A page for Xen's own use. */
  allocateOwn(): Mfn {
    if (this.xenNext >= this.xenEnd) throw new Error('the simulated Xen heap is too small');
    return asMfn(this.xenNext++);
  }

  get freeFrames(): number {
    return this.free.length;
  }
}

/** Frames of [start, end) in the order in which they are given out: 2 MiB runs from the top, ascending within a run. */
function chunkOrder(start: number, end: number): number[] {
  const order: number[] = [];
  const firstChunk = Math.ceil(start / CHUNK) * CHUNK;
  const lastChunk = Math.floor(end / CHUNK) * CHUNK;
  for (let chunk = lastChunk - CHUNK; chunk >= firstChunk; chunk -= CHUNK) {
    for (let n = 0; n < CHUNK; n++) order.push(chunk + n);
  }
  for (let mfn = lastChunk; mfn < end; mfn++) order.push(mfn);
  for (let mfn = start; mfn < firstChunk; mfn++) order.push(mfn);
  return order;
}
