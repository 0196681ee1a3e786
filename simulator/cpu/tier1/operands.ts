// Tier 1's operands: general registers are locals, immediates and displacements constants, memory is reached through the TLB with
// an exit on a miss.

import { OperandKind as K } from '../../../x86/types.ts';
import { I32, I64, type Node, Space, type Width } from '../emit/expressions.ts';
import type { Operand } from '../isa/builder.ts';
import { VectorBuilder } from '../isa/vector-builder.ts';
import * as L from '../layout.ts';
import * as V from './locals.ts';
import { exact, type Step } from './step.ts';

const FS = 4;

export abstract class Tier1Operands extends VectorBuilder {
  readonly bits: 64 | 32;
  /** Sets of general registers, a bit each. */
  usedRegisters = 0;
  dirtyRegisters = 0;
  /** Registers are stored before the next place that may leave, so that exits need not: less code, for regions without loops. */
  writeThrough = false;
  /** Registers that were written and not stored since, in regions with `writeThrough`. */
  protected pending = 0;
  /** The instruction under way. */
  protected step!: Step;
  /** A register that the body writes through its place in memory, -1 none. */
  protected placed = -1;

  constructor(bits: 64 | 32) {
    super();
    this.bits = bits;
    this.firstTemp64 = V.FIRST_TEMP_64;
    this.temps64 = V.TEMPS_64;
    this.firstTemp32 = V.FIRST_TEMP_32;
    this.temps32 = V.TEMPS_32;
    this.firstVector = V.FIRST_VECTOR;
  }

  /** Leaves the region: the instruction under way is tier 0's. */
  protected abstract sideExit(): void;

  state(w: Width, address: number): Node {
    return this.loadAt(w, this.k32(0), address, Space.registers);
  }
  private whole(n: number): Node {
    this.usedRegisters |= 1 << n;
    return this.local(V.REGISTERS + n, I64);
  }
  private setWhole(n: number, value: Node): void {
    this.dirtyRegisters |= 1 << n;
    this.committed = true;
    this.setLocal(V.REGISTERS + n, value);
    if (this.writeThrough) this.pending |= 1 << n;
  }
  protected storePending(): void {
    for (let n = 0; this.pending >>> n; n++)
      if (this.pending & (1 << n)) this.storeAt(8, this.k32(0), this.local(V.REGISTERS + n, I64), L.REG + 8 * n);
  }
  /** Before code that may leave or go elsewhere. */
  flushRegisters(): void {
    this.storePending();
    this.pending = 0;
  }

  reg(n: number, w: Width): Node {
    return w === 8 ? this.whole(n) : this.wrap(this.whole(n));
  }
  setReg(n: number, w: Width, value: Node): void {
    if (w === 8) this.setWhole(n, value);
    else if (w === 4) this.setWhole(n, this.u64(value));
    else {
      const mask = w === 1 ? 0xff : 0xffff;
      this.setWhole(n, this.or(this.u64(this.zx(w, value)), this.and(this.whole(n), this.k64(~mask))));
    }
  }
  /** Registers ah ch dh bh have numbers 16 to 19. */
  private setHighByte(n: number, value: Node): void {
    const shifted = this.shl(this.u64(this.zx(1, value)), this.k64(8));
    this.setWhole(n, this.or(shifted, this.and(this.whole(n), this.k64(~0xff00))));
  }

  rd(o: Operand, w: Width): Node {
    if (o.kind === 'i') return this.immediate(w);
    if (o.kind === 'm') return this.load(this.memory(), w);
    const n = this.step.d.reg[o.index]!;
    if (n < 16) return this.reg(n, w);
    return this.wrap(this.shr(this.whole(n - 16), this.k64(8)));
  }
  wr(o: Operand, w: Width, value: Node): void {
    if (o.kind === 'm') this.store(this.memory(), w, value);
    else {
      const n = this.step.d.reg[o.index]!;
      if (n < 16) this.setReg(n, w, value);
      else this.setHighByte(n - 16, value);
    }
  }
  immediate(w: Width): Node {
    const { immLo, immHi } = this.step.d;
    if (w === 8) return immHi === immLo >> 31 ? this.k64(immLo) : this.k64((BigInt(immHi) << 32n) | BigInt(immLo >>> 0));
    return this.k32(w === 1 ? immLo & 0xff : w === 2 ? immLo & 0xffff : immLo);
  }
  next(): Node {
    return this.k64(exact(this.step.nextLo, this.step.nextHi));
  }

