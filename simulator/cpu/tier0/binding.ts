// Binds instruction bodies to tier 0: operands are read through the decoded record at `p`, registers lie in memory. All cases
// become one WebAssembly function, a loop around a br_table.

import { I32, I64, type Node, Space, type ValueType, type Width } from '../emit/expressions.ts';
import { floatOperationNumber } from '../float/numbers.ts';
import { FlagKind, type Operand } from '../isa/builder.ts';
import { VectorBuilder } from '../isa/vector-builder.ts';
import * as L from '../layout.ts';

export const LOG2: Record<Width, number> = { 1: 0, 2: 1, 4: 2, 8: 3 };

/** What the interpreter returns. */
export const Stop = {
  /** Look up the block at RIP and go on. */
  lookup: 0,
  /** The block at RIP is longer than the budget left. */
  budget: 1,
  /** The slow path or a TypeScript body stopped the instruction of FAULT_RECORD; the engine knows why. */
  fault: 2,
  /** A body raised the vector in RAISED; record in FAULT_RECORD. */
  raised: 3,
} as const;

/** What the function of MMX and SSE cases returns. */
export const VectorStatus = { done: 0, fault: 1, raised: 2 } as const;

/** What a body in TypeScript answers. */
export const RareStatus = {
  /** Done: the next record follows. COUNT holds the budget. */
  done: 0,
  /** It transferred control or used up the budget: RIP and COUNT are set. */
  moved: 1,
  /** It could not complete: nothing has changed, the engine knows why. */
  stopped: 2,
} as const;
export type RareStatusValue = (typeof RareStatus)[keyof typeof RareStatus];
/** First argument of the import `rare`: the body named by the record, a division, or a segment check. */
export const RARE_OF_RECORD = 0;
export const RARE_DIV = 1;
export const RARE_IDIV = 2;
/** Limit and type of the segment of an address record. */
export const RARE_SEGMENT = 3;
/** The same for an access to the stack: offset in SCRATCH_READ, behind it the size, and 256 for a store. */
export const RARE_STACK = 4;

/** Locals of the interpreter function. */
const P = 0;
const CNT = 1;
const TLB = 2;
export const PARAMETERS: readonly ValueType[] = [I32, I32, I32];
const TARGET = 3; // i64: where a lookup goes
export const TEMPS_64 = 14;
const LINK = TARGET + 1 + TEMPS_64; // i32: record field that may be linked to the block found, 0 none
export const TEMPS_32 = 18;
export const LOCALS = [
  [1 + TEMPS_64, I64],
  [1 + TEMPS_32, I32],
] as const;

export interface HelperSignature {
  readonly index: number;
  readonly result: ValueType;
}

export class Tier0 extends VectorBuilder {
  /** The code stands in a function of its own: a finished instruction returns instead of going on. */
  outOfLine = false;
  /** Offset of the record of the instruction being generated from `p` (fused second parts: 32). */
  protected recordOffset = 0;
  private baseOnly = false;
  private ended = false;
  private keepFlags = false;

  readonly bits: 64 | 32;
  /** 32-bit with segments that are not flat: the stack and indirect targets have limits. */
  private readonly segmented: boolean;
  private readonly helpers: ReadonlyMap<string, HelperSignature>;

  constructor(bits: 64 | 32, helpers: ReadonlyMap<string, HelperSignature>, segmented = false) {
    super();
    this.bits = bits;
    this.segmented = segmented;
    this.helpers = helpers;
    this.firstTemp64 = TARGET + 1;
    this.temps64 = TEMPS_64;
    this.firstTemp32 = LINK + 1;
    this.temps32 = TEMPS_32;
    this.firstVector = LINK + 1 + TEMPS_32;
  }

  helper(name: string, args: Node[]): Node {
    const h = this.helpers.get(name);
    if (!h) throw new Error(`no helper ${name}`);
    return this.callFunction(h.index, h.result, args);
  }

