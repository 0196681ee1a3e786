// A small PV domain, 64-bit unless told otherwise, whose code never runs: tests make its hypercalls by hand.

import type { Mfn } from '../../abi/address.ts';
import { asMfn } from '../../abi/address.ts';
import type { Refusal } from '../../abi/refusal.ts';
import type { LoadPlan } from '../../simulator/builder/plan.ts';
import { createEngine } from '../../simulator/cpu/engine.ts';
import type { CpuHost } from '../../simulator/cpu/engine-types.ts';
import { type Created, createHypervisor } from '../../simulator/hypervisor/create.ts';
import { performHypercall } from '../../simulator/hypervisor/dispatch.ts';
import type { Hypervisor } from '../../simulator/hypervisor/hypervisor.ts';
import { machineShape } from '../../simulator/machine-shape.ts';
import type { MachineConfig } from '../../simulator/machine-types.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { Trace } from '../../simulator/trace/trace.ts';
import { configOf } from './run.ts';

export const BASE = 0xffffffff80000000n;
const ARGUMENTS = { 64: [7, 6, 2, 10, 8, 9], 32: [3, 1, 2, 6, 7] } as const;
export const DOMID_SELF = 0x7ff0n;

/** The same kernel, as a 32-bit one. */
export const planOf32 = (pages = 16): LoadPlan => {
  const base = 0xc0000000n;
  const { segments } = planOf(pages);
  const at = { virtualBase: base, kernelStart: base, kernelEnd: base + BigInt(pages * 4096), entry: base };
  return planOf(pages, { bits: 32, ...at, segments: segments.map((one) => ({ ...one, address: base })) });
};

/** A kernel of `pages` pages at VIRT_BASE. */
export const planOf = (pages = 16, more: Partial<LoadPlan> = {}): LoadPlan => ({
  bits: 64,
  virtualBase: BASE,
  kernelStart: BASE,
  kernelEnd: BASE + BigInt(pages * 4096),
  entry: BASE,
  hypercallPage: null,
  initP2m: null,
  modStartPfn: false,
  extendedCr3: false,
  segments: [{ address: BASE, bytes: new Uint8Array(4096).fill(0x90), memorySize: BigInt(pages * 4096) }],
  ...more,
});

export interface Result {
  readonly ret: number;
  readonly refusal: Refusal | undefined;
  readonly unimplemented: boolean;
}

/** What the engine asks of a machine whose guests are driven by hand and execute nothing. */
export const NO_HOST: CpuHost = {
  translate: () => false,
  cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }),
  tsc: () => 0n,
  loadSegment: () => ({ ok: false, vector: 13, errorCode: 0 }),
  readDescriptor: () => null,
  sensitive: () => 0n,
};

export class Guest {
  readonly hv: Hypervisor;
  readonly created: Created;
  readonly records: TraceRecord[] = [];
  /** Where the kernel's mapping begins. */
  readonly base: bigint;
  /** Free page of the initial mapping, for arguments. */
  readonly scratch: bigint;

  constructor({
    dom0 = false,
    memoryMib = 8,
    vcpus = 1,
    plan = planOf(),
    ramdisk,
    more = {},
    record = true,
  }: {
    dom0?: boolean;
    memoryMib?: number;
    vcpus?: number;
    plan?: LoadPlan;
    ramdisk?: Uint8Array;
    more?: Partial<MachineConfig>;
    record?: boolean;
  } = {}) {
    const config = configOf(new Uint8Array(), { dom0, memoryMib, vcpus, ...(ramdisk ? { ramdisk } : {}), ...more });
    const { memoryPlan, ramBytes } = machineShape(config, plan.bits);
    const engine = createEngine({
      ramBytes,
      vcpus,
      model: 'amd',
      host: NO_HOST,
    });
    const trace = new Trace(() => 0, 1 << 20);
    if (record) trace.subscribe('all', (one) => this.records.push(one));
    this.created = createHypervisor(config, [plan], memoryPlan, engine, trace);
    this.hv = this.created.hv;
    this.base = plan.virtualBase;
    this.scratch = this.address(this.hv.domain.built.layout.bootStack + 8);
  }

