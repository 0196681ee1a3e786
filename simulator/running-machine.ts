// The machine's run loop and its windows: who runs, until when, what happens in between; registers, memory, waits.

import { asVirtual, type VirtualAddress } from '../abi/address.ts';
import { StructView } from '../abi/layout.ts';
import type { DomainState } from '../explain/state/types.ts';
import type { Engine, Exit } from './cpu/engine-types.ts';
import { backEndTimer } from './devices/console.ts';
import { deliverEvents } from './hypervisor/bounce.ts';
import { resumesCall } from './hypervisor/continuation.ts';
import type { Created } from './hypervisor/create.ts';
import { enterHypercall, type PendingCall, performHypercall } from './hypervisor/dispatch.ts';
import type { Domain } from './hypervisor/domain.ts';
import { handleExit } from './hypervisor/exits.ts';
import { grantViews } from './hypervisor/grants/report.ts';
import type { Hypervisor } from './hypervisor/hypervisor.ts';
import { Scheduler } from './hypervisor/scheduler.ts';
import type { VcpuState } from './hypervisor/vcpu.ts';
import { describeDomain, machineEnding } from './inspect/domains.ts';
import { readRegisters, writeRegister } from './inspect/registers.ts';
import { reportOf } from './inspect/report.ts';
import { hashMachine } from './inspect/state.ts';
import { describeWait } from './inspect/waits.ts';
import { writeGuest } from './inspect/write-memory.ts';
import type {
  CallbackView,
  DomainView,
  GrantView,
  Machine,
  MachineConfig,
  MachineInput,
  RegisterName,
  Registers,
  RunLimits,
  RunResult,
  VcpuInfoView,
  VcpuView,
  Walk,
  Watchpoint,
} from './machine-types.ts';
import type { TraceKind, TraceRecord } from './trace/records.ts';

/** Engine slices while the host's wasm compiler warms up, and after. */
const FIRST_SLICE = 200_000;
const SLICE = 1_000_000;
const WARM_UP = 50_000_000;
const VIRQ_CONSOLE = 2;
/** Guest time spent waiting, ns, after which a guest without any progress is told about. */
const QUIET = 10_000_000_000;

interface LoggedInput {
  readonly icount: number;
  readonly time: number;
  readonly input: MachineInput;
}

export class RunningMachine implements Machine {
  readonly config: MachineConfig;
  readonly domain: number;
  readonly bits: 64 | 32;
  private readonly hv: Hypervisor;
  private readonly engine: Engine;
  /** The first domain. */
  private readonly first: Domain;
  private readonly sinks: ((domain: number, bytes: Uint8Array) => void)[] = [];
  private pending: PendingCall | null = null;
  private readonly scheduler: Scheduler;
  private interrupted = false;
  /** Stands at a breakpoint that is not its domain's. */
  private passing: VcpuState | null = null;
  /** Domains that have ended and of which run() has still to tell. */
  private readonly told: Domain[] = [];
  /** Since when the guest only waits for timers. */
  private quiet = { progress: -1, jumped: 0, icount: 0, told: false };
  /** Input with the moments at which it came. */
  readonly inputLog: LoggedInput[] = [];
  /** Ids of the watchpoints, in the engine's order. */
  private watchpoints: readonly Watchpoint[] = [];
  /** Those that the engine has now, and the domain that they are of. */
  private watching: readonly Watchpoint[] = [];
  private watchedDomain: number | null = null;
  /** Pages of grant tables behind them in the engine's order. */
  private watchedPages = 0;
  /** By domain. */
  private readonly breakpoints = new Map<number, ReadonlySet<VirtualAddress>>();

  constructor({ hv }: Created, engine: Engine) {
    this.hv = hv;
    this.scheduler = new Scheduler(hv);
    this.engine = engine;
    this.first = hv.domain;
    this.config = hv.config;
    this.domain = this.first.id;
    this.bits = this.first.bits;
    hv.consoleOut = (domain, bytes) => {
      hv.progress++;
      domain.printed += bytes.length;
      for (const sink of this.sinks) sink(domain.id, bytes);
    };
    hv.onYield = () => this.letOthersRun();
  }

  icount(): number {
    return this.hv.icount;
  }

  clock(): number {
    return this.hv.now();
  }

  interrupt(): void {
    this.interrupted = true;
  }

