// The initial page tables of a domain: which tables a mapping needs, in the order in which they are laid out (top level first),
// and their contents. Table frames are mapped read only.

import type { Mfn } from '../../abi/address.ts';
import { makeEntry, PTE } from '../memory/entry.ts';
import type { Ram } from '../memory/ram.ts';

/** Virtual range [from, to), mapped onto consecutive pages from `pfn`. */
export interface MappedRange {
  readonly from: bigint;
  readonly to: bigint;
  readonly pfn: number;
}

/** Consecutive tables of one level: table `first + n` (its number = address >> span bits) lies in page `pfn + n`. */
export interface TableRange {
  readonly level: number;
  readonly first: bigint;
  readonly count: number;
  readonly pfn: number;
}

/** Address bits below those that select a table of this level. */
const spanBits = (level: number): bigint => BigInt(12 + 9 * level);
const MASK48 = (1n << 48n) - 1n;
const PAE_LAST_L2 = 3n;
export const topLevel = (bits: 64 | 32): 4 | 3 => (bits === 64 ? 4 : 3);

/** Tables that a range needs beyond those that exist. Only one level-4 table exists ever. */
export function tablesOf(
  range: MappedRange,
  existing: readonly TableRange[],
  { bits, allL2 }: { bits: 64 | 32; allL2: boolean },
): TableRange[] {
  const tables: TableRange[] = [];
  for (let level = topLevel(bits) as number; level >= 1; level--) {
    let from = (range.from & MASK48) >> spanBits(level);
    let last = ((range.to - 1n) & MASK48) >> spanBits(level);
    // The fourth level 3 entry of a 32-bit guest needs a table whatever is mapped; Xen gives its dom0 all four.
    if (bits === 32 && level === 2) {
      last = PAE_LAST_L2;
      if (allL2) from = 0n;
    }
    const missing: bigint[] = [];
    for (let n = from; n <= last; n++) {
      if (!existing.some((t) => t.level === level && n >= t.first && n < t.first + BigInt(t.count))) missing.push(n);
    }
    if (missing.length) tables.push({ level, first: missing[0]!, count: missing.length, pfn: 0 });
  }
  return tables;
}

export const countTables = (tables: readonly TableRange[]): number => tables.reduce((sum, t) => sum + t.count, 0);

const LEAF = PTE.present | PTE.write | PTE.accessed;
const INNER = PTE.present | PTE.write | PTE.accessed | PTE.dirty | PTE.user;

/** Writes the tables into the domain's frames. Returns the frame of the top table. */
export function writeTables(
  ram: Ram,
  p2m: readonly Mfn[],
  ranges: readonly MappedRange[],
  tables: readonly TableRange[],
  bits: 64 | 32,
): Mfn {
  const top = topLevel(bits);
  const isTable = new Set<number>();
  for (const t of tables) for (let n = 0; n < t.count; n++) isTable.add(t.pfn + n);
  const tableFor = (level: number, address: bigint): Mfn => {
    const n = (address & MASK48) >> spanBits(level);
    const t = tables.find((range) => range.level === level && n >= range.first && n < range.first + BigInt(range.count));
    if (!t) throw new Error(`no level ${level} table for 0x${address.toString(16)}`);
    return p2m[t.pfn + Number(n - t.first)]!;
  };
  const slot = (level: number, address: bigint): number => Number((address >> BigInt(3 + 9 * level)) & 511n);
  for (const t of tables) {
    if (t.level === top) continue;
    for (let n = 0; n < t.count; n++) {
      const address = (t.first + BigInt(n)) << spanBits(t.level);
      ram.setEntry(tableFor(t.level + 1, address), slot(t.level + 1, address), makeEntry(p2m[t.pfn + n]!, INNER));
    }
  }
  for (const range of ranges) {
    let pfn = range.pfn;
    for (let address = range.from; address < range.to; address += 4096n, pfn++) {
      ram.setEntry(tableFor(1, address), slot(1, address), makeEntry(p2m[pfn]!, isTable.has(pfn) ? LEAF & ~PTE.write : LEAF));
    }
  }
  return p2m[tables.find((t) => t.level === top)!.pfn]!;
}
