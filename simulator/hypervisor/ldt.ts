// The LDT of a vCPU: its pages are taken, and audited, at their first use, and let go when the table or the address space changes.

import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

export function dropLdt(hv: Hypervisor, vcpu: VcpuState): void {
  for (const mfn of vcpu.ldtFrames.values()) hv.memory.types.putPageAndType(mfn);
  vcpu.ldtFrames.clear();
}
