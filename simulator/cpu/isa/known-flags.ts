// Single flags as expressions, for an operation whose kind is known while generating.

import { I64, type Node, type Width } from '../emit/expressions.ts';
import type { Builder } from './builder.ts';
import { FLAG, FlagKind, type StaticFlags } from './flag-kinds.ts';

/** Each an i32 of 0 or 1, or null where a helper function does better. */
export interface FlagValues {
  readonly c: Node | null;
  readonly z: Node | null;
  readonly s: Node | null;
  readonly o: Node | null;
  readonly p: Node | null;
}
const UNKNOWN: FlagValues = { c: null, z: null, s: null, o: null, p: null };

const signBit = (b: Builder, w: Width, x: Node): Node => b.bit(x, 8 * w - 1);
const zero = (b: Builder, w: Width, r: Node): Node => b.isZero(b.zx(w, r));
const parity = (b: Builder, r: Node): Node => b.isZero(b.and(b.popcnt(b.and(b.wrap(r), b.k32(255))), b.k32(1)));
/** The flags that only the result decides. */
const ofResult = (b: Builder, w: Width, r: Node): Pick<FlagValues, 'z' | 's' | 'p'> => ({
  z: zero(b, w, r),
  s: signBit(b, w, r),
  p: parity(b, r),
});

function rawFlags(b: Builder, f1: Node): FlagValues {
  const v = b.wrap(f1);
  const flag = (mask: number): Node => b.bit(v, 31 - Math.clz32(mask));
  return { c: flag(FLAG.c), z: flag(FLAG.z), s: flag(FLAG.s), o: flag(FLAG.o), p: flag(FLAG.p) };
}

/** The flags of a known operation. Meaning of f1 and f2: see FlagKind. */
export function knownFlags(b: Builder, f: StaticFlags): FlagValues {
  const { w } = f;
  if (f.kind === FlagKind.raw) return rawFlags(b, f.f1);
  const narrow = (n: Node): Node => (w === 8 ? n : b.wrap(n));
  const x = narrow(f.f1);
  const y = narrow(f.f2);
  switch (f.kind) {
    case FlagKind.sub: {
      const r = b.sub(x, y);
      return { ...ofResult(b, w, r), c: b.ltu(b.zx(w, x), b.zx(w, y)), o: signBit(b, w, b.and(b.xor(x, y), b.xor(x, r))) };
    }
    case FlagKind.add: {
      const first = b.sub(x, y);
      return { ...ofResult(b, w, x), c: b.ltu(b.zx(w, x), b.zx(w, y)), o: signBit(b, w, b.and(b.xor(first, x), b.xor(y, x))) };
    }
    case FlagKind.inc:
    case FlagKind.dec: {
      const least = w === 8 ? -(1n << 63n) : 2 ** (8 * w - 1);
      const limit = f.kind === FlagKind.inc ? x : b.add(x, b.k(w, 1));
      const at = w === 4 ? b.k32(Number(least) | 0) : b.k(w, least);
      return { ...ofResult(b, w, x), c: b.type(f.f2) === I64 ? b.wrap(f.f2) : f.f2, o: b.eq(b.zx(w, limit), at) };
    }
    case FlagKind.shl:
      return { ...UNKNOWN, ...ofResult(b, w, b.shl(x, y)) };
    case FlagKind.shr:
      return { ...UNKNOWN, ...ofResult(b, w, b.shr(b.zx(w, x), y)) };
    case FlagKind.sar:
      return { ...UNKNOWN, ...ofResult(b, w, b.sar(b.sx(w, x), y)) };
    default:
      return UNKNOWN;
  }
}
