// The audit of a frame that becomes a page table or a descriptor page, and its reverse, entry by entry. Both can stop between
// two entries; the frame table keeps how far they came.
// Behaviour of Xen 4.17 (arch/x86/mm.c).

import type { Mfn } from '../../abi/address.ts';
import { negative } from '../../abi/errno.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { checkDescriptorPage } from './descriptors.ts';
import { adjustEntry, entryMfn, isPresent, isXenSlot, PAE_ENTRIES, PTE, XEN_L2_FIRST_SLOT } from './entry.ts';
import { FLAG_XEN_L2, FrameType, type FrameTypeValue, TABLE_TYPE } from './frame-table.ts';
import { isStop, type Outcome, type Stop } from './outcome.ts';
import type { PageTypes } from './page-types.ts';
import { alsoPrints, alternate, hex, noReference, refuse, throughSlot } from './refuse.ts';

const ENTRIES = 512;

export class Validation {
  private readonly types: PageTypes;

  constructor(types: PageTypes) {
    this.types = types;
  }

  /** Is the slot Xen's own? In a 32-bit guest: the fourth of level 3 and all behind it, and the end of the table it names. */
  isXens(table: Mfn, level: number, slot: number): boolean {
    if (level === 4) return isXenSlot(level, slot);
    const { frames, ram, observer } = this.types;
    const i = ram.index(table);
    if (level === 2) return (frames.flags[i]! & FLAG_XEN_L2) !== 0 && slot >= XEN_L2_FIRST_SLOT;
    return level === 3 && slot >= PAE_ENTRIES - 1 && observer.bits(frames.owner[i]!) === 32;
  }

  /** Audits a frame for the type that it is to have. On a refusal nothing is held any more, or what is held is left to be taken apart. */
  promote(mfn: Mfn, type: FrameTypeValue): Outcome {
    const { frames, ram, observer } = this.types;
    if (type === FrameType.writable || type === FrameType.shared) return null;
    const owner = frames.owner[ram.index(mfn)]!;
    if (type === FrameType.segDesc) return checkDescriptorPage(ram, mfn, frames, observer.bits(owner));
    return type === FrameType.l1 ? this.promoteL1(mfn, owner) : this.promoteUpper(mfn, type, owner);
  }

  private promoteL1(mfn: Mfn, owner: number): Refusal | null {
    const { types } = this;
    const bits = types.observer.bits(owner);
    types.preemption.work(ENTRIES);
    for (let slot = 0; slot < ENTRIES; slot++) {
      const entry = types.ram.entry(mfn, slot);
      if (entry === 0n) continue;
      const refusal = isPresent(entry) ? types.entries.getFromL1(entry, owner) : (types.observer.notPresent?.(1, entry, owner) ?? null);
      if (refusal) {
        for (let n = 0; n < slot; n++) types.entries.putFromL1(types.ram.entry(mfn, n), mfn, n);
        return throughSlot(failure(refusal, 1, slot), 1, mfn, slot);
      }
      const adjusted = adjustEntry(1, entry, bits) ^ (isPresent(entry) ? types.entries.deviceFlags(entry, owner) : 0n);
      if (adjusted !== entry) types.store(mfn, slot, adjusted);
    }
    return null;
  }

  private promoteUpper(mfn: Mfn, level: number, owner: number): Outcome {
    const { types } = this;
    const { frames, preemption, ram } = types;
    const i = ram.index(mfn);
    const bits = types.observer.bits(owner);
    const pae = level === 3 && bits === 32;
    if (pae) this.clearUnusedPae(mfn);
    const start = frames.entriesHeld[i]!;
    for (let slot = start; slot < (pae ? PAE_ENTRIES : ENTRIES); slot++) {
      const held = slot === start && frames.nextHeld[i] !== 0;
      const outcome = slot > start && level < 4 && preemption.due() ? 'untouched' : this.takeSlot(mfn, level, slot, owner, held);
      preemption.work(1);
      if (outcome === null) {
        const entry = ram.entry(mfn, slot);
        const adjusted = this.isXens(mfn, level, slot) && !pae ? entry : adjustEntry(level, entry, bits);
        if (adjusted !== entry) types.store(mfn, slot, adjusted);
        continue;
      }
      if (isStop(outcome)) {
        if (outcome === 'untouched' && slot === 0 && !held) return 'untouched';
        frames.entriesHeld[i] = slot;
        frames.nextHeld[i] = outcome === 'partial' || held ? 1 : 0;
        return 'partial';
      }
      this.leaveFailed(mfn, slot, held);
      if (pae) for (let n = 0; n < slot; n++) this.unadjustPae(mfn, n);
      return throughSlot(failure(outcome, level, slot), level, mfn, slot);
    }
    if (frames.flags[i]! & FLAG_XEN_L2) types.observer.fillXenL2(mfn);
    return null;
  }

