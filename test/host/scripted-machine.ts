// A machine that implements the Machine interface over a program of a few made-up instructions: enough to test run control,
// stepping and breakpoints without an engine. One instruction is 4 bytes long.

import { asMfn, type VirtualAddress } from '../../abi/address.ts';
import type {
  Ending,
  Machine,
  MachineConfig,
  MachineInput,
  RegisterName,
  Registers,
  RunLimits,
  RunResult,
} from '../../simulator/machine-types.ts';
import type { Args, TraceKind, TraceRecord } from '../../simulator/trace/records.ts';

export type Op =
  | { readonly op: 'nop' | 'ret' | 'wait-input' }
  | { readonly op: 'jump' | 'call'; readonly to: number }
  /** Blocks for so many ns of guest time. */
  | { readonly op: 'block'; readonly ns: number }
  | {
      readonly op: 'hypercall';
      readonly name: string;
      readonly operation?: string;
      readonly args?: Args;
      readonly ret: number;
      readonly reason?: string;
      readonly unimplemented?: true;
    }
  | { readonly op: 'end'; readonly ending: Ending };

export const nop: Op = { op: 'nop' };
const zero: Registers = {
  ...{
    rax: 0n,
    rcx: 0n,
    rdx: 0n,
    rbx: 0n,
    rsp: 0x8000n,
    rbp: 0n,
    rsi: 0n,
    rdi: 0n,
    r8: 0n,
    r9: 0n,
    r10: 0n,
    r11: 0n,
    r12: 0n,
    r13: 0n,
    r14: 0n,
    r15: 0n,
  },
  ...{
    rip: 0x1000n,
    rflags: 0x202n,
    cs: 0xe033,
    ss: 0xe02b,
    ds: 0,
    es: 0,
    fs: 0,
    gs: 0,
    fsBase: 0n,
    gsBase: 0n,
    gsBaseKernel: 0n,
    gsBaseUser: 0n,
  },
  ...{ cr0: 0x80050033n, cr2: 0n, cr3: 0n, cr4: 0x660n },
};

type Bare<T> = T extends TraceRecord ? Omit<T, 'n' | 'icount' | 'domain' | 'vcpu'> : never;

export class ScriptedMachine implements Machine {
  readonly config: MachineConfig = {
    kernel: new Uint8Array(),
    cmdline: '',
    memoryMib: 1,
    vcpus: 1,
    dom0: false,
    cpu: 'amd',
    tsc: 'emulate',
    tier1: true,
  };
  readonly domain = 1;
  readonly bits = 64;
  /** icount at which an upcall to 0x9000 is delivered. */
  upcallAt = -1;
  /** Wall clock that run() moves: ms for each million instructions. */
  onRun: (instructions: number) => void = () => {};
  readonly runs: RunLimits[] = [];
  private readonly program = new Map<number, Op>();
  private readonly memory = new Map<bigint, bigint>();
  private state: Registers = { ...zero };
  private executed = 0;
  private time = 0;
  private made: TraceRecord[] = [];
  private wakeAt: number | null = null;
  private input: MachineInput[] = [];
  private addresses = new Set<bigint>();
  private reported: bigint | null = null;
  private entered = false;
  private watch: { kinds: readonly TraceKind[]; predicate: ((record: TraceRecord) => boolean) | null } = { kinds: [], predicate: null };
  private readonly sinks = new Set<{ kinds: readonly TraceKind[] | 'all'; sink: (record: TraceRecord) => void }>();
  private ending: Ending | null = null;
  private upcall: { rip: bigint; rsp: bigint } | null = null;

  constructor(code: { readonly [address: number]: readonly Op[] }) {
    for (const [start, ops] of Object.entries(code)) for (const [i, op] of ops.entries()) this.program.set(Number(start) + 4 * i, op);
  }

  icount = (): number => this.executed;
  interrupt = (): void => {};
  clock = (): number => this.time;
  inject = (input: MachineInput): void => void this.input.push(input);
  domains = () => [];
  vcpuOf = () => 0;
  vcpus = () => [{ id: 0, domain: 1, vcpu: 0, state: 'running' as const, inKernel: true }];
  currentVcpu = (): number => 0;
  registers = (): Registers => ({ ...this.state });
  setRegister(_vcpu: number, name: RegisterName, value: bigint): void {
    Object.assign(this.state, { [name]: value });
  }
  walk = () => ({ steps: [{ level: 4, mfn: asMfn(1), index: 0, entry: 0n }] });
  onConsole = (): void => {};
  counters = () => ({ instructions: this.executed, hypercalls: 0 });
  hypercallPage = () => null;
  vcpuInfo = () => null;
  callbacks = () => ({ event: null, failsafe: null, traps: [] });
  report = (): null => null;
  grants = () => [];
  stateHash = (): string => `${this.executed}`;
  setWatchpoints(): void {}

  setBreakpoints(addresses: readonly VirtualAddress[]): void {
    this.addresses = new Set(addresses);
  }
  recent = (limit: number) => ({ records: this.made.slice(-limit), dropped: 0 });
  stopWhen(kinds: readonly TraceKind[], predicate: ((record: TraceRecord) => boolean) | null): void {
    this.watch = { kinds, predicate };
  }

