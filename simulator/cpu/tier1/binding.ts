// Binds instruction bodies to tier 1: control flow and exits. Where a body branches, the region's own graph says what follows.

import { I64, type Node } from '../emit/expressions.ts';
import { floatOperationNumber } from '../float/numbers.ts';
import * as L from '../layout.ts';
import { emitInteger, emitVector } from '../tier0/instruction.ts';
import type { HelperSignature } from '../tier0/locals.ts';
import type { ExitTable } from './exits.ts';
import { Tier1Flags } from './flags.ts';
import * as V from './locals.ts';
import { exact, type Step } from './step.ts';

/** What follows the instruction that ends a block. */
export interface Flow {
  direct(): void;
  branch(condition: Node): void;
  indirect(target: Node): void;
  /** Where an indirect transfer is expected to go, null: anywhere. */
  readonly expected: number | null;
}

export class Tier1 extends Tier1Flags {
  usesVector = false;
  flow: Flow | null = null;
  /** The floating-point unit was found enabled in this block. */
  unitChecked = false;
  /** Places where the code leaves in the middle. */
  readonly exits: ExitTable;
  /** Instructions of the block that are not done, the one under way included. */
  private remaining = 0;
  sawExit = false;

  constructor(bits: 64 | 32, helpers: ReadonlyMap<string, HelperSignature>, exits: ExitTable) {
    super(bits, helpers);
    this.exits = exits;
  }

  /** A new region. */
  beginRegion(): void {
    this.at = 0;
    this.labels.length = 0;
    this.usedRegisters = 0;
    this.dirtyRegisters = 0;
    this.flagState = null;
    this.flagsUsed = false;
    this.flagsWritten = false;
    this.pending = 0;
    this.most64 = 0;
    this.callsHelpers = false;
    this.usesVector = false;
    this.beginBlock();
  }
  beginBlock(): void {
    this.reset();
    this.unitChecked = false;
    this.committed = false;
    this.flagsDead = false;
  }
  /** Generates one instruction; `remaining`: it and those behind it in its block. */
  instruction(step: Step, remaining: number, flagsDead: boolean): void {
    this.reset();
    this.step = step;
    this.remaining = remaining;
    this.flagsDead = flagsDead;
    this.committed = false;
    this.sawRead = false;
    this.sawWrite = false;
    this.sawExit = false;
    this.forgetMemoryOperand();
    const { c, insn, effects } = step.plan;
    // All places where an instruction leaves come before its first write.
    if (effects.exits || step.secondFrame >= 0) this.flushRegisters();
    if (step.secondFrame >= 0) this.checkSecondPage(step);
    if (c.definition.vector) {
      this.usesVector = true;
      if (!this.unitChecked) this.checkUnitEnabled();
      this.unitChecked = true;
      emitVector(this, c, insn);
    } else emitInteger(this, c, insn);
    this.fetchPlaced();
  }

  /** The second page of an instruction over a page border must be in the instruction TLB, with the frame that was decoded. */
  private checkSecondPage({ nextLo, nextHi, secondFrame }: Step): void {
    const page = (nextLo - 1) & -4096;
    const index = (page >>> 8) & ((L.FETCH_ENTRIES - 1) << 4);
    const entry = this.let(this.add(this.loadAt(4, this.k32(0), L.FETCH_TLB), this.k32(index)));
    const otherPage = this.ne(this.loadAt(8, entry, 0), this.k64(exact(page, nextHi)));
    this.emit(this.or(otherPage, this.ne(this.loadAt(4, entry, 8), this.k32(secondFrame))));
    this.open('if', 'elsewhere');
    this.sideExit();
    this.close();
  }

  // Raw writes to locals on paths that end: what follows elsewhere does not see them.
  private setConstant(local: number, value: Node): void {
    this.emit(value);
    this.byte(0x21);
    this.unsigned(local);
  }
  private leave(status: number): void {
    this.setConstant(V.STATUS, this.k32(status));
    this.br('exit');
  }
  protected sideExit(): void {
    this.sawExit = true;
    const op = this.flagState ? this.opOf(this.flagState) : -1;
    // Seldom: the case of other operands did not leave here when it was observed.
    this.storePending();
    this.leave(~this.exits.add(this.step.lo, this.step.hi, this.remaining, op));
  }
  /** Leaves between two instructions for an address. */
  exitTo(lo: number, hi: number, status: number): void {
    this.leaveFor(this.k64(exact(lo, hi)), status);
  }
  /** The same for the address in TARGET. */
  exitThere(status: number): void {
    this.leaveFor(this.local(V.TARGET, I64), status);
  }
  private leaveFor(target: Node, status: number): void {
    this.storeAt(8, this.k32(0), target, L.RIP);
    if (this.flagState) {
      this.flagsUsed = true;
      this.setConstant(V.FLAG_OP, this.k32(this.opOf(this.flagState)));
    }
    this.leave(status);
  }

  target(): Node {
    return this.immediate(8);
  }
  goDirect(): void {
    this.flushRegisters();
    this.flow!.direct();
  }
  branch(condition: Node): void {
    this.flushRegisters();
    this.flow!.branch(condition);
  }
  goIndirect(v: Node): void {
    this.flushRegisters();
    this.flow!.indirect(v);
  }
  checkTarget(v: Node): Node {
    if (this.committed) throw new Error('target check after guest state was written');
    const t = this.val(v);
    if (this.bits === 32) return t;
    const check = (): void => this.raiseIf(this.ne(this.sar(this.shl(t, this.k64(16)), this.k64(16)), t), 13, 0);
    const expected = this.flow?.expected ?? null;
    if (expected === null) check();
    else {
      this.emit(this.ne(t, this.k64(expected)));
      this.open('if', 'unexpected');
      check();
      this.close();
    }
    return t;
  }
  raiseIf(condition: Node, _vector: number, _errorCode = -1): void {
    if (this.committed) throw new Error('exception after guest state was written');
    this.emit(condition);
    this.open('if', 'raising');
    this.sideExit();
    this.close();
  }
  raise(_vector: number, _errorCode = -1): void {
    this.sideExit();
  }
  divideWide(_divisor: Node, _signed: boolean): void {
    this.sideExit();
  }
  float(operation: string, d: Node, s: Node, immediate: Node = this.k32(0)): void {
    this.emit(this.helper('float', [this.k32(floatOperationNumber(operation)), d, s, immediate]));
    this.open('if', 'unmasked');
    this.sideExit();
    this.close();
    this.committed = true;
  }
}
