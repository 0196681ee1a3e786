// Expressions and statements of WebAssembly: the ground on which instruction semantics are written. Expressions are integers
// into a pool of typed arrays (no garbage), fold constants and know their leading zero bits; statements write bytes at once.

export type Node = number;
/** Operand width in bytes. Width 8 is an i64, the others are i32 with garbage above the width (see zx and sx). */
export type Width = 1 | 2 | 4 | 8;
export const I32 = 0;
export const I64 = 1;
/** Locals only: expressions of this type are written as raw bytes. */
export const V128 = 2;
export type ValueType = typeof I32 | typeof I64 | typeof V128;
export const typeOf = (w: Width): ValueType => (w === 8 ? I64 : I32);

const KIND = { local: 1, constant: 2, unary: 3, binary: 4, load: 5, select: 6, call: 7 } as const;
const CAPACITY = 1 << 12;

/** i32 opcode numbers; the i64 twin of arithmetic is 0x12 higher, of comparisons 0x0b higher. */
export const OP = {
  eqz: 0x45,
  eq: 0x46,
  ne: 0x47,
  lts: 0x48,
  ltu: 0x49,
  gts: 0x4a,
  gtu: 0x4b,
  les: 0x4c,
  leu: 0x4d,
  ges: 0x4e,
  geu: 0x4f,
  clz: 0x67,
  ctz: 0x68,
  popcnt: 0x69,
  add: 0x6a,
  sub: 0x6b,
  mul: 0x6c,
  divs: 0x6d,
  divu: 0x6e,
  rems: 0x6f,
  remu: 0x70,
  and: 0x71,
  or: 0x72,
  xor: 0x73,
  shl: 0x74,
  shrs: 0x75,
  shru: 0x76,
  rotl: 0x77,
  rotr: 0x78,
} as const;
const WRAP = 0xa7;
const EXTEND_S = 0xac;
const EXTEND_U = 0xad;
const LOAD: Record<Width, number> = { 1: 0x2d, 2: 0x2f, 4: 0x28, 8: 0x29 };
const STORE_64: Record<Width, number> = { 1: 0x3c, 2: 0x3d, 4: 0x3e, 8: 0x37 };
const STORE_32: Record<Width, number> = { 1: 0x3a, 2: 0x3b, 4: 0x36, 8: 0 };
const STRUCTURE = { block: 2, loop: 3, if: 4 } as const;

/** Parts of guest state whose loads must not be emitted after a store into the same part. */
export const Space = { none: 0, registers: 1, memory: 2, flags: 3 } as const;
export type SpaceNumber = (typeof Space)[keyof typeof Space];

/** Operations on 64-bit constants that addresses are made of; null: left to WebAssembly. */
function foldWide(op: number, x: number | bigint, y: number): number | null {
  if (typeof x !== 'number') return null;
  let v: number;
  if (op === OP.add) v = x + y;
  else if (op === OP.shru && x >= 0 && y >= 0 && y < 53) v = Math.floor(x / 2 ** y);
  else if (op === OP.and && y === -4096) v = Math.floor(x / 4096) * 4096;
  else return null;
  return Number.isSafeInteger(v) ? v : null;
}

export class Emitter {
  readonly bytes = new Uint8Array(1 << 21);
  at = 0;
  readonly labels: string[] = [];
  private poolSize = 1;
  private readonly kind = new Uint8Array(CAPACITY);
  private readonly types = new Uint8Array(CAPACITY);
  private readonly significant = new Uint8Array(CAPACITY);
  private readonly a = new Int32Array(CAPACITY);
  private readonly b = new Int32Array(CAPACITY);
  private readonly c = new Int32Array(CAPACITY);
  private readonly space = new Uint8Array(CAPACITY);
  private readonly epochOf = new Int32Array(CAPACITY);
  private readonly constant: (number | bigint)[] = new Array(CAPACITY).fill(0);
  private readonly args: Node[][] = new Array(CAPACITY).fill([]);
  private readonly version = new Int32Array(256);
  private readonly epoch = new Int32Array(4);
  protected firstTemp64 = 0;
  protected firstTemp32 = 0;
  protected temps64 = 0;
  protected temps32 = 0;
  private used64 = 0;
  private used32 = 0;
  /** 64-bit temporaries that one instruction used at most. */
  most64 = 0;

