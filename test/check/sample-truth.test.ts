// Every sensitive instruction of the compiled native sample has a finding on its line. Oracles: objdump's disassembly and its DWARF lines;
// which instructions are sensitive is asked of the x86 table's mnemonics, not of the analyser.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { analyse } from '../../server/analysis/analyser.ts';
import { LineIndex } from '../../server/syntax/lines.ts';
import { testGrammars } from '../server/load.ts';

const sample = fileURLToPath(new URL('../../samples/tinykernel/', import.meta.url));
const ALONE =
  /^(cli|sti|hlt|pushf[qlw]?|popf[qlw]?|clts|lmsw|smsw|lgdt|lidt|lldt|ltr|sgdt|sidt|sldt|str|lar|lsl|verr|verw|arpl|swapgs|sysret[lq]?|syscall|sysenter|sysexit[lq]?|iret[qlw]?|l?ret[fq]?far|lret[qlw]?|ljmp[qlw]?|lcall[qlw]?|rdmsr|wrmsr|rdtscp?|rdpmc|cpuid|in[bwl]?|out[bwl]?|ins[bwl]?|outs[bwl]?|int|invlpg|invpcid|wbinvd|invd|monitor|mwait|xsetbv|xsaves|xrstors|stac|clac|rdpkru|wrpkru|[rw][dr][fg]sbase|vm\w+)$/;
const SPECIAL_REGISTER = /%(cr\d|db\d|dr\d)\b/;
const SEGMENT = /(^|,)%[c-gs]s(,|$)/;

const isSensitive = (mnemonic: string, operands: string): boolean =>
  ALONE.test(mnemonic) ||
  (/^mov/.test(mnemonic) && (SPECIAL_REGISTER.test(operands) || SEGMENT.test(operands))) ||
  (/^(push|pop)/.test(mnemonic) && SEGMENT.test(operands));

const DATA = readdirSync(join(sample, 'native'))
  .filter((name) => name.endsWith('.S'))
  .map((name) => readFileSync(join(sample, 'native', name), 'utf8'));

interface Compiled {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** The sensitive instructions of the executable sections, each with the line that the compiler or assembler gave it. */
function compiled(elf: string): Compiled[] {
  const out = execFileSync('objdump', ['-d', '-l', '--no-show-raw-insn', elf], { encoding: 'utf8', maxBuffer: 64 << 20 });
  const found: Compiled[] = [];
  let at: { file: string; line: number } | null = null;
  let inData = false;
  for (const line of out.split('\n')) {
    const source = /^(\S.*\.[chS]):(\d+)/.exec(line);
    if (source) at = { file: basename(source[1]!), line: Number(source[2]) };
    // A symbol that the source defines as data: what objdump makes of it is no instruction.
    const symbol = /^[0-9a-f]+ <([\w.]+)>:$/.exec(line)?.[1];
    if (symbol)
      inData = DATA.some((source) => new RegExp(`^${symbol}:\\s*\\.(ascii|asciz|string|byte|word|long|quad)\\b`, 'm').test(source));
    const instruction = inData ? null : /^\s*[0-9a-f]+:\s+(?:(?:rep|lock|data16|repz|rex\.W)\s+)*(\S+)\s*(.*)$/.exec(line);
    if (!instruction || !isSensitive(instruction[1]!, instruction[2]!.replace(/\s*[#<].*$/, ''))) continue;
    // What has no line is data in a code section: the multiboot header.
    if (!at) continue;
    found.push({ ...at, text: `${instruction[1]} ${instruction[2]}`.trim() });
  }
  return found;
}

it('each sensitive instruction that objdump sees in the native sample has a finding on its line', async () => {
  const truth = compiled(join(sample, 'prebuilt/tinykernel-native.elf'));
  expect(truth.length).toBeGreaterThan(60);
  const grammars = await testGrammars();
  const lines = new Map<string, Set<number>>();
  const missing = truth.filter(({ file, line }) => {
    if (!lines.has(file)) {
      const text = readFileSync(join(sample, 'native', file), 'utf8');
      const index = new LineIndex(text);
      lines.set(file, new Set(analyse(grammars, { path: file, text }).findings.map(({ start }) => index.position(start).line + 1)));
    }
    return !lines.get(file)!.has(line);
  });
  expect(missing).toEqual([]);
});

it('the disassembly shows every kind of instruction that the sample is there to show', () => {
  const kinds = new Set(compiled(join(sample, 'prebuilt/tinykernel-native.elf')).map(({ text }) => text.split(' ')[0]!));
  for (const kind of [
    'cli',
    'sti',
    'hlt',
    'lgdt',
    'lidt',
    'ltr',
    'invlpg',
    'wrmsr',
    'swapgs',
    'iretq',
    'out',
    'in',
    'cpuid',
    'rdtsc',
    'clts',
  ])
    expect(kinds.has(kind), kind).toBe(true);
});
