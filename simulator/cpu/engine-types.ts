// The face of the CPU engine: an x86 processor that knows nothing of Xen. Division of labour: the engine executes, checks, counts and
// keeps machine state (registers, segment caches, TLBs, debug traps that are due); the host translates addresses, finds descriptors,
// delivers exceptions and interrupts, emulates what is privileged, and holds every policy (CR4, DR6, DR7, ports, MSRs). What a hypervisor does enters through `CpuHost`
// (translation, descriptors, cpuid) and through exits. All 64-bit addresses cross as two int32 halves on hot paths, as bigint elsewhere.

export type Bits = 64 | 32;
export const GprName = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
export type GprName = (typeof GprName)[number];

/** Segment register numbers of the instruction set. */
export const Segment = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5 } as const;
export type SegmentNumber = (typeof Segment)[keyof typeof Segment];

export const Access = { read: 0, write: 1, execute: 2 } as const;
export type AccessKind = (typeof Access)[keyof typeof Access];

/** TLB bank: kernel and user pages are cached apart, so that a privilege change needs no flush. */
export const Bank = { kernel: 0, user: 1 } as const;
export type BankNumber = (typeof Bank)[keyof typeof Bank];

/** Filled by CpuHost.translate. */
export interface Translation {
  /** Machine frame of the 4 KiB page (for a superpage: of the 4 KiB piece asked for). */
  mfn: number;
  /** Stores may go ahead without asking again: writable and D already set (after a write access: always true). */
  writable: boolean;
  /** When translate() returned false: the page fault's error code. */
  errorCode: number;
}

/** A descriptor as the segment registers cache it. */
export interface SegmentCache {
  base: bigint;
  /** In bytes, granularity applied. */
  limit: number;
  /** Bits 40 to 55 of the descriptor: type, S, DPL, P … AVL, L, D/B, G (bits 8 to 11, the limit's, are zero). */
  attributes: number;
}

export type SegmentLoad =
  | { readonly ok: true; readonly cache: SegmentCache }
  | { readonly ok: false; readonly vector: number; readonly errorCode: number };

/** System instructions that reveal state to unprivileged code (no UMIP). */
export type SensitiveStore = 'sgdt' | 'sidt' | 'sldt' | 'str' | 'smsw';

/** What a segment register is loaded for. `jump`: cs by a far jump or call; `return`: cs by iret or a far return; load: all others. */
export type LoadReason = 'load' | 'jump' | 'return';

export interface CpuHost {
  /** Called on a miss of the data or instruction TLB with a canonical address. Walks the guest's page tables, sets A and D,
   * fills `out`; false: page fault with out.errorCode. May not flush TLBs or change registers. */
  translate(vcpu: number, vaLo: number, vaHi: number, access: AccessKind, bank: BankNumber, out: Translation): boolean;
  /** Unprivileged cpuid: returns four int32 registers (may reuse one array). */
  cpuid(vcpu: number, leaf: number, subleaf: number): { eax: number; ebx: number; ecx: number; edx: number };
  /** Time stamp counter; `executed`: instructions of this run() so far. */
  tsc(vcpu: number, executed: number): bigint;
  /** A segment register load (mov, pop, lds …, far transfers), never with a null selector. `cpl`: the privilege level that it is
   * checked for, in a return the one returned to. The engine has checked that a return goes to no higher privilege; all else (table,
   * type, DPL and RPL, presence) is the host's: `checkSegmentLoad` of descriptors.ts does it. Sets the descriptor's accessed bit. */
  loadSegment(vcpu: number, segment: SegmentNumber, selector: number, cpl: number, how: LoadReason): SegmentLoad;
  /** lar, lsl, verr, verw: the descriptor's raw 64 bits, null when the selector is outside its table. */
  readDescriptor(vcpu: number, selector: number): bigint | null;
  /** sgdt/sidt: 10 bytes as limit | base << 16; sldt, str, smsw: the value. */
  sensitive(vcpu: number, what: SensitiveStore): bigint;
}

export type ExitKind =
  /** The budget is used up. */
  | 'budget'
  /** Fault (rip at the instruction, state before it) or debug trap (vector 1, rip after the instruction): see `dr6`. In the flags that
   * it saves the processor sets RF for every fault but those of vector 1. */
  | 'exception'
  /** syscall, sysenter: rip after it, nothing else changed (rcx, r11 are the host's to set). */
  | 'syscall'
  | 'sysenter'
  /** int n, int3, into, int1: rip after it; `vector` says which. The host checks gates and privilege; to fault instead, set rip = `instruction`. */
  | 'interrupt'
  /** hlt at CPL 0 (at CPL > 0 it is #GP). */
  | 'hlt'
  /** About to execute an instruction that has a breakpoint. */
  | 'breakpoint'
  /** An instruction accessed watched memory and is done (of a rep: the iteration): rip after it, `watch` says what it did. */
  | 'watch';

