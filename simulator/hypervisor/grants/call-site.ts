// The code of the guest on whose behalf Xen works. In a stub of the hypercall page, which has no debug information, that is its caller.

import type { Hypervisor } from '../hypervisor.ts';
import type { VcpuState } from '../vcpu.ts';

const PAGE = 4096n;

export function callSite(hv: Hypervisor, vcpu: VcpuState): bigint {
  const { rip } = vcpu.cpu;
  const page = vcpu.domain.image?.hypercallPage ?? null;
  if (page === null || rip < page || rip >= page + PAGE) return rip;
  const word = vcpu.bits / 8;
  const stack = hv.peek(vcpu.currentRoot(), vcpu.cpu.get('rsp'), word);
  if (!stack) return rip;
  let address = 0n;
  for (let n = word - 1; n >= 0; n--) address = (address << 8n) | BigInt(stack[n]!);
  return address;
}
