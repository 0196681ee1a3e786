// Which virtual addresses map a frame: a search through the tables of one address space, for explanations only.

import { asMfn, type Mfn } from '../../abi/address.ts';
import { isXenSlot, PTE } from './entry.ts';
import type { Ram } from './ram.ts';

export interface Mapping {
  readonly address: bigint;
  readonly table: Mfn;
  readonly slot: number;
}

/** Up to `limit` writable mappings of `mfn` below `root`, lowest address first. */
export function writableMappings(ram: Ram, root: Mfn, mfn: Mfn, limit: number, bits: 64 | 32 = 64): Mapping[] {
  const found: Mapping[] = [];
  const visit = (table: Mfn, level: number, base: bigint): void => {
    for (let slot = 0; slot < 512 && found.length < limit; slot++) {
      if (isXenSlot(level, slot)) continue;
      const entry = ram.entry(table, slot);
      // Large pages are Xen's own in a 32-bit guest's tables.
      if (!(entry & PTE.present) || (level > 1 && entry & PTE.size)) continue;
      const next = asMfn(Number((entry >> 12n) & 0xff_ffff_ffffn));
      const address = base | (BigInt(slot) << BigInt(3 + 9 * level));
      if (level > 1) {
        // A linear entry leads back up; its pages are read only.
        if (ram.valid(next) && next !== table) visit(next, level - 1, address);
      } else if (next === mfn && entry & PTE.write) {
        found.push({ address: BigInt.asUintN(64, BigInt.asIntN(48, address)), table, slot });
      }
    }
  };
  visit(root, bits === 64 ? 4 : 3, 0n);
  return found;
}
