// What a refused grant operation says: the status as the guest finds it, and both domains' tables at that moment.

import { grantFlags as F, grantStatuses } from '../../../abi/constants/grant.table.ts';
import type { FactValue, Refusal } from '../../../abi/refusal.ts';
import { hex } from '../../memory/refuse.ts';
import type { GrantTable } from '../grant-table.ts';
import { HANDLES_PER_FRAME, type MapTrack } from './maptrack.ts';
import { type ActiveGrant, PIN_KINDS, pinWord } from './pins.ts';

type Facts = Record<string, FactValue>;

const nameByStatus = new Map<number, string>(Object.entries(grantStatuses).map(([name, value]) => [value, name]));

/** As in a fact: 'GNTST_bad_gntref (-3)'. */
export const statusText = (status: number): string => `${nameByStatus.get(status) ?? 'GNTST_?'} (${status})`;

export const domainText = (id: number): string => (id === 0x7ff0 ? 'DOMID_SELF' : `domain ${id}`);

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [F.GTF_readonly, 'read only'],
  [F.GTF_sub_page, 'a part of a page'],
  [F.GTF_reading, 'GTF_reading'],
  [F.GTF_writing, 'GTF_writing'],
];

/** An entry in words: 'permits access to domain 2, frame 0x7fd01 (flags 0x1)'. */
export function entryText(table: GrantTable, ref: number): string {
  const { flags, domid, frame, transDomain, transRef } = table.read(ref);
  const more = FLAG_NAMES.filter(([bit]) => flags & bit).map(([, name]) => name);
  const end = `(flags ${[hex(flags), ...more].join(', ')})`;
  switch (flags & F.GTF_type_mask) {
    case F.GTF_permit_access:
      return `permits access to domain ${domid}, frame ${hex(frame)} ${end}`;
    case F.GTF_accept_transfer:
      return `offers domain ${domid} to take a frame ${end}`;
    case F.GTF_transitive:
      return `hands on grant ${transRef} of domain ${transDomain} to domain ${domid} ${end}`;
    default:
      return flags === 0 && domid === 0 && frame === 0n ? 'is empty' : `grants nothing ${end}`;
  }
}

/** What is in use of a grant: 'by domain 2: 1 hostWrite'. */
export function useText(active: ActiveGrant | undefined): string {
  if (!active || pinWord(active) === 0) return 'not in use';
  const kinds = PIN_KINDS.filter((kind) => active.pins[kind]).map((kind) => `${active.pins[kind]} ${kind}`);
  return `in use by domain ${active.domain}: ${kinds.join(', ')} of frame ${hex(active.mfn)}`;
}

/** The table of a domain in words. */
export const tableText = (id: number, table: GrantTable): string =>
  `the table of domain ${id} has version ${table.version}, ${table.frames.length} frame${table.frames.length === 1 ? '' : 's'} of at most ${table.maxFrames}, references 0 to ${table.entries - 1}, ${table.active.size} in use`;

export function handlesText(id: number, maptrack: MapTrack): string {
  let used = 0;
  for (const _ of maptrack.inUse()) used++;
  return `domain ${id} maps ${used} grants, with handles for at most ${maptrack.maxFrames * HANDLES_PER_FRAME}`;
}

/** Facts of one entry of the granting domain's table. */
export function entryFacts(table: GrantTable, granting: number, domain: number, ref: number): Facts {
  const exists = ref < table.entries;
  return {
    ref,
    granting,
    domain,
    granted: exists
      ? `grant ${ref} of domain ${granting} ${entryText(table, ref)}, ${useText(table.active.get(ref))}`
      : 'there is no such entry',
    table: tableText(granting, table),
  };
}

/** The outcome of one element: the status that the guest finds, and why it is none of success. */
export interface Outcome {
  readonly status: number;
  readonly refusal?: Refusal;
}

export const okay: Outcome = { status: grantStatuses.GNTST_okay };

/** An element that is refused with a status. */
export const refused = (status: number, refusal: Refusal): Outcome => ({
  status,
  refusal: { ...refusal, facts: { ...refusal.facts, status: statusText(status) } },
});