  // The record
  private p(): Node {
    return this.local(P, I32);
  }
  count(): Node {
    return this.local(CNT, I32);
  }
  private field(w: Width, offset: number): Node {
    return this.loadAt(w, this.p(), offset + this.recordOffset);
  }
  private zero(): Node {
    return this.k32(0);
  }
  state(w: Width, address: number): Node {
    return this.loadAt(w, this.zero(), address, Space.registers);
  }
  setState(w: Width, address: number, value: Node): void {
    this.storeAt(w, this.zero(), value, address, Space.registers);
  }
  private registerField(o: Operand): Node {
    return this.field(1, o.index === 0 ? L.RECORD.first : o.index === 1 ? L.RECORD.second : L.RECORD.link);
  }
  immediate(w: Width): Node {
    return this.field(w, L.RECORD.immediate);
  }

  // Operands
  rd(o: Operand, w: Width): Node {
    if (o.kind === 'r') return this.loadAt(w, this.registerField(o), L.REG, Space.registers);
    return o.kind === 'i' ? this.immediate(w) : this.load(this.memory(), w);
  }
  wr(o: Operand, w: Width, value: Node): void {
    if (o.kind === 'm') {
      this.store(this.memory(), w, value);
      return;
    }
    this.committed = true;
    if (w === 4) this.storeAt(8, this.registerField(o), this.u64(value), L.REG, Space.registers);
    else this.storeAt(w, this.registerField(o), value, L.REG, Space.registers);
  }
  reg(n: number, w: Width): Node {
    return this.state(w, L.REG + 8 * n);
  }
  setReg(n: number, w: Width, value: Node): void {
    this.committed = true;
    if (w === 4) this.setState(8, L.REG + 8 * n, this.u64(value));
    else this.setState(w, L.REG + 8 * n, value);
  }
  /** An 8-bit register by its number 0..3 within the high halves (ah ch dh bh). */
  setHighByte(n: number, value: Node): void {
    this.committed = true;
    this.setState(1, L.REG + 8 * n + 1, value);
  }
  ea(): Node {
    const at = (w: Width, field: number): Node => this.loadAt(w, this.field(1, field), L.REG, Space.registers);
    if (this.bits === 64) {
      if (this.baseOnly) return this.add(at(8, L.RECORD.base), this.s64(this.field(4, L.RECORD.displacement)));
      const index = this.shl(at(8, L.RECORD.index), this.u64(this.field(1, L.RECORD.scale)));
      return this.add(this.add(at(8, L.RECORD.base), index), this.s64(this.field(4, L.RECORD.displacement)));
    }
    if (this.baseOnly) return this.u64(this.add(at(4, L.RECORD.base), this.field(4, L.RECORD.displacement)));
    const index = this.shl(at(4, L.RECORD.index), this.field(1, L.RECORD.scale));
    return this.u64(this.add(this.add(at(4, L.RECORD.base), index), this.field(4, L.RECORD.displacement)));
  }
  next(): Node {
    return this.field(8, L.RECORD.next);
  }
  load(address: Node, w: Width, offset = 0): Node {
    return this.loadAt(w, address, offset, Space.memory);
  }
  store(address: Node, w: Width, value: Node, offset = 0): void {
    this.committed = true;
    this.storeAt(w, address, value, offset, Space.memory);
  }
  stackLinear(offset: Node): Node {
    return this.bits === 64 ? offset : this.u64(this.wrap(this.add(offset, this.state(8, L.SEGMENT_BASE + 8 * 2))));
  }

