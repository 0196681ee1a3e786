// WebAssembly functions beside the interpreter: evaluation of lazily kept flags, carries of adc and sbb, wide products.

import { Emitter, I32, I64, type Node, type ValueType } from '../emit/expressions.ts';
import type { WasmFunction } from '../emit/module.ts';
import { FlagKind } from '../isa/builder.ts';
import * as L from '../layout.ts';
import type { HelperSignature } from './locals.ts';

/** Functions that the engine supplies. */
export const IMPORTS = [
  /** Slow path of a memory access: (va low, va high, size | write << 8 | stack << 9, record) -> host address or -1. */
  { name: 'miss', params: [I32, I32, I32, I32] as ValueType[], result: I32 as ValueType },
  /** A body in TypeScript: (index, record) -> 0 done, 1 moved, 2 stopped. */
  { name: 'rare', params: [I32, I32] as ValueType[], result: I32 as ValueType },
  /** A floating-point operation: (number, destination, source, immediate) -> 1 when it raises #XM. */
  { name: 'float', params: [I32, I32, I32, I32] as ValueType[], result: I32 as ValueType },
  /** The x87 registers become mmx registers. */
  { name: 'enterMmx', params: [] as ValueType[], result: I32 as ValueType },
] as const;

/** Functions of their parameters only: tier 1 calls them too. */
export const ARITHMETIC: readonly Helper[] = [
  { name: 'mulhu', params: [I64, I64], result: I64, write: (h) => h.return(h.highProduct(h.param(0), h.param(1))) },
  { name: 'mulhs', params: [I64, I64], result: I64, write: (h) => h.return(h.signedHighProduct(h.param(0), h.param(1))) },
  { name: 'addFlags', params: [I64, I64, I64, I64], result: I32, write: (h) => writeCarry(h, true) },
  { name: 'subFlags', params: [I64, I64, I64, I64], result: I32, write: (h) => writeCarry(h, false) },
];

const HELPERS: readonly Helper[] = [
  ...ARITHMETIC,
  { name: 'eflags', params: [], result: I32, write: (h) => writeEflags(h, ...flagsInMemory(h)) },
  { name: 'condition', params: [I32], result: I32, write: (h) => writeCondition(h, h.call('eflags', []), 0) },
];

export const HELPER_INDEX: ReadonlyMap<string, HelperSignature> = new Map([
  ...IMPORTS.map((f, i) => [f.name as string, { index: i, result: f.result }] as const),
  ...HELPERS.map((f, i) => [f.name, { index: IMPORTS.length + i, result: f.result }] as const),
]);

const TEMPS = 40;

/** Writes one function; `index`: the functions that it may call. */
export class HelperWriter extends Emitter {
  readonly params: readonly ValueType[];
  private readonly index: ReadonlyMap<string, HelperSignature>;
  constructor(params: readonly ValueType[], index: ReadonlyMap<string, HelperSignature>) {
    super();
    this.params = params;
    this.index = index;
    this.firstTemp64 = params.length;
    this.temps64 = TEMPS;
    this.firstTemp32 = params.length + TEMPS;
    this.temps32 = TEMPS;
  }
  param(i: number): Node {
    return this.local(i, this.params[i]!);
  }
  call(name: string, args: Node[]): Node {
    const h = this.index.get(name)!;
    return this.callFunction(h.index, h.result, args);
  }
  if(condition: Node, then: () => void): void {
    this.emit(condition);
    this.open('if', 'if');
    then();
    this.close();
  }
  /** Upper 64 bits of an unsigned product, from four 32-bit ones. */
  highProduct(a: Node, b: Node): Node {
    const low = this.k64(0xffffffff);
    const s = this.k64(32);
    const al = this.let(this.and(a, low));
    const ah = this.let(this.shr(a, s));
    const bl = this.let(this.and(b, low));
    const bh = this.let(this.shr(b, s));
    const t = this.let(this.add(this.mul(ah, bl), this.shr(this.mul(al, bl), s)));
    const u = this.let(this.add(this.mul(al, bh), this.and(t, low)));
    return this.add(this.add(this.mul(ah, bh), this.shr(t, s)), this.shr(u, s));
  }
  signedHighProduct(a: Node, b: Node): Node {
    const s = this.k64(63);
    const high = this.let(this.highProduct(a, b));
    return this.sub(this.sub(high, this.and(this.sar(a, s), b)), this.and(this.sar(b, s), a));
  }
  /** An i32 0/1 moved to its place in rflags. */
  place(bit: Node, position: number): Node {
    return this.shl(bit, this.k32(position));
  }
  /** pf, zf, sf of a result aligned to the top of 64 bits, with cf, of and af. */
  assemble(top: Node, shift: Node, cf: Node, of: Node, af: Node): Node {
    const even = this.isZero(this.and(this.popcnt(this.and(this.wrap(this.shr(top, shift)), this.k32(255))), this.k32(1)));
    const sign = this.wrap(this.shr(top, this.k64(63)));
    const parts = [
      this.place(even, 2),
      this.and(af, this.k32(16)),
      this.place(this.isZero(top), 6),
      this.place(sign, 7),
      this.place(of, 11),
    ];
    return parts.reduce((x, y) => this.or(x, y), cf);
  }
}

