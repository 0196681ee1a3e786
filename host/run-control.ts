// Runs one machine in short slices between turns of the event loop, so that a pause or a key press is answered within
// milliseconds; decides at each return of run() whether the run goes on, stops for a person, or is over.

import type { VirtualAddress } from '../abi/address.ts';
import type { Ending, Machine, RunResult, WaitReason, WatchedAccess } from '../simulator/machine-types.ts';
import type { TraceRecord } from '../simulator/trace/records.ts';
import type { BreakpointTable } from './breakpoints/table.ts';
import type { HostClock } from './clock.ts';
import { PaceKeeper } from './pace.ts';
import type { Pace } from './protocol.ts';
import { SliceSize } from './slice.ts';

export type Stop =
  | { readonly kind: 'entry' | 'pause' | 'step'; readonly vcpu: number }
  | { readonly kind: 'breakpoint'; readonly vcpu: number; readonly address: VirtualAddress; readonly ids: readonly number[] }
  | {
      /** Behind an instruction that accessed watched memory. */
      readonly kind: 'data';
      readonly vcpu: number;
      readonly instruction: VirtualAddress;
      readonly accesses: readonly WatchedAccess[];
      readonly ids: readonly number[];
    }
  | {
      readonly kind: 'record';
      readonly vcpu: number;
      readonly record: TraceRecord;
      readonly ids: readonly number[];
      readonly filters: readonly string[];
    }
  | { readonly kind: 'crash'; readonly vcpu: number; readonly ending: Ending };

export interface RunObserver {
  continued(): void;
  stopped(stop: Stop): void;
  /** Every vCPU is blocked and no timer is pending; the run waits for input. Once for each resume. */
  idle(waits: readonly WaitReason[]): void;
  ended(ending: Ending | { readonly kind: 'terminated' }): void;
  /** One of several domains ended; the others go on. */
  domainEnded?(domain: number, ending: Ending): void;
}

/** What a run is for, when it is for more than to go on: a step. */
export interface Drive {
  /** Whether the next run() shall execute one instruction only; else it is a slice. */
  single(): boolean;
  /** The vCPU that steps; its domain is the one that `temporaries` are of. */
  readonly vcpu?: number;
  /** Addresses to stop at, besides the breakpoints. */
  temporaries(): readonly VirtualAddress[];
  /** Called after each run() that no breakpoint ended; true: the goal is reached. */
  reached(result: RunResult): boolean;
  /** True where an interrupted instruction is about to be executed again: its breakpoints have been hit already. */
  resumes?(result: RunResult): boolean;
  /** Called once when the run is over, however it ended. */
  close?(): void;
}

const goOn: Drive = { single: () => false, temporaries: () => [], reached: () => false };
/** Wall time between two turns of the event loop. */
const turnMs = 10;
/** How long to sleep when the guest waits for its next timer and wall time has not come so far. */
const napMs = 2;

export type RunState = 'stopped' | 'running' | 'ended';

export class RunControl {
  private readonly machine: Machine;
  private readonly table: BreakpointTable;
  private readonly observer: RunObserver;
  private readonly clock: HostClock;
  private readonly pace: PaceKeeper;
  private readonly slice = new SliceSize();
  private current: RunState = 'stopped';
  private pauseAsked = false;
  private endAsked = false;
  private toldIdle = false;
  private wakeUp: (() => void) | null = null;
  private drive: Drive = goOn;
  private recordHit: { ids: readonly number[]; filters: readonly string[] } = { ids: [], filters: [] };
  /** Where the machine stood when it stopped last: a breakpoint there has been seen already. */
  private seen: { icount: number; address: bigint } | null = null;
  private finished: Ending | null = null;
  /** Domains that have breakpoints in the machine. */
  private installed: readonly number[] = [];
  /** Whether a crash stops for inspection before the session ends. */
  stopAtCrash = false;

  constructor(machine: Machine, table: BreakpointTable, observer: RunObserver, clock: HostClock, pace: Pace) {
    this.machine = machine;
    this.table = table;
    this.observer = observer;
    this.clock = clock;
    this.pace = new PaceKeeper(pace, clock);
  }

  get state(): RunState {
    return this.current;
  }
  get paceNow(): Pace {
    return this.pace.current;
  }