  /** Offsets in the stack have 16 or 32 bits, by the size bit of its segment. */
  private stackMask(): Node {
    const big = this.and(this.state(4, L.SEGMENT_ATTRIBUTES + 4 * 2), this.k32(0x4000));
    return this.let(this.select(big, this.k64(0xffffffff), this.k64(0xffff)));
  }
  override stackPointer(): Node {
    return this.segmented ? this.stackOffset(this.u64(this.reg(4, 4))) : super.stackPointer();
  }
  override stackOffset(v: Node): Node {
    return this.segmented ? this.and(v, this.stackMask()) : super.stackOffset(v);
  }
  override setStackPointer(v: Node): void {
    if (!this.segmented) {
      super.setStackPointer(v);
      return;
    }
    const mask = this.stackMask();
    const kept = this.and(this.u64(this.reg(4, 4)), this.xor(mask, this.k64(-1)));
    this.setReg(4, 8, this.or(kept, this.and(v, mask)));
  }
  override stackAccess(offset: Node, size: number, access: 'r' | 'w'): Node {
    if (!this.segmented) return super.stackAccess(offset, size, access);
    const at = this.let(offset);
    const limited = this.ne(this.state(4, L.SEGMENT_LIMIT + 4 * 2), this.k32(-1));
    const special = this.ne(this.and(this.state(4, L.SEGMENT_ATTRIBUTES + 4 * 2), this.k32(L.PLAIN_MASK)), this.k32(L.PLAIN_DATA));
    this.if(this.or(limited, special), () => {
      this.storeAt(8, this.zero(), at, L.SCRATCH_READ);
      this.storeAt(4, this.zero(), this.k32(size | (access === 'w' ? 256 : 0)), L.SCRATCH_READ + 8);
      this.callRare(RARE_STACK);
    });
    return super.stackAccess(at, size, access);
  }

  private requireUncommitted(what: string): void {
    if (this.committed) throw new Error(`${what} after guest state was written`);
  }
  private currentRecord(): Node {
    return this.recordOffset ? this.add(this.p(), this.k32(this.recordOffset)) : this.p();
  }
  /** Leaves to the shared exit for an instruction that must not complete. */
  private leaveForFault(label: string): void {
    if (this.recordOffset) {
      // The path ends here, so the version of the local is left as it is.
      this.emit(this.currentRecord());
      this.byte(0x21);
      this.unsigned(P);
    }
    this.br(label);
  }

  translate(address: Node, size: number, access: 'r' | 'w', stack = false): Node {
    this.requireUncommitted('translation');
    const va = this.val(address);
    const entry = this.let(
      this.add(this.local(TLB, I32), this.and(this.wrap(this.shr(va, this.k64(7))), this.k32((L.TLB_ENTRIES - 1) << 5))),
    );
    const tag = this.loadAt(8, entry, access === 'r' ? L.TLB_READ : L.TLB_WRITE);
    const page = this.and(size > 1 ? this.add(va, this.k64(size - 1)) : va, this.k64(-4096));
    const host = this.temp(I32);
    this.emit(this.eq(tag, page));
    this.open('if', 'hit');
    this.setLocal(host, this.add(this.wrap(va), this.loadAt(4, entry, L.TLB_ADDEND)));
    this.else();
    const what = size | (access === 'w' ? 0x100 : 0) | (stack ? 0x200 : 0);
    this.setLocal(host, this.helper('miss', [this.wrap(va), this.wrap(this.shr(va, this.k64(32))), this.k32(what), this.currentRecord()]));
    this.emit(this.eq(this.local(host, I32), this.k32(-1)));
    this.open('if', 'failed');
    this.leaveForFault('fault');
    this.close();
    this.close();
    return this.local(host, I32);
  }

