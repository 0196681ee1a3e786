// The legacy `__xen_guest` section: one string 'NAME=value,NAME=value', read when there are no Xen notes.

import { stringAt } from '../bytes.ts';
import type { ElfFile } from '../elf/file.ts';
import { hex } from '../error.ts';
import { describeFeatureString } from './features.ts';
import { GUEST_ITEMS, NOTES } from './notes.table.ts';
import type { XenNote } from './types.ts';

export interface GuestItem {
  readonly name: string;
  readonly value: string;
}

/** Xen's buffers: 31 characters of name, 127 of value; a longer one is split there and the rest read as the next item. */
const MAX_NAME = 31;
const MAX_VALUE = 127;
const MAX_TEXT = 65_536;

/** Splits the string as Xen does. */
export function splitGuestString(text: string): readonly GuestItem[] {
  const items: GuestItem[] = [];
  let at = 0;
  while (at < text.length) {
    let name = '';
    let value = '';
    while (at < text.length && name.length < MAX_NAME && text[at] !== ',' && text[at] !== '=') name += text[at++];
    if (text[at] === '=' && name.length < MAX_NAME) {
      at++;
      while (at < text.length && value.length < MAX_VALUE && text[at] !== ',') value += text[at++];
      if (text[at] === ',' && value.length < MAX_VALUE) at++;
    } else if (text[at] === ',' && name.length < MAX_NAME) {
      at++;
    }
    items.push({ name, value });
  }
  return items;
}

/** strtoull(text, NULL, 0): decimal, 0x hexadecimal, 0 octal; garbage after the digits is ignored, no digits give 0. */
export function parseNumber(text: string): bigint {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text);
  if (!match) return 0n;
  const digits = match[2]!;
  const value = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  const limited = value > 0xffff_ffff_ffff_ffffn ? 0xffff_ffff_ffff_ffffn : value;
  return match[1] === '-' ? BigInt.asUintN(64, -limited) : limited;
}

/** The string of the `__xen_guest` section, or null when the image has none. */
export function guestString(elf: ElfFile): string | null {
  const section = elf.section('__xen_guest');
  if (!section) return null;
  // Xen reads from the section's start to the first zero byte, wherever the section ends.
  return stringAt(elf.bytes, section.offset, Math.min(elf.bytes.length, section.offset + MAX_TEXT));
}

const NUMERIC = new Set(['VIRT_BASE', 'VIRT_ENTRY', 'ELF_PADDR_OFFSET', 'HYPERCALL_PAGE']);

/** An item as it is shown. `virtBase` turns the page number of HYPERCALL_PAGE into an address. */
export function presentItem({ name, value }: GuestItem, virtBase: bigint | undefined): XenNote {
  const note = NOTES.find((candidate) => candidate.name === GUEST_ITEMS.get(name));
  const base = { name, number: null, meaning: note?.meaning ?? '', read: note !== undefined };
  if (name === 'HYPERCALL_PAGE') {
    const page = parseNumber(value);
    const address = BigInt.asUintN(64, (page << 12n) + (virtBase ?? 0n));
    return { ...base, value: address, text: `page ${hex(page)}, virtual address ${hex(address)}` };
  }
  if (NUMERIC.has(name)) return { ...base, value: parseNumber(value), text: hex(parseNumber(value)) };
  if (name === 'FEATURES') return { ...base, value, text: `${JSON.stringify(value)}: ${describeFeatureString(value)}` };
  return { ...base, value, text: JSON.stringify(value) };
}
