// What both tiers do around a body: the instruction as the body sees it, and its memory operand translated beforehand.

import type { Insn, Operand } from '../isa/builder.ts';
import type { VectorBuilder } from '../isa/vector-builder.ts';
import type { Case } from './cases.ts';

const KINDS: Record<string, Operand['kind']> = { r: 'r', m: 'm', i: 'i', x: 'x', q: 'q' };

/** The instruction as its body sees it. */
export function insnOf(c: Case): Insn {
  const operands = [0, 1, 2].map(
    (index): Operand => ({
      kind: KINDS[c.form[index] ?? ''] ?? 'none',
      index,
      size: index === 1 && c.sw ? c.sw : c.w,
    }),
  );
  return { w: c.w, sw: c.sw || c.w, cc: c.cc, d: operands[0]!, s: operands[1]!, t: operands[2]! };
}

/** An integer instruction. */
export function emitInteger(b: VectorBuilder, c: Case, i: Insn): void {
  const position = c.form.indexOf('m');
  const use = c.definition.memory;
  if (position >= 0 && use !== 'a') {
    const size = c.definition.memorySize || (position === 1 && c.sw ? c.sw : c.w);
    b.useMemoryOperand(size, use === 'auto' ? (position === 0 ? 'w' : 'r') : use);
  }
  c.definition.body(b, i);
}

/** An MMX or SSE instruction. Order of events: pending x87 exception, alignment, translation, then the registers become mmx registers. */
export function emitVector(b: VectorBuilder, c: Case, i: Insn): void {
  const use = c.definition.vector!;
  if (c.form.includes('q')) b.checkPendingX87();
  const position = c.form.indexOf('m');
  if (position >= 0) {
    const size = use.memorySize(c.form, c.w);
    b.useMemoryOperand(size, position === 0 ? 'w' : 'r', size === 16 && use.aligned ? 16 : 1);
  }
  if (use.entersMmx(c.form)) b.enterMmx();
  c.definition.body(b, i);
}
