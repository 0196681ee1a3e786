// The x87 unit as one instruction sees it: register stack, words, exceptions, pointers. State lies in the layout of fxsave.

import { OperandKind as K } from '../../../x86/types.ts';
import { setTop } from '../float/mmx.ts';
import * as L from '../layout.ts';
import type { RareBody, RareContext } from '../rare/context.ts';
import type { RareInstruction } from '../records.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import { fromBits, toBits } from './convert.ts';
import { type Extended, Flag, INDEFINITE, Operation } from './extended.ts';

export const DEVICE_NOT_AVAILABLE = 7;
export const MATH_FAULT = 16;
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
export const CONDITIONS = C0 | C1 | C2 | C3;
const SUMMARY = 0x8080;
export const FOP = L.FXSAVE + 6;
export const FIP = L.FXSAVE + 8;
export const FDP = L.FXSAVE + 16;
const CS = 1;
const SS = 2;
const DS = 3;

export class Unit {
  readonly c: RareContext;
  readonly i: RareInstruction;
  readonly o: Operation;
  private readonly view: DataView;

  constructor(c: RareContext, i: RareInstruction) {
    this.c = c;
    this.i = i;
    this.view = c.core.view;
    this.o = new Operation(this.control);
  }

  get control(): number {
    return this.view.getUint16(L.FCW, true);
  }
  set control(v: number) {
    this.view.setUint16(L.FCW, v, true);
  }
  get status(): number {
    return this.view.getUint16(L.FSW, true);
  }
  set status(v: number) {
    this.view.setUint16(L.FSW, v, true);
  }
  get top(): number {
    return (this.status >> 11) & 7;
  }
  set top(v: number) {
    setTop(this.c.core, v & 7);
  }
  /** One bit for each physical register that is not empty. */
  get tags(): number {
    return this.c.core.u8[L.FTW]!;
  }
  set tags(v: number) {
    this.c.core.u8[L.FTW] = v;
  }
  isEmpty(n: number): boolean {
    return (this.tags & (1 << ((this.top + n) & 7))) === 0;
  }
  read(n: number): Extended {
    const at = L.MMX + 16 * (n & 7);
    return fromBits((BigInt(this.view.getUint16(at + 8, true)) << 64n) | this.view.getBigUint64(at, true));
  }
  write(n: number, v: Extended): void {
    const at = L.MMX + 16 * (n & 7);
    const bits = toBits(v);
    this.view.setBigUint64(at, BigInt.asUintN(64, bits), true);
    this.view.setUint16(at + 8, Number(bits >> 64n), true);
    this.tags |= 1 << ((this.top + n) & 7);
  }
  free(n: number): void {
    this.tags &= ~(1 << ((this.top + n) & 7));
  }
  pop(): void {
    this.free(0);
    this.top = this.top + 1;
  }
  push(v: Extended): void {
    this.top = this.top - 1;
    this.write(0, v);
  }

  /** An exception whose mask was taken away waits for the next instruction that looks. */
  get pending(): boolean {
    return (this.status & 0x80) !== 0;
  }
  /** Brings the summary bits in line with flags and masks. */
  summarize(): void {
    const { status } = this;
    this.status = (status & ~this.control & 0x3f) !== 0 ? status | SUMMARY : status & ~SUMMARY;
  }
  /** The end of an arithmetic instruction: flags, C1, condition codes, pointers. */
  conclude(conditions = 0, clear: number = C1): RareStatusValue {
    const { o } = this;
    // Stopped before the computation: what it would have raised is not seen.
    if (o.stopped && !(o.raised & Flag.stack)) {
      o.raised &= Flag.invalid | Flag.denormal | Flag.zeroDivide;
      o.roundedUp = false;
    }
    this.status = (this.status & ~clear) | o.raised | conditions | (o.roundedUp ? C1 : 0);
    this.summarize();
    this.notePointers();
    return RareStatus.done;
  }
  /** A register was empty, or (`overflow`) none was free: an invalid operation. True when masked. */
  stackFault(overflow: boolean): boolean {
    this.o.raised = Flag.invalid | Flag.stack;
    this.o.roundedUp = overflow;
    return (this.o.masked & Flag.invalid) !== 0;
  }
  /** Pushes the result of an instruction; with no free register the fault's answer. */
  pushResult(v: Extended): void {
    if (this.isEmpty(7)) this.push(v);
    else if (this.stackFault(true)) this.push(INDEFINITE);
  }

  /** Address, opcode and operand address of the last instruction that was not control. AMD's processors note each of them. */
  private notePointers(): void {
    const { c, view } = this;
    const { d } = this.i;
    view.setBigUint64(FIP, c.instruction, true);
    view.setUint16(FOP, this.opcode(), true);
    view.setUint16(L.FCS, view.getUint16(L.SELECTOR + 4 * CS, true), true);
    for (let n = 0; n < d.count; n++)
      if (d.kind[n] === K.memory) {
        view.setBigUint64(FDP, BigInt.asUintN(c.bits, c.offset(d)), true);
        const segment = d.segment >= 0 ? d.segment : c.usesStack(d) ? SS : DS;
        view.setUint16(L.FDS, view.getUint16(L.SELECTOR + 4 * segment, true), true);
      }
  }
  /** Low three bits of the first opcode byte and the ModRM byte, as they stand in memory. */
  private opcode(): number {
    const { c } = this;
    const start = c.linear(CS, c.instruction);
    const at = (n: number): number => {
      const va = BigInt.asUintN(c.bits, start + BigInt(n));
      const frame = c.tlb.fetch(Number(BigInt.asIntN(32, va)), Number(BigInt.asIntN(32, va >> 32n)));
      return frame < 0 ? -1 : c.core.u8[c.core.layout.ram + frame * 4096 + Number(va & 4095n)]!;
    };
    for (let n = 0; n < this.i.length - 1; n++) {
      const byte = at(n);
      if (byte >= 0xd8 && byte <= 0xdf) return ((byte & 7) << 8) | (at(n + 1) & 0xff);
    }
    return 0;
  }
}

type Work = (u: Unit) => RareStatusValue;

/** #NM while the unit is disabled comes before everything else. */
export const control =
  (work: Work): RareBody =>
  (c, i) =>
    c.core.i32[L.FPU_DISABLED >> 2] ? c.stop(DEVICE_NOT_AVAILABLE) : work(new Unit(c, i));

/** An instruction that waits: a pending exception is #MF before anything else is done. */
export const waiting = (work: Work): RareBody => control((u) => (u.pending ? u.c.stop(MATH_FAULT) : work(u)));
