// The simulated machine: engine, hypervisor and devices as one value that runs, stops, and can be looked into.

import type { Mfn } from '../abi/address.ts';
import { type LoadPlan, planKernel } from './builder/plan.ts';
import { CMDLINE_BYTES } from './builder/start-info.ts';
import { createEngine } from './cpu/engine.ts';
import { Bank, type CpuHost, type Engine } from './cpu/engine-types.ts';
import { CR0, CR0_TS } from './hypervisor/control-registers.ts';
import { createHypervisor, domainsOf } from './hypervisor/create.ts';
import type { Hypervisor } from './hypervisor/hypervisor.ts';
import { loadDescriptor, readDescriptor } from './hypervisor/selectors.ts';
import { systemTime } from './hypervisor/time.ts';
import { machineShape, sum } from './machine-shape.ts';
import { type DomainConfig, KernelImageError, type Machine, type MachineConfig } from './machine-types.ts';
import { PFEC, type WalkResult } from './memory/walk.ts';
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
  checkMachine(config);
  const all = domainsOf(config);
  const plans = all.map(({ kernel }, configured) => planOf(kernel, configured));
  const bits = oneWidth(plans);
  const { memoryPlan, ramBytes, vcpus } = machineShape(config, bits);
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
      const root = hv.vcpus[id]!.currentRoot();
      if (!hv.memory.walker.walk(root, lo, hi, access === 1, access === 2, walked, bank === Bank.user)) {
        out.errorCode = walked.errorCode;
        return false;
      }
      out.mfn = hv.memory.ram.pageIndex(walked.mfn);
      out.writable = walked.writable;
      if (out.mfn >= 0 && walked.mfn !== hv.startInfoGuard?.frame) return true;
      // Registers of a device, and dom0's start_info: the access is carried out apart (device-access.ts, start-info-guard.ts).
      out.errorCode = PFEC.present | PFEC.user | (access === 1 ? PFEC.write : 0) | (access === 2 ? PFEC.fetch : 0);
      return false;
    },
    cpuid: (id, leaf, subleaf) => hypervisor().vcpus[id]!.domain.policy.native(leaf, subleaf),
    tsc: (id, executed) => {
      const hv = hypervisor();
      const { tsc, startedAt } = hv.vcpus[id]!.domain;
      // Never before what vcpu_time_info says of the moment at which the vCPU was entered.
      return BigInt((tsc === 'native' ? systemTime(hv) : hv.now() - startedAt) + Math.max(0, executed));
    },
    loadSegment: (id, segment, selector, cpl, how) => loadDescriptor(hypervisor(), hypervisor().vcpus[id]!, segment, selector, cpl, how),
    readDescriptor: (id, selector) => readDescriptor(hypervisor(), hypervisor().vcpus[id]!, selector),
    sensitive: (id, what) => SENSITIVE[what] | (what === 'smsw' && hypervisor().vcpus[id]!.cpu.fpuDisabled ? CR0_TS : 0n),
  };
  const engine: Engine = createEngine({
    ramBytes,
    vcpus,
    model: config.cpu,
    host,
    tier1: config.tier1 ?? true,
  });
  const trace = new Trace(() => parts.hv?.icount ?? 0, TRACE_RING_BYTES);
  const created = createHypervisor(config, plans, memoryPlan, engine, trace);
  parts.hv = created.hv;
  return new RunningMachine(created, engine);
}

const vcpusOf = (config: MachineConfig): number => sum(domainsOf(config).map(({ vcpus }) => vcpus)) + (config.spare?.vcpus ?? 0);

function planOf(kernel: Uint8Array, configured: number): LoadPlan {
  try {
    return planKernel(kernel);
  } catch (error) {
    if (error instanceof KernelImageError) error.configured = configured;
    throw error;
  }
}

/** 64-bit and 32-bit kernels have different page tables, and the machine has one walker for all. */
function oneWidth(plans: readonly LoadPlan[]): 64 | 32 {
  const { bits } = plans[0]!;
  if (plans.some((plan) => plan.bits !== bits))
    throw new KernelImageError('64-bit and 32-bit kernels cannot be domains of one simulated machine. Run them in machines of their own.');
  return bits;
}

const MOST_VCPUS = 32;
const MOST_MEMORY_MIB = 3072;

function checkMachine(config: MachineConfig): void {
  const all = domainsOf(config);
  for (const one of all) checkDomain(one);
  if (all.length === 1 && !config.spare) return;
  if (all.filter(({ dom0 }) => dom0).length > 1) throw new KernelImageError('Only one of the domains can be dom0.');
  const vcpus = vcpusOf(config);
  if (vcpus > MOST_VCPUS)
    throw new KernelImageError(`The domains have ${vcpus} vCPUs together; the machine has at most ${MOST_VCPUS}. Give them fewer.`);
  const memory = sum(all.map(({ memoryMib }) => memoryMib)) + (config.spare?.memoryMib ?? 0);
  if (memory > MOST_MEMORY_MIB)
    throw new KernelImageError(`The domains have ${memory} MiB together; the machine has at most ${MOST_MEMORY_MIB}. Give them less.`);
}

function checkDomain({ memoryMib, vcpus, cmdline }: DomainConfig): void {
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
