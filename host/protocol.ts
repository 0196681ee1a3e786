// The machine protocol: what clients (debug session, views, CLI) say to a machine host and hear from it. Types only, plain
// JSON: addresses and register values are lower-case `0x…` strings, bytes are base64, counts are numbers.

import type { GrantView } from '../simulator/machine-types.ts';
import type { TraceKind, TraceRecord } from '../simulator/trace/records.ts';

export type { TraceKind, TraceRecord };

/** A record with the guest's source line that made the call: of a stub in the hypercall page, its caller. */
export type TracedRecord = TraceRecord & {
  readonly source?: { readonly path: string; readonly line: number; readonly column?: number; readonly name?: string };
};

/** One domain of a machine. */
export interface LaunchDomain {
  /** Path of the kernel image: ELF, plain or gzip. */
  readonly program: string;
  readonly cmdline: string;
  readonly ramdisk: string | null;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly dom0: boolean;
  readonly tsc: 'emulate' | 'native';
  readonly name?: string;
  /** Share of the processor (256 unless given), and its most in per cent (0: no limit). */
  readonly weight?: number;
  readonly cap?: number;
}

/** The machine, with its first (mostly only) domain. */
export interface LaunchParameters extends LaunchDomain {
  /** The domains besides the first. */
  readonly domains?: readonly LaunchDomain[];
  readonly cpu: 'amd' | 'intel';
  readonly tier1: boolean;
  readonly pace: Pace;
  /** Where long hypercalls are interrupted; what becomes of entries that the L1TF flaw leaks through: 'off' unless given. */
  readonly preemption?: 'off' | 'normal' | 'every-step';
  readonly l1tf?: 'off' | 'warn' | 'crash';
  /** Hypercalls between two sweeps of the invariant checker, which is off unless given. */
  readonly check?: number;
}

/** `real`: guest time never runs ahead of wall time. `fast`: a blocked machine jumps to its next event. */
export type Pace = 'fast' | 'real';

export interface MachineInfo {
  readonly program: string;
  readonly domain: number;
  readonly bits: 64 | 32;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly dom0: boolean;
  readonly cpu: 'amd' | 'intel';
  readonly pace: Pace;
  readonly state: 'stopped' | 'running' | 'ended';
  readonly instructions: number;
  readonly hypercalls: number;
  /** Guest time in ns. */
  readonly clock: number;
}

export interface DomainInfo {
  readonly id: number;
  readonly name: string;
  readonly dom0: boolean;
  readonly state: 'runs' | 'paused' | 'shut down' | 'crashed' | 'dying';
  readonly hypercalls: number;
  /** Numbers of its vCPUs in the machine. */
  readonly vcpus: readonly number[];
}

export interface VcpuInfo {
  /** Its number in the machine, by which requests name it, and its domain with its number there. */
  readonly vcpu: number;
  readonly domain: number;
  readonly number: number;
  readonly state: 'running' | 'runnable' | 'blocked' | 'down';
  readonly inKernel: boolean;
  readonly rip: string;
  readonly location: SourceLocation | null;
}