  /** Forgets all expressions: a new instruction begins. */
  reset(): void {
    this.poolSize = 1;
    this.used64 = 0;
    this.used32 = 0;
  }

  // Bytes
  byte(v: number): void {
    this.bytes[this.at++] = v;
  }
  unsigned(v: number): void {
    let n = v >>> 0;
    while (n > 127) {
      this.byte((n & 127) | 128);
      n >>>= 7;
    }
    this.byte(n);
  }
  private signed(value: number | bigint): void {
    if (typeof value === 'number' && value === (value | 0)) {
      for (let v = value; ; ) {
        const low = v & 127;
        v >>= 7;
        if ((v === 0 && !(low & 64)) || (v === -1 && low & 64)) {
          this.byte(low);
          return;
        }
        this.byte(low | 128);
      }
    }
    if (typeof value === 'number') {
      for (let v = value; ; ) {
        const high = Math.floor(v / 128);
        const low = v - high * 128;
        v = high;
        if ((v === 0 && !(low & 64)) || (v === -1 && low & 64)) {
          this.byte(low);
          return;
        }
        this.byte(low | 128);
      }
    }
    for (let v = value; ; ) {
      const low = Number(v & 127n);
      v >>= 7n;
      if ((v === 0n && !(low & 64)) || (v === -1n && low & 64)) {
        this.byte(low);
        return;
      }
      this.byte(low | 128);
    }
  }

  // Structure
  open(what: 'block' | 'loop' | 'if', label: string): void {
    this.byte(STRUCTURE[what]);
    this.byte(0x40);
    this.labels.push(label);
  }
  else(): void {
    this.byte(5);
  }
  close(): void {
    this.byte(0x0b);
    this.labels.pop();
  }
  private depth(label: string): number {
    const i = this.labels.lastIndexOf(label);
    if (i < 0) throw new Error(`no label ${label}`);
    return this.labels.length - 1 - i;
  }
  br(label: string): void {
    this.byte(0x0c);
    this.unsigned(this.depth(label));
  }
  brIf(condition: Node, label: string): void {
    this.emit(condition);
    this.byte(0x0d);
    this.unsigned(this.depth(label));
  }
  /** Branches on the i32 that is on the stack. */
  brIfPopped(label: string): void {
    this.byte(0x0d);
    this.unsigned(this.depth(label));
  }
  /** Branches to the label of the number given, beyond them to `otherwise`. */
  brTable(number: Node, labels: readonly string[], otherwise: string): void {
    this.emit(number);
    this.byte(0x0e);
    this.unsigned(labels.length);
    for (const label of labels) this.unsigned(this.depth(label));
    this.unsigned(this.depth(otherwise));
  }
  return(value: Node): void {
    this.emit(value);
    this.byte(0x0f);
  }

