// What a kernel image tells Xen's domain builder (ELF notes, or the legacy `__xen_guest` string) and what follows from it.

import type { ElfFile } from './elf/file.ts';
import { ImageError } from './error.ts';
import { checkParameters } from './xen/check.ts';
import { checkForeign, checkItems, checkRawNotes, compareSources } from './xen/check-notes.ts';
import { guestString, presentItem, splitGuestString } from './xen/guest-section.ts';
import { layoutOf } from './xen/layout.ts';
import { emptyParameters, parametersOfItems, parametersOfNotes } from './xen/parameters.ts';
import { planOf } from './xen/plan.ts';
import { type NoteWalk, present, readNotes } from './xen/read-notes.ts';
import type { NoteSource, Problem, XenNote, XenNotes, XenParameters } from './xen/types.ts';

const MULTIBOOT_SEARCH = 8192;
const MULTIBOOT_MAGIC = 0x1badb002;

function hasMultibootHeader({ bytes }: ElfFile): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 12 <= Math.min(bytes.length, MULTIBOOT_SEARCH); at += 4) {
    if (view.getUint32(at, true) !== MULTIBOOT_MAGIC) continue;
    if (((view.getUint32(at, true) + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)) & 0xffffffff) === 0) return true;
  }
  return false;
}

function withoutNotes(elf: ElfFile, walk: NoteWalk, problems: Problem[]): XenNotes {
  const native = hasMultibootHeader(elf) ? ' It has a multiboot header, so it is a kernel for bare machines.' : '';
  problems.unshift({
    severity: 'error',
    text: `This ELF file has no Xen notes: neither notes with owner "Xen" nor a __xen_guest section, so Xen cannot load it.${native} Add at least XEN_VERSION "xen-3.0", LOADER "generic", VIRT_BASE and ENTRY (ELFNOTE macros of xen/elfnote.h in an assembly file) and keep their section in the linker script.`,
  });
  return { source: 'none', items: [], foreign: walk.foreign, parameters: emptyParameters(), layout: null, problems, plan: [] };
}

/**
 * Reads and judges the Xen notes of an image. Never throws for what the notes say: refusals are `problems` with severity 'error'.
 * Source: libelf of Xen 4.17 (libelf-dominfo.c) and its PV domain builders.
 */
export function xenNotes(elf: ElfFile): XenNotes {
  const walk = readNotes(elf);
  const problems: Problem[] = [...walk.problems, ...checkForeign(walk.foreign)];
  const legacyText = guestString(elf);
  let parameters: XenParameters;
  let items: XenNote[];
  let source: NoteSource = walk.source;
  if (source !== 'none') {
    problems.push(...checkRawNotes(walk.notes));
    parameters = parametersOfNotes(walk.notes, problems);
    items = walk.notes.map(present);
    if (legacyText !== null) problems.push(...compareSources(parameters, parametersOfItems(splitGuestString(legacyText), [])));
  } else if (legacyText !== null) {
    const parsed = splitGuestString(legacyText);
    problems.push(...checkItems(parsed));
    parameters = parametersOfItems(parsed, problems);
    items = parsed.map((item) => presentItem(item, parameters.virtBase));
    source = 'xen-guest-section';
  } else {
    return withoutNotes(elf, walk, problems);
  }
  const layout = layoutOf(elf, parameters, source === 'xen-guest-section');
  problems.push(...checkParameters(elf, parameters, layout));
  const rank = { error: 0, warning: 1, info: 2 };
  problems.sort((a, b) => rank[a.severity] - rank[b.severity]);
  const refused = problems.some((problem) => problem.severity === 'error');
  return {
    source,
    items,
    foreign: walk.foreign,
    parameters,
    layout,
    problems,
    plan: layout && !refused ? planOf(elf, parameters, layout) : [],
  };
}

/**
 * The notes of an image that is to be booted.
 * @throws ImageError ('no-xen-notes' or 'malformed') with the first reason for which Xen would refuse it.
 */
export function bootableNotes(elf: ElfFile): XenNotes & { readonly layout: NonNullable<XenNotes['layout']> } {
  const notes = xenNotes(elf);
  const refusal = notes.problems.find((problem) => problem.severity === 'error');
  if (refusal) throw new ImageError(notes.source === 'none' ? 'no-xen-notes' : 'malformed', refusal.text);
  if (!notes.layout) throw new ImageError('malformed', 'The image has nothing that can be loaded. Check the linker script.');
  return { ...notes, layout: notes.layout };
}