/** One object per engine, overwritten by every run(). */
export interface Exit {
  kind: ExitKind;
  /** exception, interrupt: vector number. */
  vector: number;
  /** exception: error code, -1 where the vector has none. */
  errorCode: number;
  /** exception 14: faulting address. */
  cr2: bigint;
  /** Instructions executed by this run(): each rep iteration 1, a faulting instruction 0, syscall and int n 1. */
  executed: number;
  /** Address of the instruction that caused the exit. */
  instruction: bigint;
  /** Length of that instruction in bytes (0 when it could not be fetched). */
  length: number;
  /** exception 1: the bits of DR6 that the processor sets, B0 to B3 and BS. A data breakpoint and a single step are traps (rip after
   * the instruction), an instruction breakpoint is a fault. 0 for every other exit. */
  dr6: number;
  /** watch: the accesses, in order; empty for every other exit. */
  watch: readonly WatchHit[];
  /** exception 6 for an instruction of the table that this engine cannot execute yet: its mnemonic. */
  unsupported: string | null;
}

/** Memory that stops the run when it is accessed. */
export interface Watchpoint {
  /** Linear address, in every address space. */
  readonly address: bigint;
  /** Bytes: 1 to 4096. */
  readonly length: number;
  /** access: both reads and writes. */
  readonly access: 'read' | 'write' | 'access';
}

export interface WatchHit {
  /** Index into the list of setWatchpoints. */
  readonly watchpoint: number;
  /** Linear address and size in bytes of the access (not of the watchpoint). */
  readonly address: bigint;
  readonly size: number;
  /** update: one instruction both read and wrote it. */
  readonly access: 'read' | 'write' | 'update';
  /** Its bytes before and after the instruction. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** What decides how code is decoded and where it may go: the mode key. Guests above ring 0 in long mode run now (64-bit code, and 32-bit
 * code at ring 1 and 3). Kept open: 16-bit code (refused by name in exit.unsupported), ring 0 (privileged instructions refused likewise),
 * unpaged and second-stage translation (both are the host's translate() already; only `bank` would grow). */
export interface ModeState {
  bits: Bits;
  /** Current privilege level, 0 to 3. */
  cpl: number;
  bank: BankNumber;
}

export type DebugRegister = 0 | 1 | 2 | 3 | 7;

export interface Vcpu {
  readonly id: number;
  /** General registers by number 0..15 (rax rcx rdx rbx rsp rbp rsi rdi r8 …). */
  reg(n: number): bigint;
  setReg(n: number, value: bigint): void;
  /** Low and high half as int32: cheap. */
  regLo(n: number): number;
  regHi(n: number): number;
  /** Both halves at once. */
  setRegPair(n: number, lo: number, hi: number): void;
  get(name: GprName): bigint;
  set(name: GprName, value: bigint): void;
  rip: bigint;
  ripLo(): number;
  ripHi(): number;
  setRipPair(lo: number, hi: number): void;
  /** Complete, lazy flags materialised; bit 1 always set. */
  rflags: number;
  cr2: bigint;
  /** Selector only (no descriptor load): what mov r, seg shows. */
  selector(segment: SegmentNumber): number;
  /** Sets selector and cached descriptor without any check. */
  setSegment(segment: SegmentNumber, selector: number, cache: SegmentCache): void;
  segment(segment: SegmentNumber): SegmentCache;
  /** Cached base only: wrmsr FS_BASE, set_segment_base. */
  setBase(segment: SegmentNumber, base: bigint): void;
  base(segment: SegmentNumber): bigint;
  mode(): ModeState;
  /** Sets bits, privilege and TLB bank. Does not flush. */
  setMode(mode: ModeState): void;
  /** rdtsc raises #GP (CR4.TSD) when true. */
  trapTsc: boolean;
  /** CR0.TS: x87, MMX, SSE instructions and fwait raise #NM when true. */
  fpuDisabled: boolean;
  /** A copy of the x87, MMX and SSE registers in the layout of fxsave64: 512 bytes; mxcsr at 24, st(n) or mmn at 32 + 16 n, xmmn at 160 + 16 n. */
  fpuImage(): Uint8Array;
  setFpuImage(image: Uint8Array): void;

  /** CR0.AM: with the AC flag, misaligned accesses at CPL 3 raise #AC (17, error code 0). Costs nothing while AC is clear. */
  alignmentMask: boolean;
  /** Debug registers 0 to 3 (linear addresses) and 7. The engine compares and reports by exit.dr6; DR6 itself, and which values a
   * guest may write, are the host's. Instruction and data breakpoints; I/O breakpoints never match, as no in or out completes here. */
  debugRegister(n: DebugRegister): bigint;
  setDebugRegister(n: DebugRegister, value: bigint): void;
  /** The instruction before was mov ss or pop ss: until the next one has run, no interrupt may be delivered to this vCPU. */
  readonly interruptShadow: boolean;