  // Flags
  protected storeFlags(kind: number, w: Width, f1: Node, f2: Node | null): void {
    this.committed = true;
    if (this.keepFlags) {
      const a = this.val(f1);
      const b = f2 === null ? null : this.val(f2);
      this.known = { kind, w, f1: a, f2: b ?? this.k64(0) };
      f1 = a;
      f2 = b;
    } else this.known = null;
    const zero = this.k32(0);
    // Both values are computed before the first store: either may itself be made from the old flags.
    if (f2 !== null) {
      f1 = this.val(f1);
      f2 = this.val(f2);
    }
    this.storeAt(8, zero, f1, L.FLAG_1, Space.flags);
    if (f2 !== null) this.storeAt(8, zero, f2, L.FLAG_2, Space.flags);
    this.storeAt(4, zero, this.k32(kind * 4 + LOG2[w]), L.FLAG_OP, Space.flags);
  }
  private flagOp(): Node {
    return this.loadAt(4, this.zero(), L.FLAG_OP, Space.flags);
  }
  private flag1(): Node {
    return this.loadAt(8, this.zero(), L.FLAG_1, Space.flags);
  }
  private flag2(): Node {
    return this.loadAt(8, this.zero(), L.FLAG_2, Space.flags);
  }
  eflags(): Node {
    return this.let(this.helper('eflags', []));
  }
  systemFlags(): Node {
    return this.state(4, L.SYSTEM_FLAGS);
  }
  setSystemFlags(v: Node): void {
    this.committed = true;
    this.setState(4, L.SYSTEM_FLAGS, v);
  }
  /** The common kinds are tested in line, at full width after shifting operands to the top; the rest calls a helper. */
  protected conditionDynamic(cc: number): Node {
    const negated = cc & 1;
    const group = cc >> 1;
    const slow = (): Node => this.helper('condition', [this.k32(cc)]);
    if (group === 0 || group === 5) return this.let(slow());
    const result = this.temp(I32);
    const op = this.let(this.flagOp());
    const kind = this.let(this.shr(op, this.k32(2)));
    const shift = this.let(this.sub(this.k64(64), this.u64(this.shl(this.k32(8), this.and(op, this.k32(3))))));
    const a = (): Node => this.shl(this.flag1(), shift);
    const b = (): Node => this.shl(this.flag2(), shift);
    const compare = (pair: readonly [number, number], x: Node, y: Node): Node => this.compare(pair[negated]!, x, y);
    const afterSub: Record<number, readonly [number, number]> = {
      1: [0x49, 0x4f],
      2: [0x46, 0x47],
      3: [0x4d, 0x4b],
      4: [0x48, 0x4e],
      6: [0x48, 0x4e],
      7: [0x4c, 0x4a],
    };
    this.emit(this.eq(kind, this.k32(FlagKind.sub)));
    this.open('if', 'sub');
    this.setLocal(result, group === 4 ? compare([0x48, 0x4e], this.sub(a(), b()), this.k64(0)) : compare(afterSub[group]!, a(), b()));
    this.else();
    const orSlow = (fast: Node, value: () => Node, otherwise: () => void): void => {
      this.emit(fast);
      this.open('if', 'fast');
      this.setLocal(result, value());
      this.else();
      otherwise();
      this.close();
    };
    const last = (): void => this.setLocal(result, slow());
    if (group === 2 || group === 4) {
      // Zero and sign need the result only, which add, inc and dec hold in f1.
      const kinds = (1 << FlagKind.add) | (1 << FlagKind.inc) | (1 << FlagKind.dec);
      const zeroOrSign = (): Node => compare(group === 2 ? [0x46, 0x47] : [0x48, 0x4e], a(), this.k64(0));
      orSlow(this.and(this.shr(this.k32(kinds), kind), this.k32(1)), zeroOrSign, last);
    } else if (group === 1) {
      const kept = (): Node => (negated ? this.isZero(this.flag2()) : this.wrap(this.flag2()));
      orSlow(this.eq(this.or(kind, this.k32(1)), this.k32(FlagKind.dec)), kept, () =>
        orSlow(this.eq(kind, this.k32(FlagKind.add)), () => compare([0x49, 0x4f], a(), b()), last),
      );
    } else last();
    this.close();
    return this.local(result, I32);
  }

