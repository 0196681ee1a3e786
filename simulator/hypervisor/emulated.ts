// The record of an instruction that Xen carries out in the guest's place.

import { hex } from '../memory/refuse.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

/** `rip` is the instruction's; `detail` is only asked for when somebody reads such records. */
export function reportEmulated(
  hv: Hypervisor,
  vcpu: VcpuState,
  rip: bigint,
  instruction: string,
  rule: string,
  detail: () => string | null,
): void {
  if (!hv.trace.wants('emulate')) return;
  hv.trace.emit('emulate', { domain: vcpu.domain.id, vcpu: vcpu.id, rip: hex(rip), instruction, rule, detail: detail() });
}