  /** TLB of this vCPU, data and instruction, both banks. `flushAll` also drops global pages: the host decides when to call it. */
  flushAll(): void;
  flushPage(va: bigint): void;
  /** State that survives a save: registers, segments, mode, TLBs. */
  save(): Uint8Array;
  restore(bytes: Uint8Array): void;
}

export interface EngineConfig {
  /** Machine RAM in bytes, a multiple of 4096, at most 3.5 GiB. */
  ramBytes: number;
  vcpus: number;
  /** 'amd': syscall rules and flags of AMD's processors; 'intel': Intel's. Decides undefined results where real ones differ. */
  model: 'amd' | 'intel';
  host: CpuHost;
  /** Translates hot code to WebAssembly (tier 1). Off unless given; makes no observable difference. */
  tier1?: boolean;
  tier1Options?: Tier1Options;
}

/** For tests and measurements. */
export interface Tier1Options {
  /** Executions after which a block is translated; 1: at once. */
  threshold?: number;
  /** Regions in one module at most; 1: a module for each region, as soon as it is hot. */
  batch?: number;
  /** Also translates branches that were never taken. */
  eager?: boolean;
  /** Regions that share a function of WebAssembly; by itself as many as the number of those translated together suggests. */
  group?: number;
  /** Any clock, for the times in the statistics. */
  clock?: () => number;
}

/** Counts since the engine was made; times in the unit of Tier1Options.clock. */
export interface Tier1Statistics {
  readonly regions: number;
  /** Translated instructions, and bytes of WebAssembly for them. */
  readonly instructions: number;
  readonly bytes: number;
  readonly modules: number;
  /** Regions dropped because their code or a breakpoint in it changed; times that everything was dropped to bound memory. */
  readonly dropped: number;
  readonly resets: number;
  /** Entries from the engine, and how many of them ended before an instruction that tier 0 had to carry out (TLB misses …). */
  readonly entries: number;
  readonly sideExits: number;
  /** Instructions executed by tier 1. */
  readonly executed: number;
  readonly emitTime: number;
  readonly moduleTime: number;
  readonly instanceTime: number;
}

export interface Engine {
  readonly vcpus: readonly Vcpu[];
  readonly exit: Exit;
  /** Machine RAM: byte address = mfn * 4096 + offset. Views stay valid for the engine's life. Whoever writes calls `written`. */
  readonly ram: Uint8Array;
  readonly ramView: DataView;
  /** RAM as int32 words, for page-table walks: index = mfn * 1024 + byte / 4. */
  readonly ramWords: Int32Array;
  /** Runs one vCPU for exactly at most `budget` instructions and returns `exit`. `resume`: do not stop at a breakpoint on the
   * very first instruction. Call it with slices of 2 M or less (200 k in the first second: V8 compiles meanwhile). */
  run(vcpu: number, budget: number, resume?: boolean): Exit;
  /** To be called after RAM was written by anyone but the guest: drops decoded instructions there. Cheap when there are none. */
  written(machineAddress: number, length: number): void;
  /** Drops every TLB entry (data and instruction, all vCPUs, both banks) that maps this frame: for revoke(). */
  flushFrame(mfn: number): void;
  /** Drops only the right to store through cached entries of this frame (it became read-only or must be marked dirty again). */
  writeProtectFrame(mfn: number): void;
  /** Replaces the set of instruction breakpoints: exact, no cost elsewhere. */
  setBreakpoints(addresses: Iterable<bigint>): void;
  /** Replaces the set of watchpoints: exact, for every vCPU, no cost to accesses of other pages. Only the guest's own accesses count:
   * not those of the host, nor walks of page tables, nor instruction fetch. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void;
  /** Feeds the canonical state of all vCPUs (registers, flags, segments, mode, TLBs; not RAM, not decoded code) to `sink`. */
  hashState(sink: (bytes: Uint8Array) => void): void;
  /** Virtual memory as the guest would see it through this vCPU's current TLB and mode, with side effects (A/D bits, TLB fill) and
   * faults: for instruction emulators. Returns null on success, else the page fault. */
  readGuest(vcpu: number, va: bigint, into: Uint8Array): GuestFault | null;
  writeGuest(vcpu: number, va: bigint, bytes: Uint8Array): GuestFault | null;
  readonly statistics: {
    readonly tlbMisses: number;
    readonly fetchMisses: number;
    readonly blocks: number;
    readonly decoded: number;
    /** null while tier 1 is off. */
    readonly tier1: Tier1Statistics | null;
  };
}

export interface GuestFault {
  /** 14, 13 or 12 (non-canonical). */
  vector: number;
  errorCode: number;
  cr2: bigint;
}