  // Addresses
  ea(): Node {
    const { d, plan } = this.step;
    const offset = d.addressSize === 8 ? this.offset64() : this.u64(this.offset32());
    if (d.segment < FS || plan.c.definition.key === 'lea') return offset;
    if (this.bits === 32) this.leaveIfSpecial(d.segment);
    const sum = this.add(this.state(8, L.SEGMENT_BASE + 8 * d.segment), offset);
    return this.bits === 64 ? sum : this.u64(this.wrap(sum));
  }
  /** The address of a pop's memory operand counts from the stack pointer after the pop. */
  private correction(): number {
    const { d, plan } = this.step;
    return plan.c.definition.key === 'pop-memory' && d.base === 4 ? d.operandSize : 0;
  }
  private offset64(): Node {
    const { d, nextLo, nextHi } = this.step;
    if (d.ripRelative) return this.k64(exact(nextLo, nextHi) + d.dispLo);
    const short = d.dispHi === d.dispLo >> 31;
    const displacement = this.k64(short ? d.dispLo + this.correction() : (BigInt(d.dispHi) << 32n) | BigInt(d.dispLo >>> 0));
    let sum = d.base >= 0 ? this.whole(d.base) : -1;
    if (d.index >= 0) {
      const index = this.shl(this.whole(d.index), this.k64(d.scale));
      sum = sum < 0 ? index : this.add(sum, index);
    }
    return sum < 0 ? displacement : this.add(sum, displacement);
  }
  private offset32(): Node {
    const { d, nextLo } = this.step;
    const displacement = this.k32((d.ripRelative ? nextLo + d.dispLo : d.dispLo) + this.correction());
    let sum = d.base >= 0 ? this.reg(d.base, 4) : -1;
    if (d.index >= 0) {
      const index = this.shl(this.reg(d.index, 4), this.k32(d.scale));
      sum = sum < 0 ? index : this.add(sum, index);
    }
    return sum < 0 ? displacement : this.add(sum, displacement);
  }
  /** A segment with limits of its own or of a special type: tier 0 looks at it. */
  private leaveIfSpecial(segment: number): void {
    const limited = this.ne(this.state(4, L.SEGMENT_LIMIT + 4 * segment), this.k32(-1));
    const special = this.ne(this.and(this.state(4, L.SEGMENT_ATTRIBUTES + 4 * segment), this.k32(L.PLAIN_MASK)), this.k32(L.PLAIN_DATA));
    this.emit(this.or(limited, special));
    this.open('if', 'special');
    this.sideExit();
    this.close();
  }
  /** Segments are flat in the modes that tier 1 translates. */
  stackLinear(offset: Node): Node {
    return offset;
  }
  translate(address: Node, size: number, access: 'r' | 'w'): Node {
    if (this.committed) throw new Error('translation after guest state was written');
    const va = this.val(address);
    const index = this.and(this.wrap(this.shr(va, this.k64(9))), this.k32((L.TLB_ENTRIES - 1) << 3));
    const entry = this.let(this.add(this.local(V.TLB, I32), index));
    const tag = this.loadAt(8, entry, access === 'r' ? 0 : L.TLB_WRITE);
    const last = size > 1 ? this.add(va, this.k64(size - 1)) : va;
    this.emit(this.ne(tag, this.and(last, this.k64(-4096))));
    this.open('if', 'miss');
    this.sideExit();
    this.close();
    return this.let(this.add(this.wrap(va), this.loadAt(4, this.shr(entry, this.k32(1)), L.TLB_ADDEND)));
  }
  load(address: Node, w: Width, offset = 0): Node {
    return this.loadAt(w, address, offset, Space.memory);
  }
  store(address: Node, w: Width, value: Node, offset = 0): void {
    this.committed = true;
    this.storeAt(w, address, value, offset, Space.memory);
  }

  /** Address of an operand's bytes: general registers are written back for it, and read again when the instruction has ended. */
  place(o: Operand): Node {
    const { d } = this.step;
    if (o.kind === 'm') return this.memory();
    const n = d.reg[o.index]!;
    if (o.kind !== 'r') return this.k32((o.kind === 'x' ? L.XMM : L.MMX) + 16 * n);
    if (d.kind[o.index] !== K.gpr) throw new Error('no place for a byte register');
    this.storeAt(8, this.k32(0), this.whole(n), L.REG + 8 * n);
    if (o.index === 0) this.placed = n;
    return this.k32(L.REG + 8 * n);
  }
  /** After the body: takes over a register that was written in memory. */
  protected fetchPlaced(): void {
    if (this.placed < 0) return;
    this.setWhole(this.placed, this.loadAt(8, this.k32(0), L.REG + 8 * this.placed));
    this.placed = -1;
  }
}
