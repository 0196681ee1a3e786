// The flags in a bounce frame, of either width.

import type { VcpuState } from './vcpu.ts';

const IF = 0x200;
const IOPL = 0x3000;
const RF = 0x10000;
const ARCHITECTURAL_IOPL = 4;

/** IF shows the upcall mask, IOPL what the guest was given where it asked to see it; a fault has RF set, as the processor saved it. */
export function savedFlags(vcpu: VcpuState, mask: number, fault: boolean): number {
  const iopl = vcpu.domain.assist(ARCHITECTURAL_IOPL) ? vcpu.iopl << 12 : 0;
  return ((vcpu.cpu.rflags & ~(IF | IOPL)) | (mask & 0xff ? 0 : IF) | iopl | (fault ? RF : 0)) >>> 0;
}
