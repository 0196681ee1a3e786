// The page docs/instructions.md: every form that a processor model executes, and what is refused, made from the instruction table, the
// bodies, the oracles' families and the counts of the last long run (test/isa/comparisons.json).

import { FEATURES } from '../../simulator/cpu/code.ts';
import { DEFINITIONS } from '../../simulator/cpu/isa/all.ts';
import { FORMS } from '../../x86/opcode-map.ts';
import { ROWS } from '../../x86/rows.ts';
import { GENERAL_ROWS } from '../../x86/table/general.table.ts';
import { INTEGER_ROWS } from '../../x86/table/integer.table.ts';
import { SSE_ROWS } from '../../x86/table/sse.table.ts';
import { SYSTEM_ROWS } from '../../x86/table/system.table.ts';
import { SHIFTS, undefinedFlags } from '../../x86/table/undefined-flags.table.ts';
import { UNPORTABLE_ROWS } from '../../x86/table/unportable.table.ts';
import { X87_ROWS } from '../../x86/table/x87.table.ts';
import type { InstructionRow } from '../../x86/types.ts';
import { modelsOf } from '../isa/coverage.ts';
import { NOT_COMPARED } from '../isa/not-compared.table.ts';
import { formName } from '../isa/oracle.ts';

/** What `npm run fuzz -- --record` writes. */
export interface Comparisons {
  readonly processor: string;
  readonly variants: readonly string[];
  /** Cases, each compared on every variant. */
  readonly compared: number;
  readonly perForm: Readonly<Record<string, number>>;
}

const LETTER_BITS: Readonly<Record<string, string>> = { b: '8', w: '16', d: '32', q: '64', t: '80', x: '128', y: '32, 64', n: '32, 64' };

/** Operand widths of a form in bits. */
function widths(row: InstructionRow, enc: string): string {
  const variable = row.f64 ? '64; 32-bit mode 16, 32' : row.d64 ? '16, 64; 32-bit mode 16, 32' : '16, 32, 64';
  const operands = enc.split(' ').find((word) => /^(1|[re]?[A-Z][A-Za-z/]*)(,|$)/.test(word) && !/^[0-9a-f]{2}$/.test(word));
  if (operands === undefined) return row.d64 || row.f64 ? variable : '';
  for (const operand of operands.split(',')) {
    if (['AL', 'CL'].includes(operand)) return '8';
    if (operand === 'DX' || operand === '1') continue;
    if (operand === 'eAX') return '16, 32';
    if (operand === 'rAX') return variable;
    if (/^[CDEGS]S$|^FS$/.test(operand)) return row.key.includes('seg') ? variable : '16';
    const letter = /^[A-Z]([a-z])/.exec(operand)?.[1];
    if (letter === 'v' || letter === 'z' || letter === 'p') return operand[0] === 'I' && operands.includes(',') ? '16, 32' : variable;
    if (letter && LETTER_BITS[letter]) return LETTER_BITS[letter];
    if (operand === 'ST' || operand === 'T') return '80';
  }
  return '';
}

const modesText = (modes: readonly (0 | 1)[]): string => (modes.length === 2 ? '64, 32' : modes[0] === 1 ? '64' : '32');

function flagsText(row: number): string {
  const intel = undefinedFlags(row, 'intel');
  if (intel === '') return '';
  const amd = undefinedFlags(row, 'amd');
  const shift = SHIFTS.has(ROWS[row]!.key) && intel.includes('o') ? ' (o: count above 1)' : '';
  return (amd === intel ? intel : `${intel}; AMD ${amd || 'none'}`) + shift;
}

function xenText(row: InstructionRow): string {
  if (!row.xen) return '';
  const { effect, rule } = row.xen;
  return effect === 'native' ? 'as natively' : `${effect}, [${rule}](rules/${rule}.md)`;
}

const models = (row: number, form: number): string => {
  const list = modelsOf(row, form);
  return list.length === 2 ? '' : ` (${list[0]} model)`;
};

/** Always #UD on every model: the body says so for a form that the decoder knows. */
const isRefusedByBody = (key: string): boolean => DEFINITIONS.get(key)?.rare === 'undefined';

function tiers(key: string): string {
  const definition = DEFINITIONS.get(key)!;
  return definition.rare === null && !definition.leaves ? '0, 1' : '0';
}

