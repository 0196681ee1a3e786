// A change of one entry of a table in use: the new entry is audited before it is stored, the old one let go after.
// Behaviour of Xen 4.17 (arch/x86/mm.c).

import type { Mfn } from '../../abi/address.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { adjustEntry, HARMLESS_FLAGS, isPresent, isXenSlot, PAE_ENTRIES, PTE, XEN_L2_FIRST_SLOT } from './entry.ts';
import { FLAG_XEN_L2 } from './frame-table.ts';
import { isStop, type Outcome } from './outcome.ts';
import type { PageTypes } from './page-types.ts';
import { alternate, refuse, throughSlot } from './refuse.ts';

export interface UpdateHow {
  /** Keeps the accessed and dirty bits of the old entry. */
  readonly preserveAccessedDirty?: boolean;
  /** The domain whose frames a level 1 entry may name, where it is not the table's own. */
  readonly pages?: number;
}

export function updateEntry(types: PageTypes, table: Mfn, slot: number, value: bigint, domain: number, how: UpdateHow): Outcome {
  const { frames, ram, observer } = types;
  const level = frames.type[ram.index(table)]!;
  const reserved = slotOfXen(types, table, level, slot, domain);
  if (reserved) return reserved;
  const old = ram.entry(table, slot);
  const keep = how.preserveAccessedDirty ? old & (PTE.accessed | PTE.dirty) : 0n;
  let entry = value;
  if (isPresent(value)) {
    const bad = types.entries.flagsAllowed(level, value, domain);
    if (bad) return throughSlot(bad, level, table, slot);
    entry = adjustEntry(level, value, observer.bits(domain));
    if (!((old ^ entry) & ~HARMLESS_FLAGS)) {
      types.store(table, slot, entry | keep);
      return null;
    }
    const outcome =
      level === 1 ? types.entries.getFromL1(entry, domain, how.pages) : types.entries.getFromUpper(level, entry, table, domain);
    if (outcome) return isStop(outcome) ? outcome : throughSlot(outcome, level, table, slot);
    if (level === 1) entry ^= types.entries.deviceFlags(entry, domain);
  } else if (value !== 0n) {
    const refusal = observer.notPresent?.(level, value, domain);
    if (refusal) return throughSlot(refusal, level, table, slot);
  }
  types.store(table, slot, entry | keep);
  if (level === 1) types.entries.putFromL1(old, table, slot);
  else types.entries.deferFromUpper(old, table);
  return null;
}

/** A slot in which Xen has its own entries. */
function slotOfXen(types: PageTypes, table: Mfn, level: number, slot: number, domain: number): Refusal | null {
  const { frames, ram, observer } = types;
  const facts = { table: frames.fact(table), level, slot };
  if (isXenSlot(level, slot))
    return refuse('EINVAL', 'l4-slot-of-xen', facts, { template: 'l4-private-slot', args: { slot: alternate(slot) } });
  if (level === 2 && frames.flags[ram.index(table)]! & FLAG_XEN_L2 && slot >= XEN_L2_FIRST_SLOT)
    return refuse('EPERM', 'pae-slot-of-xen', facts, { template: 'l2-private-slot', args: { slot: alternate(slot) } });
  if (level === 3 && observer.bits(domain) === 32 && slot >= PAE_ENTRIES - 1) return refuse('EINVAL', 'pae-slot-of-xen', facts);
  return null;
}