  // Expression pool
  private make(kind: number, type: number, significant: number, a: number, b: number, c: number): Node {
    const n = this.poolSize++;
    if (n >= CAPACITY) throw new Error('expression pool is full');
    this.kind[n] = kind;
    this.types[n] = type;
    this.significant[n] = significant;
    this.a[n] = a;
    this.b[n] = b;
    this.c[n] = c;
    this.space[n] = 0;
    return n;
  }
  type(n: Node): ValueType {
    return this.types[n] as ValueType;
  }
  isConstant(n: Node): boolean {
    return this.kind[n] === KIND.constant;
  }
  constantValue(n: Node): number | bigint {
    return this.constant[n]!;
  }
  isZeroConstant(n: Node): boolean {
    return this.isConstant(n) && Number(this.constant[n]) === 0;
  }
  /** Number of low bits that may be set. */
  bitsOf(n: Node): number {
    return this.significant[n]!;
  }
  limitBits(n: Node, bits: number): void {
    if (bits < this.significant[n]!) this.significant[n] = bits;
  }
  private constantOf(type: ValueType, value: number | bigint): Node {
    let v: number | bigint;
    if (type === I32) v = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value | 0;
    else if (typeof value === 'number' && Number.isSafeInteger(value)) v = value;
    else {
      const big = BigInt.asIntN(64, BigInt(value));
      v = Number.isSafeInteger(Number(big)) ? Number(big) : big;
    }
    const small = typeof v === 'number' && v >= 0 && v <= 0x7fffffff;
    const n = this.make(KIND.constant, type, small ? 32 - Math.clz32(v as number) : type === I64 ? 64 : 32, 0, 0, 0);
    this.constant[n] = v;
    return n;
  }
  k32(v: number): Node {
    return this.constantOf(I32, v);
  }
  k64(v: number | bigint): Node {
    return this.constantOf(I64, v);
  }
  /** Constant of the type of width `w`. */
  k(w: Width, v: number | bigint): Node {
    return this.constantOf(typeOf(w), v);
  }
  local(index: number, type: ValueType, bits = type === I64 ? 64 : 32): Node {
    return this.make(KIND.local, type, bits, index, this.version[index]!, 0);
  }
  private unary(op: number, type: ValueType, bits: number, x: Node): Node {
    return this.make(KIND.unary, type, bits, op, x, 0);
  }
  private binary(op: number, x: Node, y: Node): Node {
    const type = this.type(x);
    if (this.type(y) !== type) throw new Error(`operands of different types for opcode ${op.toString(16)}`);
    if (this.isConstant(y)) {
      const v = this.constant[y]!;
      if (this.isConstant(x) && type === I32) {
        const p = this.constant[x] as number;
        const q = v as number;
        if (op === OP.add) return this.k32(p + q);
        if (op === OP.sub) return this.k32(p - q);
        if (op === OP.and) return this.k32(p & q);
        if (op === OP.shl) return this.k32(p << q);
      }
      if (type === I64 && typeof v === 'number' && this.isConstant(x)) {
        const folded = foldWide(op, this.constant[x]!, v);
        if (folded !== null) return this.k64(folded);
      }
      const neutral = op === OP.add || op === OP.sub || op === OP.or || op === OP.xor || op === OP.shl || op === OP.shrs || op === OP.shru;
      if (Number(v) === 0 && neutral) return x;
    }
    let bits: number = type === I64 ? 64 : 32;
    if (op === OP.and) bits = Math.min(this.bitsOf(x), this.bitsOf(y));
    else if (op === OP.or || op === OP.xor) bits = Math.max(this.bitsOf(x), this.bitsOf(y));
    else if (op === OP.shru && this.isConstant(y)) bits = Math.max(0, this.bitsOf(x) - (Number(this.constant[y]) & (bits - 1)));
    return this.make(KIND.binary, type, bits, type === I64 ? op + 0x12 : op, x, y);
  }
  add = (x: Node, y: Node): Node => this.binary(OP.add, x, y);
  sub = (x: Node, y: Node): Node => this.binary(OP.sub, x, y);
  mul = (x: Node, y: Node): Node => this.binary(OP.mul, x, y);
  divu = (x: Node, y: Node): Node => this.binary(OP.divu, x, y);
  divs = (x: Node, y: Node): Node => this.binary(OP.divs, x, y);
  remu = (x: Node, y: Node): Node => this.binary(OP.remu, x, y);
  rems = (x: Node, y: Node): Node => this.binary(OP.rems, x, y);
  and = (x: Node, y: Node): Node => this.binary(OP.and, x, y);
  or = (x: Node, y: Node): Node => this.binary(OP.or, x, y);
  xor = (x: Node, y: Node): Node => this.binary(OP.xor, x, y);
  shl = (x: Node, y: Node): Node => this.binary(OP.shl, x, y);
  shr = (x: Node, y: Node): Node => this.binary(OP.shru, x, y);
  sar = (x: Node, y: Node): Node => this.binary(OP.shrs, x, y);
  rotl = (x: Node, y: Node): Node => this.binary(OP.rotl, x, y);
  rotr = (x: Node, y: Node): Node => this.binary(OP.rotr, x, y);
  clz = (x: Node): Node => this.unary(this.type(x) === I64 ? OP.clz + 0x12 : OP.clz, this.type(x), 7, x);
  ctz = (x: Node): Node => this.unary(this.type(x) === I64 ? OP.ctz + 0x12 : OP.ctz, this.type(x), 7, x);
  popcnt = (x: Node): Node => this.unary(this.type(x) === I64 ? OP.popcnt + 0x12 : OP.popcnt, this.type(x), 7, x);