  subscribe(kinds: readonly TraceKind[] | 'all', sink: (record: TraceRecord) => void): () => void {
    const entry = { kinds, sink };
    this.sinks.add(entry);
    return () => this.sinks.delete(entry);
  }

  readMemory(_vcpu: number, address: VirtualAddress, length: number): Uint8Array {
    const bytes = new Uint8Array(address < 0x10000n ? length : 0);
    for (let i = 0; i < bytes.length; i++) {
      const at = address + BigInt(i);
      bytes[i] = Number(((this.memory.get(at & ~7n) ?? 0n) >> (8n * (at & 7n))) & 0xffn);
    }
    return bytes;
  }
  writeMemory = (): number => 0;

  run(limits: RunLimits): RunResult {
    this.runs.push(limits);
    const end = this.executed + limits.instructions;
    const result = this.runUntil(end, limits.untilTime ?? Number.POSITIVE_INFINITY);
    this.onRun(limits.instructions);
    return result;
  }

  private runUntil(end: number, untilTime: number): RunResult {
    if (this.ending) return { kind: 'ended', ending: this.ending };
    while (this.executed < end) {
      const blocked = this.blocked(untilTime);
      if (blocked) return blocked;
      if (this.executed === this.upcallAt && this.deliver()) return this.recordResult();
      const { rip } = this.state;
      if (this.addresses.has(rip) && this.reported !== rip) {
        this.reported = rip;
        return { kind: 'breakpoint', vcpu: 0, address: rip as VirtualAddress };
      }
      this.reported = null;
      const stop = this.step(this.program.get(Number(rip)) ?? nop);
      if (stop) return stop;
    }
    return { kind: 'budget' };
  }

  private blocked(untilTime: number): RunResult | null {
    if (this.program.get(Number(this.state.rip))?.op === 'wait-input' && !this.input.length)
      return { kind: 'idle', waits: [{ domain: 1, vcpu: 0, text: 'waits for input' }] };
    if (this.wakeAt === null) return null;
    this.time = Math.max(this.time, Math.min(this.wakeAt, untilTime));
    if (this.time < this.wakeAt) return { kind: 'budget' };
    this.wakeAt = null;
    return null;
  }

  private step(op: Op): RunResult | null {
    const next = this.state.rip + 4n;
    if (op.op === 'hypercall') return this.hypercall(op, next);
    this.executed++;
    this.time++;
    this.state.rip = next;
    if (op.op === 'jump') this.state.rip = BigInt(op.to);
    else if (op.op === 'call') {
      this.push(next);
      this.state.rip = BigInt(op.to);
    } else if (op.op === 'ret') this.popReturn();
    else if (op.op === 'block') this.wakeAt = this.time + op.ns;
    else if (op.op === 'wait-input') this.input.shift();
    else if (op.op === 'end') {
      this.state.rip = next - 4n;
      this.ending = op.ending;
      return { kind: 'ended', ending: op.ending };
    }
    return null;
  }

  private push(value: bigint): void {
    this.state.rsp -= 8n;
    this.memory.set(this.state.rsp, value);
  }

  private popReturn(): void {
    if (this.upcall && this.state.rsp === this.upcall.rsp - 40n) {
      Object.assign(this.state, this.upcall);
      this.upcall = null;
      return;
    }
    this.state.rip = this.memory.get(this.state.rsp) ?? 0n;
    this.state.rsp += 8n;
  }

  private deliver(): boolean {
    this.upcallAt = -1;
    this.upcall = { rip: this.state.rip, rsp: this.state.rsp };
    this.state.rsp -= 40n;
    this.state.rip = 0x9000n;
    return this.emit({ kind: 'upcall', ports: [3], virqs: ['VIRQ_TIMER'] });
  }

  private hypercall(op: Op & { op: 'hypercall' }, next: bigint): RunResult | null {
    const common = { nr: 26, name: op.name, operation: op.operation ?? null, args: op.args ?? {} };
    if (!this.entered) {
      this.entered = true;
      if (this.emit({ kind: 'hypercall-entry', ...common })) return this.recordResult();
    }
    this.entered = false;
    this.executed++;
    this.time++;
    this.state.rip = next;
    this.state.rax = BigInt.asUintN(64, BigInt(op.ret));
    const unimplemented = op.unimplemented ? { unimplemented: true as const } : {};
    return this.emit({ kind: 'hypercall', ...common, ret: op.ret, reason: op.reason ?? null, ...unimplemented })
      ? this.recordResult()
      : null;
  }

  private recordResult(): RunResult {
    return { kind: 'record', vcpu: 0, record: this.made[this.made.length - 1]! };
  }

  private emit(bare: Bare<TraceRecord>): boolean {
    const record = { n: this.made.length, icount: this.executed, domain: 1, vcpu: 0, ...bare } as TraceRecord;
    this.made.push(record);
    for (const { kinds, sink } of this.sinks) if (kinds === 'all' || kinds.includes(record.kind)) sink(record);
    return this.watch.kinds.includes(record.kind) && this.watch.predicate?.(record) === true;
  }
}