  /** The audit failed at `slot`: what the slots before it hold is taken apart later. */
  private leaveFailed(mfn: Mfn, slot: number, held: boolean): void {
    if (slot === 0 && !held) return;
    const { types } = this;
    const i = types.ram.index(mfn);
    const below = types.deferred.table;
    // The table below failed half way too: this one's slot now holds its reference. One further below is taken apart at once:
    // only one can wait.
    const itself = below !== null && below === entryMfn(types.ram.entry(mfn, slot));
    if (below !== null && !itself) types.preemption.without(() => types.drain());
    types.frames.entriesHeld[i] = slot;
    types.frames.nextHeld[i] = held || itself ? 1 : 0;
    types.defer(mfn, null, true);
  }

  /** The processor sees the whole page of a 32-bit guest's level 3 table, the guest has to fill four entries only. */
  private clearUnusedPae(mfn: Mfn): void {
    for (let slot = PAE_ENTRIES; slot < ENTRIES; slot++) this.types.ram.setEntry(mfn, slot, 0n);
    this.types.observer.written(mfn);
  }

  private unadjustPae(mfn: Mfn, slot: number): void {
    const entry = this.types.ram.entry(mfn, slot);
    if (isPresent(entry)) this.types.store(mfn, slot, entry & ~(PTE.user | PTE.write | PTE.accessed));
  }

  private takeSlot(mfn: Mfn, level: number, slot: number, owner: number, held: boolean): Outcome {
    const { types } = this;
    const pae = level === 3 && types.observer.bits(owner) === 32;
    const entry = types.ram.entry(mfn, slot);
    if (pae && slot === PAE_ENTRIES - 1) return this.takeXenL2(entry, mfn, owner, held);
    if (this.isXens(mfn, level, slot)) return null;
    if (!isPresent(entry)) return entry === 0n ? null : (types.observer.notPresent?.(level, entry, owner) ?? null);
    return types.entries.getFromUpper(level, entry, mfn, owner, { held, keep: true });
  }

  /** The fourth level 3 entry of a 32-bit guest: it must name a level 2 table, and no other may name that. */
  private takeXenL2(entry: bigint, table: Mfn, owner: number, held: boolean): Outcome {
    const { types } = this;
    if (!isPresent(entry)) return refuse('EINVAL', 'pae-fourth-entry', { table: types.frames.fact(table), entry: hex(entry) });
    const bad = types.entries.flagsAllowed(3, entry, owner);
    if (bad) return { ...bad, xenLine: undefined } as Refusal;
    const mfn = entryMfn(entry);
    const outcome = types.takePageAndType(mfn, TABLE_TYPE[2], owner, { preemptible: true, held, keep: true, xenL2: true });
    if (outcome !== null) return isStop(outcome) ? outcome : noReference(outcome, mfn);
    if (types.frames.typeCount[types.ram.index(mfn)] === 1) return null;
    const shared = refuse(
      'EINVAL',
      'pae-fourth-table-shared',
      { frame: types.frames.fact(mfn), entry: hex(entry) },
      { template: 'pae-l3-shared', args: {} },
    );
    types.preemption.without(() => types.drop(mfn));
    types.putPage(mfn);
    return shared;
  }

  /** Lets go of what a table holds, last entry first. */
  demote(mfn: Mfn): Stop | null {
    const { types } = this;
    const i = types.ram.index(mfn);
    const level = types.frames.type[i]!;
    if (level === FrameType.l1) {
      types.preemption.work(ENTRIES);
      for (let slot = 0; slot < ENTRIES; slot++) types.entries.putFromL1(types.ram.entry(mfn, slot), mfn, slot);
      return null;
    }
    return this.demoteUpper(mfn, level);
  }

  private demoteUpper(mfn: Mfn, level: number): Stop | null {
    const { types } = this;
    const { frames, preemption, ram } = types;
    const i = ram.index(mfn);
    const pae = level === 3 && types.observer.bits(frames.owner[i]!) === 32;
    let held = frames.nextHeld[i] !== 0;
    for (let slot = frames.entriesHeld[i]! - (held ? 0 : 1); slot >= 0; slot--) {
      const stop = !pae && this.isXens(mfn, level, slot) ? 'none' : types.entries.putFromUpper(ram.entry(mfn, slot), mfn, held);
      preemption.work(1);
      if (stop === 'partial') {
        frames.entriesHeld[i] = slot;
        frames.nextHeld[i] = 1;
        return 'partial';
      }
      if (stop === 'untouched') return this.stopDemotion(i, slot, held);
      held = false;
      if (stop === null && pae) this.unadjustPae(mfn, slot);
      if (slot > 0 && level < 4 && preemption.due()) return this.stopDemotion(i, slot - 1, false);
    }
    return null;
  }

  /** Stopped before `slot` was let go. */
  private stopDemotion(i: number, slot: number, held: boolean): Stop {
    if (slot >= ENTRIES - 1) return 'untouched';
    const { frames } = this.types;
    frames.entriesHeld[i] = held ? slot : slot + 1;
    frames.nextHeld[i] = held ? 1 : 0;
    return 'partial';
  }
}

/** The line that Xen prints for the slot at which an audit failed. */
const failure = (refusal: Refusal, level: number, slot: number): Refusal =>
  alsoPrints(refusal, 'promote-failed', { error: `${negative(refusal.errno)}`, level: `${level}`, slot: alternate(slot) });
