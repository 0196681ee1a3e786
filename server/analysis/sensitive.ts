// Which instructions of a source are sensitive: joins an assembler instruction with its row of the x86 table.

import { findInstruction } from '../../x86/mnemonics.ts';
import { classifyOperand } from '../../x86/registers.ts';
import { ROWS } from '../../x86/rows.ts';
import type { XenEffect } from '../../x86/types.ts';
import type { Instruction } from '../syntax/instruction.ts';

export interface Sensitive {
  readonly key: string;
  readonly rule: string;
  readonly effect: Exclude<XenEffect, 'native'>;
  readonly note?: string;
}

/** What Xen PV does with the instruction, or null when it may stay. */
export function sensitivity({ mnemonic, operands, dialect }: Instruction): Sensitive | null {
  const ordered = dialect === 'att' ? [...operands].reverse() : operands;
  const found = findInstruction(
    mnemonic,
    ordered.map(({ text }) => classifyOperand(text, dialect)),
    dialect,
  );
  if (!found?.xen || found.xen.effect === 'native') return null;
  const { rule, effect, note } = found.xen;
  return { key: found.row.key, rule, effect, ...(note ? { note } : {}) };
}

/** Names that are sensitive whatever the operands: those that share their mnemonic with an ordinary instruction are sieved apart. */
const ordinary = new Set(ROWS.filter((row) => !row.xen).flatMap((row) => [row.mnemonic, ...(row.aliases ?? [])]));
const sensitiveNames = ROWS.filter((row) => row.xen && row.xen.effect !== 'native')
  .flatMap((row) => [row.mnemonic, ...(row.aliases ?? [])])
  .filter((name) => !ordinary.has(name));

/** Every mnemonic that can be sensitive, with an optional size suffix: a cheap sieve before anything is parsed. */
const NAMES = [...new Set(sensitiveNames)].sort((a, b) => b.length - a.length).join('|');
const SIEVE = new RegExp(
  `(?<![\\w.$%])(?:\\.byte\\s+(?:0x0f|15|0x66|0x4[0-9a-f]|0xf[23])\\b|(?:${NAMES})[bwlq]?(?![\\w.$])|l(?:jmp|call)[wlq]?(?![\\w.$])|(?:push|pop)[wlq]?\\s+(?:%{1,2})?[c-gs]s(?![\\w])|mov(?:abs)?[wlq]?\\s[^;\\n]{0,160}?(?<![\\w.$])(?:[cd]r\\d|db\\d|[c-gs]s(?![\\w:]))|(?:jmp|call)\\s+(?:far\\b|fword\\b|[\\w]+\\s*:))`,
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
