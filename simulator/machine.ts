// The simulated machine: engine, hypervisor and devices as one value that runs, stops, and can be looked into.

import { asVirtual, type Mfn, type VirtualAddress } from '../abi/address.ts';
import { planKernel } from './builder/plan.ts';
import { CMDLINE_BYTES } from './builder/start-info.ts';
import { createEngine } from './cpu/engine.ts';
import { Bank, type CpuHost, type Engine } from './cpu/engine-types.ts';
import { CR0, CR0_TS } from './hypervisor/control-registers.ts';
import { cpuPolicy } from './hypervisor/cpu-policy.ts';
import { createHypervisor, SLACK_PAGES, XEN_PAGES } from './hypervisor/create.ts';
import type { Hypervisor } from './hypervisor/hypervisor.ts';
import { loadDescriptor, readDescriptor } from './hypervisor/selectors.ts';
import { systemTime } from './hypervisor/time.ts';
import { KernelImageError, type Machine, type MachineConfig } from './machine-types.ts';
import { planMemory } from './memory/allocate.ts';
import type { WalkResult } from './memory/walk.ts';
import { RunningMachine } from './running-machine.ts';
import { Trace } from './trace/trace.ts';

const TRACE_RING_BYTES = 8 << 20;

/** What the processor's descriptor-table registers show: Xen's tables. */
const SENSITIVE = {
  sgdt: (0xffff_8200_0000_0000n << 16n) | 0xefffn,
  sidt: (0xffff_82d0_4043_2000n << 16n) | 0xfffn,
  sldt: 0n,
  str: 0xe040n,
  smsw: CR0,
} as const;

/**
 * Builds the machine and its domain; the guest has not executed anything yet.
 * @throws KernelImageError with a sentence that says what to do.
 */
export function createMachine(config: MachineConfig): Machine {
  checkConfig(config);
  const plan = planKernel(config.kernel);
  const pages = config.memoryMib * 256;
  const memoryPlan = planMemory(pages, SLACK_PAGES, XEN_PAGES, plan.bits);
  const policy = cpuPolicy(config.cpu, config.dom0, config.tsc, memoryPlan.hostFrames, plan.bits);
  const parts: { hv: Hypervisor | null } = { hv: null };
  const walked: WalkResult = { mfn: 0 as Mfn, writable: false, errorCode: 0 };
  const hypervisor = (): Hypervisor => parts.hv!;
  const host: CpuHost = {
    translate: (id, lo, hi, access, bank, out) => {
      const hv = hypervisor();
      const window = hv.storeWindow;
      if (window && BigInt.asUintN(64, (BigInt(hi) << 32n) | BigInt(lo >>> 0)) >> 12n === window.page >> 12n) {
        out.mfn = hv.memory.ram.index(window.frame);
        out.writable = true;
        return true;
      }
      const root = hv.domain.vcpus[id]!.currentRoot();
      if (!hv.memory.walker.walk(root, lo, hi, access === 1, access === 2, walked, bank === Bank.user)) {
        out.errorCode = walked.errorCode;
        return false;
      }
      out.mfn = hv.memory.ram.index(walked.mfn);
      out.writable = walked.writable;
      return true;
    },
    cpuid: (_id, leaf, subleaf) => policy.native(leaf, subleaf),
    tsc: (_id, executed) => {
      const hv = hypervisor();
      // Never before what vcpu_time_info says of the moment at which the vCPU was entered.
      return BigInt((config.tsc === 'native' ? systemTime(hv) : hv.now()) + Math.max(0, executed));
    },
    loadSegment: (id, segment, selector, cpl, how) =>
      loadDescriptor(hypervisor(), hypervisor().domain.vcpus[id]!, segment, selector, cpl, how),
    readDescriptor: (id, selector) => readDescriptor(hypervisor(), hypervisor().domain.vcpus[id]!, selector),
    sensitive: (id, what) => SENSITIVE[what] | (what === 'smsw' && hypervisor().domain.vcpus[id]!.cpu.fpuDisabled ? CR0_TS : 0n),
  };
  const engine: Engine = createEngine({
    ramBytes: memoryPlan.frames * 4096,
    vcpus: config.vcpus,
    model: config.cpu,
    host,
    tier1: config.tier1 ?? true,
  });
  const trace = new Trace(() => parts.hv?.icount ?? 0, TRACE_RING_BYTES);
  const created = createHypervisor(config, plan, memoryPlan, engine, trace, policy);
  parts.hv = created.hv;
  const page: VirtualAddress | null = plan.hypercallPage === null ? null : asVirtual(plan.hypercallPage);
  return new RunningMachine(created, engine, page);
}

function checkConfig({ memoryMib, vcpus, cmdline }: MachineConfig): void {
  const bytes = new TextEncoder().encode(cmdline).length;
  if (bytes >= CMDLINE_BYTES) {
    throw new KernelImageError(
      `The command line has ${bytes} bytes; start_info has room for ${CMDLINE_BYTES - 1}, and Xen's builder would cut the rest off without a word. Shorten it.`,
    );
  }
  if (!Number.isInteger(memoryMib) || memoryMib < 1 || memoryMib > 3072) {
    throw new KernelImageError(`The domain's memory is ${memoryMib} MiB; give a whole number from 1 to 3072 (--memory).`);
  }
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > 32)
    throw new KernelImageError(`The domain has ${vcpus} vCPUs; give a whole number from 1 to 32 (--vcpus).`);
}
