// What bodies in TypeScript work with: registers as bigint, guest memory through the TLB, ways to stop. A body must do every
// access that can fault before it changes anything.

import { type Decoded, OperandKind as K } from '../../../x86/types.ts';
import type { CodeCache } from '../code.ts';
import { bitsOf, type Core, raise } from '../core.ts';
import { ARITHMETIC_FLAGS } from '../isa/builder.ts';
import * as L from '../layout.ts';
import type { RareInstruction } from '../records.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import { type Tlb, UNALIGNED } from '../tlb.ts';
import type { Watch } from '../watch.ts';

export type RareBody = (c: RareContext, i: RareInstruction) => RareStatusValue;

export const mask = (bytes: number, v: bigint): bigint => BigInt.asUintN(8 * bytes, v);
const SS = 2;
const DS = 3;
const FS = 4;
/** D/B bit of a descriptor's attributes. */
const BIG = 0x4000;
const FLAT_LIMIT = 0xffffffff;

/** A store that was checked and waits to be carried out. */
export interface Store {
  readonly first: number;
  readonly second: number;
  readonly firstBytes: number;
  readonly size: number;
}

export class RareContext {
  readonly core: Core;
  readonly tlb: Tlb;
  readonly code: CodeCache;
  readonly watch: Watch;
  /** Record of the instruction under way. */
  record = 0;
  /** COUNT counts down from here: its difference to COUNT are the instructions of this run so far. */
  budget = 0;
  /** Evaluates the lazily kept flags. */
  eflags: () => number = () => 0;
  /** Called when segment registers or the mode have changed. */
  modeChanged: () => void = () => {};

  constructor(core: Core, tlb: Tlb, code: CodeCache, watch: Watch) {
    this.core = core;
    this.tlb = tlb;
    this.code = code;
    this.watch = watch;
  }

  // ---- registers
  get bits(): 64 | 32 {
    return bitsOf(this.core);
  }
  reg(n: number, bytes = 8): bigint {
    return mask(bytes, this.core.u64[(L.REG >> 3) + n]!);
  }
  /** Writes as instructions do: 4 bytes clear the upper half, less keeps it. */
  setReg(n: number, bytes: number, v: bigint): void {
    const at = (L.REG >> 3) + n;
    const { u64 } = this.core;
    u64[at] = bytes >= 4 ? mask(bytes, v) : ((u64[at]! >> BigInt(8 * bytes)) << BigInt(8 * bytes)) | mask(bytes, v);
  }
  operand(d: Decoded, i: number): bigint {
    if (d.kind[i] === K.gpr8 && d.reg[i]! >= 16) return (this.reg(d.reg[i]! - 16) >> 8n) & 0xffn;
    return this.reg(d.reg[i]!, d.size[i]!);
  }
  get next(): bigint {
    return this.core.u64[(this.record + L.RECORD.next) >> 3]!;
  }
  instructionLength(): number {
    return this.core.u8[this.record + L.RECORD.info]! & 15;
  }
  get instruction(): bigint {
    return mask(this.bits === 64 ? 8 : 4, this.next - BigInt(this.instructionLength()));
  }
  immediate(d: Decoded): bigint {
    return BigInt.asUintN(64, (BigInt(d.immHi) << 32n) | BigInt(d.immLo >>> 0));
  }

  // ---- flags
  get rflags(): number {
    return (this.eflags() | this.core.i32[L.SYSTEM_FLAGS >> 2]!) >>> 0;
  }
  setArithmeticFlags(v: number): void {
    const { i32 } = this.core;
    i32[L.FLAG_OP >> 2] = 2;
    i32[L.FLAG_1 >> 2] = v & ARITHMETIC_FLAGS;
    i32[(L.FLAG_1 >> 2) + 1] = 0;
  }
  setRflags(v: number): void {
    this.setArithmeticFlags(v);
    this.core.i32[L.SYSTEM_FLAGS >> 2] = (v & ~ARITHMETIC_FLAGS & 0x3f7fd5) | 2;
  }

