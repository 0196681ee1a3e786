// The floating-point operations that generated code leaves to TypeScript, by number: elements are read, computed one by one, and
// written when no unmasked exception was raised. Operands are host addresses.

import type { Core } from '../core.ts';
import * as L from '../layout.ts';
import { reciprocal, reciprocalRoot } from './approximations.ts';
import * as A from './arithmetic.ts';
import { BEFORE_COMPUTATION, DOUBLE, FloatContext, type Format, SINGLE } from './format.ts';
import { FLOAT_OPERATIONS } from './numbers.ts';

/** Computes results into the unit's buffer. */
type Operation = (u: FloatUnit, d: number, s: number, immediate: number) => void;

class FloatUnit {
  readonly context = new FloatContext();
  readonly view: DataView;
  /** Results by byte offset from the destination, as 4- or 8-byte values. */
  private readonly offsets: number[] = [];
  private readonly sizes: number[] = [];
  private readonly values: bigint[] = [];

  constructor(core: Core) {
    this.view = core.view;
  }

  read(bytes: 4 | 8, at: number): bigint {
    return bytes === 8 ? this.view.getBigUint64(at, true) : BigInt(this.view.getUint32(at, true));
  }
  result(offset: number, bytes: 4 | 8, v: bigint): void {
    this.offsets.push(offset);
    this.sizes.push(bytes);
    this.values.push(v);
  }

  /** 1: an unmasked exception; nothing but flags is written. */
  run(operation: Operation, d: number, s: number, immediate: number): number {
    const { context: c, view } = this;
    const mxcsr = view.getUint32(L.MXCSR, true);
    c.begin(mxcsr);
    this.offsets.length = 0;
    this.sizes.length = 0;
    this.values.length = 0;
    operation(this, d, s, immediate);
    // Unmasked exceptions of the operands come before any result, and hide what the results would raise.
    const early = c.raised & BEFORE_COMPUTATION & ~c.masked;
    view.setUint32(L.MXCSR, mxcsr | (early ? c.raised & BEFORE_COMPUTATION : c.raised), true);
    if (c.raised & ~c.masked) return 1;
    for (let i = 0; i < this.values.length; i++) {
      const at = d + this.offsets[i]!;
      if (this.sizes[i] === 8) view.setBigUint64(at, this.values[i]!, true);
      else view.setUint32(at, Number(this.values[i]!), true);
    }
    return 0;
  }
}

const KINDS: Readonly<Record<string, readonly [Format, number]>> = { ps: [SINGLE, 4], pd: [DOUBLE, 2], ss: [SINGLE, 1], sd: [DOUBLE, 1] };

/** Element by element from both operands. */
const binary =
  (f: Format, count: number, operation: (element: number) => A.Binary): Operation =>
  (u, d, s) => {
    for (let i = 0; i < count; i++) {
      const at = i * f.bytes;
      u.result(at, f.bytes, operation(i)(u.context, f, u.read(f.bytes, d + at), u.read(f.bytes, s + at)));
    }
  };
/** Neighbouring elements: first those of the destination, then those of the source. */
const horizontal =
  (f: Format, count: number, operation: A.Binary): Operation =>
  (u, d, s) => {
    for (let i = 0; i < count; i++) {
      const from = (i < count / 2 ? d : s) + (i % (count / 2)) * 2 * f.bytes;
      u.result(i * f.bytes, f.bytes, operation(u.context, f, u.read(f.bytes, from), u.read(f.bytes, from + f.bytes)));
    }
  };
const unary =
  (f: Format, count: number, operation: (c: FloatContext, v: bigint) => bigint): Operation =>
  (u, _, s) => {
    for (let i = 0; i < count; i++) u.result(i * f.bytes, f.bytes, operation(u.context, u.read(f.bytes, s + i * f.bytes)));
  };
const resize =
  (from: Format, to: Format, count: number, clear: boolean): Operation =>
  (u, _, s) => {
    for (let i = 0; i < count; i++)
      u.result(i * to.bytes, to.bytes, A.convert(u.context, from, to, u.read(from.bytes, s + i * from.bytes)));
    if (clear) u.result(8, 8, 0n);
  };
const integersTo =
  (f: Format, bytes: 4 | 8, count: number): Operation =>
  (u, _, s) => {
    for (let i = 0; i < count; i++) {
      const v = BigInt.asIntN(8 * bytes, u.read(bytes, s + i * bytes));
      u.result(i * f.bytes, f.bytes, A.fromInteger(u.context, f, v));
    }
  };
const toIntegers =
  (f: Format, bytes: 4 | 8, count: number, truncate: boolean, clear: boolean): Operation =>
  (u, _, s) => {
    for (let i = 0; i < count; i++)
      u.result(i * bytes, bytes, A.toInteger(u.context, f, u.read(f.bytes, s + i * f.bytes), 8 * bytes, truncate));
    if (clear) u.result(8, 8, 0n);
  };