const flagsInMemory = (h: HelperWriter): [Node, Node, Node] => {
  const zero = h.k32(0);
  return [h.loadAt(4, zero, L.FLAG_OP), h.loadAt(8, zero, L.FLAG_1), h.loadAt(8, zero, L.FLAG_2)];
};

/** Flags of the last operation. Operands are shifted to the top of 64 bits, so that every width compares alike. */
export function writeEflags(h: HelperWriter, operation: Node, first: Node, second: Node): void {
  const op = h.let(operation);
  const f1 = h.let(first);
  const kind = h.let(h.shr(op, h.k32(2)));
  h.if(h.isZero(kind), () => h.return(h.wrap(f1)));
  const f2 = h.let(second);
  const shift = h.let(h.sub(h.k64(64), h.u64(h.shl(h.k32(8), h.and(op, h.k32(3))))));
  const a = h.let(h.shl(f1, shift));
  const b = h.let(h.shl(f2, shift));
  const sign = (x: Node): Node => h.wrap(h.shr(x, h.k64(63)));
  const is = (name: keyof typeof FlagKind): Node => h.eq(kind, h.k32(FlagKind[name]));
  const no = (): Node => h.k32(0);
  h.if(is('sub'), () => {
    const r = h.let(h.sub(a, b));
    const af = h.wrap(h.xor(h.xor(f1, f2), h.sub(f1, f2)));
    h.return(h.assemble(r, shift, h.ltu(a, b), sign(h.and(h.xor(a, b), h.xor(a, r))), af));
  });
  h.if(is('add'), () => {
    const x = h.let(h.sub(a, b));
    const af = h.wrap(h.xor(h.xor(h.sub(f1, f2), f2), f1));
    h.return(h.assemble(a, shift, h.ltu(a, b), sign(h.and(h.xor(x, a), h.xor(b, a))), af));
  });
  const least = h.k64(-(1n << 63n));
  h.if(is('inc'), () => {
    const af = h.place(h.isZero(h.and(h.wrap(f1), h.k32(15))), 4);
    h.return(h.assemble(a, shift, h.wrap(f2), h.eq(a, least), af));
  });
  h.if(is('dec'), () => {
    const af = h.place(h.eq(h.and(h.wrap(f1), h.k32(15)), h.k32(15)), 4);
    h.return(h.assemble(a, shift, h.wrap(f2), h.eq(h.add(a, h.shl(h.k64(1), shift)), least), af));
  });
  const before = h.let(h.sub(f2, h.k64(1)));
  h.if(is('shl'), () => {
    const r = h.let(h.shl(h.shl(f1, f2), shift));
    const cf = h.let(sign(h.shl(h.shl(f1, before), shift)));
    h.return(h.assemble(r, shift, cf, h.xor(sign(r), cf), no()));
  });
  h.if(is('shr'), () => {
    const x = h.let(h.shr(a, shift));
    const r = h.let(h.shl(h.shr(x, f2), shift));
    h.return(h.assemble(r, shift, h.and(h.wrap(h.shr(x, before)), h.k32(1)), sign(a), no()));
  });
  h.if(is('sar'), () => {
    const x = h.let(h.sar(a, shift));
    const r = h.let(h.shl(h.sar(x, f2), shift));
    h.return(h.assemble(r, shift, h.and(h.wrap(h.sar(x, before)), h.k32(1)), no(), no()));
  });
  // imul: carry and overflow say whether the product fits.
  h.if(h.isZero(h.wrap(shift)), () => {
    const r = h.let(h.mul(f1, f2));
    const overflow = h.let(h.ne(h.call('mulhs', [f1, f2]), h.sar(r, h.k64(63))));
    h.return(h.assemble(r, shift, overflow, overflow, no()));
  });
  const product = h.let(h.mul(h.sar(a, shift), h.sar(b, shift)));
  const r = h.let(h.shl(product, shift));
  const overflow = h.let(h.ne(h.sar(r, shift), product));
  h.return(h.assemble(r, shift, overflow, overflow, no()));
}