  /** Gives the machine the breakpoints as they are now; BreakpointTable calls it on every change. */
  install(): void {
    const wanted = new Map([...this.table.addresses()].map(([domain, addresses]) => [domain, new Set(addresses)]));
    const temporaries = this.drive.temporaries();
    const steps = temporaries.length ? this.domainOf(this.drive.vcpu ?? this.machine.currentVcpu()) : null;
    if (steps !== null) wanted.set(steps, new Set([...(wanted.get(steps) ?? []), ...temporaries]));
    for (const domain of this.installed) if (!wanted.has(domain)) this.machine.setBreakpoints([], domain);
    for (const [domain, addresses] of wanted) this.machine.setBreakpoints([...addresses], domain);
    this.installed = [...wanted.keys()];
    this.machine.setWatchpoints(this.table.watchpoints());
    const kinds = this.table.kinds();
    this.machine.stopWhen(kinds, kinds.length ? (record) => this.stopsAt(record) : null);
  }

  private domainOf(vcpu: number): number {
    return this.machine.vcpus().find(({ id }) => id === vcpu)?.domain ?? this.machine.domain;
  }

  /** Goes on until a breakpoint, a pause, the goal of `drive` or the end. Does nothing unless stopped. */
  resume(drive: Drive = goOn): void {
    if (this.current !== 'stopped') return;
    this.current = 'running';
    this.pauseAsked = false;
    this.toldIdle = false;
    this.drive = drive;
    this.pace.resume(this.machine.clock());
    this.install();
    this.observer.continued();
    // Not at once: who asked is answered before the first stop can happen.
    void this.clock.turn().then(() => this.loop());
  }

  /** Stops the run at the end of its slice. */
  pause(): void {
    this.pauseAsked = true;
    this.wakeUp?.();
  }

  /** Ends the run for good; the machine's state stays readable. */
  end(): void {
    if (this.current === 'ended') return;
    this.endAsked = true;
    if (this.current === 'stopped') this.finish({ kind: 'terminated' });
    else this.wakeUp?.();
  }

  /** Call after inject(): a waiting machine looks at its input at once. */
  wake(): void {
    this.wakeUp?.();
  }

  setPace(pace: Pace): void {
    this.pace.resume(this.machine.clock(), pace);
    this.wakeUp?.();
  }

  private async loop(): Promise<void> {
    try {
      for (;;) {
        const wait = this.runTurn();
        if (wait === 'stop') return;
        if (wait === 'turn') await this.clock.turn();
        else await this.rest(wait === 'nap' ? napMs : null);
        if (this.endAsked) return this.finish({ kind: 'terminated' });
        if (this.pauseAsked) return this.stop({ kind: 'pause', vcpu: this.machine.currentVcpu() });
      }
    } catch (bug) {
      // Not a promise that nobody looks at: the process's own handler reports it and ends the machine.
      queueMicrotask(() => {
        throw bug;
      });
    }
  }

  /** Runs slices for one turn; says what to do next. */
  private runTurn(): 'turn' | 'nap' | 'idle' | 'stop' {
    const deadline = this.clock.now() + turnMs;
    do {
      const before = this.machine.icount();
      const limit = this.pace.limit(this.machine.clock());
      const room = limit === undefined ? Number.POSITIVE_INFINITY : limit - this.machine.clock();
      if (room < 1) return 'turn';
      const single = this.drive.single();
      const instructions = single ? 1 : Math.min(this.slice.instructions, room);
      const started = this.clock.now();
      const result = this.machine.run(limit === undefined ? { instructions } : { instructions, untilTime: limit });
      const executed = this.machine.icount() - before;
      if (!single) this.slice.took(executed, this.clock.now() - started);
      if (this.judge(result)) return 'stop';
      if (result.kind === 'idle') return this.sleepsForGood(result.waits);
      if (limit !== undefined && executed === 0 && result.kind === 'budget') return 'nap';
    } while (this.clock.now() < deadline && !this.pauseAsked && !this.endAsked);
    return 'turn';
  }

  private sleepsForGood(waits: readonly WaitReason[]): 'idle' {
    if (!this.toldIdle) this.observer.idle(waits);
    this.toldIdle = true;
    return 'idle';
  }

