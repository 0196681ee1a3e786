// Arithmetic, comparisons and the moves between registers.

import type { RareBody } from '../rare/context.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import {
  add,
  type Binary,
  compare,
  divide,
  extract,
  multiply,
  remainder,
  roundToIntegral,
  scale,
  squareRoot,
  subtract,
} from './arithmetic.ts';
import {
  type Extended,
  Flag,
  INDEFINITE,
  isInfinite,
  isNaNValue,
  isUnsupported,
  isZero,
  make,
  negate,
  type Operation,
  zero,
} from './extended.ts';
import { isMemory, readOperand } from './operands.ts';
import { C0, C1, C2, C3, CONDITIONS, type Unit, waiting } from './unit.ts';

const reversed =
  (f: Binary): Binary =>
  (o, a, b) =>
    f(o, b, a);

/** Destination register op source register or memory. */
const binary =
  (f: Binary, integer: boolean, pops: boolean): ((u: Unit) => RareStatusValue) =>
  (u) => {
    const { d } = u.i;
    let to = 0;
    let source: Extended;
    let empty: boolean;
    if (isMemory(u)) {
      const v = readOperand(u, integer);
      if (v === null) return RareStatus.stopped;
      source = v;
      empty = u.isEmpty(0);
    } else {
      to = d.reg[0]!;
      const from = d.reg[1]!;
      source = u.read(from);
      empty = u.isEmpty(to) || u.isEmpty(from);
    }
    let result = INDEFINITE;
    if (empty) {
      if (!u.stackFault(false)) return u.conclude();
    } else {
      result = f(u.o, u.read(to), source);
      if (u.o.stopped) return u.conclude();
    }
    u.write(to, result);
    if (pops) u.pop();
    return u.conclude();
  };

const unary = (f: (o: Operation, v: Extended) => Extended): RareBody =>
  waiting((u) => {
    if (u.isEmpty(0)) {
      if (u.stackFault(false)) u.write(0, INDEFINITE);
      return u.conclude();
    }
    const result = f(u.o, u.read(0));
    if (!u.o.stopped) u.write(0, result);
    return u.conclude();
  });

const ORDER = new Map<number | null, number>([
  [1, 0],
  [-1, C0],
  [0, C3],
  [null, C0 | C2 | C3],
]);
const EFLAGS = new Map<number | null, number>([
  [1, 0],
  [-1, 1],
  [0, 0x40],
  [null, 0x45],
]);

interface CompareForm {
  readonly quietly: boolean;
  readonly pops: number;
  readonly integer?: boolean;
  /** The result goes to rflags. */
  readonly flags?: boolean;
  readonly withZero?: boolean;
}
const comparison = ({ quietly, pops, integer = false, flags = false, withZero = false }: CompareForm): RareBody =>
  waiting((u) => {
    const { d } = u.i;
    let other = zero(false);
    let empty = u.isEmpty(0);
    if (isMemory(u)) {
      const v = readOperand(u, integer);
      if (v === null) return RareStatus.stopped;
      other = v;
    } else if (!withZero) {
      const from = d.count > 1 ? d.reg[1]! : 1;
      other = u.read(from);
      empty ||= u.isEmpty(from);
    }
    let order: number | null = null;
    if (empty) u.stackFault(false);
    else order = compare(u.o, u.read(0), other, quietly);
    // The result is there even when the exception is unmasked; registers stay.
    if (flags) u.c.setArithmeticFlags(EFLAGS.get(order)!);
    if (!u.o.stopped) for (let n = 0; n < pops; n++) u.pop();
    return flags ? u.conclude(0, empty ? C1 : 0) : u.conclude(ORDER.get(order)!, CONDITIONS);
  });

const move = (condition: (rflags: number) => boolean): RareBody =>
  waiting((u) => {
    const from = u.i.d.reg[1]!;
    if (u.isEmpty(0) || u.isEmpty(from)) {
      if (u.stackFault(false)) u.write(0, INDEFINITE);
      return u.conclude();
    }
    if (condition(u.c.rflags)) u.write(0, u.read(from));
    return u.conclude(0, 0);
  });

const remainderBody = (nearest: boolean): RareBody =>
  waiting((u) => {
    if (u.isEmpty(0) || u.isEmpty(1)) {
      if (u.stackFault(false)) u.write(0, INDEFINITE);
      return u.conclude(0, C1 | C2);
    }
    const { value, quotient } = remainder(u.o, u.read(0), u.read(1), nearest);
    if (u.o.stopped) return u.conclude(0, C1 | C2);
    u.write(0, value);
    if (u.o.raised & Flag.invalid || isNaNValue(value)) return u.conclude(0, C1 | C2);
    u.o.roundedUp = false;
    if (quotient === null) return u.conclude(C2, CONDITIONS);
    const bits = (quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0);
    return u.conclude(bits, CONDITIONS);
  });

