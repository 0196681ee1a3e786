// Entries and call frame information against readelf, on programs compiled here and on Debian's GNU Mach.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CallFrameInformation } from '../../image/dwarf/cfi.ts';
import { frameRowAt, type RegisterRule } from '../../image/dwarf/cfi-row.ts';
import { AT } from '../../image/dwarf/constants.table.ts';
import type { Die } from '../../image/dwarf/die.ts';
import { Dwarf } from '../../image/dwarf/dwarf.ts';
import { registerMap } from '../../image/dwarf/registers.table.ts';
import { UnitIndex } from '../../image/dwarf/unit-index.ts';
import type { ElfFile } from '../../image/elf/file.ts';
import { parseElf } from '../../image/elf/parse.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import { unpack } from '../../image/unpack.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { compile, FREESTANDING, temporaryFolder, tool } from './compile.ts';
import { program, VARIANTS } from './programs.ts';

/** Offset, tag number and name of every entry of .debug_info, as readelf prints them. */
function readelfEntries(path: string): string[] {
  const entries: string[] = [];
  for (const line of tool('readelf', ['--wide', '--debug-dump=info', path]).split('\n')) {
    if (line.includes('.debug_types section')) break;
    const die = /^ *<[0-9a-f]+><([0-9a-f]+)>: Abbrev Number: \d+ \((DW_TAG_\w+)\)/.exec(line);
    if (die) entries.push(`${Number.parseInt(die[1]!, 16)}`);
    const name = /DW_AT_name\s*: (?:\(\w+\) |\(.*?string, )?(?:\(?offset: (?:0x)?[0-9a-f]+\): )?(.*)$/.exec(line);
    if (name) entries.push(`${entries.pop()} ${name[1]!.trim()}`);
  }
  return entries;
}

/** The first place where two long lists differ; undefined when they are equal. (A diff of 145,000 lines helps nobody.) */
function firstDifference(own: readonly string[], expected: readonly string[]): string | undefined {
  const at = expected.findIndex((entry, i) => entry !== own[i]);
  if (at >= 0) return `${at}: ${own[at]} instead of ${expected[at]}`;
  return own.length === expected.length ? undefined : `${own.length} entries instead of ${expected.length}`;
}

function ownEntries(elf: ElfFile): string[] {
  const dwarf = new Dwarf(elf);
  const entries: string[] = [];
  const visit = (die: Die): void => {
    const name = die.string(AT.name);
    entries.push(name === undefined ? `${die.offset}` : `${die.offset} ${name.trim()}`);
    die.children.forEach(visit);
  };
  for (const unit of dwarf.units()) visit(unit.tree());
  expect(dwarf.warnings).toEqual([]);
  return entries;
}

const NAMES_64 = [...registerMap(64).names.slice(0, 16), 'ra'];
const NAMES_32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'ra'];

function ruleText(rule: RegisterRule | undefined): string {
  const signed = (n: number): string => `${n < 0 ? '' : '+'}${n}`;
  switch (rule?.kind) {
    case undefined:
    case 'undefined':
      return 'u';
    case 'same':
      return 's';
    case 'offset':
      return `c${signed(rule.offset)}`;
    case 'value-offset':
      return `v${signed(rule.offset)}`;
    case 'expression':
      return 'exp';
    case 'value-expression':
      return 'vexp';
    case 'register':
      return `r${rule.register}`;
  }
}

