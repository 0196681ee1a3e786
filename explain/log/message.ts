// Single lines: finds the message of the tables that a line is, and says what its values mean.

import { exceptionVectors } from '../../abi/constants/trap.table.ts';
import { findRule } from '../../abi/rules/catalogue.ts';
import { xenMessages } from '../../abi/xen-messages.table.ts';
import { logMessages } from './messages.table.ts';
import type { LogFact, LogLine, LogNote } from './note.ts';
import {
  countWord,
  domainText,
  entryWord,
  errorText,
  exceptionText,
  hexOf,
  packedFlags,
  pfnText,
  regionOf,
  selectorText,
  typeWord,
} from './words.ts';

interface Pattern {
  readonly text: string;
  readonly meaning: string;
  readonly advice?: string;
  readonly rule?: string;
  readonly expression: RegExp;
  /** A word that every such line has: a cheap test before the expression. */
  readonly word: string;
}

/** Rules of the messages that the simulator prints too. */
const RULE_OF_MESSAGE: Readonly<Record<string, string>> = {
  'bad-type': 'frame-has-other-type',
  'error-mfn': 'frame-not-yours',
  'mmio-map': 'frame-is-no-ram',
  'bad-flags': 'entry-flags',
  'l4-private-slot': 'l4-slot-of-xen',
  'l2-private-slot': 'pae-slot-of-xen',
  'pae-l3-shared': 'pae-fourth-table-shared',
  'page-owner': 'frame-not-yours',
  'no-writable-type': 'table-mapped-writable',
  'validate-failed': 'frame-has-other-type',
  'unpin-owner': 'frame-not-yours',
  'linear-writable': 'frame-has-other-type',
  'already-pinned': 'table-pinned-already',
  'not-pinned': 'table-not-pinned',
  'cache-attributes': 'cache-attributes',
  'bad-ldt': 'ldt-place',
  'self-as-foreign': 'own-number-as-foreign',
  'unknown-domain': 'no-such-domain',
  'l1tf-crashing': 'l1tf-entry',
  'l1tf-shadowing': 'l1tf-entry',
  'bad-steal': 'frame-not-yours',
  'bad-page-free': 'frame-not-yours',
  'grant-no-l1': 'grant-place',
  'grant-no-l1-2': 'grant-place',
  'grant-misaligned': 'grant-place',
  'grant-entry-changed': 'grant-entry-changed',
  'grant-bad-ref': 'grant-reference',
  'grant-bad-copy-ref': 'grant-reference',
  'grant-bad-transfer-ref': 'grant-reference',
  'grant-swap-reference': 'grant-reference',
  'grant-flags': 'grant-not-given',
  'grant-flags-2': 'grant-not-given',
  'grant-read-only': 'grant-read-only',
  'grant-map-flags': 'grant-map-flags',
  'grant-no-domain': 'no-such-domain',
  'grant-no-handle': 'grant-handles-used-up',
  'grant-not-pinned': 'grant-frame-in-use',
  'grant-not-writable': 'grant-frame-in-use',
  'grant-bad-handle': 'grant-handle',
  'grant-free-handle': 'grant-handle',
  'grant-bus-address': 'grant-bus-address',
  'grant-copy-beyond': 'grant-copy-bounds',
  'grant-limited': 'grant-table-size',
  'grant-copy-source': 'grant-copy-bounds',
  'grant-copy-dest': 'grant-copy-bounds',
  'grant-transitive-self': 'grant-transitive',
  'grant-transitive-domain': 'grant-transitive',
  'grant-transitive-twice': 'grant-transitive',
  'grant-busy': 'grant-in-use',
  'grant-copy-frame': 'frame-not-yours',
  'grant-used': 'grant-used-otherwise',
  'grant-used-copy': 'grant-used-otherwise',
  'grant-version-in-use': 'grant-table-in-use',
  'grant-version-1': 'grant-not-in-version-1',
  'no-page-ref': 'frame-not-yours',
  unhandled: 'no-handler',
  'no-user-tables': 'no-user-tables',
  'rdmsr-unimplemented': 'rdmsr',
  'rdmsr-faked': 'rdmsr',
  'wrmsr-unimplemented': 'wrmsr',
  'cr0-flags': 'mov-cr0',
  'crash-no-stack': 'bounce-stack',
  'return-fault': 'iret',
};