const fscale = waiting((u) => {
  if (u.isEmpty(0) || u.isEmpty(1)) {
    if (u.stackFault(false)) u.write(0, INDEFINITE);
    return u.conclude();
  }
  const result = scale(u.o, u.read(0), u.read(1));
  if (!u.o.stopped) u.write(0, result);
  return u.conclude();
});

const fxtract = waiting((u) => {
  if (u.isEmpty(0) || !u.isEmpty(7)) {
    const overflow = !u.isEmpty(0);
    if (u.stackFault(overflow)) {
      u.write(0, INDEFINITE);
      u.push(INDEFINITE);
    }
    return u.conclude();
  }
  const { exponent, significand } = extract(u.o, u.read(0));
  if (u.o.stopped) return u.conclude();
  u.write(0, exponent);
  u.push(significand);
  return u.conclude();
});

function classOf(u: Unit, v: Extended): number {
  if (u.isEmpty(0)) return C3 | C0;
  if (isUnsupported(v)) return 0;
  if (isNaNValue(v)) return C0;
  if (isInfinite(v)) return C2 | C0;
  if (isZero(v)) return C3;
  return v.exponent === 0 ? C3 | C2 : C2;
}
const fxam = waiting((u) => {
  const v = u.read(0);
  return u.conclude(classOf(u, v) | (v.negative ? C1 : 0), CONDITIONS);
});

const exchange = waiting((u) => {
  const other = u.i.d.reg[1]!;
  if (u.isEmpty(0) || u.isEmpty(other)) {
    if (!u.stackFault(false)) return u.conclude();
    if (u.isEmpty(0)) u.write(0, INDEFINITE);
    if (u.isEmpty(other)) u.write(other, INDEFINITE);
  }
  const a = u.read(0);
  const b = u.read(other);
  u.write(0, b);
  u.write(other, a);
  return u.conclude();
});

const conditions: readonly (readonly [string, (f: number) => boolean])[] = [
  ['b', (f) => (f & 1) !== 0],
  ['e', (f) => (f & 0x40) !== 0],
  ['be', (f) => (f & 0x41) !== 0],
  ['u', (f) => (f & 4) !== 0],
];

export const BASIC: Record<string, RareBody> = {
  fcom: comparison({ quietly: false, pops: 0 }),
  fcomp: comparison({ quietly: false, pops: 1 }),
  fcompp: comparison({ quietly: false, pops: 2 }),
  fucom: comparison({ quietly: true, pops: 0 }),
  fucomp: comparison({ quietly: true, pops: 1 }),
  fucompp: comparison({ quietly: true, pops: 2 }),
  ficom: comparison({ quietly: false, pops: 0, integer: true }),
  ficomp: comparison({ quietly: false, pops: 1, integer: true }),
  fcomi: comparison({ quietly: false, pops: 0, flags: true }),
  fcomip: comparison({ quietly: false, pops: 1, flags: true }),
  fucomi: comparison({ quietly: true, pops: 0, flags: true }),
  fucomip: comparison({ quietly: true, pops: 1, flags: true }),
  ftst: comparison({ quietly: false, pops: 0, withZero: true }),
  fprem: remainderBody(false),
  fprem1: remainderBody(true),
  fsqrt: unary(squareRoot),
  frndint: unary(roundToIntegral),
  fchs: unary((_, v) => negate(v)),
  fabs: unary((_, v) => make(false, v.exponent, v.significand)),
  fscale,
  fxtract,
  fxam,
  fxch: exchange,
};
for (const [name, condition] of conditions) {
  BASIC[`fcmov${name}`] = move(condition);
  BASIC[`fcmovn${name}`] = move((f) => !condition(f));
}
const OPERATIONS: readonly (readonly [string, Binary])[] = [
  ['add', add],
  ['mul', multiply],
  ['sub', subtract],
  ['subr', reversed(subtract)],
  ['div', divide],
  ['divr', reversed(divide)],
];
for (const [name, f] of OPERATIONS) {
  BASIC[`f${name}`] = waiting(binary(f, false, false));
  BASIC[`f${name}p`] = waiting(binary(f, false, true));
  BASIC[`fi${name}`] = waiting(binary(f, true, false));
}