/** Compares every row that readelf prints; answers how many, and those that differ. */
function compareFrames(path: string, elf: ElfFile): { rows: number; wrong: string[] } {
  const names = elf.bits === 64 ? NAMES_64 : NAMES_32;
  const frames = new CallFrameInformation(new Dwarf(elf).sections, (read) => read());
  const wrong: string[] = [];
  let rows = 0;
  let columns: string[] = [];
  let low: bigint | null = null;
  for (const line of tool('readelf', ['--wide', '--debug-dump=frames-interp', path]).split('\n')) {
    const entry = /^[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ (CIE|FDE).*?(?:pc=([0-9a-f]+)\.\.([0-9a-f]+))?$/.exec(line);
    if (entry) {
      low = entry[2] === undefined || entry[2] === entry[3] ? null : BigInt(`0x${entry[2]}`);
      continue;
    }
    if (/^\s+LOC/.test(line)) columns = line.trim().split(/\s+/).slice(2);
    const row = /^([0-9a-f]{8,16}) (\S+)\s*(.*)$/.exec(line);
    if (!row || low === null) continue;
    const address = BigInt(`0x${row[1]}`);
    const found = frames.at(address);
    if (!found || found.low !== low) {
      wrong.push(`${row[1]}: no entry`);
      continue;
    }
    rows++;
    const own = frameRowAt(found, address);
    const cfa = own.cfa?.kind === 'register' ? `${names[own.cfa.register]}+${own.cfa.offset}` : 'exp';
    const tokens = row[3]!.trim().split(/\s+/);
    const text = columns.map(
      (name, i) => [name, tokens[i]!.replace('s', 'u'), ruleText(own.rules.get(names.indexOf(name))).replace('s', 'u')] as const,
    );
    const differs = cfa !== row[2] || text.some(([, theirs, ours]) => theirs !== ours);
    if (differs) wrong.push(`${row[1]}: ${cfa} ${text.map(([name, , ours]) => `${name}=${ours}`).join(' ')} instead of ${line}`);
  }
  return { rows, wrong };
}

describe.each(VARIANTS)('gcc $name', ({ bits, options }) => {
  const compiled = compile(program(bits), [...FREESTANDING, ...options]);

  it('has the entries that readelf lists', () => {
    const expected = readelfEntries(compiled.path);
    expect(expected.length).toBeGreaterThan(50);
    expect(firstDifference(ownEntries(compiled.elf), expected)).toBeUndefined();
  });

  it('has the call frame rules that readelf interprets', () => {
    const { rows, wrong } = compareFrames(compiled.path, compiled.elf);
    expect(wrong.slice(0, 4)).toEqual([]);
    expect(rows).toBeGreaterThan(10);
  });
});

describe('call frame instructions that gcc does not write', () => {
  it('remember, restore, expressions, value rules and signal frames are as readelf interprets them', () => {
    const source = `
        .text
        .globl _start
_start: .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa rsp, 40
        .cfi_offset rip, -40
        .cfi_offset rbx, -56
        nop
        .cfi_remember_state
        .cfi_val_offset rsp, 16
        .cfi_undefined rcx
        .cfi_register rdx, rsi
        nop
        .cfi_restore_state
        .cfi_same_value rbx
        nop
        .cfi_escape 0x0f, 3, 0x77, 8, 0x06
        .cfi_escape 0x10, 6, 2, 0x76, 0
        .cfi_escape 0x16, 3, 2, 0x76, 8
        nop
        .cfi_restore rbx
        nop
        .cfi_endproc
`;
    const { path, elf } = compile({ 'frames.S': source }, FREESTANDING);
    const { rows, wrong } = compareFrames(path, elf);
    expect(wrong).toEqual([expect.stringContaining('rdx=r4')]); // readelf writes the register's name
    expect(rows).toBe(5);
    expect(new CallFrameInformation(new Dwarf(elf).sections, (read) => read()).all()[0]?.common.signal).toBe(true);
  });
});

describe("Debian's GNU Mach for Xen", () => {
  let path = '';
  let elf: ElfFile;
  beforeAll(async () => {
    const root = await ensureDebian(['gnumach']);
    path = join(temporaryFolder(), 'gnumach');
    const bytes = unpack(new Uint8Array(readFileSync(join(root, 'boot/gnumach-1.8-xen-486-dbg.gz'))));
    writeFileSync(path, bytes);
    elf = parseElf(bytes);
  }, 600_000);

  it('has all its entries and line rows, as readelf counts them, in seconds', () => {
    const start = performance.now();
    const dwarf = new Dwarf(elf);
    const index = new UnitIndex(dwarf);
    let rows = 0;
    for (const unit of dwarf.units()) for (const sequence of index.lineTable(unit)?.sequences ?? []) rows += sequence.offsets.length;
    const entries = ownEntries(elf);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(firstDifference(entries, readelfEntries(path))).toBeUndefined();
    const decoded = tool('readelf', ['--wide', '--debug-dump=decodedline', path]);
    expect(rows).toBe([...decoded.matchAll(/^\S+ +\d+ +0x[0-9a-f]+/gm)].length);
    expect(dwarf.units().length).toBe(152);
  });

  it('has all its call frame rules as readelf interprets them', () => {
    const { rows, wrong } = compareFrames(path, elf);
    expect(wrong.slice(0, 4)).toEqual([]);
    expect(rows).toBeGreaterThan(5_000);
  });

  it('names the file and the line of the code of its functions as gdb does', () => {
    const symbolizer = new Symbolizer(elf);
    const functions = elf.symbols().filter((s) => s.kind === 'function' && s.size > 16n);
    const addresses = functions.flatMap((s, i) => (i % 5 === 0 ? [s.address, s.address + s.size / 2n] : []));
    expect(addresses.length).toBeGreaterThan(400);
    const out = tool('gdb', ['-q', '-nx', '-batch', ...addresses.flatMap((a) => ['-ex', `info line *0x${a.toString(16)}`]), path]);
    const theirs = out.trim().split('\n');
    expect(theirs).toHaveLength(addresses.length);
    const wrong = addresses.flatMap((address, i) => {
      const shown = /^Line (\d+) of "([^"]*)"/.exec(theirs[i]!);
      const line = symbolizer.lineAt(address);
      const own = line ? `${line.file.split('/').at(-1)}:${line.line}` : 'none';
      const expected = shown ? `${shown[2]!.split('/').at(-1)}:${shown[1]}` : 'none';
      return own === expected ? [] : [`${address.toString(16)}: ${own} instead of ${theirs[i]}`];
    });
    expect(wrong.slice(0, 6)).toEqual([]);
    const names = functions.filter((s) => s.address > 0n && symbolizer.functionAt(s.address)?.name !== s.name);
    expect(
      names
        .map((s) => `${s.name}: ${symbolizer.functionAt(s.address)?.name}`)
        .filter((n) => !/\.(part|constprop|isra|cold|\d)/.test(n))
        .slice(0, 6),
    ).toEqual([]);
  });

  it('shows a global structure with its members', () => {
    const symbolizer = new Symbolizer(elf);
    const variable = symbolizer.globalsNamed('boot_info')[0]!;
    const value = symbolizer.valueOf(variable, undefined, (_, length) => new Uint8Array(length));
    expect(value.type).toBe('struct start_info');
    expect(
      value
        .children()
        .map((child) => `${child.type} ${child.name}`)
        .slice(0, 3),
    ).toEqual(['char [32] magic', 'long unsigned int nr_pages', 'long unsigned int shared_info']);
    expect(`0x${value.address!.toString(16)}`).toBe(
      `0x${elf
        .symbols()
        .find((s) => s.name === 'boot_info')!
        .address.toString(16)}`,
    );
  });
});
