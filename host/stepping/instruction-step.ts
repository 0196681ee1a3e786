// One instruction: `over` runs a call to its return; an event upcall that comes in between is run through.

import type { VirtualAddress } from '../../abi/address.ts';
import type { Machine, RunResult } from '../../simulator/machine-types.ts';
import type { Drive } from '../run-control.ts';
import { calledFrom, comesBack, Follower, isAt, returnsTo, type Target } from './drives.ts';

export class InstructionStep implements Drive {
  private readonly machine: Machine;
  readonly vcpu: number;
  private readonly over: boolean;
  private readonly follower: Follower;
  private target: { readonly at: Target; readonly thenDone: boolean; readonly resumes?: true } | null = null;

  constructor(machine: Machine, vcpu: number, over: boolean) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.over = over;
    this.follower = new Follower(machine, vcpu);
  }

  single = (): boolean => this.target === null;
  temporaries = (): readonly VirtualAddress[] => this.target?.at.addresses ?? [];
  resumes = (result: RunResult): boolean => this.target?.resumes === true && isAt(this.target.at, this.machine, this.vcpu, result);
  close = (): void => this.follower.close();

  reached(result: RunResult): boolean {
    if (this.target) {
      if (!isAt(this.target.at, this.machine, this.vcpu, result)) return false;
      const done = this.target.thenDone || this.machine.registers(this.vcpu).rip !== this.target.at.addresses[0];
      this.target = null;
      this.follower.moved();
      return done;
    }
    const move = this.follower.moved();
    if (!move) return false;
    if (move.interruption === 'upcall' || (move.interruption && this.over)) {
      this.target = { at: comesBack(move.before), thenDone: false, resumes: true };
      return false;
    }
    const back = this.over ? calledFrom(this.machine, this.vcpu, move.before, move.now) : null;
    if (back === null) return true;
    this.target = { at: returnsTo(back, move.before.rsp), thenDone: true };
    return false;
  }
}