function comparedText(row: number, form: number, modes: readonly (0 | 1)[], counts: Comparisons): string {
  const found = modes.map((mode) => counts.perForm[formName(mode === 1 ? 64 : 32, { row, form })] ?? 0);
  const sum = found.reduce((a, b) => a + b, 0);
  return sum > 0 ? String(sum) : (NOT_COMPARED.get(ROWS[row]!.key) ?? 'no encoding');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function section(title: string, rows: readonly InstructionRow[], counts: Comparisons): string[] {
  const lines: string[] = [];
  for (const { row, index, modes, encoding } of FORMS) {
    const r = ROWS[row]!;
    if (!rows.includes(r) || modelsOf(row, index).length === 0 || !DEFINITIONS.has(r.key) || isRefusedByBody(r.key)) continue;
    const real = encoding.rexB ? modes.filter((m) => m === 1) : modes;
    lines.push(
      `| ${r.mnemonic}${models(row, index)} | \`${cell(r.enc[index]!)}\` | ${widths(r, r.enc[index]!)} | ${modesText(real)} | ${tiers(r.key)} | ${xenText(r)} | ${flagsText(row)} | ${comparedText(row, index, real, counts)} |`,
    );
  }
  return [
    `## ${title}`,
    '',
    '| mnemonic | encoding | widths | modes | tiers | Xen PV | undefined flags | compared |',
    '|---|---|---|---|---|---|---|---|',
    ...lines,
    '',
  ];
}

/** Forms that no model executes: their mnemonics by the feature that a processor would need. */
function refused(): string[] {
  const byFeature = new Map<string, Set<string>>();
  for (const { row, index } of FORMS) {
    const r = ROWS[row]!;
    if (modelsOf(row, index).length > 0 && !isRefusedByBody(r.key)) continue;
    const feature = isRefusedByBody(r.key) ? 'known to the decoder, in no model' : (r.feature ?? 'sse4.1');
    byFeature.set(feature, (byFeature.get(feature) ?? new Set()).add(r.mnemonic));
  }
  return [...byFeature].sort(([a], [b]) => (a < b ? -1 : 1)).map(([feature, names]) => `| ${feature} | ${[...names].sort().join(', ')} |`);
}

export function instructionsPage(counts: Comparisons): string {
  const forms = Object.values(counts.perForm).filter((n) => n > 0);
  return [
    '<!-- Made by test/x86/instructions-page.ts: UPDATE_INSTRUCTIONS=1 npx vitest run test/x86/instructions-page.test.ts -->',
    '# Instructions that the processor executes',
    '',
    'Every form of the instruction table that a processor model of the simulator executes. Everything else raises #UD and leaves a trace',
    'record that names it.',
    '',
    `The models are \`amd\` (what every x86-64 has and ${FEATURES.amd.join(', ')}; MMX, SSE, SSE2, SSE3) and \`intel\` (the same with ${FEATURES.intel.join(', ')} instead).`,
    'Where processors differ in what is not defined, each model does what its vendor’s do.',
    '',
    '- encoding: in the notation of the manuals’ opcode maps, as `x86/types.ts` explains it; a leading 66, f2 or f3 is part of the opcode,',
    '  `np` allows none of them, `+r` and `+cc` stand for a register and a condition in the opcode.',
    '- widths: operand sizes in bits, 64 in 64-bit mode only. Modes: 64-bit, 32-bit (PAE).',
    '- tiers: 0 is the interpreter, 1 the translator; what is in 0 only ends a translated region.',
    '- Xen PV: what becomes of it in a PV kernel, with the page that tells what to do.',
    '- undefined flags: by Intel’s manual; AMD: those that were found to follow no rule on processors of family 25. They are not compared.',
    `- compared: cases whose registers, defined flags, memory and faults were compared with ${counts.processor} in the last recorded long`,
    `  run (\`npm run fuzz -- --record\`: ${counts.compared} cases of ${forms.length} forms and modes, at least ${Math.min(...forms)} of each, every case on ${counts.variants.join(' and on ')}, ${counts.compared * counts.variants.length} comparisons in all);`,
    '  or why the processor of the host cannot tell.',
    '',
    ...section('Arithmetic, logic, bits', INTEGER_ROWS, counts),
    ...section('Moves, stack, branches, strings, hints', GENERAL_ROWS, counts),
    ...section('Privileged and sensitive', [...SYSTEM_ROWS, ...UNPORTABLE_ROWS], counts),
    ...section('x87', X87_ROWS, counts),
    ...section('MMX, SSE, SSE2, SSE3', SSE_ROWS, counts),
    '## Refused',
    '',
    'Encodings that the decoder knows and no model executes: #UD, or the older instruction that the bytes were before (`tzcnt` runs as `bsf`,',
    '`lzcnt` as `bsr`, hints as `nop`). Everything with a VEX, EVEX or XOP prefix is refused too.',
    '',
    '| needs | instructions |',
    '|---|---|',
    ...refused(),
    '',
  ].join('\n');
}
