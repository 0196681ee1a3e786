// Which vCPU of the one processor runs, and for how long: credits as in Xen's credit2, on guest time, so that a run repeats. A vCPU that
// runs pays with its credit, the more the smaller its domain's weight; who has most runs next. A domain with a cap has a budget for each
// period and stands still when it is used up. Switching keeps run states, their areas, time areas and periodic timers, as Xen does it.

import type { Domain } from './domain.ts';
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
/** Budgets of capped domains are filled so often, ns. */
const PERIOD = 10_000_000;

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
  /** Of domains with a cap: what is left of their budget, ns. */
  private readonly budgets = new Map<Domain, number>();

  constructor(hv: Hypervisor) {
    this.hv = hv;
  }

  /** Makes sure that the current vCPU can run, another one when it cannot; false when none can. */
  schedule(): boolean {
    const { hv } = this;
    const { current } = hv;
    if (this.canRun(current) && !this.idle) {
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

  /** For the state hash: what decides who runs next. */
  state(): unknown {
    return [this.nextTick, this.since, this.charged, this.idle, [...this.budgets].map(([{ id }, left]) => [id, left])];
  }

  private canRun(vcpu: VcpuState): boolean {
    return vcpu.runnable() && (vcpu.domain.cap === 0 || this.budget(vcpu.domain) > 0);
  }

  /** What is left for a domain with a cap in this period. The first look starts its periods. */
  private budget(domain: Domain): number {
    const known = this.budgets.get(domain);
    if (known !== undefined) return known;
    this.replenish(domain);
    return this.budgets.get(domain)!;
  }

  private replenish(domain: Domain): void {
    const { hv } = this;
    if (domain.cap === 0 || domain.dying !== 'no') {
      this.budgets.delete(domain);
      return;
    }
    const most = (PERIOD / 100) * domain.cap;
    this.budgets.set(domain, Math.min(most, (this.budgets.get(domain) ?? 0) + most));
    hv.timers.set(`d${domain.id} budget`, hv.now() + PERIOD, () => this.replenish(domain));
    hv.preempt = true;
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
    const { vcpus, current } = this.hv;
    let best: VcpuState | null = null;
    for (let n = 1; n <= vcpus.length; n++) {
      const vcpu = vcpus[(current.cpu.id + n) % vcpus.length];
      if (vcpu && vcpu !== not && this.canRun(vcpu) && (best === null || vcpu.credit > best.credit)) best = vcpu;
    }
    return best;
  }

  private charge(): void {
    const { hv } = this;
    const { current } = hv;
    const now = hv.now();
    const ran = now - this.charged;
    current.credit -= Math.floor((ran * this.mostWeight()) / current.domain.weight);
    if (current.domain.cap > 0) this.budgets.set(current.domain, this.budget(current.domain) - ran);
    this.charged = now;
  }

  private mostWeight(): number {
    let most = 1;
    for (const { weight } of this.hv.domains.values()) most = Math.max(most, weight);
    return most;
  }

  private switchTo(next: VcpuState): void {
    this.leave(this.hv.current);
    this.enter(next);
  }

  private leave(vcpu: VcpuState): void {
    const { hv } = this;
    this.charge();
    hv.setRunState(vcpu, vcpu.wait ? RunState.blocked : vcpu.runnable() ? RunState.runnable : RunState.offline);
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
    if (vcpu.credit <= 0) for (const one of hv.vcpus) if (one) one.credit = Math.min(one.credit + CREDIT, CREDIT);
    hv.setRunState(vcpu, RunState.running);
    updateTimeInfo(hv, vcpu);
    updateRunStateArea(hv, vcpu);
    runPeriodic(hv, vcpu);
    this.plan();
  }

  /** Runs on until another vCPU would have more credit, within the limits. */
  private plan(): void {
    const { hv } = this;
    const { domain, credit } = hv.current;
    const other = this.best(hv.current);
    const ahead = other ? Math.ceil(((credit - other.credit) * domain.weight) / this.mostWeight()) : TICK;
    const turn = Math.min(TICK, Math.max(RATE_LIMIT, ahead));
    this.nextTick = hv.now() + (domain.cap > 0 ? Math.min(turn, Math.max(1, this.budget(domain))) : turn);
  }
}
