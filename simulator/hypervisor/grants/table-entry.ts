// The level 1 entry through which a domain maps a grant: it is made and taken away by grant operations only. Named by a virtual
// address of the tables in use, or, with GNTMAP_contains_pte, by the machine address of the entry itself.
// Behaviour of Xen 4.17 (arch/x86/pv/grant_table.c).

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { grantMapFlags as M } from '../../../abi/constants/grant.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { adjustEntry, entryMfn, isPresent, makeEntry, PTE } from '../../memory/entry.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { addressAllowed } from '../../memory/guest-memory.ts';
import { alsoPrints, frameText, hex, refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';

/** First of the flag bits that become the available bits of the entry. */
const GUEST_AVAILABLE = 16;
const AVAILABLE = 9;
const HIGHEST_32 = 0xffff_ffffn;

/** Flags of the entry, as Xen sets them before its usual changes. */
function entryFlags(flags: number): bigint {
  let entry = PTE.present | PTE.accessed | PTE.dirty | PTE.noExecute;
  if (flags & M.GNTMAP_application_map) entry |= PTE.user;
  if (!(flags & M.GNTMAP_readonly)) entry |= PTE.write;
  return entry | (BigInt((flags >>> GUEST_AVAILABLE) & 7) << BigInt(AVAILABLE));
}

export interface Place {
  readonly table: Mfn;
  readonly slot: number;
}

const noTable = (address: bigint, why: string, template: string | null): Refusal => {
  const text = address.toString(16);
  return refuse(
    'EINVAL',
    'grant-place',
    { address: hex(address), why },
    template ? { template, args: { address: text, machine: text } } : undefined,
  );
};

/** The level 1 table in use, of the caller's, in which the entry lies. */
function placeOf(call: Call, address: bigint, flags: number, template: string | null): Place | Refusal {
  const { walker, types, frames, ram } = call.hv.memory;
  let place: Place;
  if (flags & M.GNTMAP_contains_pte) {
    if (address & 7n) return noTable(address, 'the address of an entry is a multiple of 8', 'grant-misaligned');
    place = { table: asMfn(Number((address >> 12n) & 0xff_ffff_ffffn)), slot: Number((address & 0xfffn) >> 3n) };
  } else {
    if (call.bits === 32 && address > HIGHEST_32) return noTable(address, 'the address has more than 32 bits', null);
    const step = addressAllowed(address) ? walker.steps(call.vcpu.currentRoot(), address).find(({ level }) => level === 1) : undefined;
    if (!step) return noTable(address, 'it has no level 1 table in the page tables that are loaded', template);
    place = { table: step.mfn, slot: step.index };
  }
  const owned = types.getPage(place.table, call.domain.id);
  if (owned)
    return {
      ...alsoPrints(owned, 'no-page-ref', { mfn: frameText(place.table) }),
      errno: 'EINVAL',
      rule: 'grant-place',
      facts: { ...owned.facts, address: hex(address), why: 'the table is not the domain’s' },
    };
  types.putPage(place.table);
  const index = ram.index(place.table);
  if (!frames.usable(index) || frames.type[index] !== FrameType.l1)
    return refuse('EINVAL', 'grant-place', {
      ...{ address: hex(address), frame: frames.fact(place.table) },
      why: 'the entry does not lie in a level 1 table in use',
    });
  return place;
}

const isRefusal = (found: Place | Refusal): found is Refusal => 'rule' in found;

/** Puts the entry for a grant where the mapping asks for it; what was there is let go. */
export function createEntry(call: Call, address: bigint, mfn: Mfn, flags: number): Place | Refusal {
  const place = placeOf(call, address, flags, 'grant-no-l1');
  if (isRefusal(place)) return place;
  const { types, ram } = call.hv.memory;
  const old = ram.entry(place.table, place.slot);
  types.store(place.table, place.slot, adjustEntry(1, makeEntry(mfn, entryFlags(flags)), call.bits));
  types.entries.putFromL1(old, place.table, place.slot);
  return place;
}

/** Takes the entry of a grant away; with `newAddress`, the entry that maps that one takes its place (unmap_and_replace). */
export function replaceEntry(call: Call, address: bigint, mfn: Mfn, newAddress: bigint, flags: number): Refusal | null {
  if (newAddress !== 0n && flags & M.GNTMAP_contains_pte)
    return refuse('EINVAL', 'grant-place', { address: hex(address), why: 'what was mapped with GNTMAP_contains_pte cannot be replaced' });
  if (newAddress === 0n) return exchange(call, address, mfn, 0n, flags);
  const stolen = steal(call, newAddress);
  if (isRefusal2(stolen)) return stolen;
  const refusal = exchange(call, address, mfn, stolen.entry, flags, stolen.place);
  if (refusal) call.hv.memory.types.entries.putFromL1(stolen.entry, stolen.place.table, stolen.place.slot);
  return refusal;
}

interface Stolen {
  readonly entry: bigint;
  readonly place: Place;
}

const isRefusal2 = (found: Stolen | Refusal): found is Refusal => 'rule' in found;

function steal(call: Call, address: bigint): Stolen | Refusal {
  const place = placeOf(call, address, 0, 'grant-no-l1-2');
  if (isRefusal(place)) return place;
  const { types, ram } = call.hv.memory;
  const entry = ram.entry(place.table, place.slot);
  types.store(place.table, place.slot, 0n);
  return { entry, place };
}

function exchange(call: Call, address: bigint, mfn: Mfn, entry: bigint, flags: number, from?: Place): Refusal | null {
  const place = placeOf(call, address, flags, null);
  if (isRefusal(place)) return place;
  const { hv } = call;
  const { types, ram } = hv.memory;
  const old = ram.entry(place.table, place.slot);
  const wanted = makeEntry(mfn, entryFlags(flags));
  if (entryMfn(old) !== mfn || (old ^ wanted) & (PTE.present | PTE.write)) {
    const expected = adjustEntry(1, makeEntry(mfn, entryFlags(flags & 0xffff)), call.bits);
    const args = { entry: entryText(old), address: address.toString(16), expected: entryText(expected) };
    return refuse(
      'EINVAL',
      'grant-entry-changed',
      { address: hex(address), entry: hex(old), expected: hex(expected), maps: isPresent(old) ? hex(entryMfn(old)) : 'nothing' },
      { template: 'grant-entry-changed', args },
    );
  }
  types.store(place.table, place.slot, entry);
  hv.grantEntries.remove(place);
  if (from) hv.grantEntries.move(from, place);
  return null;
}

const entryText = (entry: bigint): string => entry.toString(16).padStart(16, '0');
