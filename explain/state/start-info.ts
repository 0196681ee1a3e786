// start_info, field by field: what Xen's builder put there, and what each field is for. Fields: public/xen.h, of the layout table.

import { startFlags } from '../../abi/constants/start.table.ts';
import { type Field, layoutOf, readBig } from '../../abi/layout.ts';
import type { StartInfoState } from './types.ts';

export interface StartInfoField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** As it is shown: a number, a hexadecimal number, a text. */
  readonly value: string;
  readonly means: string;
}

const DOCS: Readonly<Record<string, string>> = {
  magic: 'xen-VERSION-ARCHITECTURE of the interface; its version stays 3.0 whatever Xen runs: ask XENVER_version for that',
  nr_pages: 'pages of RAM that the domain has at its start',
  shared_info: 'machine address (not a frame number) of shared_info: map it with update_va_mapping',
  flags: 'SIF_…: what kind of domain it is',
  store_mfn: 'machine frame of the XenStore ring; 0 in dom0',
  store_evtchn: 'event channel of the XenStore ring; 0 in dom0',
  'console.domU.mfn': 'machine frame of the console ring (only in a domU: in dom0 the same bytes are console.dom0)',
  'console.domU.evtchn': 'event channel of the console ring (only in a domU)',
  'console.dom0.info_off':
    'offset of the description of the screen from start_info (only in dom0: in a domU the same bytes are console.domU)',
  'console.dom0.info_size': 'size of that description (only in dom0)',
  pt_base: 'virtual address of the top-level page table that the domain starts with',
  nr_pt_frames: 'frames of page tables that it starts with, from pt_base on: all mapped read only',
  mfn_list: 'virtual address of the list of machine frames by pseudo-physical number (p2m)',
  mod_start: 'virtual address of the module (RAM disk), or its first pseudo-physical page with SIF_MOD_START_PFN; 0 without one',
  mod_len: 'bytes of the module',
  cmd_line: 'the command line, ended by a zero byte',
  first_p2m_pfn: 'first pseudo-physical page of the list, where the note INIT_P2M put it elsewhere; else 0',
  nr_p2m_frames: 'pages of that list; 0 when it lies with the other pages',
};
const TEXTS = new Set(['magic', 'cmd_line']);

/** Members of the union that do not count in this domain are left out. */
export function startInfoFields({ bytes, bits, dom0 }: StartInfoState): StartInfoField[] {
  const other = dom0 ? 'console.domU' : 'console.dom0';
  return flat(layoutOf('start_info', bits).fields, '', 0)
    .filter(({ name }) => !name.startsWith(other))
    .map(({ name, offset, size }) => {
      const text = TEXTS.has(name);
      const value = text ? textAt(bytes, offset, size) : numberAt(bytes, offset, size);
      return {
        name,
        offset,
        size,
        value: typeof value === 'string' ? JSON.stringify(value) : shown(name, value),
        means: meaning(name, value),
      };
    });
}

interface Leaf {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const flat = (fields: readonly Field[], prefix: string, base: number): Leaf[] =>
  fields.flatMap(({ name, offset, size, type }) =>
    type.kind === 'struct'
      ? flat(type.layout.fields, `${prefix}${name}.`, base + offset)
      : [{ name: `${prefix}${name}`, offset: base + offset, size }],
  );

const numberAt = (bytes: Uint8Array, offset: number, size: number): bigint =>
  offset + size > bytes.length ? 0n : readBig(bytes, offset, size as 1 | 2 | 4 | 8);

function textAt(bytes: Uint8Array, offset: number, size: number): string {
  const all = bytes.subarray(offset, offset + size);
  const end = all.indexOf(0);
  return String.fromCharCode(...all.subarray(0, end < 0 ? all.length : end));
}

const COUNTS = new Set([
  'nr_pages',
  'nr_pt_frames',
  'store_evtchn',
  'console.domU.evtchn',
  'mod_len',
  'nr_p2m_frames',
  'console.dom0.info_off',
  'console.dom0.info_size',
]);
const shown = (name: string, value: bigint): string => (COUNTS.has(name) ? `${value}` : `0x${value.toString(16)}`);

function meaning(name: string, value: bigint | string): string {
  const doc = DOCS[name] ?? '';
  if (name === 'flags' && typeof value === 'bigint') {
    const set = Object.entries(startFlags).filter(([flag, bit]) => !flag.endsWith('_MASK') && (value & BigInt(bit)) !== 0n);
    return `${doc}: ${set.map(([flag]) => flag).join(', ') || 'none'}`;
  }
  if (name === 'nr_pages' && typeof value === 'bigint') return `${doc} (${value / 256n} MiB)`;
  if (name === 'magic' && typeof value === 'string' && !value.startsWith('xen-'))
    return `${doc}; this is no start_info, or it was overwritten`;
  return doc;
}

export const startInfoLines = (state: StartInfoState): string[] => [
  `start_info at ${state.address} (${state.dom0 ? 'dom0' : 'domU'}, ${state.bits} bit):`,
  ...startInfoFields(state).map(
    ({ name, offset, value, means }) => `  +${String(offset).padEnd(4)} ${name.padEnd(22)} ${value}${means ? `: ${means}` : ''}`,
  ),
];
