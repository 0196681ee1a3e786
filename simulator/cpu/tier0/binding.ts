// Binds instruction bodies to tier 0: control flow, bodies in TypeScript, and the code around the cases. All cases become one
// WebAssembly function, a loop around a br_table.

import { I32, I64, type Node, Space } from '../emit/expressions.ts';
import { floatOperationNumber } from '../float/numbers.ts';
import type { Operand } from '../isa/builder.ts';
import * as L from '../layout.ts';
import { Tier0Flags } from './flags.ts';
import { CNT, LINK, P, TARGET, TLB } from './locals.ts';
import { RARE_DIV, RARE_IDIV, RARE_OF_RECORD, RARE_SEGMENT, RareStatus, Stop, VectorStatus } from './status.ts';

export class Tier0 extends Tier0Flags {
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
  protected callRare(which: number): void {
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
