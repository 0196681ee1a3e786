// From an assembler's instruction name and the look of its operands to the row of the table and what Xen PV does with it.

import { OperandClass, type OperandCode } from './encoding.ts';
import { FORMS } from './opcode-map.ts';
import type { TextOperand } from './registers.ts';
import { ROW_BY_KEY, ROWS } from './rows.ts';
import { MOV_FROM_CR, MOV_TO_CR } from './table/control-registers.table.ts';
import type { InstructionRow } from './types.ts';

export type Syntax = 'att' | 'intel';
export type XenInfo = NonNullable<InstructionRow['xen']>;

export interface InstructionMatch {
  readonly row: InstructionRow;
  /** What Xen PV does with it, refined by control register; absent for an instruction that may stay. */
  readonly xen?: XenInfo;
  /** Number of the control or debug register that it moves. */
  readonly register?: number;
}

/** Words before an instruction that are prefixes and not instructions. */
export const PREFIX_NAMES: ReadonlySet<string> = new Set(
  'lock rep repe repz repne repnz data16 data32 addr16 addr32 rex rex64 rex.w cs ds es ss fs gs notrack bnd xacquire xrelease'.split(' '),
);

/** Operand-less or branch instructions that take an AT&T size suffix although no operand has a size. */
const SUFFIXED = new Set(
  'pushf popf iret ret ret-far call call-ind call-far call-far-ind jmp jmp-ind jmp-far jmp-far-ind leave enter pusha popa push-seg pop-seg lgdt lidt sgdt sidt sysret sysexit nop xlat'.split(
    ' ',
  ),
);
const SIZED_CLASSES: readonly number[] = [
  OperandClass.E,
  OperandClass.G,
  OperandClass.M,
  OperandClass.R,
  OperandClass.Z,
  OperandClass.string,
  OperandClass.fixedGpr,
];

const formsOfRow: OperandCode[][][] = ROWS.map(() => []);
for (const form of FORMS) formsOfRow[form.row]!.push([...form.encoding.operands]);

const exact = new Map<string, number[]>();
const suffixed = new Map<string, number[]>();
const put = (map: Map<string, number[]>, name: string, row: number) => {
  const rows = map.get(name);
  if (!rows) map.set(name, [row]);
  else if (!rows.includes(row)) rows.push(row);
};
ROWS.forEach((row, index) => {
  const isX87 = row.enc.some((e) => /^d[89a-f] /.test(e));
  const takesSuffix =
    SUFFIXED.has(row.key) || formsOfRow[index]!.some((form) => form.some((o) => SIZED_CLASSES.includes(o.cls) && o.size !== 0));
  for (const name of [row.mnemonic, ...(row.aliases ?? [])]) {
    put(exact, name, index);
    for (const suffix of isX87 ? ['s', 'l', 't', 'q', 'll'] : takesSuffix ? ['b', 'w', 'l', 'q'] : []) put(suffixed, name + suffix, index);
  }
});

/** Indexes in ROWS of the instructions that this name can mean. */
export function candidateRows(name: string, syntax: Syntax): readonly number[] {
  const lower = name.toLowerCase();
  const direct = exact.get(lower) ?? [];
  if (syntax === 'intel') return direct;
  return [...new Set([...direct, ...(suffixed.get(lower) ?? [])])];
}

const isMemory = (o: TextOperand) => o.kind === 'memory' || o.kind === 'symbol';

/** 2: the operand is of this kind for certain; 1: may be; 0: cannot be. */
function evidence(code: OperandCode, o: TextOperand): 0 | 1 | 2 {
  if (o.kind === 'unknown') return 1;
  const when = (yes: boolean): 0 | 2 => (yes ? 2 : 0);
  switch (code.cls) {
    case OperandClass.E:
      return when(o.kind === 'gpr' || isMemory(o));
    case OperandClass.M:
    case OperandClass.O:
    case OperandClass.string:
      return when(isMemory(o));
    case OperandClass.G:
    case OperandClass.R:
    case OperandClass.Z:
    case OperandClass.address:
      return when(o.kind === 'gpr');
    case OperandClass.fixedGpr:
      // AT&T writes the port of in and out as (%dx).
      return o.kind === 'gpr' ? when(o.register === code.fixed) : code.fixed === 2 && o.kind === 'memory' ? 1 : 0;
    case OperandClass.S:
    case OperandClass.fixedSegment:
      return when(o.kind === 'segment');
    case OperandClass.C:
      return when(o.kind === 'control');
    case OperandClass.D:
      return when(o.kind === 'debug');
    case OperandClass.I:
    case OperandClass.signedByte:
      return o.kind === 'immediate' ? 2 : o.kind === 'symbol' ? 1 : 0;
    case OperandClass.fixedOne:
      return o.kind === 'immediate' && o.value === 1 ? 2 : 0;
    case OperandClass.J:
      return o.indirect || o.far ? 0 : o.kind === 'symbol' ? 2 : isMemory(o) || o.kind === 'immediate' ? 1 : 0;
    case OperandClass.A:
      return when(o.far === true && o.kind !== 'memory');
    case OperandClass.V:
    case OperandClass.U:
      return when(o.kind === 'xmm');
    case OperandClass.W:
      return when(o.kind === 'xmm' || isMemory(o));
    case OperandClass.P:
    case OperandClass.N:
      return when(o.kind === 'mmx');
    case OperandClass.Q:
      return when(o.kind === 'mmx' || isMemory(o));
    case OperandClass.T:
      return when(o.kind === 'st');
    default:
      return 0;
  }
}

