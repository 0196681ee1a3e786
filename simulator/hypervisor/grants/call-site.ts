// The code of the guest on whose behalf Xen works. In a stub of the hypercall page, which has no debug information, that is its caller.

import { readBig } from '../../../abi/layout.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { VcpuState } from '../vcpu.ts';

const PAGE = 4096n;
/** What a stub of a 64-bit guest has on the stack above its return address: rcx and r11. */
const SAVED_64 = 16n;

export function callSite(hv: Hypervisor, vcpu: VcpuState): bigint {
  const { rip } = vcpu.cpu;
  const page = vcpu.domain.image?.hypercallPage ?? null;
  if (page === null || rip < page || rip >= page + PAGE) return rip;
  const word = vcpu.bits === 64 ? 8 : 4;
  const place = vcpu.cpu.get('rsp') + (vcpu.bits === 64 ? SAVED_64 : 0n);
  const stack = hv.peek(vcpu.currentRoot(), place, word);
  return stack ? readBig(stack, 0, word) - 1n : rip;
}
