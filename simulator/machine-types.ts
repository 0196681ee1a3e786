// The face of the simulated machine: what host/ and cli/ may know of it. Implemented by machine.ts.
// The machine is a value: nothing inside reads a clock, a random source or a file; input enters through inject().

import type { Mfn, VirtualAddress } from '../abi/address.ts';
import type { Refusal } from '../abi/refusal.ts';
import type { DomainState } from '../explain/state/types.ts';
import type { PreemptionMode } from './memory/preemption.ts';
import type { TraceKind, TraceRecord } from './trace/records.ts';

export type CpuModelName = 'amd' | 'intel';

/** One domain of a machine. */
export interface DomainConfig {
  /** Kernel image: ELF, or one in gzip, xz or a bzImage. */
  readonly kernel: Uint8Array;
  readonly cmdline: string;
  readonly ramdisk?: Uint8Array;
  /** Guest memory in MiB, 1 to 3072. */
  readonly memoryMib: number;
  /** 1 to 32. */
  readonly vcpus: number;
  readonly dom0: boolean;
  readonly tsc: 'emulate' | 'native';
  /** As the user and XenStore call it; 'guest' unless given, from the second domain on with the id behind it. */
  readonly name?: string;
  /** XenStore nodes of a domU that the toolstack wrote besides its usual ones: below the domain's directory ('device/vbd/51712/state',
   * the domain's own), or anywhere ('/local/domain/0/backend/…', which it may read). */
  readonly store?: Readonly<Record<string, string>>;
  /** Share of the processor among domains that want it (256 unless given), and its most in per cent (0: no limit). */
  readonly weight?: number;
  readonly cap?: number;
}

/** The machine, with its first (mostly only) domain. */
export interface MachineConfig extends DomainConfig {
  /** The domains besides the first. Those that are not dom0 have the ids 1, 2, … in this order. */
  readonly domains?: readonly DomainConfig[];
  /** Room for domains that dom0 makes: memory in MiB, and vCPUs. None unless given. */
  readonly spare?: { readonly memoryMib: number; readonly vcpus: number };
  readonly cpu: CpuModelName;
  /** Hot code is translated (default); off, everything is interpreted: slower, and the same in every other respect. */
  readonly tier1?: boolean;
  /** Where long hypercalls are interrupted and continued; 'off' unless given. */
  readonly preemption?: PreemptionMode;
  /** What becomes of not-present page-table entries through which a processor with the L1TF flaw leaks memory: 'off' (the processor
   * has none, as unless given), 'warn' (Xen says so and goes on), 'crash' (a Xen without shadow paging ends the domain). */
  readonly l1tf?: 'off' | 'warn' | 'crash';
  /** Checks the machine's own rules after each hypercall, and all of it every so many; a broken one throws. For tests. */
  readonly invariants?: { readonly everyCalls: number };
  /** Wall clock at icount 0 in seconds since 1970; fixed unless given, so that a run repeats. */
  readonly wallclockSeconds?: number;
}

/** What the user may do about a kernel that cannot be built: thrown by createMachine. Message in full sentences, no stack shown. */
export class KernelImageError extends Error {
  override name = 'KernelImageError';
  /** Which domain's kernel it is, by its place in the configuration. */
  configured = 0;
}

/** How one domain of several ended. */
export interface DomainEnding {
  readonly domain: number;
  readonly ending: Ending;
}

/** vCPUs are numbered over the whole machine here: `VcpuView.id`. */
export type RunResult =
  /** The instruction limit or the time limit was reached. */
  | { readonly kind: 'budget' }
  /** About to execute an instruction that has a breakpoint. */
  | { readonly kind: 'breakpoint'; readonly vcpu: number; readonly address: VirtualAddress }
  /** An instruction accessed watched memory and is done (of a rep: the iteration): rip lies behind it. */
  | { readonly kind: 'watch'; readonly vcpu: number; readonly instruction: VirtualAddress; readonly hits: readonly WatchedAccess[] }
  /** `stopWhen` said yes to this record. For 'hypercall-entry' the call has not been carried out yet: run() goes on with it. */
  | { readonly kind: 'record'; readonly vcpu: number; readonly record: TraceRecord }
  /** Every vCPU is blocked and no timer is pending: only input can go on. */
  | { readonly kind: 'idle'; readonly waits: readonly WaitReason[] }
  /** A domain ended while others can go on: told once for each, run() goes on with the others. */
  | ({ readonly kind: 'domain-ended' } & DomainEnding)
  /** The machine ended: dom0 did, or where there is none every domain; the ending is dom0's, else the first crash, else the first domain's.
   * Further run() calls return the same. */
  | { readonly kind: 'ended'; readonly ending: Ending };

