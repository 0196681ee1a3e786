// A site: one asm statement, call or assembly statement and what was found in it. The unit of incremental re-analysis.

import type { AsmStatement } from '../syntax/c/asm-statement.ts';
import type { Instruction } from '../syntax/instruction.ts';
import type { Warning } from './finding.ts';
import type { Sensitive } from './sensitive.ts';

/** A sensitive instruction with its surroundings, as far as a quick fix needs them. */
export interface Hit {
  readonly instruction: Instruction;
  readonly sensitive: Sensitive;
}

/** A call in C that does by a wrapper what a port does otherwise: outb(0x20, 0x20), set_gate(0x80, …). */
export interface Idiom {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly callee: string;
  readonly args: readonly string[];
  /** Constant port or vector. */
  readonly number: number;
  /** The statement that the call is, with its semicolon; null inside an expression. */
  readonly statement: { readonly start: number; readonly end: number } | null;
}

export interface Site {
  readonly start: number;
  readonly end: number;
  readonly hits: readonly Hit[];
  readonly idioms: readonly Idiom[];
  /** C: the inline asm statement, with every instruction of its template. */
  readonly asm?: { readonly statement: AsmStatement; readonly instructions: readonly Instruction[] };
  /** Assembly: 64, 32 or 16, as .code says; 0 where the file does not say. */
  readonly codeBits?: 64 | 32 | 16 | 0;
  readonly warnings: readonly Warning[];
  /** The macro that calls through a table of operations in place of the hits, which are only what native hardware gets. */
  readonly redirected?: string;
}

const moveInstruction = (i: Instruction, by: number): Instruction => ({ ...i, start: i.start + by, end: i.end + by });

/** The same site `by` units further on. */
export function moveSite(site: Site, by: number): Site {
  if (by === 0) return site;
  const move = <T extends { start: number; end: number }>(thing: T): T => ({ ...thing, start: thing.start + by, end: thing.end + by });
  return {
    ...move(site),
    hits: site.hits.map((hit) => ({ ...hit, instruction: moveInstruction(hit.instruction, by) })),
    idioms: site.idioms.map((idiom) => ({ ...move(idiom), statement: idiom.statement && move(idiom.statement) })),
    ...(site.asm
      ? {
          asm: {
            statement: {
              ...move(site.asm.statement),
              templateStart: site.asm.statement.templateStart + by,
              templateEnd: site.asm.statement.templateEnd + by,
            },
            instructions: site.asm.instructions.map((i) => moveInstruction(i, by)),
          },
        }
      : {}),
    warnings: site.warnings.map(move),
  };
}

/** No source that people write has so many sites; a file of nothing else is not listed to its end. */
export const MOST_SITES = 10_000;

/** The site that says so. */
export const tooMany = (at: number): Site => ({
  start: at,
  end: at + 1,
  hits: [],
  idioms: [],
  warnings: [{ start: at, end: at + 1, message: `More than ${MOST_SITES} findings: the rest of the file is not listed.` }],
});
