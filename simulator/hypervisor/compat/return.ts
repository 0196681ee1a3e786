// The way from Xen to a 32-bit guest: the processor's iret loads cs and ss with the checks for the privilege that cs asks for, and
// takes data segments away that the new privilege may not use. What it refuses the guest gets as a fault, with the state that it
// would have had. Source: Intel SDM volume 2, iret; behaviour of Xen 4.17 (arch/x86/x86_64/compat/entry.S).

import { Segment } from '../../cpu/engine-types.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { loadDescriptor } from '../selectors.ts';
import type { VcpuState } from '../vcpu.ts';
import { FLAT32 } from './flat.ts';

export interface ReturnFault {
  readonly vector: number;
  readonly errorCode: number;
}

const NOTHING = { base: 0n, limit: 0, attributes: 0 };
const CONFORMING_CODE = 0x0c;

/** Loads cs and ss and sets mode and privilege. On a fault the selectors are those asked for. */
export function returnTo(hv: Hypervisor, vcpu: VcpuState, cs: number, ss: number): ReturnFault | null {
  const { cpu } = vcpu;
  const cpl = cs & 3;
  cpu.setSegment(Segment.cs, cs, FLAT32.kernelCode);
  cpu.setSegment(Segment.ss, ss, FLAT32.kernelData);
  vcpu.applyMode();
  if ((cs & ~3) === 0) return { vector: 13, errorCode: 0 };
  const code = loadDescriptor(hv, vcpu, Segment.cs, cs, cpl, 'return');
  if (!code.ok) return code;
  if ((ss & ~3) === 0) return { vector: 13, errorCode: 0 };
  const stack = loadDescriptor(hv, vcpu, Segment.ss, ss, cpl, 'return');
  if (!stack.ok) return stack;
  cpu.setSegment(Segment.cs, cs, code.cache);
  cpu.setSegment(Segment.ss, ss, stack.cache);
  for (const segment of [Segment.ds, Segment.es, Segment.fs, Segment.gs]) {
    const { attributes } = cpu.segment(segment);
    const conforming = (attributes & CONFORMING_CODE) === CONFORMING_CODE;
    if (attributes & 0x80 && !conforming && ((attributes >> 5) & 3) < cpl) cpu.setSegment(segment, 0, NOTHING);
  }
  if (cpu.rip > BigInt(code.cache.limit)) return { vector: 13, errorCode: 0 };
  return null;
}
