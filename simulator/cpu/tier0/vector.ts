// MMX and SSE in tier 0: one function beside the interpreter, with a br_table of its own over all vector cases. The interpreter's
// default arm calls it, so that its own code stays as small as integer programs need it.

import { I32, I64, V128 } from '../emit/expressions.ts';
import type { WasmFunction } from '../emit/module.ts';
import { VECTOR_LOCALS } from '../isa/vector-builder.ts';
import { Tier0 } from './binding.ts';
import { type Case, type CaseList, caseName, FixedCase } from './cases.ts';
import { HELPER_INDEX } from './helpers.ts';
import { emitVector, insnOf } from './instruction.ts';
import { PARAMETERS, TEMPS_32, TEMPS_64 } from './locals.ts';
import { VectorStatus } from './status.ts';

const LOCALS = [
  [1 + TEMPS_64, I64],
  [1 + TEMPS_32, I32],
  [VECTOR_LOCALS, V128],
] as const;

export function emitVectorCase(b: Tier0, c: Case): void {
  try {
    b.begin(false);
    b.part(0, false);
    emitVector(b, c, insnOf(c));
    b.finish(1);
  } catch (error) {
    throw new Error(`${caseName(c)}: ${(error as Error).message}`);
  }
}

/** The function `vector`: (record, count, tlb) -> VectorStatus. */
export function buildVector(bits: 64 | 32, list: CaseList): WasmFunction {
  const b = new Tier0(bits, HELPER_INDEX);
  b.outOfLine = true;
  b.labels.push('function');
  b.open('block', 'raise');
  b.open('block', 'fault');
  b.reset();
  b.checkUnitEnabled();
  for (const _ of list.vectorCases) b.open('block', 'case');
  b.emitDispatch(list.vectorCases.length, FixedCase.count + list.cases.length);
  for (const c of list.vectorCases) {
    b.close();
    emitVectorCase(b, c);
  }
  b.close(); // fault
  b.reset();
  b.return(b.k32(VectorStatus.fault));
  b.close(); // raise
  b.return(b.k32(VectorStatus.raised));
  return { name: 'vector', params: PARAMETERS, result: I32, locals: LOCALS, code: b.bytes.slice(0, b.at) };
}
