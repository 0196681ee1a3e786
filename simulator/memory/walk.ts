// The page walk of a 64-bit PV guest over machine frames: 4 levels of the guest's own tables, and Xen's range (L4 slots 256 to
// 271) in which a guest may read nothing but the machine-to-physical table.
// Source: Intel SDM volume 3, 4.5 and 4.7; public/arch-x86/xen-x86_64.h for the layout.

import { asMfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import type { Ram } from './ram.ts';
import { TableWalk } from './table-walk.ts';

/** Page-fault error code bits. */
export const PFEC = { present: 1, write: 2, user: 4, reserved: 8, fetch: 16 } as const;

export const M2P_START = 0xffff_8000_0000_0000n;
const M2P_START_HIGH = 0xffff_8000;
const XEN_FIRST_SLOT = 256;
const XEN_LAST_SLOT = 271;

/** The M2P as frames: entry of frame n at byte 8n of the range. */
export interface M2pWindow {
  /** Bytes that a guest can read. */
  readonly length: number;
  /** Frame that backs the page at this byte offset. */
  frame(offset: number): Mfn;
}

export interface WalkResult {
  mfn: Mfn;
  /** Writable and marked dirty. */
  writable: boolean;
  errorCode: number;
}

/** Physical address bits of the modelled CPUs: entries with higher frame bits fault with the reserved bit set. */
export const HIGH_RESERVED = 0x000f_ff00 | 0;

/** One level of a walk, from the top. */
export interface WalkStep {
  readonly level: number;
  readonly mfn: Mfn;
  readonly index: number;
  readonly entry: bigint;
}

/** The page walk of a guest of either width. */
export interface GuestWalker {
  /** Walks for an access and sets A and D as a CPU does; false: `out.errorCode` is the fault's. `user`: from user mode of a 32-bit
   * guest; a 64-bit guest's kernel and user mode are the same to the processor. */
  walk(root: Mfn, lo: number, hi: number, write: boolean, fetch: boolean, out: WalkResult, user?: boolean): boolean;
  /** The entries on the way to an address, top first; without side effects. */
  steps(root: Mfn, address: bigint): WalkStep[];
  /** Machine byte address of a guest address, without side effects and whatever the rights; -1 where nothing is mapped. */
  peek(root: Mfn, address: bigint): number;
}

export class Walker extends TableWalk {
  private readonly m2p: M2pWindow;
  /** Frames that exist as far as Xen's direct map is concerned; only decides the error code of a fault there. null: the guest runs on
   * tables without Xen's memory, as on a processor that could read it all the same (XPTI). */
  private readonly hostFrames: number | null;

  protected readonly xenLevel = 4;

  constructor(ram: Ram, m2p: M2pWindow, hostFrames: number | null) {
    super(ram, 4);
    this.m2p = m2p;
    this.hostFrames = hostFrames;
  }

  /** Walks for an access of a guest (kernel and user both run in ring 3) and sets A and D as a CPU does. `kernelTables`: the
   * tables show Xen's M2P. Error codes have the U bit set, as the CPU reports them. */
  walk(root: Mfn, lo: number, hi: number, write: boolean, fetch: boolean, out: WalkResult): boolean {
    const slot4 = (hi >>> 7) & 511;
    if (slot4 >= XEN_FIRST_SLOT && slot4 <= XEN_LAST_SLOT) return this.walkXen(lo, hi, write, fetch, out);
    const words = this.ram.u32;
    const errorCode = PFEC.user | (write ? PFEC.write : 0) | (fetch ? PFEC.fetch : 0);
    let table = root as number;
    let writable = true;
    let noExecute = false;
    let at = 0;
    for (let level = 4; level >= 1; level--) {
      const slot =
        level === 4 ? slot4 : level === 3 ? ((hi & 127) << 2) | (lo >>> 30) : level === 2 ? (lo >>> 21) & 511 : (lo >>> 12) & 511;
      at = (table - this.ram.base) * 1024 + slot * 2;
      const low = words[at]!;
      const high = words[at + 1]!;
      if (!(low & 1)) {
        out.errorCode = errorCode;
        return false;
      }
      if (high & HIGH_RESERVED) {
        out.errorCode = errorCode | PFEC.present | PFEC.reserved;
        return false;
      }
      if (!(low & 2)) writable = false;
      if (high & 0x8000_0000) noExecute = true;
      if (!(low & 4)) {
        out.errorCode = errorCode | PFEC.present;
        return false;
      }
      if (level > 1 && !(low & 0x20)) words[at] = (low | 0x20) >>> 0;
      table = (high & 0xff) * 0x10_0000 + (low >>> 12);
    }
    if ((write && !writable) || (fetch && noExecute)) {
      out.errorCode = errorCode | PFEC.present;
      return false;
    }
    const low = words[at]!;
    const marked = (low | 0x20 | (write ? 0x40 : 0)) >>> 0;
    if (marked !== low) words[at] = marked;
    out.mfn = asMfn(table);
    out.writable = writable && (marked & 0x40) !== 0;
    return true;
  }

  private walkXen(lo: number, hi: number, write: boolean, fetch: boolean, out: WalkResult): boolean {
    const address = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    const errorCode = PFEC.user | (write ? PFEC.write : 0) | (fetch ? PFEC.fetch : 0);
    const offset = address - M2P_START;
    if (offset < BigInt(this.m2p.length)) {
      if (write || fetch) {
        out.errorCode = errorCode | PFEC.present;
        return false;
      }
      out.mfn = this.m2p.frame(Number(offset));
      out.writable = false;
      return true;
    }
    out.errorCode = errorCode | (this.xenMaps(address) ? PFEC.present : 0);
    return false;
  }

  /** Does Xen itself have something there (which a guest may not touch)? Text and data, and the direct map of RAM. */
  private xenMaps(address: bigint): boolean {
    if (this.hostFrames === null) return false;
    if (address >= 0xffff_82d0_4020_0000n && address < 0xffff_82d0_4080_0000n) return true;
    const frameTable = address - 0xffff_82e0_0000_0000n;
    if (frameTable >= 0n && frameTable < BigInt(this.hostFrames) * 32n) return true;
    const direct = address - 0xffff_8300_0000_0000n;
    return direct >= 0n && direct < BigInt(this.hostFrames) * BigInt(PAGE_SIZE);
  }

  protected xens(lo: number, hi: number): number | null {
    const slot = (hi >>> 7) & 511;
    if (slot < XEN_FIRST_SLOT || slot > XEN_LAST_SLOT) return null;
    const offset = ((hi >>> 0) - M2P_START_HIGH) * 2 ** 32 + (lo >>> 0);
    return offset >= 0 && offset < this.m2p.length ? this.m2p.frame(offset) * PAGE_SIZE + (offset % PAGE_SIZE) : -1;
  }
}
