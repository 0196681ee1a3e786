// Run control over a scripted machine, with a clock that moves only when told, and stops as promises.

import { BreakpointTable, type CodeBreakpoint, type RecordBreakpoint } from '../../host/breakpoints/table.ts';
import type { HostClock } from '../../host/clock.ts';
import { parseExpression } from '../../host/expression/parser.ts';
import type { Pace } from '../../host/protocol.ts';
import { type Drive, RunControl, type RunObserver, type Stop } from '../../host/run-control.ts';
import type { Ending, WaitReason } from '../../simulator/machine-types.ts';
import type { ScriptedMachine } from './scripted-machine.ts';

export type Outcome = Stop | { readonly kind: 'ended'; readonly ending: Ending | { readonly kind: 'terminated' } };

/** Wall time passes while sleeping and, where a test says so, while running. */
export class TestClock implements HostClock {
  time = 0;
  readonly naps: number[] = [];
  now = (): number => this.time;
  turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  sleep(ms: number): { done: Promise<void>; wake(): void } {
    this.naps.push(ms);
    this.time += ms;
    return { done: this.turn(), wake: () => {} };
  }
}

export class Harness implements RunObserver {
  readonly machine: ScriptedMachine;
  readonly clock = new TestClock();
  readonly table: BreakpointTable;
  readonly control: RunControl;
  readonly problems: string[] = [];
  readonly logs: string[] = [];
  readonly idles: (readonly WaitReason[])[] = [];
  private settle: ((outcome: Outcome) => void) | null = null;

  constructor(machine: ScriptedMachine, pace: Pace = 'fast') {
    this.machine = machine;
    const evaluator = {
      holds: () => machine.registers().rax === 1n,
      text: () => 'guest value',
      recordText: () => 'record value',
    };
    const reporter = { problem: (text: string) => void this.problems.push(text), log: (text: string) => void this.logs.push(text) };
    this.table = new BreakpointTable(evaluator, reporter, () => this.control.install());
    this.control = new RunControl(machine, this.table, this, this.clock, pace);
  }

  /** Resumes and waits for the stop or the end. */
  go(drive?: Drive): Promise<Outcome> {
    const outcome = new Promise<Outcome>((resolve) => {
      this.settle = resolve;
    });
    this.control.resume(drive);
    return outcome;
  }

  breakAt(id: number, address: bigint, more: Partial<CodeBreakpoint> = {}): void {
    const none = { condition: null, hits: null, log: null };
    this.table.setCode(`test ${id}`, [
      { id, label: `breakpoint ${id}`, places: [{ domain: this.machine.domain, address: address as never }], ...none, ...more },
    ]);
  }

  breakOn(id: number, breakpoint: Pick<RecordBreakpoint, 'kinds' | 'matches'> & Partial<RecordBreakpoint>, condition?: string): void {
    const none = { condition: condition ? parseExpression(condition) : null, hits: null, log: null, filter: null, isBroad: false };
    this.table.setRecords(`test ${id}`, [{ id, label: `breakpoint ${id}`, ...none, ...breakpoint }]);
  }

  continued(): void {}
  stopped(stop: Stop): void {
    this.settle?.(stop);
  }
  idle(waits: readonly WaitReason[]): void {
    this.idles.push(waits);
  }
  ended(ending: Ending | { readonly kind: 'terminated' }): void {
    this.settle?.({ kind: 'ended', ending });
  }
}
