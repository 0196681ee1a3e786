// From notes or items to the values that Xen's builder holds after reading them all.

import { readFeatureString } from './features.ts';
import { type GuestItem, parseNumber } from './guest-section.ts';
import type { RawNote } from './read-notes.ts';
import type { Problem, XenParameters } from './types.ts';

export const emptyParameters = (): XenParameters => ({
  loader: '',
  guestOs: '',
  guestVersion: '',
  xenVersion: '',
  pae: 'no',
  bsdSymtab: false,
  unmappedRamdisk: false,
  suspendCancel: false,
  supported: new Set(),
  required: new Set(),
  hasSupportedFeatures: false,
});

const unknownRequired = (name: string): string =>
  `FEATURES requires '${name}', which is no feature name that Xen 4.17 knows. Remove it or write it without '!'.`;

function applyNote(p: XenParameters, note: RawNote, problems: Problem[]): void {
  switch (note.definition?.name) {
    case 'ENTRY':
      p.entry = note.value;
      break;
    case 'HYPERCALL_PAGE':
      p.hypercallPage = note.value;
      break;
    case 'VIRT_BASE':
      p.virtBase = note.value;
      break;
    case 'PADDR_OFFSET':
      p.paddrOffset = note.value;
      break;
    case 'INIT_P2M':
      p.initP2m = note.value;
      break;
    case 'HV_START_LOW':
      p.hvStartLow = note.value;
      break;
    case 'PHYS32_ENTRY':
      p.phys32Entry = note.value;
      break;
    case 'MOD_START_PFN':
      p.unmappedRamdisk = note.value !== 0n;
      break;
    case 'SUSPEND_CANCEL':
      p.suspendCancel = note.value !== 0n;
      break;
    case 'XEN_VERSION':
      p.xenVersion = note.string;
      break;
    case 'GUEST_OS':
      p.guestOs = note.string;
      break;
    case 'GUEST_VERSION':
      p.guestVersion = note.string;
      break;
    case 'LOADER':
      p.loader = note.string;
      break;
    case 'PAE_MODE':
      if (note.string === 'yes') p.pae = 'extended-cr3';
      if (note.string.includes('bimodal')) p.pae = 'bimodal';
      break;
    case 'BSD_SYMTAB':
      if (note.string === 'yes') p.bsdSymtab = true;
      break;
    case 'FEATURES': {
      const unknown = readFeatureString(note.string, p.supported, p.required);
      if (unknown !== null) problems.push({ severity: 'error', text: unknownRequired(unknown) });
      break;
    }
    case 'SUPPORTED_FEATURES':
      p.hasSupportedFeatures = true;
      for (let bit = 0; bit < 32; bit++) if (((note.words[0] ?? 0) >>> bit) & 1) p.supported.add(bit);
      break;
  }
}

/** Applies the notes in their order: of two with the same number the later one counts. */
export function parametersOfNotes(notes: readonly RawNote[], problems: Problem[]): XenParameters {
  const p = emptyParameters();
  for (const note of notes) applyNote(p, note, problems);
  return p;
}

function applyItem(p: XenParameters, { name, value }: GuestItem): string | null {
  switch (name) {
    case 'LOADER':
      p.loader = value;
      break;
    case 'GUEST_OS':
      p.guestOs = value;
      break;
    case 'GUEST_VER':
      p.guestVersion = value;
      break;
    case 'XEN_VER':
      p.xenVersion = value;
      break;
    case 'PAE':
      if (value === 'yes[extended-cr3]') p.pae = 'extended-cr3';
      else if (value.startsWith('yes')) p.pae = 'yes';
      break;
    case 'BSD_SYMTAB':
      p.bsdSymtab = true;
      break;
    case 'VIRT_BASE':
      p.virtBase = parseNumber(value);
      break;
    case 'VIRT_ENTRY':
      p.entry = parseNumber(value);
      break;
    case 'ELF_PADDR_OFFSET':
      p.paddrOffset = parseNumber(value);
      break;
    case 'HYPERCALL_PAGE':
      p.hypercallPage = BigInt.asUintN(64, parseNumber(value) << 12n);
      break;
    case 'FEATURES':
      return readFeatureString(value, p.supported, p.required);
  }
  return null;
}

/** Applies the items of a `__xen_guest` string. HYPERCALL_PAGE is a page number relative to VIRT_BASE. */
export function parametersOfItems(items: readonly GuestItem[], problems: Problem[]): XenParameters {
  const p = emptyParameters();
  for (const item of items) {
    const unknown = applyItem(p, item);
    if (unknown === null) continue;
    problems.push({ severity: 'warning', text: `${unknownRequired(unknown)} Xen stops reading the __xen_guest string at that item.` });
    break;
  }
  if (p.hypercallPage !== undefined && p.virtBase !== undefined) p.hypercallPage = BigInt.asUintN(64, p.hypercallPage + p.virtBase);
  return p;
}