  // Control. Leaving after the last write is always precise: it happens between two instructions.
  private jumpToRecord(record: Node, count: Node): void {
    this.emit(count);
    this.emit(record);
    this.byte(0x21);
    this.unsigned(P);
    this.byte(0x21);
    this.unsigned(CNT);
    this.br('top');
  }
  private fallThrough(parts: number): void {
    if (this.outOfLine) {
      this.return(this.k32(VectorStatus.done));
      return;
    }
    this.emit(this.add(this.p(), this.k32(L.RECORD.size * parts)));
    this.byte(0x21);
    this.unsigned(P);
    this.br('top');
  }
  private lookup(target: Node, link: Node): void {
    this.emit(link);
    this.emit(target);
    this.byte(0x21);
    this.unsigned(TARGET);
    this.byte(0x21);
    this.unsigned(LINK);
    this.leaveForFault('lookup');
  }
  private chain(field: number, target: () => Node): void {
    this.open('block', 'unlinked');
    const block = this.let(this.field(4, field));
    this.brIf(this.isZero(block), 'unlinked');
    const left = this.let(this.sub(this.count(), this.loadAt(4, block, L.RECORD.immediate)));
    this.brIf(this.lts(left, this.k32(0)), 'unlinked');
    this.jumpToRecord(this.add(block, this.k32(L.RECORD.size)), left);
    this.close();
    this.lookup(target(), this.add(this.p(), this.k32(field + this.recordOffset)));
  }
  target(): Node {
    return this.immediate(8);
  }
  goDirect(): void {
    this.chain(L.RECORD.link, () => this.target());
    this.ended = true;
  }
  branch(condition: Node): void {
    this.emit(condition);
    this.open('if', 'taken');
    this.chain(L.RECORD.link, () => this.target());
    this.close();
    this.chain(L.RECORD.displacement, () => this.next());
    this.ended = true;
  }
  checkTarget(v: Node): Node {
    this.requireUncommitted('target check');
    const t = this.val(v);
    if (this.bits === 64) this.raiseIf(this.ne(this.sar(this.shl(t, this.k64(16)), this.k64(16)), t), 13, 0);
    else if (this.segmented) this.raiseIf(this.ltu(this.u64(this.state(4, L.SEGMENT_LIMIT + 4)), t), 13, 0);
    return t;
  }
  goIndirect(v: Node): void {
    this.lookup(v, this.k32(0));
    this.ended = true;
  }
  raiseIf(condition: Node, vector: number, errorCode = -1): void {
    this.requireUncommitted('exception');
    this.emit(condition);
    this.open('if', 'raising');
    this.storeAt(4, this.k32(0), this.k32(vector), L.RAISED);
    this.storeAt(4, this.k32(0), this.k32(errorCode), L.RAISED_CODE);
    this.leaveForFault('raise');
    this.close();
  }
  raise(vector: number, errorCode = -1): void {
    this.requireUncommitted('exception');
    this.storeAt(4, this.k32(0), this.k32(vector), L.RAISED);
    this.storeAt(4, this.k32(0), this.k32(errorCode), L.RAISED_CODE);
    this.leaveForFault('raise');
    this.ended = true;
  }
  divideWide(divisor: Node, signed: boolean): void {
    this.storeAt(8, this.k32(0), divisor, L.SCRATCH_READ);
    this.callRare(signed ? RARE_IDIV : RARE_DIV);
  }
  /** Runs the TypeScript body of the record. */
  emitRare(): void {
    this.callRare(RARE_OF_RECORD);
  }
  private callRare(which: number): void {
    this.requireUncommitted('TypeScript body');
    this.storeAt(4, this.k32(0), this.count(), L.COUNT);
    const status = this.let(this.helper('rare', [this.k32(which), this.currentRecord()]));
    this.emit(status);
    this.open('if', 'stopped');
    this.emit(this.eq(status, this.k32(RareStatus.moved)));
    this.open('if', 'moved');
    this.return(this.k32(Stop.lookup));
    this.close();
    this.leaveForFault('fault');
    this.close();
    this.emit(this.loadAt(4, this.k32(0), L.COUNT));
    this.byte(0x21);
    this.unsigned(CNT);
  }
  /** Ends a block after which the engine looks at its state again. */
  emitLeave(): void {
    this.storeAt(8, this.k32(0), this.immediate(8), L.RIP);
    this.storeAt(4, this.k32(0), this.count(), L.COUNT);
    this.return(this.k32(Stop.lookup));
    this.ended = true;
  }

