// The CPU engine: runs vCPUs for exact numbers of instructions on tier 0 and turns every stop into an exit.

import type { Block } from './blocks.ts';
import { CodeCache } from './code.ts';
import { bitsOf, type Core, createCore, raise } from './core.ts';
import {
  type Engine,
  type EngineConfig,
  type Exit,
  type GuestFault,
  Segment,
  type SegmentCache,
  type WatchHit,
  type Watchpoint,
} from './engine-types.ts';
import { enterMmx } from './float/mmx.ts';
import { makeFloat } from './float/operations.ts';
import { FLAG } from './isa/builder.ts';
import * as L from './layout.ts';
import { type RareBody, RareContext } from './rare/context.ts';
import { FAR, is16Bit } from './rare/far.ts';
import { FPU, resetFpu } from './rare/fpu.ts';
import { checkSegment, checkStack, SEGMENTS } from './rare/segments.ts';
import { STACK } from './rare/stack.ts';
import { STRINGS } from './rare/strings.ts';
import { divideWide, SYSTEM } from './rare/system.ts';
import { TRAPS } from './rare/traps.ts';
import { VECTOR } from './rare/vector.ts';
import type { DecodeMode } from './records.ts';
import { caseList, compiled, compiledVector, type Interpreter } from './tier0/compiled.ts';
import { RARE_IDIV, RARE_OF_RECORD, RARE_SEGMENT, RARE_STACK, RareStatus, Stop } from './tier0/status.ts';
import { Regions } from './tier1/regions.ts';
import { Status } from './tier1/status.ts';
import { Tlb } from './tlb.ts';
import { VcpuState } from './vcpu.ts';
import { instructionBreakpoints, Watch } from './watch.ts';
import { X87 } from './x87/bodies.ts';

export const RARE_BODIES: Readonly<Record<string, RareBody>> = {
  ...STRINGS,
  ...STACK,
  ...SEGMENTS,
  ...FAR,
  ...SYSTEM,
  ...FPU,
  ...X87,
  ...VECTOR,
  ...TRAPS,
};

/** See `watched` in run(). */
const WATCHED = 16;
const FLAT_LIMIT = -1; // 4 GiB - 1 as int32
/** What every segment register holds at first: a flat writable data segment (code for cs matters in far transfers only). */
const FLAT: SegmentCache = { base: 0n, limit: 0xffffffff, attributes: 0xc0f3 };

const DEBUG = 1;
/** B bit of the stack segment: esp, not sp. */
const BIG_STACK = 0x4000;
/** BS in DR6: the trap is that of a single step. */
const SINGLE_STEP = 0x4000;
const NO_HITS: readonly WatchHit[] = [];

class CpuEngine implements Engine {
  readonly vcpus: readonly VcpuState[];
  readonly ram: Uint8Array;
  readonly ramView: DataView;
  readonly ramWords: Int32Array;
  readonly exit: Exit = {
    kind: 'budget',
    vector: 0,
    errorCode: -1,
    cr2: 0n,
    executed: 0,
    instruction: 0n,
    length: 0,
    dr6: 0,
    watch: NO_HITS,
    unsupported: null,
  };
  private readonly core: Core;
  private readonly tlb: Tlb;
  private readonly code: CodeCache;
  private readonly watch: Watch;
  private readonly rare: RareContext;
  private readonly memory: WebAssembly.Memory;
  private readonly float: ReturnType<typeof makeFloat>;
  private readonly interpreters: (Interpreter | null)[] = [null, null, null, null];
  private readonly vectorTables: (WebAssembly.Table | null)[] = [null, null, null, null];
  private readonly regions: Regions | null;
  private mode: DecodeMode = 0;
  /** Mode, bank, TLB bases must be looked at again before the next block. */
  private stale = true;
  /** With the AC flag, misaligned accesses raise #AC. */
  private alignable = false;
  private is16Bit = false;
  /** Instruction breakpoints in the debug registers of each vCPU. */
  private readonly debugBreakpoints: ReturnType<typeof instructionBreakpoints>[];
  /** For each vCPU: address of a rep instruction that the end of a budget interrupted, which is no new arrival there; null. */
  private readonly interrupted: (bigint | null)[];