/** How well a form fits operands in Intel order: -1 not at all. */
function formScore(form: readonly OperandCode[], operands: readonly TextOperand[]): number {
  if (form.length !== operands.length) return -1;
  let score = 0;
  for (let i = 0; i < form.length; i++) {
    const f = evidence(form[i]!, operands[i]!);
    if (f === 0) return -1;
    score += f;
  }
  return score;
}

const FAR_NAMES = /^(l(call|jmp)[wlq]?)$/;

function rowScore(index: number, name: string, operands: readonly TextOperand[], syntax: Syntax): number {
  const row = ROWS[index]!;
  const forms = formsOfRow[index]!;
  if (/^(call|jmp)/.test(row.key)) {
    const target = operands[0];
    const far = (syntax === 'att' && FAR_NAMES.test(name)) || operands.length === 2 || target?.far === true;
    if (far !== row.key.includes('far')) return -1;
    if (target === undefined || target.kind === 'unknown') return row.key.endsWith('-ind') ? 0 : 1;
    const direct = operands.length === 2 || (syntax === 'att' ? !target.indirect : target.kind !== 'gpr' && target.kind !== 'memory');
    return direct === row.key.endsWith('-ind') ? -1 : 2;
  }
  let best = -1;
  for (const form of forms) best = Math.max(best, formScore(form, operands));
  // Assemblers let one write fewer operands than the encoding names: string instructions, `shl %eax`, `imul $3,%eax`, `aam`.
  if (
    best < 0 &&
    operands.length === 0 &&
    forms.some((f) => f.every((o) => o.cls === OperandClass.string || o.cls === OperandClass.fixedGpr || o.cls === OperandClass.I))
  )
    best = 0;
  if (
    best < 0 &&
    operands.length === 1 &&
    forms.some((f) => f.length === 2 && f[1]!.cls === OperandClass.fixedOne && evidence(f[0]!, operands[0]!) > 0)
  )
    best = 0;
  if (best < 0 && operands.length === 2 && row.key === 'imul') best = 0;
  return best;
}

/** The row with what Xen does for the register that these operands name. */
function refine(row: InstructionRow, operands: readonly TextOperand[]): InstructionMatch {
  const register = operands.find((o) => o.kind === 'control' || o.kind === 'debug')?.register;
  if (register === undefined) return row.xen ? { row, xen: row.xen } : { row };
  const byRegister = row.key === 'mov-from-cr' ? MOV_FROM_CR : row.key === 'mov-to-cr' ? MOV_TO_CR : undefined;
  const xen = byRegister ? byRegister[register] : row.xen;
  return { row, register, ...(xen ? { xen } : {}) };
}

/**
 * The instruction that a source line means. `operands` in the order of the source (see classifyOperand); `name` without prefixes.
 * undefined: no such instruction in the table. Operands that fit no form still give the first candidate, so that odd spelling hides nothing.
 */
export function findInstruction(name: string, operands: readonly TextOperand[], syntax: Syntax): InstructionMatch | undefined {
  const lower = name.toLowerCase();
  const candidates = candidateRows(lower, syntax);
  if (candidates.length === 0) return undefined;
  const intelOrder = syntax === 'att' ? [...operands].reverse() : operands;
  // gas and nasm assemble `int 3` as the one-byte breakpoint.
  if (lower === 'int' && operands[0]?.value === 3) return { row: ROWS[ROW_BY_KEY.get('int3')!]! };
  let best = candidates[0]!;
  let bestScore = -1;
  for (const candidate of candidates) {
    // With equal evidence the unsuspicious reading wins: `mov \a, \b` is a plain move.
    const score = rowScore(candidate, lower, intelOrder, syntax) * 2 + (ROWS[candidate]!.xen ? 0 : 1);
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return refine(ROWS[best]!, operands);
}

/** What Xen PV does with a decoded mov to or from control register `register`; for other rows the row's own. */
export function xenInfo(row: InstructionRow, register?: number): XenInfo | undefined {
  if (register !== undefined && row.key === 'mov-from-cr') return MOV_FROM_CR[register];
  if (register !== undefined && row.key === 'mov-to-cr') return MOV_TO_CR[register];
  return row.xen;
}