  run(limits: RunLimits): RunResult {
    const { hv } = this;
    this.interrupted = false;
    const end = hv.icount + limits.instructions;
    let standing: bigint | null = hv.current.cpu.rip;
    const standingVcpu = hv.current;
    for (;;) {
      const stopped = hv.trace.stops.shift();
      if (stopped) return { kind: 'record', vcpu: this.vcpuOf(stopped.domain, stopped.vcpu) ?? hv.current.cpu.id, record: stopped };
      if (this.pending) {
        const call = this.pending;
        this.pending = null;
        performHypercall(hv, call);
        this.finishEnding();
        standing = null;
        continue;
      }
      const ending = this.endings();
      if (ending) return ending;
      if (this.interrupted) return { kind: 'budget' };
      hv.timers.runDue(hv.now());
      if (hv.ended.length > 0) {
        this.finishEnding();
        continue;
      }
      if (!this.scheduler.schedule()) {
        const idle = this.jump(limits.untilTime);
        if (idle) return idle;
        continue;
      }
      if (hv.icount >= end) return { kind: 'budget' };
      const vcpu = hv.current;
      if (vcpu.entered) {
        vcpu.entered = false;
        deliverEvents(hv, vcpu);
        this.finishEnding();
        if (vcpu.domain.ending || hv.trace.stops.length > 0) continue;
      }
      const resume = vcpu === this.passing || (standing !== null && vcpu === standingVcpu && vcpu.cpu.rip === standing);
      this.passing = null;
      const result = this.step(vcpu, end, resume);
      standing = null;
      if (result) return result;
    }
  }

  /** One slice of the engine and what its exit asks for. */
  private step(vcpu: VcpuState, end: number, resume: boolean): RunResult | null {
    const { hv } = this;
    const slice = hv.icount < WARM_UP ? FIRST_SLICE : SLICE;
    const now = hv.now();
    const budget = Math.max(1, Math.min(end - hv.icount, hv.timers.next() - now, this.scheduler.nextTick - now, slice));
    hv.ldtFault = null;
    this.watchOnly(vcpu);
    const exit = this.engine.run(vcpu.cpu.id, budget, resume);
    hv.icount += exit.executed;
    if (resumesCall(vcpu, exit)) hv.icount--;
    if (hv.now() >= this.scheduler.nextTick) this.scheduler.tick();
    if (exit.kind === 'budget') return null;
    if (exit.kind === 'breakpoint') return this.broken(vcpu);
    if (exit.kind === 'watch') return this.watched(vcpu, exit);
    const call = handleExit(hv, vcpu, exit);
    if (call) {
      this.pending = call;
      enterHypercall(hv, call);
    }
    this.finishEnding();
    return null;
  }

  /** sched_op.yield: another vCPU runs, or the back ends do their work while the guest waits for it. */
  private letOthersRun(): void {
    const { hv } = this;
    if (this.scheduler.yield()) return;
    const names = ['console', 'store'].map((name) => backEndTimer(hv.domain, name));
    const work = hv.timers.ordered().find(({ name }) => names.includes(name));
    if (!work) return;
    hv.jumped += Math.max(0, work.at - hv.now());
    hv.timers.runDue(hv.now());
  }

  /** The machine's end, or one domain's that has not been told of. */
  private endings(): RunResult | null {
    const { hv, told } = this;
    const ending = machineEnding(hv);
    if (ending) return { kind: 'ended', ending };
    const domain = told.shift();
    return domain ? { kind: 'domain-ended', domain: domain.id, ending: domain.ending! } : null;
  }

  private sleepers(): VcpuState[] {
    return [...this.hv.domains.values()].filter(({ ending }) => ending === null).flatMap(({ vcpus }) => vcpus.filter((v) => v.initialised));
  }

  /** Nobody can run: on to the next timer. A result when there is none, or the time limit comes first. */
  private jump(untilTime: number | undefined): RunResult | null {
    const { hv } = this;
    const next = hv.timers.next();
    const now = hv.now();
    if (untilTime !== undefined && next > untilTime) {
      if (next !== Number.POSITIVE_INFINITY) {
        hv.jumped += Math.max(0, untilTime - now);
        return { kind: 'budget' };
      }
    }
    if (next === Number.POSITIVE_INFINITY) {
      return {
        kind: 'idle',
        waits: this.sleepers().map((v) => ({ domain: v.domain.id, vcpu: v.id, text: describeWait(hv, v) })),
      };
    }
    hv.jumped += Math.max(0, next - now);
    this.tellQuiet();
    return null;
  }

