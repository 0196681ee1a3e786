// What the body of an instruction may say. Bodies are written once against this class; tier 0 binds operands to a decoded
// record in memory. Discipline, enforced while generating: every translation and every exit that can fault comes before the
// first write of guest state, and a value taken before a write is not emitted after it unless it was made private (`let`).

import { Emitter, I64, type Node, OP, type Width } from '../emit/expressions.ts';
import { ARITHMETIC_FLAGS, FlagKind, type FlagKindName, type StaticFlags } from './flag-kinds.ts';
import { knownFlags } from './known-flags.ts';

export { ARITHMETIC_FLAGS, FLAG, FlagKind } from './flag-kinds.ts';

export interface Operand {
  /** r: general register, m: the memory operand, i: immediate, x: xmm register, q: mmx register. */
  readonly kind: 'r' | 'm' | 'i' | 'x' | 'q' | 'none';
  /** Position among the operands. */
  readonly index: number;
  readonly size: Width;
}

/** One instantiation: an instruction in one operand form and width. */
export interface Insn {
  /** Operand size. */
  readonly w: Width;
  /** Size of the second operand where it differs (movzx …). */
  readonly sw: Width;
  readonly cc: number;
  /** First, second and third operand, of kind 'none' when the form has fewer. */
  readonly d: Operand;
  readonly s: Operand;
  readonly t: Operand;
}

/** Comparison for a condition group after `sub` (index cc >> 1): [opcode, opcode of the negation]. */
const AFTER_SUB: Record<number, readonly [number, number]> = {
  1: [OP.ltu, OP.geu],
  2: [OP.eq, OP.ne],
  3: [OP.leu, OP.gtu],
  4: [OP.lts, OP.ges],
  6: [OP.lts, OP.ges],
  7: [OP.les, OP.gts],
};

export abstract class Builder extends Emitter {
  /** Guest state was written: nothing may fault any more. */
  committed = false;
  /** The flags as this case left them, when known (set only while fusing). */
  protected known: StaticFlags | null = null;

  /** 64 or 32: the mode this instance is generated for. */
  abstract readonly bits: 64 | 32;

  // Operands
  abstract rd(o: Operand, w: Width): Node;
  abstract wr(o: Operand, w: Width, value: Node): void;
  abstract reg(n: number, w: Width): Node;
  abstract setReg(n: number, w: Width, value: Node): void;
  /** Offset part of the memory operand's address, without segment base. */
  abstract ea(): Node;
  /** Host address of `size` bytes at `va`, checked for the access; leaves the instruction on a fault. */
  abstract translate(va: Node, size: number, access: 'r' | 'w', stack?: boolean): Node;
  abstract load(address: Node, w: Width, offset?: number): Node;
  abstract store(address: Node, w: Width, value: Node, offset?: number): void;
  /** Address of the memory operand as the framework translated it. */
  abstract memory(): Node;
  /** Address of the next instruction. */
  abstract next(): Node;

  // Control
  /** Direct target of this branch. */
  abstract target(): Node;
  /** Jumps to the direct target; `not` when the condition fails: to the next instruction. */
  abstract goDirect(): void;
  abstract branch(condition: Node): void;
  /** Checks an indirect target (canonical, limits) before anything is written. */
  abstract checkTarget(v: Node): Node;
  abstract goIndirect(v: Node): void;
  /** Raises an exception when the condition holds; state must be untouched. */
  abstract raiseIf(condition: Node, vector: number, errorCode?: number): void;
  /** Raises an exception always: the end of the body. */
  abstract raise(vector: number, errorCode?: number): void;
  /** 128 by 64 bit division of rdx:rax, in TypeScript; raises #DE itself. */
  abstract divideWide(divisor: Node, signed: boolean): void;

  // Flags
  protected abstract storeFlags(kind: number, w: Width, f1: Node, f2: Node | null): void;
  /** Arithmetic flags in their places in rflags, i32. */
  abstract eflags(): Node;
  protected abstract conditionDynamic(cc: number): Node;
  abstract systemFlags(): Node;
  abstract setSystemFlags(v: Node): void;
  abstract helper(name: string, args: Node[]): Node;

