// The flags columns against the processor that runs the test: an instruction changes no flag outside `writes` and `undefined`, does
// change every flag of `writes`, and its result depends on no flag outside `reads`.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRandom, seededRandom } from '../../x86/encode.ts';
import { FORMS } from '../../x86/opcode-map.ts';
import { ROWS } from '../../x86/rows.ts';
import { GENERAL_ROWS } from '../../x86/table/general.table.ts';
import { INTEGER_ROWS } from '../../x86/table/integer.table.ts';

const BIT: Readonly<Record<string, number>> = { c: 0, p: 2, a: 4, z: 6, s: 7, d: 10, o: 11 };
const TESTED = Object.values(BIT).reduce((mask, bit) => mask | (1 << bit), 0);
const mask = (letters: string | undefined): number =>
  [...(letters ?? '')].reduce((m, letter) => m | (letter in BIT ? 1 << BIT[letter]! : 0), 0);

/** Rows that need a stack, a branch target, a string's memory or another privilege are beyond this harness. */
const GENERAL_KEYS = [
  'mov',
  'movzx',
  'movsx',
  'movsxd',
  'lea',
  'xchg',
  'cmovcc',
  'setcc',
  'movnti',
  'cbw',
  'cwd',
  'nop',
  'pause',
  'endbr',
  'lfence',
  'mfence',
  'sfence',
];
const rows = [...INTEGER_ROWS, ...GENERAL_ROWS.filter((row) => GENERAL_KEYS.includes(row.key))].filter((row) => row.mode !== '32');

const TRIALS = 400;
const REGISTERS = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];

interface Result {
  readonly flags: number;
  /** Registers and the buffer, as printed. */
  readonly rest: string;
}

let folder = '';
let program = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hyperport-flags-'));
  program = join(folder, 'host-flags');
  execFileSync('gcc', ['-O1', '-no-pie', '-fno-pie', '-z', 'noexecstack', '-o', program, join(import.meta.dirname, 'host-flags.c')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function execute(lines: readonly string[]): readonly (Result | undefined)[] {
  const text = execFileSync(program, { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28 });
  return text
    .trim()
    .split('\n')
    .map((line) => {
      if (line === 'fault') return undefined;
      const space = line.indexOf(' ');
      return { flags: Number.parseInt(line.slice(0, space), 16), rest: line.slice(space) };
    });
}

function trials(row: (typeof rows)[number], random: () => number): { readonly lines: string[]; readonly flags: number[] } {
  const index = ROWS.indexOf(row);
  const forms = FORMS.filter(
    (form) => form.row === index && form.modes.includes(1) && !/ [AO]/.test(row.enc[form.index]!.replace('AL', '')),
  );
  const lines: string[] = [];
  const flags: number[] = [];
  const interesting = () =>
    [
      0n,
      1n,
      0x80n,
      0xffn,
      0x8000n,
      0x80000000n,
      1n << 63n,
      (1n << 64n) - 1n,
      BigInt(random()),
      (BigInt(random()) << 32n) | BigInt(random()),
    ][random() % 10]!;
  for (let i = 0; i < TRIALS; i++) {
    const form = forms[i % forms.length]!;
    const code = encodeRandom({
      row: index,
      form: form.index,
      mode: 64,
      random,
      registers: REGISTERS,
      memory: () => ({ base: 15, index: -1, scale: 0, disp: 16 }),
      // Bit offsets in a register reach far from the buffer: bt and its kin are tried on registers.
      ...(/^bt.?$/.test(row.key) && form.encoding.rm === 'both' ? { rm: 'register' as const } : {}),
    });
    if (!code) continue;
    const registers = Array.from({ length: 16 }, interesting);
    const before = (random() & TESTED) | 0x202;
    const line = (f: number) => `${Buffer.from(code).toString('hex')} ${f.toString(16)} ${registers.map((r) => r.toString(16)).join(' ')}`;
    // Once as drawn and once with all the flags that it is said not to read turned over.
    lines.push(line(before), line(before ^ (TESTED & ~mask(row.reads))));
    flags.push(before, before ^ (TESTED & ~mask(row.reads)));
  }
  return { lines, flags };
}

describe('flags on the host processor', () => {
  const feature = (name: string | undefined) =>
    name === undefined ||
    execFileSync('grep', ['-m1', '^flags', '/proc/cpuinfo'], { encoding: 'utf8' }).includes(` ${name === 'lzcnt' ? 'abm' : name} `);
  it.each(rows.map((row) => [row.key, row] as const))('%s', (_key, row) => {
    if (!feature(row.feature)) throw new Error(`this processor has no ${row.feature}: run the test on one that has it`);
    const random = seededRandom(row.key.length * 7919 + row.key.charCodeAt(0));
    const { lines, flags } = trials(row, random);
    const results = execute(lines);
    const writes = mask(row.writes);
    const free = mask(row.undefined);
    let changed = 0;
    let ran = 0;
    results.forEach((result, i) => {
      if (!result) return;
      ran++;
      const difference = (result.flags ^ flags[i]!) & TESTED;
      changed |= difference;
      expect(difference & ~(writes | free), `${lines[i]} changed flags outside the columns`).toBe(0);
      const other = results[i ^ 1];
      if (!other || i & 1) return;
      expect(other.rest, `${lines[i]}: the result depends on a flag that it is said not to read`).toBe(result.rest);
      // A defined flag either follows from the operands or, for a count of 0, is left alone: then it differs as the inputs did.
      const unlike = (result.flags ^ other.flags) & writes & ~free;
      const kept = (flags[i]! ^ flags[i + 1]!) & writes & ~free;
      expect(unlike === 0 || unlike === (kept & unlike), `${lines[i]}: a written flag depends on a flag that is not read`).toBe(true);
    });
    expect(ran, 'trials that did not fault').toBeGreaterThan(TRIALS / 4);
    expect(writes & ~changed, 'flags that never changed although the row writes them').toBe(0);
  });
});