  // Parts that the module builder uses
  /** Begins the code of a case: no known flags, no expressions. */
  begin(keepFlags: boolean): void {
    this.reset();
    this.ended = false;
    this.known = null;
    this.recordOffset = 0;
    this.keepFlags = keepFlags;
  }
  /** Begins part `n` of a case; `baseOnly`: its address has no index. */
  part(n: number, baseOnly: boolean): void {
    this.baseOnly = baseOnly;
    this.recordOffset = n * L.RECORD.size;
    this.committed = false;
    this.forgetMemoryOperand();
  }

  // MMX and SSE
  place(o: Operand): Node {
    if (o.kind === 'm') return this.memory();
    const base = o.kind === 'x' ? L.XMM : o.kind === 'q' ? L.MMX : L.REG;
    return this.let(this.add(this.registerField(o), this.k32(base)));
  }
  float(operation: string, d: Node, s: Node, immediate: Node = this.zero()): void {
    this.emit(this.helper('float', [this.k32(floatOperationNumber(operation)), d, s, immediate]));
    this.open('if', 'unmasked');
    this.storeAt(4, this.k32(0), this.k32(19), L.RAISED);
    this.storeAt(4, this.k32(0), this.k32(-1), L.RAISED_CODE);
    this.leaveForFault('raise');
    this.close();
    this.committed = true;
  }
  /** Default arm of the interpreter: the record is one of an MMX or SSE instruction. */
  emitVectorCall(): void {
    this.begin(false);
    this.part(0, false);
    for (const argument of [this.p(), this.count(), this.local(TLB, I32), this.k32(0)]) this.emit(argument);
    this.byte(0x11); // call_indirect: type 0, table 0
    this.unsigned(0);
    this.unsigned(0);
    const status = this.popped();
    this.emit(status);
    this.open('if', 'not done');
    this.emit(this.eq(status, this.k32(VectorStatus.raised)));
    this.open('if', 'raised');
    this.leaveForFault('raise');
    this.close();
    this.leaveForFault('fault');
    this.close();
    this.finish(1);
  }
  finish(parts: number): void {
    if (!this.ended) this.fallThrough(parts);
    this.recordOffset = 0;
  }

  /** Address record: leaves segment base + offset in EA_REG for the record after it. */
  emitAddressRecord(absolute: boolean): void {
    if (this.bits === 32) this.checkSegment();
    const base = this.loadAt(8, this.field(1, L.RECORD.first), L.SEGMENT_BASE, Space.registers);
    const offset = absolute ? this.immediate(8) : this.maskedOffset();
    const sum = this.add(base, offset);
    this.setState(8, L.REG + 8 * L.EA_REG, this.bits === 64 ? sum : this.u64(this.wrap(sum)));
  }
  /** A present, writable, expand-up data segment of 4 GiB needs no check; the rest is looked at in TypeScript. */
  private checkSegment(): void {
    const at = (table: number): Node => this.loadAt(4, this.field(1, L.RECORD.second), table, Space.registers);
    const limited = this.ne(at(L.SEGMENT_LIMIT), this.k32(-1));
    const special = this.ne(this.and(at(L.SEGMENT_ATTRIBUTES), this.k32(L.PLAIN_MASK)), this.k32(L.PLAIN_DATA));
    this.if(this.or(limited, special), () => this.callRare(RARE_SEGMENT));
  }
  private maskedOffset(): Node {
    const at = (field: number): Node => this.loadAt(8, this.field(1, field), L.REG, Space.registers);
    const index = this.shl(at(L.RECORD.index), this.u64(this.field(1, L.RECORD.scale)));
    return this.and(this.add(this.add(at(L.RECORD.base), index), this.s64(this.field(4, L.RECORD.displacement))), this.immediate(8));
  }
  /** First record of a block whose only instruction crosses a page: is the second page still the frame it was decoded from? */
  emitSecondPageCheck(): void {
    const page = this.let(this.immediate(8));
    const entry = this.let(this.fetchEntry(page));
    const stale = this.or(this.ne(this.loadAt(8, entry, 0), page), this.ne(this.loadAt(4, entry, 8), this.field(4, L.RECORD.displacement)));
    this.emit(stale);
    this.open('if', 'stale');
    this.storeAt(8, this.k32(0), this.next(), L.RIP);
    this.storeAt(4, this.k32(0), this.add(this.count(), this.k32(1)), L.COUNT);
    this.return(this.k32(Stop.lookup));
    this.close();
  }
  private fetchEntry(va: Node): Node {
    return this.add(
      this.loadAt(4, this.k32(0), L.FETCH_TLB),
      this.and(this.wrap(this.shr(va, this.k64(8))), this.k32((L.FETCH_ENTRIES - 1) << 4)),
    );
  }

