// One source line: instruction by instruction while the line lasts, calls at full speed to their return (`over`) or into
// functions that have lines (`in`). Ends at the start of another line, or right after the return into the caller.

import { asVirtual, type VirtualAddress } from '../../abi/address.ts';
import type { Machine, Registers, RunResult } from '../../simulator/machine-types.ts';
import type { Drive } from '../run-control.ts';
import { calledFrom, comesBack, Follower, isAt, readWord, returnsTo, type StepLine, type StepSymbols, type Target } from './drives.ts';

const sameLine = (a: StepLine | null, b: StepLine): boolean => a?.file === b.file && a.line === b.line && a.function === b.function;

export class LineStep implements Drive {
  private readonly machine: Machine;
  readonly vcpu: number;
  private readonly over: boolean;
  private readonly symbols: StepSymbols;
  private readonly follower: Follower;
  private readonly start: StepLine | null;
  private readonly startFunction: { readonly low: bigint; readonly high: bigint } | null;
  private target: { readonly at: Target; readonly thenDone: boolean; readonly resumes?: true } | null = null;

  /** `from`: the vCPU stands in a stub called by that line; the step is one of that line. */
  constructor(
    machine: Machine,
    vcpu: number,
    over: boolean,
    symbols: StepSymbols,
    from: { readonly line: StepLine; readonly back: Target } | null = null,
  ) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.over = over;
    this.symbols = symbols;
    this.follower = new Follower(machine, vcpu);
    const { rip } = this.follower.before;
    this.start = from?.line ?? symbols.lineAt(rip);
    if (from) this.target = { at: from.back, thenDone: false };
    this.startFunction = symbols.functionAt(rip);
  }

  single = (): boolean => this.target === null;
  temporaries = (): readonly VirtualAddress[] => this.target?.at.addresses ?? [];
  resumes = (result: RunResult): boolean => this.target?.resumes === true && isAt(this.target.at, this.machine, this.vcpu, result);
  close = (): void => this.follower.close();

  reached(result: RunResult): boolean {
    if (this.target) {
      if (!isAt(this.target.at, this.machine, this.vcpu, result)) return false;
      const { thenDone } = this.target;
      this.target = null;
      this.follower.moved();
      return thenDone || this.isGoal(this.machine.registers(this.vcpu), false);
    }
    const move = this.follower.moved();
    if (!move) return false;
    if (move.interruption) {
      this.target = { at: comesBack(move.before), thenDone: false, resumes: true };
      return false;
    }
    const back = calledFrom(this.machine, this.vcpu, move.before, move.now);
    if (back !== null) return this.called(move.before, move.now, back);
    return this.isGoal(move.now, this.returned(move.before, move.now));
  }

  private called(before: Registers, now: Registers, back: bigint): boolean {
    const enters = !this.over && !this.symbols.isStub(now.rip) && this.symbols.lineAt(now.rip) !== null;
    if (!enters) return this.runTo(returnsTo(back, before.rsp));
    const body = this.symbols.afterPrologue(now.rip);
    if (body === now.rip) return true;
    // Also where it returns to: a function may leave before its prologue is over.
    this.target = { at: { addresses: [asVirtual(body), asVirtual(back)], low: 0n, high: before.rsp + 256n }, thenDone: true };
    return false;
  }

  private runTo(at: Target): false {
    this.target = { at, thenDone: false };
    return false;
  }

  /** The last instruction was a return: it popped the address where the vCPU is now. */
  private returned(before: Registers, now: Registers): boolean {
    return now.rsp > before.rsp && readWord(this.machine, this.vcpu, before.rsp) === now.rip;
  }

  private isGoal(now: Registers, returned: boolean): boolean {
    const line = this.symbols.lineAt(now.rip);
    if (!this.start) {
      // No line to leave: as far as the function goes, or one instruction where there is not even a symbol.
      if (!this.startFunction) return true;
      const inside = now.rip >= this.startFunction.low && now.rip < this.startFunction.high;
      return !inside && (line !== null || returned);
    }
    if (returned) return line !== null;
    if (!line || sameLine(line, this.start)) return false;
    if (this.over && line.function === this.start.function && line.inlineDepth > this.start.inlineDepth) return false;
    return line.isStart;
  }
}