export interface SourceLocation {
  readonly function: string | null;
  /** Offset from the function's start in bytes. */
  readonly offset: number | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** How a machine ended, as the CLI's exit codes tell it too. */
export type EndingInfo = {
  readonly kind: 'poweroff' | 'reboot' | 'suspend' | 'watchdog' | 'soft-reset' | 'crash' | 'terminated';
  /** In words; for a crash with the refusal explained. */
  readonly text: string;
  /** 0 power-off, 3 crash or watchdog, 6 reboot, suspend or soft reset, 130 ended by the user. */
  readonly exitCode: number;
};

export type StopInfo =
  | { readonly kind: 'entry' | 'pause' | 'step'; readonly vcpu: number }
  | { readonly kind: 'breakpoint'; readonly vcpu: number; readonly address: string; readonly ids: readonly number[] }
  | {
      /** Behind an instruction that accessed watched memory; bytes in hexadecimal. */
      readonly kind: 'data';
      readonly vcpu: number;
      readonly instruction: string;
      readonly accesses: readonly {
        readonly address: string;
        readonly length: number;
        readonly access: 'read' | 'write' | 'update';
        readonly before: string;
        readonly after: string;
      }[];
      readonly ids: readonly number[];
    }
  | {
      readonly kind: 'record';
      readonly vcpu: number;
      readonly record: TraceRecord;
      readonly ids: readonly number[];
      readonly filters: readonly string[];
    }
  | { readonly kind: 'crash'; readonly vcpu: number; readonly ending: EndingInfo };

export interface TraceSubscription {
  readonly kinds: readonly TraceKind[] | 'all';
  /** Records kept for one batch, 1 to 10,000, default 500; what exceeds it is dropped and counted. */
  readonly batch?: number;
}

interface Empty {
  readonly [name: string]: never;
}
interface OfVcpu {
  /** Default: the vCPU that ran last. */
  readonly vcpu?: number;
}

/** Every request: its parameters and its result. */
export interface MachineRequests {
  info: { params: Empty; result: MachineInfo };
  domains: { params: Empty; result: readonly DomainInfo[] };
  vcpus: { params: Empty; result: readonly VcpuInfo[] };
  continue: { params: Empty; result: Empty };
  pause: { params: Empty; result: Empty };
  step: {
    params: OfVcpu & { readonly kind: 'in' | 'over' | 'out'; readonly granularity: 'line' | 'instruction' };
    result: Empty;
  };
  setPace: { params: { readonly pace: Pace }; result: Empty };
  terminate: { params: Empty; result: Empty };
  registers: { params: OfVcpu; result: { readonly [name: string]: string } };
  setRegister: { params: OfVcpu & { readonly name: string; readonly value: string }; result: Empty };
  readMemory: {
    params: OfVcpu & { readonly address: string; readonly length: number };
    /** Stops at the first unmapped page: `bytes` may be shorter than asked. */
    result: { readonly address: string; readonly bytes: string; readonly unreadable: number };
  };
  writeMemory: { params: OfVcpu & { readonly address: string; readonly bytes: string }; result: { readonly written: number } };
  walk: { params: OfVcpu & { readonly address: string }; result: WalkInfo };
  /** By the symbols of the vCPU's domain. */
  locate: { params: OfVcpu & { readonly address: string }; result: SourceLocation };
  input: { params: { readonly domain?: number; readonly bytes: string }; result: Empty };
  subscribe: { params: TraceSubscription; result: Empty };
  unsubscribe: { params: Empty; result: Empty };
  recent: { params: { readonly limit: number }; result: { readonly records: readonly TraceRecord[]; readonly dropped: number } };
  /** Grants of all domains that are given or in use: who granted, where and when, who maps them, and what of it looks like a leak. */
  grants: { params: Empty; result: { readonly grants: readonly GrantView[]; readonly leaks: readonly string[] } };
  stateHash: { params: Empty; result: { readonly hash: string } };
}

export interface WalkInfo {
  readonly steps: readonly { readonly level: number; readonly mfn: string; readonly index: number; readonly entry: string }[];
  /** Machine byte address; null when the walk ends in a not-present entry. */
  readonly machine: string | null;
}

export type MachineMethod = keyof MachineRequests;
export type Params<M extends MachineMethod> = MachineRequests[M]['params'];
export type Result<M extends MachineMethod> = MachineRequests[M]['result'];

/** A request as it travels: over a socket with `id`, through DAP's `hyperport.machine` without. */
export type MachineRequest = { [M in MachineMethod]: { readonly method: M; readonly params: Params<M> } }[MachineMethod];

export type MachineEvent =
  | { readonly event: 'stopped'; readonly stop: StopInfo }
  | { readonly event: 'continued' }
  | { readonly event: 'console'; readonly domain: number; readonly bytes: string }
  /** `dropped`: records that the subscriber did not get since the batch before. */
  | { readonly event: 'trace'; readonly records: readonly TracedRecord[]; readonly dropped: number }
  /** What the host has to say to a person: deadlock, a condition that cannot be evaluated, a log message. */
  | { readonly event: 'message'; readonly category: 'important' | 'info' | 'log'; readonly text: string }
  | { readonly event: 'ended'; readonly ending: EndingInfo };

/** Messages of a transport that carries the protocol alone. */
export type WireMessage =
  | ({ readonly type: 'request'; readonly id: number } & MachineRequest)
  | { readonly type: 'response'; readonly id: number; readonly result: unknown }
  | { readonly type: 'error'; readonly id: number; readonly message: string }
  | ({ readonly type: 'event' } & MachineEvent);

/** DAP custom events and requests that carry it in a debug session. */
export interface ConsoleEventBody {
  readonly domain: number;
  readonly bytes: string;
}
export interface TraceEventBody {
  readonly records: readonly TracedRecord[];
  readonly dropped: number;
}
export interface InputArguments {
  readonly domain?: number;
  readonly bytes: string;
}
export interface SubscribeArguments {
  readonly kinds: readonly TraceKind[] | 'all';
  readonly batch?: number;
}
export interface InfoBody {
  readonly domains: readonly number[];
  readonly bits: 64 | 32;
  /** Path of the kernel. */
  readonly kernel: string;
  readonly icount: number;
}