  /** A guest that for long has done nothing but wait for its own timers will not do anything else without input: says so, once. */
  private tellQuiet(): void {
    const { hv, quiet } = this;
    if (quiet.progress !== hv.progress) this.quiet = { progress: hv.progress, jumped: hv.jumped, icount: hv.icount, told: false };
    const waited = hv.jumped - this.quiet.jumped;
    if (this.quiet.told || waited < QUIET || (hv.icount - this.quiet.icount) * 10 > waited) return;
    this.quiet = { ...this.quiet, told: true };
    const several = hv.domains.size > 1;
    const waits = this.sleepers().map((v) => `${several ? `d${v.domain.id}v${v.id}` : `vCPU ${v.id}`}: ${describeWait(hv, v)}`);
    const text = `for ${QUIET / 1e9} s of guest time ${several ? 'the guests have' : 'the guest has'} only waited for ${several ? 'their' : 'its'} timers; without input it goes on like that. ${waits.join('; ')}`;
    hv.trace.emit('log', { domain: this.domain, vcpu: hv.current.id, by: 'simulator', text });
  }

  /** What the guest wrote to its console just before it ended is read all the same. */
  private finishEnding(): void {
    for (const domain of this.hv.ended.splice(0)) {
      domain.console?.work();
      this.told.push(domain);
    }
  }

  inject(input: MachineInput): void {
    this.hv.progress++;
    this.inputLog.push({ icount: this.hv.icount, time: this.hv.now(), input });
    const domain = this.hv.domainById(input.domain);
    if (!domain) return;
    if (domain.console) {
      domain.console.input(input.bytes);
      return;
    }
    if (!domain.isDom0) return;
    for (const byte of input.bytes) this.hv.consoleIn.push(byte);
    domain.events.raiseVirq(VIRQ_CONSOLE, 0);
  }

  domains(): readonly DomainView[] {
    const { hv } = this;
    const configured = [...hv.domains.values()].filter(({ image }) => image !== null);
    return [...hv.domains.values()].map((domain) => describeDomain(domain, configured.indexOf(domain)));
  }

  vcpuOf(domain: number, vcpu: number): number | null {
    return this.hv.domainById(domain)?.vcpus[vcpu]?.cpu.id ?? null;
  }

  vcpus(): readonly VcpuView[] {
    return [...this.hv.domains.values()]
      .flatMap(({ vcpus }) => vcpus)
      .map((v) => ({
        id: v.cpu.id,
        domain: v.domain.id,
        vcpu: v.id,
        state: !v.up ? 'down' : v.wait ? 'blocked' : v === this.hv.current ? 'running' : 'runnable',
        inKernel: v.kernelMode,
      }));
  }

  currentVcpu(): number {
    return this.hv.current.cpu.id;
  }

  private vcpu(id: number): VcpuState {
    const vcpu = this.hv.vcpus[id];
    if (!vcpu) throw new RangeError(`there is no vCPU ${id}; the machine has ${this.hv.vcpus.filter(Boolean).length}`);
    return vcpu;
  }

  registers(vcpu: number): Registers {
    return readRegisters(this.hv, this.vcpu(vcpu));
  }

  setRegister(vcpu: number, name: RegisterName, value: bigint): void {
    writeRegister(this.hv, this.vcpu(vcpu), name, value);
  }