  // ---- memory
  segmentBase(n: number): bigint {
    return this.core.u64[(L.SEGMENT_BASE >> 3) + n]!;
  }
  /** Linear address of an offset in a segment; in 64-bit mode only fs and gs have a base. */
  linear(segment: number, offset: bigint): bigint {
    if (this.bits === 64) return segment >= FS ? mask(8, offset + this.segmentBase(segment)) : offset;
    return mask(4, offset + this.segmentBase(segment));
  }
  stackLinear(offset: bigint): bigint {
    return this.linear(SS, offset);
  }
  /** Offset of the memory operand within its segment. */
  offset(d: Decoded): bigint {
    let sum = BigInt.asIntN(64, (BigInt(d.dispHi) << 32n) | BigInt(d.dispLo >>> 0));
    if (d.ripRelative) sum += this.next;
    if (d.base >= 0) sum += this.reg(d.base);
    if (d.index >= 0) sum += this.reg(d.index) << BigInt(d.scale);
    return mask(d.addressSize, sum);
  }
  usesStack(d: Decoded): boolean {
    return d.segment === SS || (d.segment < 0 && (d.base === 4 || d.base === 5));
  }
  address(d: Decoded): bigint {
    return this.linear(d.segment >= 0 ? d.segment : this.usesStack(d) ? SS : DS, this.offset(d));
  }
  /** Reads up to 8 bytes; null: stopped. `part`: of a larger operand, without alignment check. */
  read(va: bigint, size: number, stack = false, part = false): bigint | null {
    const what = size | (stack ? 0x200 : 0) | (part ? UNALIGNED : 0);
    const at = this.tlb.miss(Number(va & 0xffffffffn) | 0, Number(va >> 32n) | 0, what, 0);
    if (at < 0) return null;
    const { view } = this.core;
    if (size === 8) return view.getBigUint64(at, true);
    if (size === 4) return BigInt(view.getUint32(at, true));
    return BigInt(size === 2 ? view.getUint16(at, true) : view.getUint8(at));
  }
  /** Value of a register or memory operand; null: stopped. */
  value(d: Decoded, i: number, size: number = d.size[i]!): bigint | null {
    return d.kind[i] === K.memory ? this.readOperand(d, size) : mask(size, this.operand(d, i));
  }
  /** Reads up to 8 bytes of the memory operand, `beyond` bytes behind its start; null: stopped. */
  readOperand(d: Decoded, size: number, beyond = 0, part = false): bigint | null {
    const va = this.place(d, size, false, beyond);
    return va === null ? null : this.read(va, size, this.usesStack(d), part);
  }
  /** Checks a store to the memory operand, likewise; null: stopped. */
  prepareOperand(d: Decoded, size: number, beyond = 0, part = false): Store | null {
    const va = this.place(d, size, true, beyond);
    return va === null ? null : this.prepareStore(va, size, this.usesStack(d), part);
  }
  /** Linear address of `size` bytes of the memory operand after its segment was checked; null: stopped. */
  place(d: Decoded, size: number, write: boolean, beyond = 0): bigint | null {
    const segment = d.segment >= 0 ? d.segment : this.usesStack(d) ? SS : DS;
    const offset = mask(this.bits === 64 ? 8 : 4, this.offset(d) + BigInt(beyond));
    return this.allows(segment, offset, size, write) ? this.linear(segment, offset) : null;
  }
  /** Bytes of the stack pointer in use: by the size bit of the stack segment outside 64-bit mode. */
  get stackSize(): 2 | 4 | 8 {
    if (this.bits === 64) return 8;
    return this.core.i32[(L.SEGMENT_ATTRIBUTES >> 2) + SS]! & BIG ? 4 : 2;
  }
  readStack(offset: bigint, size: number): bigint | null {
    return this.allows(SS, offset, size, false) ? this.read(this.stackLinear(offset), size, true) : null;
  }
  prepareStack(offset: bigint, size: number): Store | null {
    return this.allows(SS, offset, size, true) ? this.prepareStore(this.stackLinear(offset), size, true) : null;
  }
  /** A plain data segment of 4 GiB at 0, where neighbouring offsets are neighbours in memory without any check. */
  isFlat(segment: number): boolean {
    const { i32 } = this.core;
    const plain = (i32[(L.SEGMENT_ATTRIBUTES >> 2) + segment]! & L.PLAIN_MASK) === L.PLAIN_DATA;
    return plain && i32[(L.SEGMENT_LIMIT >> 2) + segment] === -1 && this.segmentBase(segment) === 0n;
  }
  /** May `size` bytes at `offset` of a segment be accessed so? Type and limit, outside 64-bit mode only. False: stopped.
   * Source: Intel SDM volume 3, 5.3 to 5.5. */
  allows(segment: number, offset: bigint, size: number, write: boolean): boolean {
    if (this.bits === 64) return true;
    const { i32 } = this.core;
    const attributes = i32[(L.SEGMENT_ATTRIBUTES >> 2) + segment]!;
    const limit = i32[(L.SEGMENT_LIMIT >> 2) + segment]! >>> 0;
    if ((attributes & L.PLAIN_MASK) === L.PLAIN_DATA && limit === FLAT_LIMIT && Number(offset) + size - 1 <= FLAT_LIMIT) return true;
    const refuse = (vector: number): boolean => {
      raise(this.core, vector, 0);
      return false;
    };
    // A null selector leaves no segment at all: #GP whichever register it is.
    if (!(attributes & 0x80)) return refuse(13);
    const code = (attributes & 8) !== 0;
    const writable = !code && (attributes & 2) !== 0;
    const readable = !code || (attributes & 2) !== 0;
    if (write ? !writable : !readable) return refuse(13);
    const first = Number(offset);
    const last = first + size - 1;
    const expandDown = !code && (attributes & 4) !== 0;
    const top = attributes & BIG ? FLAT_LIMIT : 0xffff;
    const inside = expandDown ? first > limit && last <= top : last <= limit;
    return inside || refuse(segment === SS ? 12 : 13);
  }
  /** Checks a store of up to 16 bytes, over a page border too; null: stopped. `part`: as for read(). */
  prepareStore(va: bigint, size: number, stack = false, part = false): Store | null {
    const lo = Number(va & 0xffffffffn) | 0;
    const hi = Number(va >> 32n) | 0;
    const { tlb } = this;
    if (this.core.alignment && !part && !tlb.aligned(lo, hi, size, stack)) return null;
    const firstBytes = Math.min(size, 4096 - (lo & 4095));
    const first = tlb.reach(lo, hi, true, stack);
    if (first < 0) return null;
    const { marked } = tlb;
    if (firstBytes === size) {
      if (marked && !tlb.noteAccess(lo, hi, size, true, false, first, size, 0, 0, 0)) return null;
      return { first, second: 0, firstBytes, size };
    }
    const beyond = mask(this.bits === 64 ? 8 : 4, va + BigInt(firstBytes));
    const nextLo = Number(beyond & 0xffffffffn) | 0;
    const nextHi = Number(beyond >> 32n) | 0;
    const second = tlb.reach(nextLo, nextHi, true, stack);
    if (second < 0) return null;
    if ((marked || tlb.marked) && !tlb.noteAccess(lo, hi, size, true, false, first, firstBytes, second, nextLo, nextHi)) return null;
    return { first, second, firstBytes, size };
  }
  /** Can the byte at `va` be accessed so? It is not an access that watchpoints see. */
  probe(va: bigint, write: boolean, stack = false): boolean {
    return this.tlb.reach(Number(va & 0xffffffffn) | 0, Number(va >> 32n) | 0, write, stack) >= 0;
  }
  /** A misaligned operand where #AC is on; for operands that are accessed in parts. False: stopped. */
  alignedTo(va: bigint, size: number, stack = false): boolean {
    return !this.core.alignment || this.tlb.aligned(Number(va & 0xffffffffn) | 0, Number(va >> 32n) | 0, size, stack);
  }
  /** Carries out a checked store. Decoded code there is dropped; returns true when there was some: leave the block then. */
  commit(s: Store, value: bigint): boolean {
    const { u8, layout } = this.core;
    let left = value;
    for (let n = 0; n < s.size; n++) {
      u8[n < s.firstBytes ? s.first + n : s.second + n - s.firstBytes] = Number(left & 0xffn);
      left >>= 8n;
    }
    const hit = this.dropCode(s.first - layout.ram, s.firstBytes);
    return (s.firstBytes < s.size && this.dropCode(s.second - layout.ram, s.size - s.firstBytes)) || hit;
  }
  /** Drops decoded code in a range within one frame. */
  dropCode(machine: number, length: number): boolean {
    const frame = Math.floor(machine / 4096);
    if (!this.code.hasCode(frame)) return false;
    this.code.beforeStore(frame, machine & 4095, length, 0);
    return true;
  }

  // ---- ends
  stop(vector: number, errorCode = -1): RareStatusValue {
    raise(this.core, vector, errorCode);
    return RareStatus.stopped;
  }
  /** Done, next instruction; through the engine when decoded code was hit. */
  done(leave = false): RareStatusValue {
    return leave ? this.moveTo(this.next) : RareStatus.done;
  }
  /** Control goes to `rip`. */
  moveTo(rip: bigint): RareStatusValue {
    this.core.u64[L.RIP >> 3] = rip;
    return RareStatus.moved;
  }
}
