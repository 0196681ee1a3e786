// The machine's run loop and its windows: who runs, until when, what happens in between; registers, memory, waits.

import { asVirtual, type VirtualAddress } from '../abi/address.ts';
import { StructView } from '../abi/layout.ts';
import type { Engine, Exit } from './cpu/engine-types.ts';
import { CONSOLE_TIMER, type ConsoleRing } from './devices/console.ts';
import { STORE_TIMER } from './devices/store.ts';
import { deliverEvents } from './hypervisor/bounce.ts';
import { resumesCall } from './hypervisor/continuation.ts';
import type { Created } from './hypervisor/create.ts';
import { enterHypercall, type PendingCall, performHypercall } from './hypervisor/dispatch.ts';
import { handleExit } from './hypervisor/exits.ts';
import type { Hypervisor } from './hypervisor/hypervisor.ts';
import { Scheduler } from './hypervisor/scheduler.ts';
import type { VcpuState } from './hypervisor/vcpu.ts';
import { readRegisters, writeRegister } from './inspect/registers.ts';
import { hashMachine } from './inspect/state.ts';
import { describeWait } from './inspect/waits.ts';
import { writeGuest } from './inspect/write-memory.ts';
import type {
  CallbackView,
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
  private readonly console: ConsoleRing | null;
  private readonly page: VirtualAddress | null;
  private readonly sinks: ((domain: number, bytes: Uint8Array) => void)[] = [];
  private pending: PendingCall | null = null;
  private readonly scheduler: Scheduler;
  private interrupted = false;
  /** Since when the guest only waits for timers. */
  private quiet = { progress: -1, jumped: 0, icount: 0, told: false };
  /** Input with the moments at which it came. */
  readonly inputLog: LoggedInput[] = [];
  /** Ids of the watchpoints, in the engine's order. */
  private watchpoints: readonly number[] = [];

  constructor({ hv, console }: Created, engine: Engine, hypercallPage: VirtualAddress | null) {
    this.hv = hv;
    this.scheduler = new Scheduler(hv);
    this.engine = engine;
    this.console = console;
    this.config = hv.config;
    this.domain = hv.domain.id;
    this.bits = hv.domain.bits;
    this.page = hypercallPage;
    hv.consoleOut = (bytes) => {
      hv.progress++;
      for (const sink of this.sinks) sink(this.domain, bytes);
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
      if (stopped) return { kind: 'record', vcpu: stopped.vcpu, record: stopped };
      if (this.pending) {
        const call = this.pending;
        this.pending = null;
        performHypercall(hv, call);
        this.finishEnding();
        standing = null;
        continue;
      }
      if (hv.domain.ending) return { kind: 'ended', ending: hv.domain.ending };
      if (this.interrupted) return { kind: 'budget' };
      hv.timers.runDue(hv.now());
      if (hv.domain.ending) {
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
        if (hv.domain.ending) this.finishEnding();
        if (hv.domain.ending || hv.trace.stops.length > 0) continue;
      }
      const result = this.step(vcpu, end, standing !== null && vcpu === standingVcpu && vcpu.cpu.rip === standing);
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
    const exit = this.engine.run(vcpu.id, budget, resume);
    hv.icount += exit.executed;
    if (resumesCall(vcpu, exit)) hv.icount--;
    if (hv.now() >= this.scheduler.nextTick) this.scheduler.tick();
    if (exit.kind === 'budget') return null;
    if (exit.kind === 'breakpoint') return { kind: 'breakpoint', vcpu: vcpu.id, address: asVirtual(vcpu.cpu.rip) };
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
    const work = hv.timers.ordered().find((timer) => timer.name === CONSOLE_TIMER || timer.name === STORE_TIMER);
    if (!work) return;
    hv.jumped += Math.max(0, work.at - hv.now());
    hv.timers.runDue(hv.now());
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
        waits: hv.domain.vcpus.filter((v) => v.initialised).map((v) => ({ domain: this.domain, vcpu: v.id, text: describeWait(hv, v) })),
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
    const waits = hv.domain.vcpus.filter((v) => v.initialised).map((v) => `vCPU ${v.id}: ${describeWait(hv, v)}`);
    const text = `for ${QUIET / 1e9} s of guest time the guest has only waited for its timers; without input it goes on like that. ${waits.join('; ')}`;
    hv.trace.emit('log', { domain: this.domain, vcpu: hv.current.id, by: 'simulator', text });
  }

  /** What the guest wrote to its console just before it ended is read all the same. */
  private finishEnding(): void {
    if (this.hv.domain.ending) this.console?.work();
  }

  inject(input: MachineInput): void {
    this.hv.progress++;
    this.inputLog.push({ icount: this.hv.icount, time: this.hv.now(), input });
    if (this.console) {
      this.console.input(input.bytes);
      return;
    }
    for (const byte of input.bytes) this.hv.consoleIn.push(byte);
    this.hv.domain.events.raiseVirq(VIRQ_CONSOLE, 0);
  }

  vcpus(): readonly VcpuView[] {
    return this.hv.domain.vcpus.map((v) => ({
      domain: this.domain,
      vcpu: v.id,
      state: !v.up ? 'down' : v.wait ? 'blocked' : v === this.hv.current ? 'running' : 'runnable',
      inKernel: v.kernelMode,
    }));
  }

  currentVcpu(): number {
    return this.hv.current.id;
  }

  private vcpu(id: number): VcpuState {
    const vcpu = this.hv.domain.vcpus[id];
    if (!vcpu) throw new RangeError(`there is no vCPU ${id}; the domain has ${this.hv.domain.vcpus.length}`);
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

  setBreakpoints(addresses: readonly VirtualAddress[]): void {
    this.engine.setBreakpoints(addresses);
  }

  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.engine.setWatchpoints(watchpoints);
    this.watchpoints = watchpoints.map(({ id }) => id);
  }

  private watched(vcpu: VcpuState, exit: Exit): RunResult {
    const hits = exit.watch.map(({ watchpoint, address, size, access, before, after }) => ({
      ...{ id: this.watchpoints[watchpoint]!, address: asVirtual(address), length: size },
      ...{ access, before, after },
    }));
    return { kind: 'watch', vcpu: vcpu.id, instruction: asVirtual(exit.instruction), hits };
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
    return { instructions: this.hv.icount, hypercalls: this.hv.domain.hypercalls };
  }

  hypercallPage(): VirtualAddress | null {
    return this.page;
  }

  vcpuInfo(vcpu: number): VcpuInfoView | null {
    const info = this.hv.vcpuInfo(this.vcpu(vcpu));
    const view = new StructView('vcpu_info', this.bits, info);
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

  stateHash(): string {
    return hashMachine(this.hv, this.engine, this.console);
  }
}