  /** Virtual address of a pseudo-physical page of the initial mapping. */
  address(pfn: number): bigint {
    return this.base + BigInt(pfn * 4096);
  }

  mfn(pfn: number): Mfn {
    return this.hv.domain.built.p2m[pfn]!;
  }

  /** A page that is mapped writable and used for nothing. */
  page(n = 0): number {
    return this.hv.domain.built.layout.bootStack + 9 + n;
  }

  /** Enters a call with the registers as they are, again and again until it is at its end. Returns how often. */
  enter(nr: number): number {
    const vcpu = this.hv.current;
    let times = 0;
    do {
      performHypercall(this.hv, { vcpu, nr, site: 0n });
      if (++times > 1_000_000) throw new Error(`hypercall ${nr} never ends`);
    } while (vcpu.continuing !== null && !this.hv.domain.ending);
    return times;
  }

  /** Fills the argument registers of the current vCPU. */
  setArguments(args: readonly (bigint | number)[]): void {
    const { cpu, bits } = this.hv.current;
    ARGUMENTS[bits].forEach((register, n) => {
      cpu.setReg(register, BigInt.asUintN(64, BigInt(args[n] ?? 0)));
    });
  }

  /** Makes a hypercall as the current vCPU. */
  call(nr: number, ...args: (bigint | number)[]): Result {
    this.setArguments(args);
    const before = this.records.length;
    this.enter(nr);
    const record = this.records
      .slice(before)
      .filter((r) => r.kind === 'hypercall')
      .at(-1);
    if (record?.kind !== 'hypercall') throw new Error('no record of the call');
    return { ret: record.ret ?? Number.NaN, refusal: record.refusal, unimplemented: record.unimplemented === true };
  }

  /** Words of 64 bits at a guest address. */
  words(address: bigint, ...values: (bigint | number)[]): bigint {
    const bytes = new Uint8Array(values.length * 8);
    const view = new DataView(bytes.buffer);
    values.forEach((value, n) => {
      view.setBigUint64(n * 8, BigInt.asUintN(64, BigInt(value)), true);
    });
    if (!this.hv.guest.write(this.hv.current.root, address, bytes)) throw new Error(`cannot write at ${address.toString(16)}`);
    return address;
  }

  bytes(address: bigint, length: number): DataView {
    const bytes = this.hv.guest.read(this.hv.current.root, address, length);
    if (!bytes) throw new Error(`cannot read at ${address.toString(16)}`);
    return new DataView(bytes.buffer);
  }

  mmuext(command: number, arg1: bigint | number = 0, arg2: bigint | number = 0): Result {
    return this.call(26, this.words(this.scratch, command, arg1, arg2), 1, 0, DOMID_SELF);
  }

  mmuUpdate(ptr: bigint, value: bigint): Result {
    return this.call(1, this.words(this.scratch, ptr, value), 1, 0, DOMID_SELF);
  }

  updateVa(address: bigint, entry: bigint, flags = 2n): Result {
    return this.call(14, address, entry, flags);
  }

  /** Entry for a page of the domain. */
  entry(pfn: number, flags: bigint | number): bigint {
    return (BigInt(this.mfn(pfn)) << 12n) | BigInt(flags);
  }

  fact(pfn: number) {
    return this.hv.memory.frames.fact(this.mfn(pfn));
  }

  /** The level-1 table of the initial mapping that covers an address. */
  tableFor(address: bigint): { mfn: Mfn; slot: number } {
    const step = this.hv.memory.walker.steps(this.hv.current.root, address).find((s) => s.level === 1)!;
    return { mfn: asMfn(step.mfn), slot: step.index };
  }
}

export const PIN_L1 = 0;
export const PIN_L2 = 1;
export const PIN_L4 = 3;
export const UNPIN = 4;
export const NEW_BASEPTR = 5;
