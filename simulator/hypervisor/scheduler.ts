// Which vCPU of the one processor runs, and for how long: credits as in Xen's credit2 with equal weights, on guest time, so that a run
// repeats. Switching keeps run states, their areas, time areas and periodic timers, as Xen does it.

import { unloadFpu } from './emulate-fpu.ts';
import type { Hypervisor } from './hypervisor.ts';
import { runPeriodic, stopPeriodic, updateRunStateArea, updateTimeInfo } from './time.ts';
import { RunState, type VcpuState } from './vcpu.ts';

/** Credit given when the best one has none left, and the longest run, in ns. */
const CREDIT = 10_000_000;
/** A vCPU that runs keeps the processor for so long at least, ns (sched_ratelimit_us=1000). */
const RATE_LIMIT = 1_000_000;
/** Xen's timer looks at a running vCPU at least so often, ns. */
const TICK = 10_000_000;

export class Scheduler {
  private readonly hv: Hypervisor;
  /** Guest time at which the running vCPU passes through Xen again. */
  nextTick = TICK;
  /** When the running vCPU was given the processor. */
  private since = 0;
  /** Up to when its time was taken from its credit. */
  private charged = 0;
  /** Nobody runs: every vCPU sleeps. */
  private idle = false;

  constructor(hv: Hypervisor) {
    this.hv = hv;
  }

  /** Makes sure that the current vCPU can run, another one when it cannot; false when none can. */
  schedule(): boolean {
    const { hv } = this;
    const { current } = hv;
    if (current.runnable() && !this.idle) {
      // It slept and was woken before anybody looked.
      if (current.runState !== RunState.running) this.enter(current);
      else if (hv.preempt) this.preempt();
      return true;
    }
    if (!this.idle) this.leave(current);
    const next = this.best(null);
    if (!next) {
      this.idle = true;
      return false;
    }
    this.enter(next);
    return true;
  }

  /** Xen's timer: the vCPU passes through Xen, and another one gets its turn when it has more credit. */
  tick(): void {
    const { hv } = this;
    hv.current.entered = true;
    updateTimeInfo(hv, hv.current);
    this.charge();
    const next = this.best(hv.current);
    if (next && next.credit > hv.current.credit) this.switchTo(next);
    else this.plan();
  }

  /** sched_op.yield: another vCPU that can run goes first. False when there is none. */
  yield(): boolean {
    this.charge();
    const next = this.best(this.hv.current);
    if (next) this.switchTo(next);
    return next !== null;
  }

  /** A vCPU woke: it takes the processor when it has more credit and the running one had its least time. */
  private preempt(): void {
    const { hv } = this;
    hv.preempt = false;
    this.charge();
    const next = this.best(hv.current);
    if (!next || next.credit <= hv.current.credit) return;
    if (hv.now() - this.since >= RATE_LIMIT) this.switchTo(next);
    else this.nextTick = Math.min(this.nextTick, this.since + RATE_LIMIT);
  }

  /** The vCPU that can run with the most credit, those after the current one first; `not` is left out. */
  private best(not: VcpuState | null): VcpuState | null {
    const { vcpus } = this.hv.domain;
    let best: VcpuState | null = null;
    for (let n = 1; n <= vcpus.length; n++) {
      const vcpu = vcpus[(this.hv.current.id + n) % vcpus.length]!;
      if (vcpu !== not && vcpu.runnable() && (best === null || vcpu.credit > best.credit)) best = vcpu;
    }
    return best;
  }

  private charge(): void {
    const now = this.hv.now();
    this.hv.current.credit -= now - this.charged;
    this.charged = now;
  }

  private switchTo(next: VcpuState): void {
    this.leave(this.hv.current);
    this.enter(next);
  }

  private leave(vcpu: VcpuState): void {
    const { hv } = this;
    this.charge();
    hv.setRunState(vcpu, vcpu.wait ? RunState.blocked : vcpu.up ? RunState.runnable : RunState.offline);
    stopPeriodic(hv, vcpu);
    updateRunStateArea(hv, vcpu);
  }

  private enter(vcpu: VcpuState): void {
    const { hv } = this;
    this.idle = false;
    if (hv.current !== vcpu) unloadFpu(hv.current);
    hv.current = vcpu;
    hv.preempt = false;
    this.since = hv.now();
    this.charged = this.since;
    if (vcpu.credit <= 0) for (const one of hv.domain.vcpus) one.credit = Math.min(one.credit + CREDIT, CREDIT);
    hv.setRunState(vcpu, RunState.running);
    updateTimeInfo(hv, vcpu);
    updateRunStateArea(hv, vcpu);
    runPeriodic(hv, vcpu);
    this.plan();
  }

  /** Runs on until another vCPU would have more credit, within the limits. */
  private plan(): void {
    const { hv } = this;
    const other = this.best(hv.current);
    const ahead = other ? hv.current.credit - other.credit : TICK;
    this.nextTick = hv.now() + Math.min(TICK, Math.max(RATE_LIMIT, ahead));
  }
}
