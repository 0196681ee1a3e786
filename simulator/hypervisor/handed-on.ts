// dom0 may write entries into the level 1 tables of other domains that name frames which are not theirs: which ones there are.

import type { Mfn } from '../../abi/address.ts';
import type { MachineMemory } from '../memory/allocate.ts';
import { entryMfn, isPresent } from '../memory/entry.ts';

const keyOf = (table: Mfn, slot: number): number => table * 512 + slot;

export class HandedOn {
  private readonly memory: MachineMemory;
  private readonly entries = new Set<number>();

  constructor(memory: MachineMemory) {
    this.memory = memory;
  }

  /** dom0 has written an entry of a table of `owner`. */
  note(table: Mfn, slot: number, owner: number): void {
    const { ram, frames } = this.memory;
    const entry = ram.entry(table, slot);
    const named = entryMfn(entry);
    if (isPresent(entry) && ram.valid(named) && frames.owner[ram.index(named)] !== owner) this.entries.add(keyOf(table, slot));
  }

  /** What the entry held is let go. */
  dropped(table: Mfn, slot: number): void {
    this.entries.delete(keyOf(table, slot));
  }

  has(table: Mfn, slot: number): boolean {
    return this.entries.has(keyOf(table, slot));
  }
}
