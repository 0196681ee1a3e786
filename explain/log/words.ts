// Numbers of Xen's log in words: type and count words of frames, page-table entries, error codes, flags, selectors, domains.
// Layout of the words: Xen 4.17, arch/x86/include/asm/mm.h; entries and error codes: the processor manuals.

import { exceptionNames, exceptionVectors } from '../../abi/constants/trap.table.ts';
import { errnoMeaning, errnoName } from '../../abi/errno.ts';
import { rflagsBits } from '../../x86/register-bits.table.ts';
import { useOf } from '../frame.ts';

/** A number of the log: hexadecimal without or with 0x; null for anything else. */
export function hexOf(text: string): bigint | null {
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.trim())?.[1];
  return digits === undefined ? null : BigInt(`0x${digits}`);
}
const list = (words: readonly string[]): string => words.join(', ');
const bit = (v: bigint, n: number): boolean => ((v >> BigInt(n)) & 1n) !== 0n;

const TYPES = ['none', 'l1', 'l2', 'l3', 'l4', 'seg_desc', 'shared', 'writable'];

/** What the type field (the top three bits) of a type word means. */
export const typeOfWord = (word: bigint): string => useOf(TYPES[Number(word >> 61n) & 7]!);

/** A type word: `taf`, `saw`, `exp`, `type`. */
export function typeWord(word: bigint): string {
  const type = TYPES[Number(word >> 61n) & 7]!;
  const what = type === 'none' ? 'no use in particular' : useOf(type);
  const count = word & ((1n << 55n) - 1n);
  const flags = [
    ...(bit(word, 60) ? ['being changed just now'] : []),
    ...(bit(word, 59) ? ['pinned'] : []),
    ...(bit(word, 58) ? ['audited'] : []),
    ...(bit(word, 57) ? ["holds Xen's slots of a 32-bit guest"] : []),
    ...(bit(word, 56) ? ['partly audited'] : []),
    ...(bit(word, 55) ? ['cache not coherent'] : []),
  ];
  return `${what}${flags.length ? `, ${list(flags)}` : ''}; ${count} ${count === 1n ? 'use' : 'uses'} as that`;
}

/** A count word: `caf`. */
export function countWord(word: bigint): string {
  const count = word & ((1n << 57n) - 1n);
  const state = ['', 'being taken offline', 'offline', 'free'][Number(word >> 58n) & 3]!;
  const flags = [
    bit(word, 63) ? 'given to a domain' : 'given to no domain',
    ...(bit(word, 62) ? ["Xen's own memory"] : []),
    ...(bit(word, 61) ? ['a page table of a shadow'] : []),
    ...(bit(word, 60) ? ['broken'] : []),
    ...(state ? [state] : []),
    ...(bit(word, 57) ? ["beyond the domain's reservation"] : []),
  ];
  return `${list(flags)}; ${count} ${count === 1n ? 'reference' : 'references'}`;
}

const ENTRY_FLAGS: readonly (readonly [number, string])[] = [
  [0, 'present'],
  [1, 'writable'],
  [2, 'user'],
  [3, 'write-through'],
  [4, 'cache disabled'],
  [5, 'accessed'],
  [6, 'dirty'],
  [8, 'global'],
];
/** Flags of an entry by name: bits 0 to 11 and 52 to 63. */
function entryFlags(v: bigint, level: number | null): string[] {
  const names = ENTRY_FLAGS.filter(([n]) => bit(v, n)).map(([, name]) => name);
  if (bit(v, 7)) names.push(level === 1 ? 'PAT' : level === 4 ? 'PS (reserved here)' : 'superpage (PS)');
  for (const n of [9, 10, 11]) if (bit(v, n)) names.push(`software bit ${n}`);
  for (let n = 52; n < 63; n++) if (bit(v, n)) names.push(n === 52 ? 'guest kernel page (Xen’s own bit 52)' : `bit ${n}`);
  if (bit(v, 63)) names.push('no execute');
  return names;
}

/** A page-table entry. */
export function entryWord(v: bigint, level: number | null): string {
  if (v === 0n) return 'empty';
  const frame = (v >> 12n) & 0xffffffffffn;
  const flags = entryFlags(v, level);
  if (!bit(v, 0))
    return `not present${frame !== 0n ? `, with address bits 0x${(frame << 12n).toString(16)} left in it` : ''}${flags.length ? ` (${list(flags)})` : ''}`;
  return `frame 0x${frame.toString(16)}: ${list(flags)}`;
}

/** Flags as Xen's macros print them: bits 0 to 11 of an entry, and 52 to 63 from bit 12 on. */
export function packedFlags(v: bigint, level: number | null): string {
  const flags = entryFlags((v & 0xfffn) | ((v >> 12n) << 52n), level);
  return flags.length ? list(flags) : 'none';
}

