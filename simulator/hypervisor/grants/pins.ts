// How often a grant is in use, and for what. While it is, what the granting guest does to its entry does not matter.
// Behaviour of Xen 4.17 (common/grant_table.c).

import type { Mfn } from '../../../abi/address.ts';

/** Uses by kind: by a processor or a device, for writing or for reading only. */
export const PIN_KINDS = ['hostWrite', 'hostRead', 'deviceWrite', 'deviceRead'] as const;
export type PinKind = (typeof PIN_KINDS)[number];
export type Pins = Record<PinKind, number>;

/** An entry of the table of grants in use. */
export interface ActiveGrant {
  readonly pins: Pins;
  /** Who uses it. */
  domain: number;
  mfn: Mfn;
  /** What part of the page it lets be copied. */
  start: number;
  length: number;
  subPage: boolean;
  /** The grant for which a transitive one stands; itself for all others. */
  transDomain: number;
  transRef: number;
}

export type ActiveGrants = Map<number, ActiveGrant>;

/** A counter that has reached this is refused one more. */
const FULL = 0x80;

export const pinned = (active: ActiveGrant | undefined): boolean => active !== undefined && PIN_KINDS.some((kind) => active.pins[kind] > 0);
export const pinnedForWriting = ({ pins }: ActiveGrant): boolean => pins.hostWrite + pins.deviceWrite > 0;

export const wouldOverflow = ({ pins }: ActiveGrant, kinds: readonly PinKind[]): boolean => kinds.some((kind) => pins[kind] >= FULL);

/** As Xen shows it: a byte for each kind. */
export const pinWord = ({ pins }: ActiveGrant): number =>
  (pins.hostWrite | (pins.hostRead << 8) | (pins.deviceWrite << 16) | (pins.deviceRead << 24)) >>> 0;

/** The entry of the table of grants in use for a reference, a new one (unpinned) where there is none. */
export function activeOf(grants: ActiveGrants, ref: number): ActiveGrant {
  const found = grants.get(ref);
  if (found) return found;
  const active: ActiveGrant = {
    pins: { hostWrite: 0, hostRead: 0, deviceWrite: 0, deviceRead: 0 },
    ...{ domain: 0, mfn: 0 as Mfn, start: 0, length: 0, subPage: false, transDomain: 0, transRef: 0 },
  };
  grants.set(ref, active);
  return active;
}

/** Changes the counters; an entry that nothing uses any more is forgotten. */
export function pin(grants: ActiveGrants, ref: number, kinds: readonly PinKind[], by: 1 | -1): void {
  const active = activeOf(grants, ref);
  for (const kind of kinds) {
    active.pins[kind] += by;
    if (active.pins[kind] < 0) throw new Error(`grant ${ref} loses a use (${kind}) that it does not have`);
  }
  if (!pinned(active)) grants.delete(ref);
}
