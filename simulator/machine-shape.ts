// How large a machine of a configuration is: frames of RAM, Xen's heap, firmware's memory, vCPUs of the engine.

import { domainsOf, SLACK_PAGES, xenPages } from './hypervisor/create.ts';
import type { MachineConfig } from './machine-types.ts';
import { type MemoryPlan, planMemory } from './memory/allocate.ts';
import { memoryFrames } from './pc/memory-map.ts';

export interface MachineShape {
  readonly memoryPlan: MemoryPlan;
  readonly ramBytes: number;
  readonly vcpus: number;
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** `bits`: width of the kernels. */
export function machineShape(config: MachineConfig, bits: 64 | 32): MachineShape {
  const all = domainsOf(config);
  const spare = config.spare ?? { memoryMib: 0, vcpus: 0 };
  const pages = (sum(all.map(({ memoryMib }) => memoryMib)) + spare.memoryMib) * 256;
  const slack = SLACK_PAGES * (all.length + spare.vcpus);
  const sizes = planMemory(pages, slack, xenPages(config), bits);
  const memoryPlan = all.some(({ dom0 }) => dom0) ? { ...sizes, firmware: memoryFrames(sizes.hostFrames) } : sizes;
  const ramBytes = (memoryPlan.frames + (memoryPlan.firmware?.length ?? 0)) * 4096;
  return { memoryPlan, ramBytes, vcpus: sum(all.map(({ vcpus }) => vcpus)) + spare.vcpus };
}