  /** Code behind all cases: finds the block at TARGET, links it when both ends lie in one page, or returns to the engine. */
  emitLookup(blockTable: number): void {
    this.reset();
    this.recordOffset = 0;
    const target = this.local(TARGET, I64);
    this.open('block', 'absent');
    const page = this.let(this.and(target, this.k64(-4096)));
    const fetch = this.let(this.fetchEntry(target));
    this.brIf(this.ne(this.loadAt(8, fetch, 0), page), 'absent');
    const low = this.let(this.wrap(target));
    const hash = this.and(this.xor(low, this.shr(low, this.k32(16))), this.k32(L.BLOCK_TABLE_ENTRIES - 1));
    const entry = this.let(this.shl(hash, this.k32(4)));
    this.brIf(this.ne(this.loadAt(8, entry, blockTable), target), 'absent');
    this.brIf(this.ne(this.loadAt(4, entry, blockTable + 8), this.loadAt(4, fetch, 8)), 'absent');
    const block = this.let(this.loadAt(4, entry, blockTable + 12));
    this.brIf(this.isZero(block), 'absent');
    // A block that is to become hot counts down here, unlinked, and asks the engine when it is.
    const heat = this.let(this.loadAt(4, block, L.RECORD.link));
    this.emit(heat);
    this.open('if', 'warming');
    this.storeAt(4, block, this.sub(heat, this.k32(1)), L.RECORD.link);
    this.setLocal(LINK, this.k32(0));
    this.brIf(this.eq(heat, this.k32(1)), 'absent');
    this.close();
    const link = this.local(LINK, I32);
    this.emit(link);
    this.open('if', 'linking');
    // `next` - 1 is the last byte of the branch: its page was checked when the block was entered.
    const here = this.and(this.sub(this.next(), this.k64(1)), this.k64(-4096));
    this.emit(this.eq(here, page));
    this.open('if', 'same page');
    this.storeAt(4, link, block, 0);
    this.close();
    this.close();
    const left = this.let(this.sub(this.count(), this.loadAt(4, block, L.RECORD.immediate)));
    this.brIf(this.lts(left, this.k32(0)), 'absent');
    this.jumpToRecord(this.add(block, this.k32(L.RECORD.size)), left);
    this.close();
    this.storeAt(8, this.k32(0), this.local(TARGET, I64), L.RIP);
    this.storeAt(4, this.k32(0), this.count(), L.COUNT);
    this.return(this.k32(Stop.lookup));
  }
  /** Code behind all cases: the instruction at `p` did not complete. */
  emitFaultExit(stop: number): void {
    this.reset();
    this.storeAt(4, this.k32(0), this.count(), L.COUNT);
    this.storeAt(4, this.k32(0), this.p(), L.FAULT_RECORD);
    this.return(this.k32(stop));
  }
  /** Branches to case `handler` - `first`; handlers beyond the cases go to `otherwise`. `place`: where in the code a case lies. */
  emitDispatch(cases: number, first = 0, otherwise = 0, place: (n: number) => number = (n) => n): void {
    this.reset();
    this.emit(this.sub(this.loadAt(2, this.p(), L.RECORD.handler), this.k32(first)));
    this.byte(0x0e);
    this.unsigned(cases);
    for (let i = 0; i < cases; i++) this.unsigned(place(i));
    this.unsigned(otherwise);
  }
}