  flags(kind: FlagKindName, w: Width, f1: Node, f2: Node | null = null): void {
    this.storeFlags(FlagKind[kind], w, this.any64(f1), f2 === null ? null : this.any64(f2));
  }
  /** Flags of a result without carry and overflow. */
  resultFlags(w: Width, r: Node): void {
    this.flags('sub', w, r, this.k(w, 0));
  }
  /** Sets all arithmetic flags from an i32 with bits in their places. */
  setFlags(v: Node): void {
    this.flags('raw', 4, this.u64(v));
  }
  /** Replaces the flags in `mask` by those bits of `v` (i32). */
  mergeFlags(mask: number, v: Node): void {
    this.setFlags(this.or(this.and(this.eflags(), this.k32(ARITHMETIC_FLAGS & ~mask)), v));
  }
  /** Carry as an i32 of 0 or 1. */
  cf(): Node {
    return this.cond(2);
  }
  /** Condition code 0..15 as an i32 of 0 or 1. */
  cond(cc: number): Node {
    return (this.known && this.conditionKnown(cc, this.known)) ?? this.conditionDynamic(cc);
  }
  /** Condition from flags whose kind is known while generating; null: not worth it in line. */
  protected conditionKnown(cc: number, f: StaticFlags): Node | null {
    const negated = cc & 1;
    const group = cc >> 1;
    const w = f.w;
    const narrow = (n: Node): Node => (w === 8 ? n : this.wrap(n));
    const pair = AFTER_SUB[group];
    if (f.kind !== FlagKind.sub || !pair) return this.conditionOfFlags(cc, f);
    const pick = (x: Node, y: Node): Node => this.compare(pair[negated]!, x, y);
    const x = narrow(f.f1);
    const y = narrow(f.f2);
    if (group === 4) return pick(this.sx(w, this.sub(x, y)), this.k(w, 0));
    return group <= 3 ? pick(this.zx(w, x), this.zx(w, y)) : pick(this.sx(w, x), this.sx(w, y));
  }
  /** The same by way of the single flags. */
  private conditionOfFlags(cc: number, f: StaticFlags): Node | null {
    const values = knownFlags(this, f);
    const join = (op: (x: Node, y: Node) => Node, x: Node | null, y: Node | null): Node | null =>
      x === null || y === null ? null : op(x, y);
    const { c, z, s, o, p } = values;
    const less = join(this.xor, s, o);
    const value = [o, c, z, join(this.or, c, z), s, p, less, join(this.or, z, less)][cc >> 1]!;
    if (value === null) return null;
    return cc & 1 ? this.isZero(value) : value;
  }

  if(condition: Node, then: () => void, otherwise?: () => void): void {
    if (this.isConstant(condition)) {
      if (Number(this.constantValue(condition))) then();
      else otherwise?.();
      return;
    }
    const before = this.known;
    const committed = this.committed;
    this.emit(condition);
    this.open('if', 'if');
    then();
    const after = this.committed;
    if (otherwise) {
      this.committed = committed;
      this.known = before;
      this.else();
      otherwise();
    }
    this.close();
    this.committed ||= after;
    this.known = null;
  }

  // Stack
  stackPointer(): Node {
    return this.bits === 64 ? this.reg(4, 8) : this.u64(this.reg(4, 4));
  }
  setStackPointer(v: Node): void {
    if (this.bits === 64) this.setReg(4, 8, v);
    else this.setReg(4, 4, this.wrap(v));
  }
  /** Stack address after adding `bytes`, in the width of the stack pointer. */
  stackPlus(bytes: number): Node {
    return this.stackOffset(this.add(this.stackPointer(), this.k64(bytes)));
  }
  /** Linear address of a stack offset. */
  abstract stackLinear(offset: Node): Node;
  /** Host address of `size` bytes at a stack offset. */
  stackAccess(offset: Node, size: number, access: 'r' | 'w'): Node {
    return this.translate(this.stackLinear(offset), size, access, true);
  }
  /** An offset in the width of the stack pointer. */
  stackOffset(v: Node): Node {
    return this.bits === 64 ? v : this.u64(this.wrap(v));
  }
  push(w: Width, value: Node): void {
    const sp = this.val(this.stackPlus(-w));
    const at = this.stackAccess(sp, w, 'w');
    this.store(at, w, value);
    this.setStackPointer(sp);
  }
  /** The value on top of the stack, private; the caller moves the stack pointer. */
  top(w: Width): Node {
    return this.let(this.load(this.stackAccess(this.stackPointer(), w, 'r'), w));
  }

  /** All ones or zero of the type of width `w`. */
  mask(w: Width, condition: Node): Node {
    const x = this.sub(this.k32(0), condition);
    return w === 8 ? this.s64(x) : x;
  }
  /** Bit `n` of a value, as i32. */
  bit(x: Node, n: number): Node {
    const shifted = this.shr(x, this.type(x) === I64 ? this.k64(n) : this.k32(n));
    return this.and(this.wrap(shifted), this.k32(1));
  }
}