/** `code`: the parameter that holds the condition. */
export function writeCondition(h: HelperWriter, flags: Node, code: number): void {
  const e = h.let(flags);
  const group = h.let(h.shr(h.param(code), h.k32(1)));
  const bit = (n: number): Node => h.and(h.shr(e, h.k32(n)), h.k32(1));
  const less = (): Node => h.xor(bit(7), bit(11));
  const values = [bit(11), bit(0), bit(6), h.or(bit(0), bit(6)), bit(7), bit(2), less(), h.or(bit(6), less())];
  const negated = h.let(h.and(h.param(code), h.k32(1)));
  values.forEach((v, g) => {
    if (g < 7) h.if(h.eq(group, h.k32(g)), () => h.return(h.xor(v, negated)));
    else h.return(h.xor(v, negated));
  });
}

/** Flags of a + b + c or a - b - c; parameters a, b, carry, 64 - bits. */
export function writeCarry(h: HelperWriter, addition: boolean): void {
  const [a0, b0, c, shift] = [0, 1, 2, 3].map((i) => h.param(i)) as [Node, Node, Node, Node];
  const r0 = h.let(addition ? h.add(h.add(a0, b0), c) : h.sub(h.sub(a0, b0), c));
  const a = h.let(h.shl(a0, shift));
  const b = h.let(h.shl(b0, shift));
  const r = h.let(h.shl(r0, shift));
  const with0 = addition ? h.ltu(r, b) : h.ltu(a, b);
  const with1 = addition ? h.compare(0x4d, r, b) : h.compare(0x4d, a, b);
  const cf = h.select(h.wrap(c), with1, with0);
  const of = addition ? h.and(h.xor(a, r), h.xor(b, r)) : h.and(h.xor(a, b), h.xor(a, r));
  const af = h.wrap(h.xor(h.xor(a0, b0), r0));
  h.return(h.assemble(r, shift, cf, h.wrap(h.shr(of, h.k64(63))), af));
}

export interface Helper {
  readonly name: string;
  readonly params: ValueType[];
  readonly result: ValueType;
  readonly write: (h: HelperWriter) => void;
}

export function buildFunctions(helpers: readonly Helper[], index: ReadonlyMap<string, HelperSignature>): WasmFunction[] {
  return helpers.map(({ name, params, result, write }) => {
    const h = new HelperWriter(params, index);
    write(h);
    h.byte(0); // unreachable: every path has returned
    return {
      name,
      params,
      result,
      locals: [
        [TEMPS, I64],
        [TEMPS, I32],
      ] as const,
      code: h.bytes.slice(0, h.at),
    };
  });
}

/** The helper functions in the order of HELPER_INDEX. */
export const buildHelpers = (): WasmFunction[] => buildFunctions(HELPERS, HELPER_INDEX);