/** Memory that stops the machine when a guest's instruction accesses it, on any vCPU and in any address space of a domain. */
export interface Watchpoint {
  readonly id: number;
  /** The first one unless given. */
  readonly domain?: number;
  readonly address: VirtualAddress;
  /** Bytes: 1 to 4096. */
  readonly length: number;
  /** access: reads and writes. */
  readonly access: 'read' | 'write' | 'access';
}
export interface WatchedAccess {
  /** The watchpoint's. */
  readonly id: number;
  /** The access: where, how many bytes, how (update: one instruction read and wrote it), and the bytes around the instruction. */
  readonly address: VirtualAddress;
  readonly length: number;
  readonly access: 'read' | 'write' | 'update';
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export interface WaitReason {
  readonly domain: number;
  readonly vcpu: number;
  /** In words: 'SCHEDOP_block since instruction 1,234; ports bound: 1 (store), 2 (console); event mask 0'. */
  readonly text: string;
}

export type Ending =
  | { readonly kind: 'poweroff' | 'reboot' | 'suspend' | 'watchdog' | 'soft-reset' }
  /** The guest asked for SHUTDOWN_crash, or Xen killed it. */
  | { readonly kind: 'crash'; readonly reason: string; readonly refusal?: Refusal; readonly vcpu: number };

export interface RunLimits {
  /** At most so many instructions in this call. */
  readonly instructions: number;
  /** Guest time in ns (clock()) that a blocked machine must not jump beyond; none: it jumps to its next event at once. */
  readonly untilTime?: number;
}

/** All general state of one vCPU. 64-bit values unsigned. */
export interface Registers {
  rax: bigint;
  rcx: bigint;
  rdx: bigint;
  rbx: bigint;
  rsp: bigint;
  rbp: bigint;
  rsi: bigint;
  rdi: bigint;
  r8: bigint;
  r9: bigint;
  r10: bigint;
  r11: bigint;
  r12: bigint;
  r13: bigint;
  r14: bigint;
  r15: bigint;
  rip: bigint;
  rflags: bigint;
  cs: number;
  ss: number;
  ds: number;
  es: number;
  fs: number;
  gs: number;
  fsBase: bigint;
  gsBase: bigint;
  gsBaseKernel: bigint;
  gsBaseUser: bigint;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
}
export type RegisterName = keyof Registers;

/** One level of a page walk, from the top. */
export interface WalkStep {
  readonly level: number;
  readonly mfn: Mfn;
  readonly index: number;
  readonly entry: bigint;
}
export interface Walk {
  readonly steps: readonly WalkStep[] /** Machine byte address, absent when the walk ends in a not-present entry. */;
  readonly machine?: number;
}

export type MachineInput = { readonly kind: 'console'; readonly domain: number; readonly bytes: Uint8Array };

export interface VcpuView {
  /** Its number in the machine. In a machine of one domain the same as `vcpu`. */
  readonly id: number;
  readonly domain: number;
  /** Its number in its domain. */
  readonly vcpu: number;
  readonly state: 'running' | 'runnable' | 'blocked' | 'down';
  readonly inKernel: boolean;
}

export interface DomainView {
  readonly id: number;
  readonly name: string;
  readonly dom0: boolean;
  readonly bits: 64 | 32;
  readonly state: 'runs' | 'paused' | 'shut down' | 'crashed' | 'dying';
  readonly ending: Ending | null;
  readonly hypercalls: number;
  /** Its place in the configuration (0: the first one); null when dom0 made it. */
  readonly configured: number | null;
  /** Numbers of its vCPUs in the machine. */
  readonly vcpus: readonly number[];
  /** Virtual address of the hypercall page, where the kernel has one: its stubs have no debug information. */
  readonly hypercallPage: VirtualAddress | null;
}

/** The vCPU's live vcpu_info page. */
export interface VcpuInfoView {
  readonly upcallPending: boolean;
  readonly upcallMask: boolean;
  readonly pendingSel: bigint;
  readonly archCr2: bigint;
}

/** What the guest registered with set_callbacks and set_trap_table. */
export interface CallbackView {
  readonly event: VirtualAddress | null;
  readonly failsafe: VirtualAddress | null;
  readonly traps: readonly { readonly vector: number; readonly address: VirtualAddress }[];
}

/** A moment in a guest's code: the instruction count, and the address (of a call through the hypercall page, its caller's). */
export interface CodeMoment {
  readonly icount: number;
  readonly rip: string;
}

/** One mapping of a grant. */
export interface GrantMapView {
  /** Who maps it, under which handle. */
  readonly domain: number;
  readonly handle: number;
  readonly writable: boolean;
  readonly kinds: readonly ('host' | 'device')[];
  readonly mapped: CodeMoment;
  /** The entry that maps it was replaced without an unmap: it can never be undone. */
  readonly overwritten?: CodeMoment;
}

/** A grant that is given or in use. */
export interface GrantView {
  readonly granting: number;
  readonly ref: number;
  /** Whom it is granted to. */
  readonly to: number;
  /** mapped: in use (also by a back end of the simulator); granted: nobody uses it; offered: to take a frame. */
  readonly state: 'mapped' | 'granted' | 'offered';
  /** In use although the guest ended it. */
  readonly takenBack: boolean;
  /** One of the eight references of the toolstack (console, XenStore). */
  readonly ofToolstack: boolean;
  readonly mfn?: string;
  /** The store by which the guest granted it; absent where Xen's builder did, or nobody saw it. */
  readonly granted?: CodeMoment;
  readonly maps: readonly GrantMapView[];
}

export interface Machine {
  readonly config: MachineConfig;
  /** Id of the first (mostly only) domain: 0 for dom0, else 1. */
  readonly domain: number;
  /** 64 or 32: mode of the guest kernel. */
  readonly bits: 64 | 32;

