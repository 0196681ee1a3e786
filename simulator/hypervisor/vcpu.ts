// One virtual CPU as the hypervisor sees it: what a PV guest registered, its tables and timers. Registers live in the engine.

import type { Mfn } from '../../abi/address.ts';
import { Bank, type Vcpu as CpuState, Segment, type SegmentCache } from '../cpu/engine-types.ts';
import { nothingDeferred } from '../memory/deferred.ts';
import { FLAT32 } from './compat/flat.ts';
import type { Continuing } from './continuation.ts';
import type { Domain } from './domain.ts';

export interface TrapEntry {
  readonly cs: number;
  /** Bits 0-1: DPL; bit 2: masks events on entry. */
  readonly flags: number;
  readonly address: bigint;
}

export interface Callback {
  readonly address: bigint;
  /** 32-bit guests give a code segment too. */
  readonly cs?: number;
  /** Masks events on entry. */
  readonly masks: boolean;
}

export const RunState = { running: 0, runnable: 1, blocked: 2, offline: 3 } as const;
export type RunStateValue = (typeof RunState)[keyof typeof RunState];

const NO_TRAP: TrapEntry = { cs: 0, flags: 0, address: 0n };
const NO_CALLBACK: Callback = { address: 0n, masks: false };

export const FLAT_CODE: SegmentCache = { base: 0n, limit: 0xffff_ffff, attributes: 0xa0fb };
export const FLAT_DATA: SegmentCache = { base: 0n, limit: 0xffff_ffff, attributes: 0xc0f3 };
export const FLAT_KERNEL_CS = 0xe033;
export const FLAT_KERNEL_SS = 0xe02b;

/** Why a vCPU does not run. */
export interface Wait {
  readonly kind: 'block' | 'poll';
  readonly since: number;
  /** poll: the ports. */
  readonly ports: readonly number[];
}

