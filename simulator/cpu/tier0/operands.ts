// Tier 0's operands: read through the decoded record at `p`; registers lie in memory.

import { I32, type Node, Space, type Width } from '../emit/expressions.ts';
import type { Operand } from '../isa/builder.ts';
import { VectorBuilder } from '../isa/vector-builder.ts';
import * as L from '../layout.ts';
import { CNT, type HelperSignature, LINK, P, TARGET, TEMPS_32, TEMPS_64, TLB } from './locals.ts';
import { RARE_STACK } from './status.ts';

export abstract class Tier0Operands extends VectorBuilder {
  /** The code stands in a function of its own: a finished instruction returns instead of going on. */
  outOfLine = false;
  /** Offset of the record of the instruction being generated from `p` (fused second parts: 32). */
  protected recordOffset = 0;
  protected baseOnly = false;
  protected ended = false;
  protected keepFlags = false;

  readonly bits: 64 | 32;
  /** 32-bit with segments that are not flat: the stack and indirect targets have limits. */
  protected readonly segmented: boolean;
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

  /** Calls the import `rare`: a body in TypeScript, or a check. */
  protected abstract callRare(which: number): void;

  helper(name: string, args: Node[]): Node {
    const h = this.helpers.get(name);
    if (!h) throw new Error(`no helper ${name}`);
    return this.callFunction(h.index, h.result, args);
  }

  // The record
  protected p(): Node {
    return this.local(P, I32);
  }
  count(): Node {
    return this.local(CNT, I32);
  }
  protected field(w: Width, offset: number): Node {
    return this.loadAt(w, this.p(), offset + this.recordOffset);
  }
  protected zero(): Node {
    return this.k32(0);
  }
  state(w: Width, address: number): Node {
    return this.loadAt(w, this.zero(), address, Space.registers);
  }
  setState(w: Width, address: number, value: Node): void {
    this.storeAt(w, this.zero(), value, address, Space.registers);
  }
  protected registerField(o: Operand): Node {
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

  protected requireUncommitted(what: string): void {
    if (this.committed) throw new Error(`${what} after guest state was written`);
  }
  protected currentRecord(): Node {
    return this.recordOffset ? this.add(this.p(), this.k32(this.recordOffset)) : this.p();
  }
  /** Leaves to the shared exit for an instruction that must not complete. */
  protected leaveForFault(label: string): void {
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
      this.add(this.local(TLB, I32), this.and(this.wrap(this.shr(va, this.k64(9))), this.k32((L.TLB_ENTRIES - 1) << 3))),
    );
    const tag = this.loadAt(8, entry, access === 'r' ? 0 : L.TLB_WRITE);
    const page = this.and(size > 1 ? this.add(va, this.k64(size - 1)) : va, this.k64(-4096));
    const host = this.temp(I32);
    this.emit(this.eq(tag, page));
    this.open('if', 'hit');
    this.setLocal(host, this.add(this.wrap(va), this.loadAt(4, this.shr(entry, this.k32(1)), L.TLB_ADDEND)));
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
}