/** To a general register: a 4-byte result clears the upper half. */
const toRegister =
  (f: Format, bytes: 4 | 8, truncate: boolean): Operation =>
  (u, _, s) =>
    u.result(0, 8, A.toInteger(u.context, f, u.read(f.bytes, s), 8 * bytes, truncate));
/** Leaves zf, pf, cf as rflags has them at the destination. */
const compareFlags =
  (f: Format, quiet: boolean): Operation =>
  (u, d, s) => {
    const scratch = L.VECTOR_SCRATCH - d;
    const o = A.compare(u.context, f, u.read(f.bytes, d), u.read(f.bytes, s), quiet);
    u.result(scratch, 4, o === null ? 0x45n : o === 0 ? 0x40n : o < 0 ? 1n : 0n);
  };

function table(): Readonly<Record<string, Operation>> {
  const all: Record<string, Operation> = {};
  const arithmetic = { add: A.add, sub: A.subtract, mul: A.multiply, div: A.divide, min: A.minimum, max: A.maximum };
  for (const [kind, [f, count]] of Object.entries(KINDS)) {
    for (const [stem, operation] of Object.entries(arithmetic)) all[stem + kind] = binary(f, count, () => operation);
    all[`sqrt${kind}`] = unary(f, count, (c, v) => A.squareRoot(c, f, v));
    const masks = [0, 1, 2, 3, 4, 5, 6, 7].map((predicate) => binary(f, count, () => A.compareMask(predicate)));
    all[`cmp${kind}`] = (u, d, s, immediate) => masks[immediate & 7]!(u, d, s, immediate);
    if (count > 1) {
      all[`hadd${kind}`] = horizontal(f, count, A.add);
      all[`hsub${kind}`] = horizontal(f, count, A.subtract);
      all[`addsub${kind}`] = binary(f, count, (i) => (i & 1 ? A.add : A.subtract));
    } else {
      all[`comi${kind}`] = compareFlags(f, false);
      all[`ucomi${kind}`] = compareFlags(f, true);
    }
  }
  for (const [kind, count] of [
    ['ps', 4],
    ['ss', 1],
  ] as const) {
    all[`rcp${kind}`] = unary(SINGLE, count, (_, v) => BigInt(reciprocal(Number(v))));
    all[`rsqrt${kind}`] = unary(SINGLE, count, (_, v) => BigInt(reciprocalRoot(Number(v))));
  }
  all.cvtps2pd = resize(SINGLE, DOUBLE, 2, false);
  all.cvtpd2ps = resize(DOUBLE, SINGLE, 2, true);
  all.cvtss2sd = resize(SINGLE, DOUBLE, 1, false);
  all.cvtsd2ss = resize(DOUBLE, SINGLE, 1, false);
  all.cvtdq2ps = integersTo(SINGLE, 4, 4);
  all.cvtdq2pd = integersTo(DOUBLE, 4, 2);
  all.cvtpi2ps = integersTo(SINGLE, 4, 2);
  all.cvtpi2pd = integersTo(DOUBLE, 4, 2);
  for (const [prefix, truncate] of [
    ['cvt', false],
    ['cvtt', true],
  ] as const) {
    all[`${prefix}ps2dq`] = toIntegers(SINGLE, 4, 4, truncate, false);
    all[`${prefix}pd2dq`] = toIntegers(DOUBLE, 4, 2, truncate, true);
    all[`${prefix}ps2pi`] = toIntegers(SINGLE, 4, 2, truncate, false);
    all[`${prefix}pd2pi`] = toIntegers(DOUBLE, 4, 2, truncate, false);
    for (const bytes of [4, 8] as const) {
      all[`${prefix}ss2si${bytes}`] = toRegister(SINGLE, bytes, truncate);
      all[`${prefix}sd2si${bytes}`] = toRegister(DOUBLE, bytes, truncate);
    }
  }
  for (const bytes of [4, 8] as const) {
    all[`cvtsi2ss${bytes}`] = integersTo(SINGLE, bytes, 1);
    all[`cvtsi2sd${bytes}`] = integersTo(DOUBLE, bytes, 1);
  }
  return all;
}

export function makeFloat(core: Core): (operation: number, d: number, s: number, immediate: number) => number {
  const unit = new FloatUnit(core);
  const all = table();
  const operations = FLOAT_OPERATIONS.map((name) => {
    const operation = all[name];
    if (!operation) throw new Error(`floating-point operation ${name} has no definition`);
    return operation;
  });
  return (operation, d, s, immediate) => unit.run(operations[operation]!, d, s, immediate);
}
