// What the page walks of both kinds of guests share: the entries on the way to an address, and where an address leads, without side
// effects and whatever the rights.

import { asMfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import type { Ram } from './ram.ts';
import type { GuestWalker, WalkResult, WalkStep } from './walk.ts';

/** Frame number bits in the high word of an entry. */
const HIGH_FRAME = 0xf_ffff;

export abstract class TableWalk implements GuestWalker {
  protected readonly ram: Ram;
  /** Levels of the tables: 4, or 3 of a 32-bit guest. */
  private readonly levels: 4 | 3;

  constructor(ram: Ram, levels: 4 | 3) {
    this.ram = ram;
    this.levels = levels;
  }

  abstract walk(root: Mfn, lo: number, hi: number, write: boolean, fetch: boolean, out: WalkResult, user?: boolean): boolean;

  /** Where an address of Xen's range leads that a guest may read: a machine byte address, -1 where nothing is; null: not Xen's range. */
  protected abstract xens(lo: number, hi: number): number | null;

  /** The level whose entries for Xen's range are not the guest's. */
  protected abstract readonly xenLevel: number;

  steps(root: Mfn, address: bigint): WalkStep[] {
    const steps: WalkStep[] = [];
    const [lo, hi] = halves(address);
    const xens = this.xens(lo, hi) !== null;
    let table = root;
    for (let level: number = this.levels; level >= 1; level--) {
      if (xens && level === this.xenLevel) break;
      const index = this.slot(level, lo, hi);
      const entry = this.ram.entry(table, index);
      steps.push({ level, mfn: table, index, entry });
      const next = asMfn(Number((entry >> 12n) & 0xff_ffff_ffffn));
      if (!(entry & 1n) || !this.ram.valid(next)) break;
      table = next;
    }
    return steps;
  }

  peek(root: Mfn, address: bigint): number {
    const [lo, hi] = halves(address);
    const xens = this.xens(lo, hi);
    if (xens !== null) return xens;
    const words = this.ram.u32;
    let table: number = root;
    for (let level: number = this.levels; level >= 1; level--) {
      const at = (table - this.ram.base) * 1024 + this.slot(level, lo, hi) * 2;
      const low = words[at]!;
      if (!(low & 1)) return -1;
      table = (words[at + 1]! & HIGH_FRAME) * 0x10_0000 + (low >>> 12);
      if (level > 1 ? !this.ram.valid(table) : this.ram.pageIndex(table) < 0) return -1;
    }
    return table * PAGE_SIZE + (lo & 0xfff);
  }

  private slot(level: number, lo: number, hi: number): number {
    switch (level) {
      case 4:
        return (hi >>> 7) & 511;
      case 3:
        return this.levels === 3 ? lo >>> 30 : ((hi & 127) << 2) | (lo >>> 30);
      case 2:
        return (lo >>> 21) & 511;
      default:
        return (lo >>> 12) & 511;
    }
  }
}

/** The low and high 32 bits of an address. */
const halves = (address: bigint): readonly [lo: number, hi: number] => [
  Number(address & 0xffff_ffffn) | 0,
  Number(BigInt.asUintN(64, address) >> 32n) | 0,
];
