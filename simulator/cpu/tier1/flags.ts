// Tier 1's flags: the operands of the last operation are locals, its kind is known while translating wherever control flow allows.

import { I32, I64, type Node, type Width } from '../emit/expressions.ts';
import type { StaticFlags } from '../isa/flag-kinds.ts';
import * as L from '../layout.ts';
import { type HelperSignature, LOG2 } from '../tier0/locals.ts';
import * as V from './locals.ts';
import { Tier1Operands } from './operands.ts';

/** The flags at a place in the code, as far as they are known. */
export interface FlagState {
  readonly kind: number;
  readonly w: Width;
  /** Significant bits of the operands. */
  readonly bits1: number;
  readonly bits2: number;
  /** The second operand, when it is a constant. */
  readonly second: number | bigint | null;
}

export abstract class Tier1Flags extends Tier1Operands {
  /** null: FLAG_OP says it. */
  flagState: FlagState | null = null;
  /** Nobody looks at the flags that this instruction leaves. */
  flagsDead = false;
  /** The region has to do with flags at all; with writing them. */
  flagsUsed = false;
  flagsWritten = false;
  /** For observation: how deep in conditional code; what was seen. */
  private nesting = 0;
  sawRead = false;
  sawWrite = false;
  callsHelpers = false;
  private readonly helpers: ReadonlyMap<string, HelperSignature>;

  constructor(bits: 64 | 32, helpers: ReadonlyMap<string, HelperSignature>) {
    super(bits);
    this.helpers = helpers;
  }

  helper(name: string, args: Node[]): Node {
    // The flags of adc and sbb, when nobody wants them.
    if (this.flagsDead && (name === 'addFlags' || name === 'subFlags')) return this.k32(0);
    const h = this.helpers.get(name);
    if (!h) throw new Error(`no helper ${name}`);
    this.callsHelpers = true;
    return this.callFunction(h.index, h.result, args);
  }

  protected storeFlags(kind: number, w: Width, f1: Node, f2: Node | null): void {
    if (this.nesting === 0) this.sawWrite = true;
    if (this.flagsDead) return;
    this.flagsUsed = true;
    this.flagsWritten = true;
    this.committed = true;
    const second = f2 !== null && this.isConstant(f2) ? this.constantValue(f2) : null;
    const state = { kind, w, bits1: this.bitsOf(f1), bits2: f2 === null ? 64 : this.bitsOf(f2), second };
    // Both values are computed before either changes: they may be made from the old flags.
    if (f2 !== null) {
      this.emit(f2);
      this.emit(f1);
      this.setLocalPopped(V.FLAG_1);
      this.setLocalPopped(V.FLAG_2);
    } else this.setLocal(V.FLAG_1, f1);
    this.flagState = state;
  }
  private flag1(): Node {
    this.flagsUsed = true;
    return this.local(V.FLAG_1, I64, this.flagState?.bits1 ?? 64);
  }
  private flag2(): Node {
    this.flagsUsed = true;
    const second = this.flagState?.second ?? null;
    return second === null ? this.local(V.FLAG_2, I64, this.flagState?.bits2 ?? 64) : this.k64(second);
  }
  private flagOp(): Node {
    this.flagsUsed = true;
    return this.flagState ? this.k32(this.opOf(this.flagState)) : this.local(V.FLAG_OP, I32);
  }
  protected opOf(f: FlagState): number {
    return f.kind * 4 + LOG2[f.w];
  }
  private noteRead(): void {
    if (!this.sawWrite) this.sawRead = true;
  }

  eflags(): Node {
    this.noteRead();
    return this.let(this.helper('eflags', [this.flagOp(), this.flag1(), this.flag2()]));
  }
  override mergeFlags(mask: number, v: Node): void {
    if (this.flagsDead) return;
    super.mergeFlags(mask, v);
  }
  override cond(cc: number): Node {
    this.noteRead();
    const f = this.flagState;
    if (f) {
      const known: StaticFlags = { kind: f.kind, w: f.w, f1: this.flag1(), f2: this.flag2() };
      const value = this.conditionKnown(cc, known);
      if (value !== null) return value;
    }
    return this.conditionDynamic(cc);
  }
  protected conditionDynamic(cc: number): Node {
    return this.let(this.helper('condition', [this.flagOp(), this.flag1(), this.flag2(), this.k32(cc)]));
  }
  systemFlags(): Node {
    return this.state(4, L.SYSTEM_FLAGS);
  }
  setSystemFlags(v: Node): void {
    this.committed = true;
    this.storeAt(4, this.k32(0), v, L.SYSTEM_FLAGS);
  }

  /** Makes FLAG_OP hold the kind, for code that is reached from several places. */
  syncFlags(): void {
    if (!this.flagState) return;
    this.flagsUsed = true;
    this.setLocal(V.FLAG_OP, this.k32(this.opOf(this.flagState)));
  }

  override if(condition: Node, then: () => void, otherwise?: () => void): void {
    if (this.isConstant(condition)) {
      super.if(condition, then, otherwise);
      return;
    }
    const before = this.flagState;
    const committed = this.committed;
    this.nesting++;
    this.emit(condition);
    this.open('if', 'if');
    then();
    const after = this.committed;
    const changed = this.flagState !== before;
    this.committed = committed;
    if (changed) {
      this.syncFlags();
      this.flagState = before;
      this.else();
      otherwise?.();
      this.syncFlags();
      this.flagState = null;
    } else if (otherwise) {
      this.else();
      otherwise();
      if (this.flagState !== before) throw new Error('flags set in the second arm only');
    }
    this.close();
    this.nesting--;
    this.committed ||= after;
  }
}
