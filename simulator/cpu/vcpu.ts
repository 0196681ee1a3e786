// The registers of one virtual processor as the host sees them. The running vCPU's state lies at STATE, the others' in their
// saved blocks: every access goes through `at`.

import type { Core } from './core.ts';
import type { BankNumber, DebugRegister, GprName, ModeState, SegmentCache, SegmentNumber, Vcpu } from './engine-types.ts';
import { GprName as NAMES } from './engine-types.ts';
import { ARITHMETIC_FLAGS } from './isa/builder.ts';
import * as L from './layout.ts';
import type { Tlb } from './tlb.ts';

export class VcpuState implements Vcpu {
  readonly id: number;
  private readonly core: Core;
  private readonly tlb: Tlb;
  /** Makes this vCPU the running one. */
  private readonly activate: (id: number) => void;
  private readonly eflags: () => number;
  /** Mode, bank or segments have changed. */
  private readonly changed: () => void;
  /** Debug registers have changed. */
  private readonly debugChanged: (id: number) => void;

  constructor(
    id: number,
    core: Core,
    tlb: Tlb,
    activate: (id: number) => void,
    eflags: () => number,
    changed: () => void,
    debugChanged: (id: number) => void,
  ) {
    this.id = id;
    this.core = core;
    this.tlb = tlb;
    this.activate = activate;
    this.eflags = eflags;
    this.changed = changed;
    this.debugChanged = debugChanged;
  }

  /** Where a field of the running state lies for this vCPU. */
  private at(address: number): number {
    return this.core.current === this.id ? address : address - L.STATE + L.SAVED + this.id * L.STATE_SIZE;
  }
  private int(address: number): number {
    return this.core.i32[this.at(address) >> 2]!;
  }
  private setInt(address: number, v: number): void {
    this.core.i32[this.at(address) >> 2] = v;
  }
  private long(address: number): bigint {
    return this.core.u64[this.at(address) >> 3]!;
  }
  private setLong(address: number, v: bigint): void {
    this.core.u64[this.at(address) >> 3] = v;
  }

  reg(n: number): bigint {
    return this.long(L.REG + 8 * n);
  }
  setReg(n: number, value: bigint): void {
    this.setLong(L.REG + 8 * n, value);
  }
  regLo(n: number): number {
    return this.int(L.REG + 8 * n);
  }
  regHi(n: number): number {
    return this.int(L.REG + 8 * n + 4);
  }
  setRegPair(n: number, lo: number, hi: number): void {
    this.setInt(L.REG + 8 * n, lo);
    this.setInt(L.REG + 8 * n + 4, hi);
  }
  get(name: GprName): bigint {
    return this.reg(NAMES.indexOf(name));
  }
  set(name: GprName, value: bigint): void {
    this.setReg(NAMES.indexOf(name), value);
  }
  get rip(): bigint {
    return this.long(L.RIP);
  }
  set rip(v: bigint) {
    this.setLong(L.RIP, v);
  }
  ripLo(): number {
    return this.int(L.RIP);
  }
  ripHi(): number {
    return this.int(L.RIP + 4);
  }
  setRipPair(lo: number, hi: number): void {
    this.setInt(L.RIP, lo);
    this.setInt(L.RIP + 4, hi);
  }
  get rflags(): number {
    this.activate(this.id);
    return (this.eflags() | this.int(L.SYSTEM_FLAGS)) >>> 0;
  }
  set rflags(v: number) {
    this.setInt(L.FLAG_OP, 2);
    this.setLong(L.FLAG_1, BigInt(v & ARITHMETIC_FLAGS));
    this.setLong(L.FLAG_2, 0n);
    this.setInt(L.SYSTEM_FLAGS, (v & ~ARITHMETIC_FLAGS & 0x3f7fd5) | 2);
  }
  get cr2(): bigint {
    return this.long(L.CR2);
  }
  set cr2(v: bigint) {
    this.setLong(L.CR2, v);
  }