  /** Sleeps `ms`, or until woken when null. */
  private async rest(ms: number | null): Promise<void> {
    if (this.pauseAsked || this.endAsked) return;
    if (ms === null) await new Promise<void>((resolve) => this.onWake(resolve));
    else {
      const nap = this.clock.sleep(ms);
      this.onWake(nap.wake);
      await nap.done;
    }
    this.wakeUp = null;
  }
  private onWake(wake: () => void): void {
    this.wakeUp = wake;
  }

  private stopsAt(record: TraceRecord): boolean {
    const hit = this.table.hitRecord(record);
    this.recordHit = hit;
    return hit.ids.length + hit.filters.length > 0;
  }

  /** True when the run is over: stopped or ended. */
  private judge(result: RunResult): boolean {
    switch (result.kind) {
      case 'ended':
        this.ends(result.ending);
        return true;
      case 'record':
        this.stop({ kind: 'record', vcpu: result.vcpu, record: result.record, ...this.recordHit });
        return true;
      case 'breakpoint': {
        const known = this.seen?.address === result.address && this.seen.icount === this.machine.icount();
        const ids =
          known || this.drive.resumes?.(result)
            ? []
            : this.table.hitCode(result.vcpu, { domain: this.domainOf(result.vcpu), address: result.address });
        if (ids.length) {
          this.stop({ kind: 'breakpoint', vcpu: result.vcpu, address: result.address, ids });
          return true;
        }
        this.seen = { icount: this.machine.icount(), address: result.address };
        return this.arrived(result);
      }
      case 'watch': {
        const ids = this.table.hitData(result.vcpu, result.hits);
        if (ids.length === 0) return this.arrived(result);
        const accesses = result.hits.filter(({ id }) => ids.includes(id));
        this.stop({ kind: 'data', vcpu: result.vcpu, instruction: result.instruction, accesses, ids });
        return true;
      }
      case 'domain-ended':
        return this.oneEnded(result.domain, result.ending) || this.arrived(result);
      case 'budget':
        return this.arrived(result);
      case 'idle':
        return false;
    }
  }

  private arrived(result: RunResult): boolean {
    if (!this.drive.reached(result)) {
      this.reinstallTemporaries();
      return false;
    }
    const vcpu = this.machine.currentVcpu();
    const address = this.machine.registers(vcpu).rip as VirtualAddress;
    const known = result.kind === 'breakpoint' || (this.seen?.address === address && this.seen.icount === this.machine.icount());
    const ids = known ? [] : this.table.hitCode(vcpu, { domain: this.domainOf(vcpu), address });
    this.stop(ids.length ? { kind: 'breakpoint', vcpu, address, ids } : { kind: 'step', vcpu });
    return true;
  }

  private installedTemporaries = '';
  private reinstallTemporaries(): void {
    const wanted = this.drive.temporaries().join();
    if (wanted === this.installedTemporaries) return;
    this.installedTemporaries = wanted;
    this.install();
  }

  private ends(ending: Ending): void {
    if (ending.kind === 'crash' && this.stopAtCrash && !this.finished) {
      this.finished = ending;
      this.stop({ kind: 'crash', vcpu: this.crashedVcpu(ending), ending });
    } else this.finish(ending);
  }

  /** One of several domains is over: true when the run stops for a person to look at its crash. */
  private oneEnded(domain: number, ending: Ending): boolean {
    this.observer.domainEnded?.(domain, ending);
    if (ending.kind !== 'crash' || !this.stopAtCrash) return false;
    this.stop({ kind: 'crash', vcpu: this.crashedVcpu(ending), ending });
    return true;
  }

  private crashedVcpu(ending: Ending & { kind: 'crash' }): number {
    const domain = this.machine.domains().find((one) => one.ending === ending);
    return (domain && this.machine.vcpuOf(domain.id, ending.vcpu)) ?? ending.vcpu;
  }

  private stop(stop: Stop): void {
    const address = this.machine.registers(stop.vcpu).rip;
    this.seen = { icount: this.machine.icount(), address };
    this.leaveDrive();
    this.installedTemporaries = '';
    this.current = 'stopped';
    this.install();
    this.observer.stopped(stop);
  }

  private leaveDrive(): void {
    this.drive.close?.();
    this.drive = goOn;
  }

  private finish(ending: Ending | { readonly kind: 'terminated' }): void {
    this.current = 'ended';
    this.leaveDrive();
    this.observer.ended(ending);
  }
}