/** What a value may look like: one word; the last of a line may be more. */
function expressionOf(text: string): RegExp {
  const parts = text.split(/\{(\w+)\}/);
  const source = parts.map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ +/g, ' +');
    return part === 'rest' || part === 'symbol' ? `(?<${part}>.+)` : `(?<${part}>[^\\s,;)]+?)`;
  });
  return new RegExp(`^${source.join('')}$`);
}
const longestWord = (text: string): string => text.split(/\{\w+\}| +/).reduce((a, b) => (b.length > a.length ? b : a));

const patterns: readonly Pattern[] = [
  ...xenMessages.map((m): Omit<Pattern, 'expression' | 'word'> => {
    const rule = RULE_OF_MESSAGE[m.id];
    const found = rule === undefined ? null : findRule(rule);
    const advice = m.advice ?? (found && ('advice' in found ? found.advice : found.replacement));
    return { text: m.text, meaning: m.meaning, ...(found ? { rule: found.id } : {}), ...(advice ? { advice } : {}) };
  }),
  ...logMessages,
].map((m) => ({ ...m, expression: expressionOf(m.text), word: longestWord(m.text) }));

const fact = (name: string, value: string, means: string): LogFact => ({ name, value, means });
const address = (name: string, value: string): LogFact => {
  const v = hexOf(value);
  return fact(name, value, (v === null ? null : regionOf(v)) ?? 'an address of the guest');
};

const MSRS: Readonly<Record<number, string>> = {
  16: 'TSC',
  27: 'APIC_BASE',
  139: 'microcode version',
  372: 'SYSENTER_CS',
  373: 'SYSENTER_ESP',
  374: 'SYSENTER_EIP',
  416: 'MISC_ENABLE',
  631: 'PAT',
  3221225600: 'EFER',
  3221225601: 'STAR',
  3221225602: 'LSTAR',
  3221225604: 'SFMASK',
  3221225728: 'FS base',
  3221225729: 'GS base',
  3221225730: 'kernel GS base',
  3221225731: 'TSC_AUX',
};

type Reader = (value: string, all: Readonly<Record<string, string>>) => LogFact;
const level = (all: Readonly<Record<string, string>>): number | null => (all.level === undefined ? null : Number(all.level));
const word =
  (name: string, read: (v: bigint, all: Readonly<Record<string, string>>) => string): Reader =>
  (value, all) => {
    const v = hexOf(value);
    return fact(name, value, v === null ? 'not readable as a number' : read(v, all));
  };