  constructor(config: EngineConfig) {
    const { ramBytes, vcpus, host } = config;
    if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes % 4096)
      throw new RangeError(`ramBytes ${ramBytes} is not a multiple of 4096`);
    if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > L.MAX_VCPUS) throw new RangeError(`vcpus ${vcpus}: 1 to ${L.MAX_VCPUS}`);
    const layout = L.layoutFor(ramBytes);
    this.memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages });
    this.core = createCore(this.memory, layout, ramBytes, host, config.model);
    this.ram = new Uint8Array(this.memory.buffer, layout.ram, ramBytes);
    this.ramView = new DataView(this.memory.buffer, layout.ram, ramBytes);
    this.ramWords = new Int32Array(this.memory.buffer, layout.ram, ramBytes / 4);
    this.float = makeFloat(this.core);
    this.code = new CodeCache(this.core, caseList());
    this.watch = new Watch(this.core, vcpus);
    this.debugBreakpoints = Array.from({ length: vcpus }, () => []);
    this.interrupted = new Array<bigint | null>(vcpus).fill(null);
    this.tlb = new Tlb(this.core, this.code, this.watch, vcpus);
    this.code.onMarked = (frame) => this.tlb.markCode(frame);
    this.code.fetch = (lo, hi) => this.tlb.fetch(lo, hi);
    this.rare = new RareContext(this.core, this.tlb, this.code, this.watch);
    const eflags = (): number => this.interpreter(0).eflags();
    this.rare.eflags = eflags;
    this.regions = config.tier1
      ? new Regions(this.core, this.code, caseList(), this.memory, this.imports(), config.tier1Options ?? {})
      : null;
    this.code.regions = this.regions;
    this.code.writer.onVector = (mode) => this.provideVector(mode);
    const changed = (): void => {
      this.stale = true;
    };
    this.rare.modeChanged = changed;
    const activate = (id: number): void => this.activate(id);
    const debugChanged = (id: number): void => this.takeDebugRegisters(id);
    this.vcpus = Array.from({ length: vcpus }, (_, id) => new VcpuState(id, this.core, this.tlb, activate, eflags, changed, debugChanged));
    for (const vcpu of this.vcpus) {
      vcpu.setMode({ bits: 64, cpl: 3, bank: 0 });
      vcpu.rflags = 2;
      for (const segment of Object.values(Segment)) vcpu.setSegment(segment, 0, FLAT);
      resetFpu(this.core.view, L.FXSAVE - L.STATE + (vcpu.id === 0 ? L.STATE : L.SAVED + vcpu.id * L.STATE_SIZE));
    }
    this.interpreter(0);
  }

  private imports(): Record<string, WebAssembly.ImportValue> {
    return {
      memory: this.memory,
      miss: this.tlb.miss,
      rare: (which: number, record: number) => this.runRare(which, record),
      float: this.float,
      enterMmx: () => enterMmx(this.core),
    };
  }
  /** Puts the function of MMX and SSE instructions into the interpreter's table, once. */
  private provideVector(mode: DecodeMode): void {
    this.interpreter(mode);
    const table = this.vectorTables[mode]!;
    if (table.get(0) !== null) return;
    const instance = new WebAssembly.Instance(compiledVector(mode), { e: this.imports() });
    table.set(0, instance.exports.vector as WebAssembly.ExportValue);
  }

  private interpreter(mode: DecodeMode): Interpreter {
    const known = this.interpreters[mode];
    if (known) return known;
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
    this.vectorTables[mode] = table;
    const instance = new WebAssembly.Instance(compiled(mode), { e: { ...this.imports(), table } });
    const made = instance.exports as unknown as Interpreter;
    this.interpreters[mode] = made;
    return made;
  }

  private runRare(which: number, record: number): number {
    const { rare, core } = this;
    rare.record = record;
    if (which === RARE_SEGMENT) return checkSegment(rare);
    if (which === RARE_STACK) return checkStack(rare);
    if (which !== RARE_OF_RECORD) return divideWide(rare, which === RARE_IDIV);
    const instruction = this.code.writer.rare[core.i32[(record + L.RECORD.link) >> 2]!]!;
    const body = RARE_BODIES[instruction.name];
    if (!body) throw new Error(`no TypeScript body ${instruction.name}`);
    const status = body(rare, instruction);
    // Leaving in the middle of a block gives back the instructions behind.
    if (status === RareStatus.moved) core.i32[L.COUNT >> 2]! += this.behind(record) - 1;
    return status;
  }

  private activate(id: number): void {
    const { core } = this;
    if (core.current === id) return;
    const saved = L.SAVED + core.current * L.STATE_SIZE;
    core.u8.copyWithin(saved, L.STATE, L.STATE + L.STATE_SIZE);
    const own = L.SAVED + id * L.STATE_SIZE;
    core.u8.copyWithin(L.STATE, own, own + L.STATE_SIZE);
    core.current = id;
    this.stale = true;
  }

  /** Takes over mode and bank of the running vCPU. */
  private refresh(): void {
    const { core } = this;
    const { i32 } = core;
    this.stale = false;
    const bank = i32[L.MODE_BANK >> 2]!;
    core.tlb = L.tlbBase(core.current, bank);
    core.fetchTlb = L.fetchTlbBase(core.current, bank);
    i32[L.FETCH_TLB >> 2] = core.fetchTlb;
    this.alignable = i32[L.ALIGNMENT_MASK >> 2] !== 0 && i32[L.MODE_CPL >> 2] === 3;
    this.mode = bitsOf(core) === 64 ? 0 : this.mode32();
    this.is16Bit = this.mode !== 0 && is16Bit(i32[(L.SEGMENT_ATTRIBUTES >> 2) + Segment.cs]!);
  }
  private mode32(): DecodeMode {
    const { i32 } = this.core;
    const base = (L.SEGMENT_BASE + 8 * Segment.cs) >> 2;
    if (i32[base] !== 0 || i32[(L.SEGMENT_LIMIT >> 2) + Segment.cs] !== FLAT_LIMIT) return 3;
    return this.isFlat() ? 1 : 2;
  }
  /** es, ss, ds plain, with base 0 and 4 GiB, so that addresses need neither base nor check. */
  private isFlat(): boolean {
    const { i32 } = this.core;
    for (let s = 0; s < 4; s++) {
      const base = (L.SEGMENT_BASE + 8 * s) >> 2;
      if (i32[base] !== 0 || i32[base + 1] !== 0 || i32[(L.SEGMENT_LIMIT >> 2) + s] !== FLAT_LIMIT) return false;
      if (s !== Segment.cs && (i32[(L.SEGMENT_ATTRIBUTES >> 2) + s]! & L.PLAIN_MASK) !== L.PLAIN_DATA) return false;
    }
    return (i32[(L.SEGMENT_ATTRIBUTES >> 2) + Segment.ss]! & BIG_STACK) !== 0;
  }

  run(vcpu: number, budget: number, resume = false): Exit {
    const { core, code } = this;
    const { i32 } = core;
    this.activate(vcpu);
    let left = budget;
    let resuming = resume;
    const interrupted = this.interrupted[vcpu]!;
    if (interrupted !== null) {
      resuming ||= interrupted === core.u64[L.RIP >> 3];
      this.interrupted[vcpu] = null;
    }
    let alone = false;
    core.unfinished = false;
    const { regions } = this;
    if (regions !== null && regions.pending > 0) regions.tick(this.exit.executed);
    /** Too few instructions are left for a region. */
    let tail = false;
    /** Blocks that the interpreter runs one at a time, so that regions are found where it meets them. */
    let watched = 0;
    /** A region could not carry out the next instruction. */
    let refused = false;
    while (left > 0) {
      if (this.stale) this.refresh();
      const lo = i32[L.RIP >> 2]!;
      const hi = i32[(L.RIP >> 2) + 1]!;
      if (!resuming && code.hasBreakpoint(lo, hi)) return this.finish('breakpoint', budget - left);
      if (this.is16Bit) {
        code.raiseUndefined('16-bit code');
        return this.fetchFault(budget - left);
      }
      const flags = i32[L.SYSTEM_FLAGS >> 2]!;
      const shadow = i32[L.SHADOW >> 2]!;
      const tracing = (flags & FLAG.t) !== 0;
      const resumeFlag = flags & FLAG.rf;
      if (shadow === 0) {
        const due = i32[L.PENDING_DEBUG >> 2]! || (resumeFlag ? 0 : this.debugFault());
        if (due !== 0) return this.debugTrap(due, budget - left);
      }
      core.alignment = this.alignable && (flags & FLAG.ac) !== 0;
      /** One instruction, after which the state of debugging is looked at again. */
      const segmented = this.mode === 3;
      const single = alone || tracing || (resumeFlag | shadow) !== 0 || segmented;
      const frame = segmented ? -1 : this.tlb.fetch(lo, hi);
      const translating = regions !== null && !single && !tail && !refused && this.mode < 2 && !core.alignment && frame >= 0;
      let entering = translating && regions.slots.isPublished(lo, hi, frame, this.mode);
      const found = frame < 0 || entering ? null : code.find(lo, hi, frame, this.mode);
      const block = segmented ? this.segmentedBlock(lo) : found;
      if (block === null && !entering) return this.fetchFault(budget - left);
      resuming = false;
      const { generation } = code;
      entering ||= translating && this.isRegion(block!, regions);
      if (code.generation !== generation) continue;
      if (entering) {
        i32[L.COUNT >> 2] = left;
        core.unfinished = false;
        const status = regions!.run(core.tlb, this.mode);
        left = i32[L.COUNT >> 2]!;
        if (status === Status.syscall) return this.finishTrap('syscall', 0, budget - left);
        if (status >= Status.interrupt) return this.finishTrap('interrupt', status - Status.interrupt, budget - left);
        tail = status === Status.budget;
        refused = status < 0;
        watched = WATCHED;
        continue;
      }
      const most = single ? 1 : left;
      const header = block!.count > most ? code.short(block!, most) : block!.header;
      if (header === 0) continue;
      const count = Math.min(block!.count, most);
      if (single) this.beginSingle();
      const rcx = segmented ? core.u64[(L.REG >> 3) + 1]! : 0n;
      core.stepping = alone;
      core.unfinished = false;
      const tlb = core.alignment ? L.NO_TLB : core.tlb;
      // A block of one may be a rep, which is given all.
      const granted = single ? 1 : watched > 0 && count > 1 ? count : left;
      if (watched > 0) watched--;
      refused = false;
      // For the time stamp counter: COUNT counts down from what is granted, not from all that is left.
      this.rare.budget = budget - left + granted;
      const stop = this.interpreter(this.mode).run(header + L.RECORD.size, granted - count, tlb);
      core.stepping = false;
      const before = left;
      left += i32[L.COUNT >> 2]! - granted;
      if (stop === Stop.lookup) {
        if (!single) continue;
        if (alone) this.tlb.finishCrossing();
        alone = false;
        if (segmented && this.branchedBeyond(block!, rcx)) return this.fetchFault(budget - before);
        // Not run after all, or a rep with iterations left: what held for its start holds still.
        if (left === before || core.unfinished) i32[L.SYSTEM_FLAGS >> 2]! |= resumeFlag;
        if (left === before) i32[L.SHADOW >> 2] = shadow;
        else if (this.endSingle(shadow !== 0, tracing)) return this.finishDebug(budget - left, lo, hi);
        continue;
      }
      // The instruction at FAULT_RECORD did not complete: it and those behind it in the block give their budget back.
      const record = i32[L.FAULT_RECORD >> 2]!;
      const behind = this.behind(record);
      core.crossing = null;
      if (stop === Stop.raised) raise(core, i32[L.RAISED >> 2]!, i32[L.RAISED_CODE >> 2]!);
      const kind = core.stop.kind;
      if (kind === 'exception' || kind === 'retry') left += behind;
      else left += behind - 1;
      this.setInstruction(record, kind === 'exception' || kind === 'retry');
      if (kind === 'exception' || kind === 'retry') i32[L.SYSTEM_FLAGS >> 2]! |= resumeFlag;
      if (kind === 'retry') {
        if (alone) throw new Error('an instruction asked twice to run alone');
        i32[L.SHADOW >> 2] = shadow;
        alone = true;
        continue;
      }
      return this.finishStop(budget - left);
    }
    if (core.unfinished) this.interrupted[vcpu] = core.u64[L.RIP >> 3]!;
    return this.finish('budget', budget);
  }

  /** Whether a region begins with this block, though the region table does not say so; asks for one when the block is hot. */
  private isRegion(block: Block, regions: Regions): boolean {
    const { lo, hi, frame } = block;
    const mode = block.mode as 0 | 1;
    if (this.code.isHot(block)) regions.request(lo, hi, frame, mode);
    // Asking may have translated at once, and that may have dropped the block.
    if (!block.region || !regions.holds(lo, hi, frame, mode)) return false;
    regions.republish(lo, hi, frame, mode);
    return true;
  }
  /** A region carried out a syscall or an `int n`, of two bytes. */
  private finishTrap(kind: 'syscall' | 'interrupt', vector: number, executed: number): Exit {
    const { core } = this;
    core.stop.kind = kind;
    core.stop.vector = vector;
    this.exit.instruction = BigInt.asUintN(64, core.u64[L.RIP >> 3]! - 2n);
    this.exit.length = 2;
    return this.finishStop(executed);
  }
  /** The instruction at an address of a code segment with a base or a limit, as a block of its own; null: a fault. */
  private segmentedBlock(eip: number): Block | null {
    const { core, code } = this;
    const base = core.i32[(L.SEGMENT_BASE >> 2) + 2 * Segment.cs]!;
    const limit = core.i32[(L.SEGMENT_LIMIT >> 2) + Segment.cs]! >>> 0;
    const refuse = (): null => {
      raise(core, 13, 0);
      return null;
    };
    if (eip >>> 0 > limit) return refuse();
    const frame = this.tlb.fetch((eip + base) | 0, 0);
    const block = frame < 0 ? null : code.find(eip, 0, frame, 3, base);
    if (block === null) return null;
    if ((eip >>> 0) + code.lengthOf(block) - 1 > limit) return refuse();
    const branch = code.directBranch(block);
    return branch?.always && branch.target > limit ? refuse() : block;
  }
  /** A conditional branch went beyond the limit of the code segment: it is undone and faults. */
  private branchedBeyond(block: Block, rcx: bigint): boolean {
    const { core, code } = this;
    const limit = core.i32[(L.SEGMENT_LIMIT >> 2) + Segment.cs]! >>> 0;
    if (core.i32[L.RIP >> 2]! >>> 0 <= limit || code.directBranch(block) === null) return false;
    core.u64[L.RIP >> 3] = BigInt(block.lo >>> 0);
    core.u64[(L.REG >> 3) + 1] = rcx;
    raise(core, 13, 0);
    return true;
  }

  /** Before an instruction that runs by itself: RF and the shadow end with it, unless it sets them anew. */
  private beginSingle(): void {
    const { i32 } = this.core;
    i32[L.SYSTEM_FLAGS >> 2]! &= ~FLAG.rf;
    i32[L.SHADOW >> 2] = 0;
    this.watch.clear();
  }
  /** After it: true when the run must end for a debug trap or a watchpoint. */
  private endSingle(inShadow: boolean, tracing: boolean): boolean {
    const { core, watch } = this;
    const { i32 } = core;
    // A second load of ss in a row casts no shadow.
    if (inShadow) i32[L.SHADOW >> 2] = 0;
    let due = i32[L.PENDING_DEBUG >> 2]! | watch.debugBits;
    // After mov ss the step is not seen at all, data breakpoints one instruction later.
    if (tracing && i32[L.SHADOW >> 2] === 0) due |= SINGLE_STEP;
    i32[L.PENDING_DEBUG >> 2] = due;
    this.exit.watch = watch.take();
    return this.exit.watch.length > 0 || (due !== 0 && i32[L.SHADOW >> 2] === 0);
  }
  /** The debugger's watchpoints come first: a debug trap stays due before the next instruction. */
  private finishDebug(executed: number, lo: number, hi: number): Exit {
    const { exit, core } = this;
    if (exit.watch.length === 0) return this.debugTrap(core.i32[L.PENDING_DEBUG >> 2]!, executed);
    const hits = exit.watch;
    this.finish('watch', executed);
    exit.watch = hits;
    exit.instruction = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    return exit;
  }
  /** Instruction breakpoints of the debug registers that match here, as bits of DR6. */
  private debugFault(): number {
    const { core } = this;
    const set = this.debugBreakpoints[core.current]!;
    if (set.length === 0) return 0;
    const wide = bitsOf(core) === 64;
    const at = BigInt.asUintN(wide ? 64 : 32, core.u64[L.RIP >> 3]! + (wide ? 0n : core.u64[(L.SEGMENT_BASE >> 3) + Segment.cs]!));
    let bits = 0;
    for (const { n, address } of set) if (address === at) bits |= 1 << n;
    return bits;
  }
  private takeDebugRegisters(id: number): void {
    const vcpu = this.vcpus[id]!;
    const addresses = ([0, 1, 2, 3] as const).map((n) => vcpu.debugRegister(n));
    const control = Number(vcpu.debugRegister(7) & 0xffffffffn);
    this.debugBreakpoints[id] = instructionBreakpoints(addresses, control);
    this.tlb.markWatched(id, this.watch.setDebug(id, addresses, control));
    this.code.setDebugStops(this.debugBreakpoints.flatMap((set) => set.map(({ address }) => address)));
  }
  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    const pages = this.watch.set(watchpoints);
    for (const { id } of this.vcpus) this.tlb.markWatched(id, pages);
  }

  /** Number of instructions of its block from that of a record on. */
  private behind(record: number): number {
    return this.code.countOf(this.code.headerOf(record)) - this.code.indexOf(record);
  }
  /** Address and length of the instruction of a record; `rewind`: RIP goes back to it. */
  private setInstruction(record: number, rewind: boolean): void {
    const { core, exit } = this;
    const length = core.u8[record + L.RECORD.info]! & 15;
    let rip = core.u64[(record + L.RECORD.next) >> 3]! - BigInt(length);
    rip = BigInt.asUintN(bitsOf(core), rip);
    exit.instruction = rip;
    exit.length = length;
    if (rewind) core.u64[L.RIP >> 3] = rip;
  }

  private finish(kind: Exit['kind'], executed: number): Exit {
    const { exit, core } = this;
    exit.kind = kind;
    exit.vector = 0;
    exit.errorCode = -1;
    exit.executed = executed;
    exit.instruction = core.u64[L.RIP >> 3]!;
    exit.length = 0;
    exit.dr6 = 0;
    exit.watch = NO_HITS;
    exit.unsupported = null;
    return exit;
  }
  private finishStop(executed: number): Exit {
    const { exit, core } = this;
    exit.dr6 = 0;
    exit.watch = NO_HITS;
    core.i32[L.SHADOW >> 2] = 0;
    core.i32[L.PENDING_DEBUG >> 2] = 0;
    const { stop } = core;
    exit.kind = stop.kind as Exit['kind'];
    exit.vector = stop.vector;
    exit.errorCode = stop.kind === 'exception' ? stop.errorCode : -1;
    exit.executed = executed;
    exit.unsupported = stop.kind === 'exception' && stop.vector === 6 ? stop.unsupported : null;
    if (stop.kind === 'exception' && stop.vector === 14) this.setCr2();
    return exit;
  }
  private setCr2(): void {
    const { core, exit } = this;
    core.i32[L.CR2 >> 2] = core.stop.cr2Lo;
    core.i32[(L.CR2 >> 2) + 1] = core.stop.cr2Hi;
    exit.cr2 = core.u64[L.CR2 >> 3]!;
  }
  private fetchFault(executed: number): Exit {
    const { exit, core } = this;
    exit.instruction = core.u64[L.RIP >> 3]!;
    exit.length = 0;
    return this.finishStop(executed);
  }
  private debugTrap(dr6: number, executed: number): Exit {
    const { exit, core } = this;
    raise(core, DEBUG);
    exit.instruction = core.u64[L.RIP >> 3]!;
    exit.length = 0;
    this.finishStop(executed);
    exit.dr6 = dr6;
    return exit;
  }

  written(machineAddress: number, length: number): void {
    if (length > 0) this.code.written(machineAddress, length);
  }
  flushFrame(mfn: number): void {
    this.tlb.flushFrame(mfn);
  }
  writeProtectFrame(mfn: number): void {
    this.tlb.writeProtectFrame(mfn);
  }
  setBreakpoints(addresses: Iterable<bigint>): void {
    this.code.setBreakpoints(addresses);
  }
  hashState(sink: (bytes: Uint8Array) => void): void {
    for (const vcpu of this.vcpus) sink(vcpu.save());
  }

  private guestFault(): GuestFault {
    const { stop } = this.core;
    const cr2 = (BigInt(stop.cr2Hi >>> 0) << 32n) | BigInt(stop.cr2Lo >>> 0);
    return { vector: stop.vector, errorCode: stop.errorCode, cr2: stop.vector === 14 ? cr2 : 0n };
  }
  /** Host addresses of a guest range, page by page; a fault ends it before anything is copied. */
  private pieces(vcpu: number, va: bigint, length: number, write: boolean): { at: number; length: number }[] | GuestFault {
    this.activate(vcpu);
    if (this.stale) this.refresh();
    const out: { at: number; length: number }[] = [];
    for (let done = 0; done < length; ) {
      const here = BigInt.asUintN(bitsOf(this.core), va + BigInt(done));
      const part = Math.min(length - done, 4096 - Number(here & 4095n));
      const at = this.tlb.reach(Number(here & 0xffffffffn) | 0, Number(here >> 32n) | 0, write);
      if (at < 0) return this.guestFault();
      out.push({ at, length: part });
      done += part;
    }
    return out;
  }
  readGuest(vcpu: number, va: bigint, into: Uint8Array): GuestFault | null {
    const pieces = this.pieces(vcpu, va, into.length, false);
    if (!Array.isArray(pieces)) return pieces;
    let done = 0;
    for (const p of pieces) {
      into.set(this.core.u8.subarray(p.at, p.at + p.length), done);
      done += p.length;
    }
    return null;
  }
  writeGuest(vcpu: number, va: bigint, bytes: Uint8Array): GuestFault | null {
    const pieces = this.pieces(vcpu, va, bytes.length, true);
    if (!Array.isArray(pieces)) return pieces;
    let done = 0;
    for (const p of pieces) {
      this.core.u8.set(bytes.subarray(done, done + p.length), p.at);
      this.written(p.at - this.core.layout.ram, p.length);
      done += p.length;
    }
    return null;
  }
  get statistics(): Engine['statistics'] {
    return {
      tlbMisses: this.core.tlbMisses,
      fetchMisses: this.core.fetchMisses,
      blocks: this.code.blocks,
      decoded: this.code.instructions,
      tier1: this.regions?.statistics ?? null,
    };
  }
}

/** Makes an engine: compiles its interpreter at once, reserves its memory. */
export function createEngine(config: EngineConfig): Engine {
  return new CpuEngine(config);
}
