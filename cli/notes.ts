// `hyperport notes KERNEL`: what a kernel image tells Xen's domain builder, what is wrong with it, and what the builder will do;
// as text, or as JSON (docs/schemas/notes.schema.json).

import { resolve } from 'node:path';
import type { ElfFile } from '../image/elf/file.ts';
import { openKernel } from '../image/elf/kernel.ts';
import { machineName, TYPE_NAMES } from '../image/elf/names.table.ts';
import { hex, ImageError } from '../image/error.ts';
import type { NoteSource, XenNotes } from '../image/xen/types.ts';
import { xenNotes } from '../image/xen-notes.ts';
import { type CommandIo, readKernelFile, UsageError } from './io.ts';

declare const HYPERPORT_VERSION: string;
/** Outside of the bundle (tests) there is no version. */
const VERSION = typeof HYPERPORT_VERSION === 'string' ? HYPERPORT_VERSION : '0.0.0-source';

const USAGE = 'usage: hyperport notes KERNEL [--format text|json]';

const SOURCES: Record<NoteSource, string> = {
  'pt-note': 'ELF notes (PT_NOTE segment)',
  'sht-note': 'ELF notes (SHT_NOTE section; no PT_NOTE segment has any)',
  'xen-guest-section': 'legacy __xen_guest section',
  none: 'none',
};

interface Options {
  readonly kernel: string;
  readonly format: 'text' | 'json';
}

function parseOptions(argv: readonly string[]): Options {
  let kernel: string | undefined;
  let format: Options['format'] = 'text';
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--format' || arg.startsWith('--format=')) {
      const value = arg === '--format' ? argv[++i] : arg.slice('--format='.length);
      if (value !== 'text' && value !== 'json') throw new UsageError(`--format takes text or json, not ${value ?? 'nothing'}.\n${USAGE}`);
      format = value;
    } else if (arg.startsWith('-') && arg !== '-') {
      throw new UsageError(`unknown option ${arg}.\n${USAGE}`);
    } else if (kernel !== undefined) {
      throw new UsageError(`only one kernel can be given, not also ${arg}.\n${USAGE}`);
    } else {
      kernel = arg;
    }
  }
  if (kernel === undefined) throw new UsageError(`no kernel is given.\n${USAGE}`);
  return { kernel, format };
}

const optionalHex = (value: bigint | null): string | null => (value === null ? null : hex(value));

function asJson(file: string, elf: ElfFile, notes: XenNotes): string {
  const { layout } = notes;
  const document = {
    schema: 'hyperport/notes/1',
    version: VERSION,
    file,
    elf: { bits: elf.bits, machine: machineName(elf.machine), type: TYPE_NAMES[elf.type] ?? String(elf.type), entry: hex(elf.entry) },
    source: notes.source,
    notes: notes.items.map((item) => ({
      name: item.name,
      number: item.number,
      value: typeof item.value === 'bigint' ? hex(item.value) : item.value,
      text: item.text,
      meaning: item.meaning,
      read: item.read,
    })),
    ignored: notes.foreign,
    problems: notes.problems,
    layout: layout && {
      virtBase: hex(layout.virtBase),
      paddrOffset: hex(layout.paddrOffset),
      kernelStart: hex(layout.kernelStart),
      kernelEnd: hex(layout.kernelEnd),
      entry: hex(layout.entry),
      hypercallPage: optionalHex(layout.hypercallPage),
      initP2m: optionalHex(layout.initP2m),
      unmappedRamdisk: layout.unmappedRamdisk,
    },
    builder: notes.plan,
    loads: notes.plan.length > 0,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const MARKS = { error: 'error', warning: 'warning', info: 'note' } as const;

function asText(file: string, elf: ElfFile, notes: XenNotes): string {
  const lines = [`${file}: ELF${elf.bits}, ${machineName(elf.machine)}, ${TYPE_NAMES[elf.type] ?? elf.type}, e_entry ${hex(elf.entry)}`];
  lines.push(`Notes for Xen: ${SOURCES[notes.source]}`);
  const width = Math.max(0, ...notes.items.map((item) => item.name.length));
  for (const item of notes.items) {
    const number = item.number === null ? '' : `${String(item.number).padStart(3)} `;
    lines.push(
      `  ${number}${item.name.padEnd(width)}  ${item.text}${item.meaning ? `  (${item.meaning})` : ''}${item.read ? '' : '  [not read]'}`,
    );
  }
  if (notes.foreign.length > 0) {
    lines.push(`Ignored by Xen: ${notes.foreign.map(({ owner, type }) => `${JSON.stringify(owner)} ${hex(type)}`).join(', ')}`);
  }
  if (notes.problems.length > 0) {
    lines.push('', 'What is missing, misaligned or contradictory:');
    for (const { severity, text } of notes.problems) lines.push(`  ${MARKS[severity]}: ${text}`);
  }
  lines.push('', 'What the domain builder will do:');
  if (notes.plan.length === 0) lines.push('  Refuses the image (see the errors above).');
  for (const sentence of notes.plan) lines.push(`  ${sentence}`);
  return `${lines.join('\n')}\n`;
}

/** @returns 0 when Xen loads the image, 2 when it refuses it. Throws UsageError for wrong options and for files that are no x86 kernel. */
export async function run(argv: string[], io: CommandIo): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(
      `${USAGE}\n\nDecodes every ELF note for Xen (or the __xen_guest section), and says what is missing, misaligned or\ncontradictory and what the domain builder will do. Exit: 0 Xen loads it, 2 Xen refuses it or it is no kernel.\n`,
    );
    return 0;
  }
  const { kernel, format } = parseOptions(argv);
  const bytes = readKernelFile(resolve(io.cwd, kernel));
  let elf: ElfFile;
  let notes: XenNotes;
  try {
    elf = openKernel(bytes);
    notes = xenNotes(elf);
  } catch (error) {
    if (error instanceof ImageError) throw new UsageError(`${kernel}: ${error.message}`);
    throw error;
  }
  const file = kernel.replaceAll('\\', '/');
  io.stdout(format === 'json' ? asJson(file, elf, notes) : asText(file, elf, notes));
  return notes.plan.length > 0 ? 0 : 2;
}