export class VcpuState {
  readonly domain: Domain;
  /** Its number in its domain; the engine's number of it is `cpu.id`. */
  readonly id: number;
  readonly cpu: CpuState;
  /** Has been given a context (vcpu_op.initialise); vCPU 0 by the builder. */
  initialised = false;
  up = false;
  /** Up by its context, which wakes nobody: it runs only after it was taken down and brought up. */
  asleep = false;
  wait: Wait | null = null;
  /** Width of the guest kernel. */
  readonly bits: 64 | 32;
  private kernelMode64 = true;
  root: Mfn;
  /** Tables of user mode; null until MMUEXT_NEW_USER_BASEPTR. */
  userRoot: Mfn | null = null;
  readonly traps: TrapEntry[] = new Array<TrapEntry>(256).fill(NO_TRAP);
  event: Callback = NO_CALLBACK;
  failsafe: Callback = NO_CALLBACK;
  syscall: Callback = NO_CALLBACK;
  syscall32: Callback = NO_CALLBACK;
  sysenter: Callback = NO_CALLBACK;
  kernelSp = 0n;
  kernelSs = 0;
  gdtFrames: Mfn[] = [];
  gdtEntries = 0;
  ldtBase = 0n;
  ldtEntries = 0;
  /** LDT pages in use so far, by page of the LDT. */
  readonly ldtFrames = new Map<number, Mfn>();
  taskSwitched = false;
  /** Xen loads its floating-point state at every switch (Intel's processors), not at the first use. */
  eagerFpu = true;
  fpuLoaded = true;
  /** Bits of DR7 for I/O breakpoints, which Xen watches itself. */
  dr7Emulated = 0n;
  /** I/O breakpoints that the instruction being emulated met: bits of DR6. */
  ioHits = 0n;
  cr2 = 0n;
  cr4 = 0n;
  readonly dr: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n, 0xffff0ff0n, 0x400n];
  iopl = 0;
  ioBitmap: { readonly address: bigint; readonly ports: number } | null = null;
  /** GS base of the mode that is not active. */
  otherGsBase = 0n;
  /** Where this vCPU's vcpu_info lies; its bytes once they were asked for. */
  info: { mfn: Mfn; offset: number; bytes?: Uint8Array };
  /** vcpu_op.register_vcpu_info was made: the page is held. */
  infoMoved = false;
  periodicPeriod = 0;
  /** System time of the last periodic event, ns. */
  periodicLast = 0;
  /** Guest time in ns, or null. */
  singleshot: number | null = null;
  runState: RunStateValue = RunState.offline;
  runStateSince = 0;
  /** What is left of its turn, ns of guest time. */
  credit = 10_000_000;
  /** An NMI waits to be delivered. */
  nmiPending = false;
  /** In its NMI handler until the next iret hypercall. */
  nmiMasked = false;
  /** Bound to processor 0 by sched_op.pin_override, until a call with a negative number takes that back. */
  pinned = false;
  /** Run state and time areas could not be written while user mode ran. */
  areasBehind = false;
  readonly runStateTime = [0, 0, 0, 0];
  runStateArea: bigint | null = null;
  timeArea: bigint | null = null;
  timeVersion = 0;
  /** A hypercall that it is to enter again. */
  continuing: Continuing | null = null;
  /** A table that is still to be taken apart. */
  readonly deferred = nothingDeferred();
  /** Entered the hypervisor since it last ran: pending events are looked at before it goes on. */
  entered = true;

  constructor(domain: Domain, id: number, cpu: CpuState, root: Mfn, info: { mfn: Mfn; offset: number }) {
    this.domain = domain;
    this.bits = domain.bits;
    this.id = id;
    this.cpu = cpu;
    this.root = root;
    this.info = info;
  }

  /** Is the guest's kernel active, or its user mode? A 64-bit guest's kernel and user mode are both ring 3, and Xen knows which one
   * runs; a 32-bit guest's kernel is ring 1. */
  get kernelMode(): boolean {
    return this.bits === 64 ? this.kernelMode64 : this.cpu.mode().cpl === 1;
  }

  set kernelMode(active: boolean) {
    this.kernelMode64 = active;
  }

  /** The lowest privilege number that the guest's own selectors may ask for. */
  get kernelRing(): 3 | 1 {
    return this.bits === 64 ? 3 : 1;
  }

  runnable(): boolean {
    return this.up && !this.asleep && this.wait === null && !this.domain.stopped;
  }

  /** Tables in use. */
  currentRoot(): Mfn {
    return this.kernelMode ? this.root : (this.userRoot ?? this.root);
  }

  /** Switches between guest kernel and guest user: tables and GS base. */
  toggleMode(): void {
    const other = this.otherGsBase;
    this.otherGsBase = this.cpu.base(Segment.gs);
    this.cpu.setBase(Segment.gs, other);
    this.kernelMode = !this.kernelMode;
    this.applyMode();
    this.cpu.flushAll();
  }

  /** `bits` 32: compatibility mode of a 64-bit guest. */
  applyMode(bits: 64 | 32 = 64): void {
    if (this.bits === 32) {
      const cpl = this.cpu.selector(Segment.cs) & 3;
      this.cpu.setMode({ bits: 32, cpl, bank: cpl === 3 ? Bank.user : Bank.kernel });
      return;
    }
    this.cpu.setMode({ bits, cpl: 3, bank: this.kernelMode ? Bank.kernel : Bank.user });
  }

  gsBaseKernel(): bigint {
    return this.kernelMode ? this.cpu.base(Segment.gs) : this.otherGsBase;
  }

  gsBaseUser(): bigint {
    return this.kernelMode ? this.otherGsBase : this.cpu.base(Segment.gs);
  }

  setTrap(vector: number, entry: TrapEntry | null): void {
    this.traps[vector] = entry ?? NO_TRAP;
  }

  /** Flat code and stack as the builder starts a vCPU; data segments null, for a 32-bit kernel flat. */
  resetSegments(): void {
    if (this.bits === 32) {
      this.cpu.setSegment(Segment.cs, FLAT32.kernelCs, FLAT32.kernelCode);
      for (const segment of [Segment.ss, Segment.ds, Segment.es, Segment.fs, Segment.gs])
        this.cpu.setSegment(segment, FLAT32.kernelDs, FLAT32.kernelData);
      return;
    }
    const nothing: SegmentCache = { base: 0n, limit: 0, attributes: 0 };
    this.cpu.setSegment(Segment.cs, FLAT_KERNEL_CS, FLAT_CODE);
    this.cpu.setSegment(Segment.ss, FLAT_KERNEL_SS, FLAT_DATA);
    for (const segment of [Segment.ds, Segment.es, Segment.fs, Segment.gs]) this.cpu.setSegment(segment, 0, nothing);
  }
}
