// The page walk of a 32-bit PV guest: PAE's three levels, four entries in the top one. The guest kernel runs in ring 1, so the
// processor itself keeps user mode (ring 3) off pages without the user bit. From 0xf5800000 on the tables are Xen's: the
// machine-to-physical table, read only and not for user mode, and nothing behind it.
// Source: Intel SDM volume 3, 4.4 to 4.6; public/arch-x86/xen-x86_32.h for the layout.

import { asMfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import { addressSpace32 } from '../../abi/constants/address-space.table.ts';
import type { Ram } from './ram.ts';
import { type GuestWalker, HIGH_RESERVED, type M2pWindow, PFEC, type WalkResult, type WalkStep } from './walk.ts';

const XEN_START = Number(addressSpace32.HYPERVISOR_VIRT_START);
const LARGE_PAGE = 2 ** 21;

export class PaeWalker implements GuestWalker {
  private readonly ram: Ram;
  private readonly m2p: M2pWindow;
  /** Bytes that the machine-to-physical table's 2 MiB pages show. */
  private readonly m2pBytes: number;

  constructor(ram: Ram, m2p: M2pWindow) {
    this.ram = ram;
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

  steps(root: Mfn, address: bigint): WalkStep[] {
    const steps: WalkStep[] = [];
    let table = root;
    for (let level = 3; level >= 1; level--) {
      const index = Number((address >> BigInt(3 + level * 9)) & (level === 3 ? 3n : 511n));
      if (level === 2 && address >= addressSpace32.HYPERVISOR_VIRT_START) break;
      const entry = this.ram.entry(table, index);
      steps.push({ level, mfn: table, index, entry });
      const next = asMfn(Number((entry >> 12n) & 0xff_ffff_ffffn));
      if (!(entry & 1n) || !this.ram.valid(next)) break;
      table = next;
    }
    return steps;
  }

  peek(root: Mfn, address: bigint): number {
    if (address >= 1n << 32n) return -1;
    if (address >= addressSpace32.HYPERVISOR_VIRT_START) {
      const offset = Number(address) - XEN_START;
      return offset < this.m2pBytes ? this.m2p.frame(offset) * PAGE_SIZE + (offset % PAGE_SIZE) : -1;
    }
    const last = this.steps(root, address).at(-1);
    if (last?.level !== 1 || !(last.entry & 1n)) return -1;
    const mfn = Number((last.entry >> 12n) & 0xff_ffff_ffffn);
    return this.ram.valid(mfn) ? mfn * PAGE_SIZE + Number(address & 0xfffn) : -1;
  }
}
