// A machine of several small 64-bit PV domains whose code never runs: tests make their hypercalls by hand, as whichever they like.

import type { Mfn } from '../../abi/address.ts';
import { createEngine } from '../../simulator/cpu/engine.ts';
import { createHypervisor, domainsOf } from '../../simulator/hypervisor/create.ts';
import { performHypercall } from '../../simulator/hypervisor/dispatch.ts';
import type { Domain } from '../../simulator/hypervisor/domain.ts';
import type { Hypervisor } from '../../simulator/hypervisor/hypervisor.ts';
import type { VcpuState } from '../../simulator/hypervisor/vcpu.ts';
import { machineShape } from '../../simulator/machine-shape.ts';
import type { DomainConfig, MachineConfig } from '../../simulator/machine-types.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { Trace } from '../../simulator/trace/trace.ts';
import { BASE, NO_HOST, planOf, type Result } from './guest.ts';
import { configOf } from './run.ts';

const ARGUMENTS = [7, 6, 2, 10, 8] as const;

/** One domain, and calls made in its name. */
export class Member {
  readonly domain: Domain;
  private readonly machine: Several;

  constructor(machine: Several, domain: Domain) {
    this.machine = machine;
    this.domain = domain;
  }

  get id(): number {
    return this.domain.id;
  }

  get vcpu(): VcpuState {
    return this.domain.vcpus[0]!;
  }

  /** Virtual address of a pseudo-physical page of the initial mapping. */
  address(pfn: number): bigint {
    return BASE + BigInt(pfn * 4096);
  }

  mfn(pfn: number): Mfn {
    return this.domain.built.p2m[pfn]!;
  }

  /** A page that is mapped writable and used for nothing. */
  page(n = 0): number {
    return this.domain.built.layout.bootStack + 9 + n;
  }

  /** A page for arguments. */
  get scratch(): bigint {
    return this.address(this.domain.built.layout.bootStack + 8);
  }

  entry(pfn: number, flags: bigint | number): bigint {
    return (BigInt(this.mfn(pfn)) << 12n) | BigInt(flags);
  }

  /** Makes a hypercall as this domain's first vCPU. */
  call(nr: number, ...args: (bigint | number)[]): Result {
    const { hv, records } = this.machine;
    const { vcpu } = this;
    hv.current = vcpu;
    ARGUMENTS.forEach((register, n) => {
      vcpu.cpu.setReg(register, BigInt.asUintN(64, BigInt(args[n] ?? 0)));
    });
    const before = records.length;
    for (let times = 0; times === 0 || (vcpu.continuing !== null && !vcpu.domain.ending); times++) {
      if (times > 1_000_000) throw new Error(`hypercall ${nr} never ends`);
      performHypercall(hv, { vcpu, nr, site: 0n });
    }
    const record = records
      .slice(before)
      .filter((one) => one.kind === 'hypercall')
      .at(-1);
    if (record?.kind !== 'hypercall') throw new Error('no record of the call');
    return { ret: record.ret ?? Number.NaN, refusal: record.refusal, unimplemented: record.unimplemented === true };
  }

  /** Words of the given width at a guest address, the argument page unless given. */
  put(words: readonly (bigint | number)[], width: 2 | 4 | 8 = 8, address = this.scratch): bigint {
    const bytes = new Uint8Array(words.length * width);
    words.forEach((value, n) => {
      for (let k = 0; k < width; k++) bytes[n * width + k] = Number((BigInt(value) >> BigInt(8 * k)) & 0xffn);
    });
    if (!this.machine.hv.guest.write(this.vcpu.root, address, bytes)) throw new Error(`cannot write at ${address.toString(16)}`);
    return address;
  }

  view(length: number, address = this.scratch): DataView {
    const bytes = this.machine.hv.guest.read(this.vcpu.root, address, length);
    if (!bytes) throw new Error(`cannot read at ${address.toString(16)}`);
    return new DataView(bytes.buffer);
  }
}

export interface SeveralOptions {
  /** The domains; without `dom0` they are 1, 2, … */
  readonly domains?: readonly Partial<DomainConfig>[];
  readonly more?: Partial<MachineConfig>;
}

export class Several {
  readonly hv: Hypervisor;
  readonly records: TraceRecord[] = [];
  readonly members: readonly Member[];

  constructor({ domains = [{}, {}], more = {} }: SeveralOptions = {}) {
    const [first, ...others] = domains.map((one) => configOf(new Uint8Array(), { memoryMib: 4, ...one }));
    const config: MachineConfig = { ...first!, domains: others, invariants: { everyCalls: 1 }, ...more };
    const { memoryPlan, ramBytes, vcpus } = machineShape(config, 64);
    const engine = createEngine({
      ramBytes,
      vcpus,
      model: 'amd',
      host: NO_HOST,
    });
    const trace = new Trace(() => 0, 1 << 20);
    trace.subscribe('all', (one) => this.records.push(one));
    const plans = domainsOf(config).map(() => planOf());
    this.hv = createHypervisor(config, plans, memoryPlan, engine, trace).hv;
    this.members = [...this.hv.domains.values()].map((domain) => new Member(this, domain));
  }

  member(id: number): Member {
    const found = this.members.find((one) => one.id === id);
    if (!found) throw new Error(`there is no domain ${id}`);
    return found;
  }
}