/** What a value means, by its name in the template. */
const READERS: Readonly<Record<string, Reader>> = {
  saw: word('in use as', (v) => typeWord(v)),
  exp: word('asked for as', (v) => typeWord(v).replace(/; .*/, '')),
  taf: word('taf', (v, all) => (isFree(all.caf) ? 'says nothing: the frame is free' : typeWord(v))),
  type: word('type', (v) => typeWord(v).replace(/; .*/, '')),
  caf: word('caf', (v) => countWord(v)),
  entry: word('entry', (v, all) => entryWord(v, level(all))),
  expected: word('entry of the grant', (v) => entryWord(v, 1)),
  flags: word('flags', (v, all) => packedFlags(v, level(all))),
  expectedFlags: word('flags of the grant', (v) => packedFlags(v, 1)),
  mfn: (value) => fact('mfn', value, 'machine frame number'),
  gfn: (value) => fact('gfn', value, 'the granting domain’s own number of the frame'),
  pfn: word('pfn', (v) => pfnText(v)),
  rd: (value) => fact('rd', value, `the domain whose frame it should be: ${domainText(value)}`),
  od: (value) => fact('od', value, `whose frame it is: ${domainText(value)}`),
  owner: (value) => fact('owner', value, domainText(value)),
  domain: (value) => fact('domain', value, domainText(value)),
  pages: (value) => fact('pg_owner', value, `the domain whose frames were meant: ${domainText(value)}`),
  other: (value) => fact('other domain', value, domainText(value)),
  error: (value) => fact('error', value, errorText(value)),
  address: (value) => address('address', value),
  cr2: (value) => address('cr2', value),
  ptr: (value) => address('ptr', value),
  slot: (value) => fact('slot', value, 'index of the entry in its table'),
  level: (value) => fact('level', value, 'level of the page table, 1 the lowest'),
  msr: word('msr', (v) => MSRS[Number(v)] ?? 'model-specific register'),
  vector: (value) => fact('vector', value, exceptionText(Number(value), null).full),
  cs: word('cs', (v) => selectorText(v)),
  place: (value) => fact('place', value, 'line of Xen’s source'),
  xen: (value) => fact('at', value, 'address in Xen'),
  symbol: (value) => fact('in', value, placeInXen(value)),
  port: (value) => fact('port', value, 'event channel port of the domain'),
  code: (value, all) => fact('error code', value, codeText(all, value)),
  exception: (value) => fact('exception', value, 'its name in the processor manuals'),
  vcpu: (value) => fact('vCPU', value, 'number of the virtual processor in its domain'),
  cpu: (value) => fact('cpu', value, 'processor of the machine that it ran on'),
  operation: (value) => fact('operation', value, 'number of the operation asked for'),
  value: word('value', (v) => `${v} in decimal`),
  old: word('old value', (v) => `${v} in decimal`),
  bytes: (value) => fact('bytes', value, 'size of the access'),
  order: (value) => fact('order', value, `extents of ${2 ** Number(value)} frames`),
  done: (value) => fact('done', value, 'extents that were done'),
  offset: (value) => fact('offset', value, 'in the page'),
  length: (value) => fact('length', value, 'bytes to copy'),
  start: (value) => fact('start', value, 'where in the page the grant begins'),
  most: (value) => fact('most', value, 'what is allowed'),
  part: (value) => fact('subpage', value, value === '0' ? 'the whole page' : 'a part of the page'),
  bus: (value) => fact('bus address', value, 'as the unmap request has it'),
  pirq: (value) => fact('pirq', value, 'the domain’s number of the interrupt'),
  bound: (value) => fact('bound', value, 'interrupt that the number stands for'),
  kind: (value) => fact('kind', value, 'number of the kind asked for'),
  pins: word('pin', (v) => `${v & 0xffn} mappings for writing, ${(v >> 8n) & 0xffn} for reading, and those of devices, eight bits each`),
  index: (value) => fact('index', value, 'place in the list, counted from 0'),
  irq: (value) => fact('irq', value, 'interrupt of the machine'),
  user: (value) => fact('user', value, 'who has it'),
  expectedAddress: (value) => fact('expected address', value, 'of the mapping that the handle stands for'),
  which: (value) => fact('which', value, 'the first (a) or the second (b) reference'),
  asked: (value) => fact('asked', value, 'how many were asked for'),
  total: (value) => fact('total', value, 'pages that the domain would have'),
  max: (value) => fact('most', value, 'what the domain may have'),
  from: (value) => fact('from', value, 'before'),
  to: (value) => fact('to', value, 'wanted, or what the other domain is'),
  ents: (value) => fact('entries', value, 'entries asked for (hexadecimal)'),
  grantFlags: word('flags', (v) => grantFlags(v)),
  expectedGrantFlags: word('expected flags', (v) => grantFlags(v)),
  memflags: word('memflags', () => 'what Xen was asked for beyond the size: address bits, node'),
  seconds: (value) => fact('seconds', value, 'until the machine starts again'),
  machine: word('mfn', (v) => (v === NO_FRAME ? 'none: the frame is not there' : 'machine frame number')),
  fixup: (value) => fact('goes on at', value, 'address in Xen'),
  rip: (value) => address('rip', value),
  rest: (value) => fact('reason', value, 'as Xen’s ELF loader gives it'),
  ref: (value) => fact('ref', value, 'grant reference'),
  handle: (value) => fact('handle', value, 'what the map operation gave back'),
};
const NO_FRAME = (1n << 64n) - 1n;

