// Problems of single notes and items: wrong sizes, cut notes, contradictions, wrong owners, items that Xen does not read.

import { hex } from '../error.ts';
import { unknownFeatures } from './features.ts';
import type { GuestItem } from './guest-section.ts';
import { GUEST_ITEMS, NOTES } from './notes.table.ts';
import type { RawNote } from './read-notes.ts';
import type { ForeignNote, Problem, XenParameters } from './types.ts';

const REPEATED_MAX = 20;
/** Owners that have nothing to do with Xen. */
const KNOWN_OWNERS = new Set([
  'GNU',
  'Linux',
  'stapsdt',
  'CORE',
  'NetBSD',
  'OpenBSD',
  'FreeBSD',
  'PaX',
  'Go',
  'LINUX',
  'Android',
  'FDO',
  'Solo5',
]);

const display = (note: RawNote): string => (note.definition?.kind === 'number' ? hex(note.value) : JSON.stringify(note.string));

export function checkRawNotes(notes: readonly RawNote[]): Problem[] {
  const problems: Problem[] = [];
  const last = new Map<number, RawNote>();
  for (const note of notes) {
    const { definition } = note;
    if (!definition) {
      problems.push({ severity: 'info', text: `Note number ${hex(note.number)} with owner "Xen" is unknown; Xen ignores it.` });
      continue;
    }
    const name = definition.name;
    if (definition.kind === 'number' && ![1, 2, 4, 8].includes(note.size)) {
      problems.push({
        severity: 'warning',
        text: `${name} has ${note.size} bytes; Xen reads numbers of 1, 2, 4 or 8 bytes only and takes this one as 0. Use .long or .quad.`,
      });
    }
    if (definition.kind === 'feature-bits' && note.size % 4 !== 0) {
      problems.push({
        severity: 'warning',
        text: `${name} has ${note.size} bytes; Xen reads 4-byte words only and takes this one as 0. Use .long.`,
      });
    }
    if (note.cut) {
      problems.push({
        severity: 'info',
        text: `${name} is cut short by the end of its note segment (p_filesz is too small). Xen reads on beyond the segment and accepts it.`,
      });
    }
    if (definition.kind === 'features') {
      for (const unknown of unknownFeatures(note.string))
        problems.push({ severity: 'info', text: `FEATURES names '${unknown}', which Xen 4.17 does not know and ignores.` });
    }
    const before = last.get(note.number);
    if (before && display(before) !== display(note)) {
      problems.push({
        severity: 'warning',
        text: `${name} is given twice, ${display(before)} and ${display(note)}; the later one counts. Remove one.`,
      });
    }
    last.set(note.number, note);
  }
  return problems.slice(0, REPEATED_MAX * NOTES.length);
}

/** Notes whose owner is probably meant to be "Xen". */
export function checkForeign(foreign: readonly ForeignNote[]): Problem[] {
  const owners = new Map<string, number>();
  for (const { owner, type } of foreign) {
    if (!KNOWN_OWNERS.has(owner) && NOTES.some((note) => note.number === type)) owners.set(owner, (owners.get(owner) ?? 0) + 1);
  }
  return [...owners].map(([owner, count]) => ({
    severity: 'warning' as const,
    text: `${count} note(s) have owner ${JSON.stringify(owner)} and numbers of Xen notes. Xen looks for the owner "Xen" exactly and ignores them. Change the owner's name if they are meant for Xen.`,
  }));
}

export function checkItems(items: readonly GuestItem[]): Problem[] {
  const problems: Problem[] = [];
  for (const { name } of items) {
    if (GUEST_ITEMS.has(name)) continue;
    const hint =
      name === 'GUEST_VERSION'
        ? ' (Xen reads GUEST_VER)'
        : name === 'PADDR_OFFSET'
          ? ' (Xen reads ELF_PADDR_OFFSET)'
          : name === 'ENTRY'
            ? ' (Xen reads VIRT_ENTRY)'
            : '';
    problems.push({ severity: 'info', text: `Item ${JSON.stringify(name)} of __xen_guest is not read by Xen${hint}.` });
  }
  return problems.slice(0, REPEATED_MAX);
}

/** The notes win; says where the unread `__xen_guest` string would differ. */
export function compareSources(notes: XenParameters, legacy: XenParameters): Problem[] {
  const differences = (['virtBase', 'paddrOffset', 'entry', 'hypercallPage'] as const).filter(
    (key) => notes[key] !== undefined && legacy[key] !== undefined && notes[key] !== legacy[key],
  );
  const names = { virtBase: 'VIRT_BASE', paddrOffset: 'PADDR_OFFSET', entry: 'ENTRY', hypercallPage: 'HYPERCALL_PAGE' };
  const text = 'The image has Xen notes and a __xen_guest section; Xen reads the notes only.';
  if (differences.length === 0) return [{ severity: 'info', text }];
  const list = differences.map((key) => `${names[key]} ${hex(notes[key]!)} against ${hex(legacy[key]!)}`).join(', ');
  return [{ severity: 'warning', text: `${text} They contradict each other: ${list}.` }];
}