  readMemory(vcpu: number, address: VirtualAddress, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, this.hv.peekInto(this.vcpu(vcpu).currentRoot(), address, bytes));
  }

  writeMemory(vcpu: number, address: VirtualAddress, bytes: Uint8Array): number {
    return writeGuest(this.hv, this.vcpu(vcpu), address, bytes);
  }

  walk(vcpu: number, address: VirtualAddress): Walk {
    const root = this.vcpu(vcpu).currentRoot();
    const { walker } = this.hv.memory;
    const machine = walker.peek(root, address);
    return { steps: walker.steps(root, address), ...(machine >= 0 ? { machine } : {}) };
  }

  setBreakpoints(addresses: readonly VirtualAddress[], domain = this.domain): void {
    this.breakpoints.set(domain, new Set(addresses));
    this.engine.setBreakpoints(new Set([...this.breakpoints.values()].flatMap((set) => [...set])));
  }

  /** The engine knows addresses alone: one that is another domain's is passed, and costs nothing. */
  private broken(vcpu: VcpuState): RunResult | null {
    const address = asVirtual(vcpu.cpu.rip);
    if (this.breakpoints.get(vcpu.domain.id)?.has(address)) return { kind: 'breakpoint', vcpu: vcpu.cpu.id, address };
    this.passing = vcpu;
    return null;
  }

  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    // A user's watchpoint may lie in the page that is watched for him: his goes first.
    if (watchpoints.length) this.hv.startInfoGuard = null;
    // All of them, so that a wrong one is told of here.
    this.engine.setWatchpoints(watchpoints);
    this.watchpoints = watchpoints;
    this.watching = watchpoints;
    this.watchedDomain = null;
  }

  /** The engine watches addresses in every domain alike, so it is given those of the one that runs. */
  private watchOnly(vcpu: VcpuState): void {
    const { domain } = vcpu;
    const moved = this.hv.granting.look(this.hv, vcpu) !== null;
    const grants = this.hv.granting.pages(domain);
    if (!moved && this.watchedDomain === domain.id) return;
    if (this.watchpoints.length === 0 && grants.length === 0 && this.watching.length === 0 && this.watchedPages === 0) return;
    this.watchedDomain = domain.id;
    this.watching = this.watchpoints.filter((one) => (one.domain ?? this.domain) === domain.id);
    this.watchedPages = grants.length;
    const pages = grants.map((address) => ({ address, length: 4096, access: 'write' as const }));
    this.engine.setWatchpoints([...this.watching, ...pages]);
  }

  /** Null when only the domain's grant table was stored to, which nobody asked to be told. */
  private watched(vcpu: VcpuState, exit: Exit): RunResult | null {
    const asked = exit.watch.filter(({ watchpoint }) => watchpoint < this.watching.length);
    for (const { watchpoint, address, size } of exit.watch)
      if (watchpoint >= this.watching.length) this.hv.granting.stored(this.hv, vcpu, address, size, exit.instruction);
    if (asked.length === 0) return null;
    const hits = asked.map(({ watchpoint, address, size, access, before, after }) => ({
      ...{ id: this.watching[watchpoint]!.id, address: asVirtual(address), length: size },
      ...{ access, before, after },
    }));
    return { kind: 'watch', vcpu: vcpu.cpu.id, instruction: asVirtual(exit.instruction), hits };
  }

  stopWhen(kinds: readonly TraceKind[], predicate: ((record: TraceRecord) => boolean) | null): void {
    this.hv.trace.stopWhen(kinds, predicate);
  }

  subscribe(kinds: readonly TraceKind[] | 'all', sink: (record: TraceRecord) => void): () => void {
    return this.hv.trace.subscribe(kinds, sink);
  }

  recent(limit: number): { readonly records: readonly TraceRecord[]; readonly dropped: number } {
    return this.hv.trace.recent(limit);
  }

  onConsole(sink: (domain: number, bytes: Uint8Array) => void): void {
    this.sinks.push(sink);
  }

  counters(): { readonly instructions: number; readonly hypercalls: number } {
    return { instructions: this.hv.icount, hypercalls: this.domains().reduce((total, { hypercalls }) => total + hypercalls, 0) };
  }

  hypercallPage(): VirtualAddress | null {
    const page = this.first.image?.hypercallPage ?? null;
    return page === null ? null : asVirtual(page);
  }

  vcpuInfo(vcpu: number): VcpuInfoView | null {
    const state = this.vcpu(vcpu);
    const info = this.hv.vcpuInfo(state);
    const view = new StructView('vcpu_info', state.bits, info);
    return {
      upcallPending: info[0] !== 0,
      upcallMask: info[1] !== 0,
      pendingSel: view.big('evtchn_pending_sel'),
      archCr2: view.big('arch.cr2'),
    };
  }

  callbacks(vcpu: number): CallbackView {
    const v = this.vcpu(vcpu);
    const address = (value: bigint): VirtualAddress | null => (value === 0n ? null : asVirtual(value));
    return {
      event: address(v.event.address),
      failsafe: address(v.failsafe.address),
      traps: v.traps.flatMap((trap, vector) => (trap.address === 0n ? [] : [{ vector, address: asVirtual(trap.address) }])),
    };
  }

  report(domain = this.domain): DomainState | null {
    const found = this.hv.domainById(domain);
    return found && reportOf(this.hv, found);
  }

  grants(): readonly GrantView[] {
    return grantViews(this.hv);
  }

  stateHash(): string {
    return hashMachine(this.hv, this.engine);
  }
}
