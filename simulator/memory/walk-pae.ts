// The page walk of a 32-bit PV guest: PAE's three levels, four entries in the top one. The guest kernel runs in ring 1, so the
// processor itself keeps user mode (ring 3) off pages without the user bit. From 0xf5800000 on the tables are Xen's: the
// machine-to-physical table, read only and not for user mode, and nothing behind it.
// Source: Intel SDM volume 3, 4.4 to 4.6; public/arch-x86/xen-x86_32.h for the layout.

import { asMfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import { addressSpace32 } from '../../abi/constants/address-space.table.ts';
import type { Ram } from './ram.ts';
import { TableWalk } from './table-walk.ts';
import { HIGH_RESERVED, type M2pWindow, PFEC, type WalkResult } from './walk.ts';

const XEN_START = Number(addressSpace32.HYPERVISOR_VIRT_START);
const LARGE_PAGE = 2 ** 21;

export class PaeWalker extends TableWalk {
  private readonly m2p: M2pWindow;
  /** Bytes that the machine-to-physical table's 2 MiB pages show. */
  private readonly m2pBytes: number;

  protected readonly xenLevel = 2;

  constructor(ram: Ram, m2p: M2pWindow) {
    super(ram, 3);
    this.m2p = m2p;
    this.m2pBytes = Math.ceil(m2p.length / LARGE_PAGE) * LARGE_PAGE;
  }

  walk(root: Mfn, lo: number, hi: number, write: boolean, fetch: boolean, out: WalkResult, user = false): boolean {
    const errorCode = (user ? PFEC.user : 0) | (write ? PFEC.write : 0) | (fetch ? PFEC.fetch : 0);
    const address = lo >>> 0;
    if (hi !== 0) {
      out.errorCode = errorCode;
      return false;
    }
    if (address >= XEN_START) return this.walkXen(address - XEN_START, errorCode, write || user || fetch, out);
    const words = this.ram.u32;
    let table = root as number;
    let writable = true;
    let forUser = true;
    let noExecute = false;
    let at = 0;
    for (let level = 3; level >= 1; level--) {
      const slot = level === 3 ? lo >>> 30 : level === 2 ? (lo >>> 21) & 511 : (lo >>> 12) & 511;
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
      if (!(low & 4)) forUser = false;
      if (high & 0x8000_0000) noExecute = true;
      if (level > 1 && !(low & 0x20)) words[at] = (low | 0x20) >>> 0;
      table = (high & 0xff) * 0x10_0000 + (low >>> 12);
    }
    if ((user && !forUser) || (write && !writable) || (fetch && noExecute)) {
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

  private walkXen(offset: number, errorCode: number, refused: boolean, out: WalkResult): boolean {
    if (offset < this.m2pBytes && !refused) {
      out.mfn = this.m2p.frame(offset);
      out.writable = false;
      return true;
    }
    out.errorCode = errorCode | (offset < this.m2pBytes ? PFEC.present : 0);
    return false;
  }

  protected xens(lo: number, hi: number): number | null {
    if (hi !== 0) return -1;
    const offset = (lo >>> 0) - XEN_START;
    if (offset < 0) return null;
    return offset < this.m2pBytes ? this.m2p.frame(offset) * PAGE_SIZE + (offset % PAGE_SIZE) : -1;
  }
}