  selector(segment: SegmentNumber): number {
    return this.int(L.SELECTOR + 4 * segment);
  }
  setSegment(segment: SegmentNumber, selector: number, cache: SegmentCache): void {
    this.setInt(L.SELECTOR + 4 * segment, selector);
    this.setLong(L.SEGMENT_BASE + 8 * segment, cache.base);
    this.setInt(L.SEGMENT_LIMIT + 4 * segment, cache.limit | 0);
    this.setInt(L.SEGMENT_ATTRIBUTES + 4 * segment, cache.attributes);
    this.changed();
  }
  segment(segment: SegmentNumber): SegmentCache {
    return {
      base: this.base(segment),
      limit: this.int(L.SEGMENT_LIMIT + 4 * segment) >>> 0,
      attributes: this.int(L.SEGMENT_ATTRIBUTES + 4 * segment),
    };
  }
  setBase(segment: SegmentNumber, base: bigint): void {
    this.setLong(L.SEGMENT_BASE + 8 * segment, base);
    this.changed();
  }
  base(segment: SegmentNumber): bigint {
    return this.long(L.SEGMENT_BASE + 8 * segment);
  }
  mode(): ModeState {
    return { bits: this.int(L.MODE_BITS) === 32 ? 32 : 64, cpl: this.int(L.MODE_CPL), bank: this.int(L.MODE_BANK) as BankNumber };
  }
  setMode(mode: ModeState): void {
    this.setInt(L.MODE_BITS, mode.bits);
    this.setInt(L.MODE_CPL, mode.cpl);
    this.setInt(L.MODE_BANK, mode.bank);
    this.changed();
  }
  get trapTsc(): boolean {
    return this.int(L.TRAP_TSC) !== 0;
  }
  set trapTsc(v: boolean) {
    this.setInt(L.TRAP_TSC, v ? 1 : 0);
  }
  get fpuDisabled(): boolean {
    return this.int(L.FPU_DISABLED) !== 0;
  }
  set fpuDisabled(v: boolean) {
    this.setInt(L.FPU_DISABLED, v ? 1 : 0);
  }

  get alignmentMask(): boolean {
    return this.int(L.ALIGNMENT_MASK) !== 0;
  }
  set alignmentMask(v: boolean) {
    this.setInt(L.ALIGNMENT_MASK, v ? 1 : 0);
    this.changed();
  }
  debugRegister(n: DebugRegister): bigint {
    return this.long(L.DEBUG + 8 * n);
  }
  setDebugRegister(n: DebugRegister, value: bigint): void {
    this.setLong(L.DEBUG + 8 * n, value);
    this.debugChanged(this.id);
  }
  get interruptShadow(): boolean {
    return this.int(L.SHADOW) !== 0;
  }

  fpuImage(): Uint8Array {
    const at = this.at(L.FXSAVE);
    return this.core.u8.slice(at, at + 512);
  }
  setFpuImage(image: Uint8Array): void {
    if (image.length !== 512) throw new RangeError(`fxsave image of ${image.length} bytes, expected 512`);
    this.core.u8.set(image, this.at(L.FXSAVE));
    // This layout has no place for the selectors (FCS and FDS).
    this.setInt(L.FCS, 0);
  }

  flushAll(): void {
    this.tlb.flushAll(this.id);
  }
  flushPage(va: bigint): void {
    this.tlb.flushPage(this.id, Number(BigInt.asIntN(32, va)), Number(BigInt.asIntN(32, va >> 32n)));
  }

  /** The state block with flags materialised, so that equal states give equal bytes. */
  private block(): Uint8Array {
    this.rflags = this.rflags;
    this.setLong(L.REG + 8 * L.EA_REG, 0n);
    const start = this.at(L.STATE);
    return this.core.u8.slice(start, start + L.STATE_SIZE);
  }
  save(): Uint8Array {
    const tlb = this.tlb.canonical(this.id);
    const bytes = new Uint8Array(L.STATE_SIZE + tlb.length);
    bytes.set(this.block());
    bytes.set(tlb, L.STATE_SIZE);
    return bytes;
  }
  restore(bytes: Uint8Array): void {
    this.tlb.load(this.id, bytes.subarray(L.STATE_SIZE));
    this.core.u8.set(bytes.subarray(0, L.STATE_SIZE), this.at(L.STATE));
    this.debugChanged(this.id);
    this.changed();
  }
}
