// SSE comparisons, minimum, maximum. Without NaNs and denormals among the operands they raise nothing, whatever MXCSR says.

import type { Node } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import type { Insn } from './builder.ts';
import { allLanes, FLOAT_KINDS, type Kind, loadMagnitude, plainOperand, pushOperand } from './sse-float.ts';
import { vector, XMM_FORMS } from './vector.ts';
import type { VectorBuilder } from './vector-builder.ts';

const D = 0;
const S = 1;
const SCRATCH = 2;

/** Runs `fast` with the operands in locals when both are plain numbers, else the operation in TypeScript. */
function onPlain(
  b: VectorBuilder,
  k: Kind,
  operation: string,
  d: Node,
  s: Node,
  fast: () => void,
  slow: () => void,
  immediate?: Node,
): void {
  pushOperand(b, k, d);
  b.vset(D);
  pushOperand(b, k, s);
  b.vset(S);
  loadMagnitude(b, k, D, SCRATCH);
  plainOperand(b, k, SCRATCH);
  loadMagnitude(b, k, S, SCRATCH);
  plainOperand(b, k, SCRATCH);
  b.simd(SIMD.and);
  allLanes(b, k);
  b.open('if', 'plain');
  fast();
  b.else();
  b.float(operation, d, s, immediate);
  slow();
  b.close();
}

const EXTREME: Readonly<Record<string, Readonly<Record<4 | 8, number>>>> = {
  min: { 4: SIMD.f32PseudoMin, 8: SIMD.f64PseudoMin },
  max: { 4: SIMD.f32PseudoMax, 8: SIMD.f64PseudoMax },
};
const nothing = (): void => {};

for (const k of FLOAT_KINDS) {
  for (const [stem, opcode] of Object.entries(EXTREME))
    vector(stem + k.name, { forms: XMM_FORMS, memory: k.bytes }, (key) => (b, i) => {
      const d = b.place(i.d);
      const s = b.place(i.s);
      const fast = (): void =>
        b.vstoreAt(d, k.bytes, () => {
          // The pseudo-minimum gives its first operand when neither is less, as the instruction gives its source.
          b.vget(S);
          b.vget(D);
          b.simd(opcode[k.element]);
        });
      onPlain(b, k, key, d, s, fast, nothing);
    });

  const predicates = k.element === 4 ? [SIMD.f32Equal, SIMD.f32Less, SIMD.f32LessEqual] : [SIMD.f64Equal, SIMD.f64Less, SIMD.f64LessEqual];
  vector(`cmp${k.name}`, { forms: ['xxi', 'xmi'], memory: k.bytes }, (key) => (b, i) => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    const immediate = b.let(b.rd(i.t, 1));
    const predicate = b.let(b.and(immediate, b.k32(3)));
    onPlain(b, k, key, d, s, () => storeMask(b, k, d, predicate, immediate, predicates), nothing, immediate);
  });
}

/** Predicates 0 to 2 by comparing, 3 (unordered) never holds here; bit 2 of the immediate negates. */
function storeMask(b: VectorBuilder, k: Kind, d: Node, predicate: Node, immediate: Node, opcodes: readonly number[]): void {
  b.vconstant(0n, 0n);
  b.vset(SCRATCH);
  opcodes.forEach((opcode, n) => {
    b.emit(b.eq(predicate, b.k32(n)));
    b.open('if', 'predicate');
    b.vget(D);
    b.vget(S);
    b.simd(opcode);
    b.vset(SCRATCH);
    b.close();
  });
  b.vstoreAt(d, k.bytes, () => {
    b.vget(SCRATCH);
    b.emit(b.sub(b.k32(0), b.and(b.shr(immediate, b.k32(2)), b.k32(1))));
    b.simd(SIMD.i32Splat);
    b.simd(SIMD.xor);
  });
}

// Flags after comparing: equal zf, less cf, unordered zf pf cf; the others 0.
const ZF = 6;
for (const k of FLOAT_KINDS.slice(2))
  vector(`comi${k.name} ucomi${k.name}`, { forms: XMM_FORMS, memory: k.bytes }, (key) => (b: VectorBuilder, i: Insn) => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    const flags = b.temp(0);
    const lane = (opcode: number): Node => {
      b.vget(D);
      b.vget(S);
      b.simd(opcode);
      b.simd(k.element === 4 ? SIMD.i32Bitmask : SIMD.i64Bitmask);
      return b.let(b.and(b.popped(), b.k32(1)));
    };
    const fast = (): void => {
      const equal = lane(k.element === 4 ? SIMD.f32Equal : SIMD.f64Equal);
      const less = lane(k.element === 4 ? SIMD.f32Less : SIMD.f64Less);
      b.setLocal(flags, b.or(b.shl(equal, b.k32(ZF)), less));
    };
    onPlain(b, k, key, d, s, fast, () => b.setLocal(flags, b.comparisonResult()));
    b.setFlags(b.local(flags, 0));
  });
