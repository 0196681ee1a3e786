// How large a machine of a configuration is: frames of RAM, Xen's heap, firmware's memory, vCPUs of the engine.

import { domainsOf, SLACK_PAGES, xenPages } from './hypervisor/create.ts';
import { KernelImageError, type MachineConfig } from './machine-types.ts';
import { type MemoryPlan, planMemory } from './memory/allocate.ts';
import { memoryFrames } from './pc/memory-map.ts';

/** RAM of the PC around a dom0, in frames: 2 or 3 GiB less what firmware keeps. Behind it come the registers of devices. */
const PC_FRAMES = [0x7ffe0, 0xbffe0];
/** Below lie firmware's first MiB and what Xen has of RAM besides. */
const LEAST_BASE = 0x8000;
const MOST_MIB = 2880;

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
  const hasPc = all.some(({ dom0 }) => dom0);
  const sizes = { ...planMemory(pages, slack, xenPages(config), bits, hasPc ? PC_FRAMES : undefined), xpti: config.cpu === 'intel' };
  if (hasPc && sizes.base < LEAST_BASE) {
    throw new KernelImageError(
      `The domains have ${pages / 256} MiB together; a machine with a dom0 is a PC whose RAM ends at 3 GiB, below the registers of its devices. Give them at most ${MOST_MIB} MiB.`,
    );
  }
  const memoryPlan = hasPc ? { ...sizes, firmware: memoryFrames(sizes.hostFrames) } : sizes;
  const ramBytes = (memoryPlan.frames + (memoryPlan.firmware?.length ?? 0)) * 4096;
  return { memoryPlan, ramBytes, vcpus: sum(all.map(({ vcpus }) => vcpus)) + spare.vcpus };
}
