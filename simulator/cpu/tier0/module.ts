// Builds the interpreter: one function per mode with a loop around a br_table over all cases, and its helpers.

import { I32 } from '../emit/expressions.ts';
import { assembleModule, type WasmFunction } from '../emit/module.ts';
import * as L from '../layout.ts';
import { Tier0 } from './binding.ts';
import { type Case, type CaseList, caseName, FixedCase } from './cases.ts';
import { buildHelpers, HELPER_INDEX, IMPORTS } from './helpers.ts';
import { emitInteger, insnOf } from './instruction.ts';
import { LOCALS, PARAMETERS } from './locals.ts';
import { Stop } from './status.ts';
import { buildVector } from './vector.ts';

/** Generates the code of one case: one instruction, or a fused pair. */
export function emitCase(b: Tier0, c: Case): void {
  try {
    b.begin(c.then !== undefined);
    b.part(0, c.baseOnly === true);
    emitInteger(b, c, insnOf(c));
    if (c.then) {
      b.part(1, false);
      emitInteger(b, c.then, insnOf(c.then));
    }
    b.finish(c.then ? 2 : 1);
  } catch (error) {
    throw new Error(`${caseName(c)}: ${(error as Error).message}`);
  }
}

function emitFixed(b: Tier0, n: number): void {
  b.begin(false);
  b.part(0, false);
  switch (n) {
    case FixedCase.header:
      b.byte(0); // unreachable
      return;
    case FixedCase.next:
      b.goDirect();
      break;
    case FixedCase.address:
    case FixedCase.absolute:
      b.emitAddressRecord(n === FixedCase.absolute);
      break;
    case FixedCase.secondPage:
      b.emitSecondPageCheck();
      break;
    case FixedCase.rare:
      b.emitRare();
      break;
    case FixedCase.leave:
      b.emitLeave();
      break;
  }
  b.finish(1);
}

/** Frequent instructions in compiled code, most frequent first. */
const FREQUENT =
  'mov cmp test lea add push pop sub call ret and jmp movzx xor or inc dec shl shr movsxd leave call-ind movsx imul sar jmp-ind'.split(' ');

/** Order of the cases in the code. Before V8 has optimised the function, each jump back to the loop head is charged by its distance
 * and calls the runtime when the account is empty: what runs often must lie near the head. */
function codeOrder(list: CaseList): number[] {
  const rank = (n: number): number => {
    if (n < FixedCase.count) return 0;
    const c = list.cases[n - FixedCase.count]!;
    // Equality first among the conditional jumps and the pairs with them.
    const cc = (c.then ?? c).cc;
    if (c.then) return c.w >= 4 && (cc >> 1 === 2 || cc >> 1 === 3 || cc === 2) ? 20 : 60;
    if (c.definition.key === 'jcc') return c.w >= 4 ? 10 : 80;
    const frequent = FREQUENT.indexOf(c.definition.key);
    if (frequent < 0) return 70;
    return (c.w >= 4 || c.definition.key === 'mov' ? 1 : 40) + (frequent >> 3);
  };
  const total = FixedCase.count + list.cases.length;
  const ranks = Array.from({ length: total }, (_, n) => rank(n));
  return ranks.map((_, n) => n).sort((x, y) => ranks[x]! - ranks[y]! || x - y);
}

function buildInterpreter(bits: 64 | 32, segmented: boolean, blockTable: number, name: string, list: CaseList): WasmFunction {
  const b = new Tier0(bits, HELPER_INDEX, segmented);
  const total = FixedCase.count + list.cases.length;
  b.open('loop', 'top');
  for (const exit of ['raise', 'fault', 'lookup']) b.open('block', exit);
  b.open('block', 'vector');
  for (let i = 0; i < total; i++) b.open('block', 'case');
  const order = codeOrder(list);
  const places = new Int32Array(total);
  order.forEach((n, place) => {
    places[n] = place;
  });
  b.emitDispatch(total, 0, total, (n) => places[n]!);
  for (const n of order) {
    b.close();
    if (n < FixedCase.count) emitFixed(b, n);
    else emitCase(b, list.cases[n - FixedCase.count]!);
  }
  b.close(); // vector
  b.emitVectorCall();
  b.close(); // lookup
  b.emitLookup(blockTable);
  b.close(); // fault
  b.emitFaultExit(Stop.fault);
  b.close(); // raise
  b.emitFaultExit(Stop.raised);
  b.close(); // loop
  b.byte(0); // unreachable
  return { name, params: PARAMETERS, result: I32, locals: LOCALS, code: b.bytes.slice(0, b.at) };
}

/** The module of one decoding mode: exports `run`, `eflags`. */
export function buildTier0(list: CaseList, mode: number): Uint8Array {
  const table = L.BLOCK_TABLE + mode * L.BLOCK_TABLE_SIZE;
  const bits = mode === 0 ? 64 : 32;
  const functions = [...buildHelpers(), buildInterpreter(bits, mode >= 2, table, 'run', list)];
  return assembleModule(IMPORTS, functions, { params: PARAMETERS, result: I32 });
}

/** The module of a decoding mode's MMX and SSE cases: exports `vector`, for the interpreter's table. */
export function buildVectorModule(list: CaseList, mode: number): Uint8Array {
  return assembleModule(IMPORTS, [...buildHelpers(), buildVector(mode === 0 ? 64 : 32, list)]);
}