  /** Comparison by i32 opcode; the result is an i32 of 0 or 1. */
  compare(op: number, x: Node, y: Node): Node {
    const type = this.type(x);
    if (this.type(y) !== type) throw new Error('comparison of different types');
    if (op === OP.eq && this.isZeroConstant(y)) return this.unary(type === I64 ? 0x50 : OP.eqz, I32, 1, x);
    return this.make(KIND.binary, I32, 1, type === I64 ? op + 0x0b : op, x, y);
  }
  eq = (x: Node, y: Node): Node => this.compare(OP.eq, x, y);
  ne = (x: Node, y: Node): Node => this.compare(OP.ne, x, y);
  ltu = (x: Node, y: Node): Node => this.compare(OP.ltu, x, y);
  gtu = (x: Node, y: Node): Node => this.compare(OP.gtu, x, y);
  geu = (x: Node, y: Node): Node => this.compare(OP.geu, x, y);
  lts = (x: Node, y: Node): Node => this.compare(OP.lts, x, y);
  isZero(x: Node): Node {
    return this.eq(x, this.constantOf(this.type(x), 0));
  }
  nonZero(x: Node): Node {
    if (this.isConstant(x)) return this.k32(Number(this.constant[x]) !== 0 ? 1 : 0);
    return this.type(x) === I64 ? this.ne(x, this.k64(0)) : x;
  }
  select(condition: Node, yes: Node, no: Node): Node {
    if (this.isConstant(condition)) return Number(this.constant[condition]) ? yes : no;
    return this.make(KIND.select, this.type(yes), Math.max(this.bitsOf(yes), this.bitsOf(no)), condition, yes, no);
  }

  // Widths
  /** i64 to i32. */
  wrap(x: Node): Node {
    if (this.type(x) === I32) return x;
    if (this.isConstant(x)) {
      const v = this.constant[x]!;
      return this.k32(typeof v === 'number' ? v : Number(BigInt.asIntN(32, v)));
    }
    if (this.kind[x] === KIND.unary && (this.a[x] === EXTEND_U || this.a[x] === EXTEND_S)) return this.b[x]!;
    return this.unary(WRAP, I32, Math.min(32, this.bitsOf(x)), x);
  }
  /** i32 to i64, zero-extending 32 bits. */
  u64(x: Node): Node {
    if (this.type(x) === I64) return x;
    if (this.isConstant(x)) return this.k64(Number(this.constant[x]) >>> 0);
    return this.unary(EXTEND_U, I64, this.bitsOf(x), x);
  }
  /** i32 to i64, sign-extending 32 bits. */
  s64(x: Node): Node {
    if (this.type(x) === I64) return x;
    if (this.isConstant(x)) return this.k64(this.constant[x]!);
    return this.unary(EXTEND_S, I64, 64, x);
  }
  /** To i64 where the upper half does not matter. */
  any64(x: Node): Node {
    if (this.type(x) === I64) return x;
    if (this.kind[x] === KIND.unary && this.a[x] === WRAP) return this.b[x]!;
    return this.u64(x);
  }
  /** To the type of width `w`; from i32 to i64 by zero extension. */
  to(w: Width, x: Node): Node {
    return w === 8 ? this.u64(x) : this.wrap(x);
  }
  /** Clears what is above the width. */
  zx(w: Width, x: Node): Node {
    if (w >= 4 || this.bitsOf(x) <= 8 * w) return x;
    return this.and(x, this.constantOf(this.type(x), w === 1 ? 0xff : 0xffff));
  }
  /** Sign-extends from the width within the same type. */
  sx(w: Width, x: Node): Node {
    if (w >= 4) return x;
    if (this.type(x) !== I32) throw new Error('sx of an i64');
    return this.unary(w === 1 ? 0xc0 : 0xc1, I32, 32, x);
  }