const PAGE_FAULT: readonly (readonly [number, string, string])[] = [
  [0, 'the page is there, the access is not allowed', 'nothing is mapped there'],
  [1, 'a write', 'a read'],
  [2, 'by user mode', 'by the guest’s kernel'],
];
/** Error code of #PF. */
export function pageFaultCode(code: bigint): string {
  const said = PAGE_FAULT.map(([n, set, clear]) => (bit(code, n) ? set : clear));
  if (bit(code, 3)) said.push('a reserved bit is set in an entry');
  if (bit(code, 4)) said[1] = 'an instruction fetch';
  if (bit(code, 5)) said.push('protection key');
  if (bit(code, 15)) said.push('SGX');
  return list(said);
}
/** Error code of the exceptions that name a selector. */
export function selectorCode(code: bigint): string {
  if (code === 0n) return 'no selector';
  const table = bit(code, 1) ? 'IDT gate' : bit(code, 2) ? 'LDT selector' : 'GDT selector';
  const value = bit(code, 1) ? `${Number(code >> 3n)}` : `0x${(code & 0xfff8n).toString(16)}`;
  return `${table} ${value}${bit(code, 0) ? ', while an event was delivered' : ''}`;
}

const WITH_SELECTOR = new Set(['#TS', '#NP', '#SS', '#GP']);
/** '#PF' and its error code; the code is null where the exception has none. */
export function exceptionText(
  vector: number,
  code: bigint | null,
): { readonly name: string; readonly full: string; readonly code: string | null } {
  const name = Object.entries(exceptionVectors).find(([, n]) => n === vector)?.[0] as keyof typeof exceptionNames | undefined;
  const short = name ?? `vector ${vector}`;
  const means =
    code === null || code === 0xffffffffn
      ? null
      : short === '#PF'
        ? pageFaultCode(code)
        : WITH_SELECTOR.has(short)
          ? selectorCode(code)
          : null;
  return { name: short, full: name ? exceptionNames[name] : 'an interrupt', code: means };
}

/** 'EINVAL (an argument is wrong)' of '-22'; the text itself when it is no errno. */
export function errorText(text: string): string {
  const name = errnoName(Number(text));
  return name ? `${name} (${errnoMeaning(name)})` : text === '0' ? 'no error' : `no errno of Xen’s: ${text}`;
}

const SPECIAL_DOMAINS: Readonly<Record<string, string>> = {
  'd[IO]': 'I/O memory, which no domain owns',
  'd[XEN]': 'Xen itself',
  'd[COW]': 'pages shared copy-on-write',
  'd[IDLE]': 'the idle domain',
  NULL: 'nobody: the frame is free, or no frame of RAM',
};
const DOMAIN_NUMBERS: Readonly<Record<number, string>> = {
  32752: 'DOMID_SELF',
  32753: 'DOMID_IO: I/O memory',
  32754: 'DOMID_XEN: Xen itself',
  32755: 'DOMID_COW',
  32756: 'DOMID_INVALID',
  32767: 'the idle domain',
};
/** A domain as a log names it: 'd3', '3', 'd[IO]', '-1'. */
export function domainText(text: string): string {
  const special = SPECIAL_DOMAINS[text];
  if (special) return special;
  const number = Number(text.replace(/^d/, ''));
  if (number === -1) return 'nobody';
  return DOMAIN_NUMBERS[number] ?? (number === 0 ? 'domain 0, the control domain' : `domain ${number}`);
}

/** A pseudo-physical number next to a machine frame. */
export const pfnText = (v: bigint): string =>
  v >= (1n << 52n) - 1n || v === 0xffffffffffffffffn
    ? 'none: the machine-to-physical table has no entry for the frame, so it is not RAM of this domain'
    : v === 0x5555555555555555n
      ? 'none: the frame is Xen’s or shared'
      : `the guest’s own number of the frame`;

export const rflagsText = (v: bigint): string =>
  `${
    rflagsBits
      .filter(([n]) => bit(v, n))
      .map(([, name]) => name)
      .join(' ') || 'none set'
  }, IOPL ${Number(v >> 12n) & 3}`;

const SELECTORS: Readonly<Record<number, string>> = {
  57352: 'Xen’s own code',
  57360: 'Xen’s own data',
  57369: 'code of a 32-bit guest kernel (ring 1)',
  57377: 'data of a 32-bit guest kernel (ring 1)',
  57379: '32-bit code in ring 3',
  57387: 'flat data in ring 3',
  57392: '64-bit guest kernel, as Xen shows it in a frame it pushes (ring bits 0)',
  57395: '64-bit guest code (ring 3; kernel and user mode share it)',
  51: '64-bit user code of a guest with its own descriptors',
  35: '32-bit user code of a guest with its own descriptors',
  43: 'user data of a guest with its own descriptors',
};
export const selectorText = (v: bigint): string => SELECTORS[Number(v & 0xffffn)] ?? (v === 0n ? 'null' : `ring ${Number(v & 3n)}`);

/** What lies at a 64-bit linear address, as far as Xen's ABI says; null: nothing special. */
export function regionOf(va: bigint): string | null {
  if (va < 4096n) return 'the page at 0: a null pointer, or a field of a structure through one';
  if (va === 0xdeadbeefdeadf00dn)
    return 'a register that a debug build of Xen overwrote after a hypercall: argument registers are not preserved';
  const top = va >> 47n;
  if (top !== 0n && top !== 0x1ffffn) return 'not canonical: no valid pointer';
  if (va >= 0xffff800000000000n && va < 0xffff804000000000n) return 'the machine-to-physical table that Xen maps read only';
  if (va >= 0xffff800000000000n && va < 0xffff880000000000n) return 'Xen’s own range, which a guest cannot use';
  return null;
}
