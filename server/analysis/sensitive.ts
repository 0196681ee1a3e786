// Which instructions of a source are sensitive: joins an assembler instruction with its row of the x86 table.

import { ROWS } from '../../x86/rows.ts';
import { MOV_FROM_CR, MOV_TO_CR } from '../../x86/table/control-registers.table.ts';
import type { InstructionRow, XenEffect } from '../../x86/types.ts';
import type { Instruction } from '../syntax/instruction.ts';

export interface Sensitive {
  readonly key: string;
  readonly rule: string;
  readonly effect: Exclude<XenEffect, 'native'>;
  readonly note?: string;
}

/** Rows that share their mnemonic with an ordinary instruction: only the operands tell. */
const BY_OPERAND = new Set([
  'mov-to-seg',
  'mov-from-seg',
  'push-seg',
  'pop-seg',
  'mov-from-cr',
  'mov-to-cr',
  'mov-from-dr',
  'mov-to-dr',
  'call-far',
  'call-far-ind',
  'jmp-far',
  'jmp-far-ind',
]);

const rowByKey = new Map(ROWS.map((row) => [row.key, row]));
const byName = new Map<string, InstructionRow>();
for (const row of ROWS) {
  if (!row.xen || row.xen.effect === 'native' || BY_OPERAND.has(row.key)) continue;
  for (const name of [row.mnemonic, ...(row.aliases ?? [])]) byName.set(name, row);
}
/** Names of ordinary instructions that end in a letter which could be taken for an AT&T size suffix of a sensitive one. */
const ordinary = new Set(ROWS.filter((row) => !row.xen).flatMap((row) => [row.mnemonic, ...(row.aliases ?? [])]));

function rowOfName(name: string): InstructionRow | undefined {
  const exact = byName.get(name);
  if (exact || ordinary.has(name)) return exact;
  return /[bwlq]$/.test(name) ? byName.get(name.slice(0, -1)) : undefined;
}

const sensitive = (key: string): Sensitive | null => {
  const row = rowByKey.get(key);
  if (!row?.xen) throw new Error(`the instruction table has no sensitive row ${key}`);
  return of(key, row.xen);
};
const of = (key: string, xen: NonNullable<InstructionRow['xen']>): Sensitive | null =>
  xen.effect === 'native' ? null : { key, rule: xen.rule, effect: xen.effect, ...(xen.note ? { note: xen.note } : {}) };

function ofMove({ operands: [to, from] }: Instruction): Sensitive | null {
  if (to?.kind === 'control') return ofControl('mov-to-cr', MOV_TO_CR, to.register!);
  if (from?.kind === 'control') return ofControl('mov-from-cr', MOV_FROM_CR, from.register!);
  if (to?.kind === 'debug') return sensitive('mov-to-dr');
  if (from?.kind === 'debug') return sensitive('mov-from-dr');
  if (to?.kind === 'segment') return sensitive('mov-to-seg');
  return from?.kind === 'segment' ? sensitive('mov-from-seg') : null;
}

function ofControl(key: string, table: typeof MOV_TO_CR, register: string): Sensitive | null {
  const xen = table[Number(register.slice(2))];
  return xen ? of(key, xen) : null;
}

/** Far when AT&T says so by the mnemonic (ljmp), Intel syntax by `far` or by a selector:offset pair. */
function ofTransfer(kind: 'jmp' | 'call', instruction: Instruction): Sensitive | null {
  const att = /^l(jmp|call)[wlq]?$/.test(instruction.mnemonic);
  const intel =
    instruction.dialect === 'intel' &&
    instruction.operands.some(({ text }) => /^(?:far|fword)\b|^(0x[0-9a-f]+|\w+)\s*:/i.test(text) && !/^[c-gs]s\s*:/i.test(text));
  if (!att && !intel) return null;
  const indirect = instruction.operands.length === 1 && /^\*|\[|^far|^fword/i.test(instruction.operands[0]!.text);
  return sensitive(indirect ? `${kind}-far-ind` : `${kind}-far`);
}

/** What Xen PV does with the instruction, or null when it may stay. */
export function sensitivity(instruction: Instruction): Sensitive | null {
  const { mnemonic, operands } = instruction;
  if (/^mov(abs)?[wlq]?$/.test(mnemonic)) return ofMove(instruction);
  if (/^push[wlq]?$/.test(mnemonic)) return operands.some(({ kind }) => kind === 'segment') ? sensitive('push-seg') : null;
  if (/^pop[wlq]?$/.test(mnemonic)) return operands.some(({ kind }) => kind === 'segment') ? sensitive('pop-seg') : null;
  const transfer = /^l?(jmp|call)[wlq]?$/.exec(mnemonic);
  if (transfer) return ofTransfer(transfer[1] as 'jmp' | 'call', instruction);
  const row = rowOfName(mnemonic);
  return row?.xen ? of(row.key, row.xen) : null;
}

/** Every mnemonic that can be sensitive, with an optional size suffix: a cheap sieve before anything is parsed. */
const NAMES = [...byName.keys()].sort((a, b) => b.length - a.length).join('|');
const SIEVE = new RegExp(
  `(?<![\\w.$%])(?:(?:${NAMES})[bwlq]?(?![\\w.$])|l(?:jmp|call)[wlq]?(?![\\w.$])|(?:push|pop)[wlq]?\\s+(?:%{1,2})?[c-gs]s(?![\\w])|mov(?:abs)?[wlq]?\\s[^;\\n]{0,160}?(?<![\\w.$])(?:[cd]r\\d|db\\d|[c-gs]s(?![\\w:]))|(?:jmp|call)\\s+(?:far\\b|fword\\b|[\\w]+\\s*:))`,
  'gi',
);

/** Offsets at which a sensitive instruction may start; each has to be confirmed on the tree. */
export function candidates(text: string, from = 0, to = text.length): number[] {
  const found: number[] = [];
  SIEVE.lastIndex = from;
  for (let match = SIEVE.exec(text); match && match.index < to; match = SIEVE.exec(text)) found.push(match.index);
  return found;
}

/** `ud2; .ascii "xen"`, or its bytes: before cpuid it makes Xen emulate the instruction, which is what a port wants. */
export const hasEmulationPrefix = (before: string): boolean =>
  /\bud2a?\b[\s;]*\.(ascii\s*"xen"|byte\s+0x78\s*,\s*0x65\s*,\s*0x6e)|\.byte\s+0x0f\s*,\s*0x0b\s*,\s*0x78\s*,\s*0x65\s*,\s*0x6e/i.test(
    before,
  );