  // Memory and locals
  loadAt(w: Width, address: Node, offset: number, space: SpaceNumber = Space.none): Node {
    const n = this.make(KIND.load, typeOf(w), 8 * w, LOAD[w], address, offset);
    this.space[n] = space;
    this.epochOf[n] = this.epoch[space]!;
    return n;
  }
  storeAt(w: Width, address: Node, value: Node, offset: number, space: SpaceNumber = Space.none): void {
    this.emit(address);
    this.emit(value);
    if (w === 8 && this.type(value) !== I64) throw new Error('8-byte store of an i32');
    this.byte(this.type(value) === I64 ? STORE_64[w] : STORE_32[w]);
    this.byte(0);
    this.unsigned(offset);
    this.epoch[space]!++;
  }
  callFunction(index: number, type: ValueType, args: Node[]): Node {
    const n = this.make(KIND.call, type, type === I64 ? 64 : 32, index, 0, 0);
    this.args[n] = args;
    return n;
  }
  emit(n: Node): void {
    switch (this.kind[n]) {
      case KIND.local:
        if (this.version[this.a[n]!] !== this.b[n]) throw new Error(`hazard: local ${this.a[n]} was written after this value was taken`);
        this.byte(0x20);
        this.unsigned(this.a[n]!);
        return;
      case KIND.constant:
        this.byte(this.type(n) === I32 ? 0x41 : 0x42);
        this.signed(this.constant[n]!);
        return;
      case KIND.unary:
        this.emit(this.b[n]!);
        this.byte(this.a[n]!);
        return;
      case KIND.binary:
        this.emit(this.b[n]!);
        this.emit(this.c[n]!);
        this.byte(this.a[n]!);
        return;
      case KIND.load: {
        const space = this.space[n]!;
        if (space !== Space.none && this.epoch[space] !== this.epochOf[n])
          throw new Error(`hazard: guest state (${['', 'registers', 'memory', 'flags'][space]}) was written before this load of it`);
        this.emit(this.b[n]!);
        this.byte(this.a[n]!);
        this.byte(0);
        this.unsigned(this.c[n]!);
        return;
      }
      case KIND.select:
        this.emit(this.b[n]!);
        this.emit(this.c[n]!);
        this.emit(this.a[n]!);
        this.byte(0x1b);
        return;
      case KIND.call:
        for (const x of this.args[n]!) this.emit(x);
        this.byte(0x10);
        this.unsigned(this.a[n]!);
        return;
      default:
        throw new Error('not an expression');
    }
  }
  setLocal(index: number, value: Node): void {
    this.emit(value);
    this.byte(0x21);
    this.unsigned(index);
    this.version[index]!++;
  }
  /** Stores what is on WebAssembly's stack. */
  setLocalPopped(index: number): void {
    this.byte(0x21);
    this.unsigned(index);
    this.version[index]!++;
  }
  temp(type: ValueType): number {
    if (type === I64) {
      if (this.used64 >= this.temps64) throw new Error('out of 64-bit temporaries');
      if (this.used64 === this.most64) this.most64++;
      return this.firstTemp64 + this.used64++;
    }
    if (this.used32 >= this.temps32) throw new Error('out of 32-bit temporaries');
    return this.firstTemp32 + this.used32++;
  }
  /** A private copy of the value as it is now. */
  let(n: Node): Node {
    const t = this.temp(this.type(n));
    const bits = this.bitsOf(n);
    this.setLocal(t, n);
    return this.local(t, this.type(n), bits);
  }
  private cheap(n: Node): boolean {
    return (
      this.kind[n] === KIND.local ||
      this.kind[n] === KIND.constant ||
      (this.kind[n] === KIND.unary && this.a[n] === WRAP && this.kind[this.b[n]!] === KIND.local)
    );
  }
  /** A value that may be used more than once. */
  val(n: Node): Node {
    return this.cheap(n) ? n : this.let(n);
  }
}