/** Flags of a grant entry (public/grant_table.h): what it is, then its bits. */
function grantFlags(v: bigint): string {
  const kinds = ['no grant: not made, or taken back', 'access', 'an offer to take a page', 'a transitive grant'];
  const names = ['', '', 'read only', 'being read', 'being written', 'write-combining', 'uncached', '', 'part of a page'];
  return [kinds[Number(v & 3n)]!, ...names.filter((name, n) => name !== '' && ((v >> BigInt(n)) & 1n) !== 0n)].join(', ');
}

/** The error code of the exception that the line names. */
function codeText(all: Readonly<Record<string, string>>, value: string): string {
  const code = hexOf(value);
  if (code === 0xffffffffn) return 'none: this exception has no error code';
  const named = all.vector ?? Object.entries(exceptionVectors).find(([name]) => name === all.exception)?.[1];
  return (named === undefined ? null : exceptionText(Number(named), code).code) ?? 'given by the processor with the exception';
}
const isFree = (caf: string | undefined): boolean => {
  const v = caf === undefined ? null : hexOf(caf);
  return v !== null && ((v >> 58n) & 3n) === 3n;
};

/** Code of Xen's entry.S that touches the guest's stack. */
function placeInXen(symbol: string): string {
  const page = /domain_crash_page_fault_(\d)x8/.exec(symbol)?.[1];
  if (page !== undefined)
    return `writing word ${page} (counted from the lowest) of the exception frame at the guest’s kernel stack pointer`;
  if (/create_bounce_frame/.test(symbol))
    return 'building the exception frame on the guest’s kernel stack: no handler to go to, or a stack pointer that is not allowed';
  return 'a place in Xen';
}

/** The template of the tables that a line is, and the values in it; null when none fits. */
export function matchMessage(text: string): { readonly template: string; readonly values: Readonly<Record<string, string>> } | null {
  const found = findPattern(text.trim());
  return found && { template: found.pattern.text, values: found.values };
}

function findPattern(text: string): { pattern: Pattern; values: Readonly<Record<string, string>> } | null {
  if (text === '') return null;
  for (const pattern of patterns) {
    const match = text.includes(pattern.word) ? pattern.expression.exec(text) : null;
    if (match) return { pattern, values: { ...match.groups } };
  }
  return null;
}

/** The note of a line that stands for itself; null when no message of the tables fits. */
export function readMessage(line: LogLine): LogNote | null {
  for (const candidate of line.text === line.raw ? [line.text] : [line.text, line.raw]) {
    const trimmed = candidate.trim();
    const found = findPattern(trimmed);
    if (!found) continue;
    const { pattern: p, values: all } = found;
    const facts = Object.entries(all).flatMap(([name, value]) => READERS[name]?.(value, all) ?? []);
    return {
      kind: /crashed|domain_crash/.test(p.text) ? 'crash' : 'message',
      line: line.number,
      lastLine: line.number,
      text: trimmed,
      says: p.meaning,
      facts: [...(line.subject ? [fact('on behalf of', line.subject, subjectText(line.subject))] : []), ...facts],
      ...(p.advice ? { advice: p.advice } : {}),
      ...(p.rule ? { rule: p.rule } : {}),
    };
  }
  return null;
}

export function subjectText(subject: string): string {
  const match = /^(d(?:\d+|\[[A-Z]+\]))(?:v(\d+))?$/.exec(subject);
  return match ? `${domainText(match[1]!)}${match[2] === undefined ? '' : `, vCPU ${match[2]}`}` : subject;
}