  /** Instructions executed so far by all vCPUs. */
  icount(): number;
  /** Guest time in ns: icount plus what blocked machines jumped over. */
  clock(): number;
  run(limits: RunLimits): RunResult;
  /** For sinks, which are called during run(): ends it with 'budget' as soon as what happens at this instruction is complete. */
  interrupt(): void;
  /** Queues input; it is logged with the instruction count at which it arrived. */
  inject(input: MachineInput): void;

  /** Every domain that there is, by id. */
  domains(): readonly DomainView[];
  /** Those of all domains, by domain. */
  vcpus(): readonly VcpuView[];
  /** The number in the machine of a domain's vCPU, as trace records name it; null when there is none (any more). */
  vcpuOf(domain: number, vcpu: number): number | null;
  /** The vCPU that runs now or ran last. */
  currentVcpu(): number;
  registers(vcpu: number): Registers;
  setRegister(vcpu: number, name: RegisterName, value: bigint): void;

  /** Reads guest virtual memory through the vCPU's current page tables without side effects; stops at the first unmapped page. */
  readMemory(vcpu: number, address: VirtualAddress, length: number): Uint8Array;
  /** A debugger's write: ignores write protection, never page tables' type rules; returns bytes written (0 when refused). */
  writeMemory(vcpu: number, address: VirtualAddress, bytes: Uint8Array): number;
  walk(vcpu: number, address: VirtualAddress): Walk;

  /** Replaces the set of watchpoints. Stores by the hypervisor (answers of hypercalls, shared pages) do not count.
   * Throws RangeError for a length outside 1 to 4096. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void;
  /** Replaces a domain's set of instruction breakpoints (virtual addresses; of the first domain unless given). run() does not stop again
   * at the one it stands on. */
  setBreakpoints(addresses: readonly VirtualAddress[], domain?: number): void;
  /** Called for every record of the kinds given; true stops the machine at that point. */
  stopWhen(kinds: readonly TraceKind[], predicate: ((record: TraceRecord) => boolean) | null): void;
  /** Called for every record of the kinds given, in order. Returns a function that ends it. */
  subscribe(kinds: readonly TraceKind[] | 'all', sink: (record: TraceRecord) => void): () => void;
  /** The last records in the ring, oldest first, and how many were dropped before them. */
  recent(limit: number): { readonly records: readonly TraceRecord[]; readonly dropped: number };
  /** Guest console output, as it leaves the ring or console_io. */
  onConsole(sink: (domain: number, bytes: Uint8Array) => void): void;
  /** Over all domains. */
  counters(): { readonly instructions: number; readonly hypercalls: number };
  /** The first domain's. */
  hypercallPage(): VirtualAddress | null;
  /** Null before the guest has a vcpu_info for it. */
  vcpuInfo(vcpu: number): VcpuInfoView | null;
  callbacks(vcpu: number): CallbackView;
  /** Event channels, XenStore, console and start_info of a domain (the first one unless given), for explain/state; null: there is none. */
  report(domain?: number): DomainState | null;
  /** All grants that are given or in use, by domain and reference. */
  grants(): readonly GrantView[];
  /** Hex digest of the state as the design defines it. */
  stateHash(): string;
}
