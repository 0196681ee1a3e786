// syscall and sysenter in a 32-bit guest: to the callback that the guest registered, or #GP for its kernel's handler. The processor
// tells neither of them which segments the caller had; Xen puts its flat user segments into the frame.
// Behaviour of Xen 4.17 built with PV32 (arch/x86/x86_64/compat/entry.S).

import { type Exit, Segment } from '../../cpu/engine-types.ts';
import { bounce, injectException } from '../bounce.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Callback, VcpuState } from '../vcpu.ts';
import { FLAT32 } from './flat.ts';

const RSP = 4;
const GP = 13;
const USER_CODE = { ...FLAT32.kernelCode, attributes: 0xc0fb };
const USER_DATA = { ...FLAT32.kernelData, attributes: 0xc0f3 };

const hasSegment = (callback: Callback): boolean => ((callback.cs ?? 0) & ~3) !== 0;

/** Exists on AMD's processors only. */
export function systemCall32(hv: Hypervisor, vcpu: VcpuState, exit: Exit): void {
  const { cpu } = vcpu;
  cpu.setSegment(Segment.cs, FLAT32.userCs, USER_CODE);
  cpu.setSegment(Segment.ss, FLAT32.userDs, USER_DATA);
  vcpu.applyMode();
  const { syscall32 } = vcpu;
  if (!hasSegment(syscall32)) {
    cpu.rip = exit.instruction;
    injectException(hv, vcpu, GP, 0, 0n, { byXen: true, reason: 'syscall, and the guest has no syscall32 callback' });
    return;
  }
  bounce(hv, vcpu, { ...syscall32, errorCode: null, what: 'the syscall32 callback' });
}

/** Exists on Intel's processors only. The caller's eip and esp are lost, and cs is null with ring 3. */
export function sysenter32(hv: Hypervisor, vcpu: VcpuState): void {
  const { cpu } = vcpu;
  cpu.setSegment(Segment.cs, 3, USER_CODE);
  cpu.setSegment(Segment.ss, FLAT32.userDs, USER_DATA);
  vcpu.applyMode();
  cpu.rip = 0n;
  cpu.setReg(RSP, 0n);
  const { sysenter } = vcpu;
  if (sysenter.address === 0n) {
    injectException(hv, vcpu, GP, 0, 0n, { byXen: true, reason: 'sysenter, and the guest has no sysenter callback' });
    return;
  }
  // Without a segment of its own the callback is entered with that of the #GP handler.
  const cs = hasSegment(sysenter) ? sysenter.cs! : vcpu.traps[GP]!.cs;
  bounce(hv, vcpu, { ...sysenter, cs, errorCode: null, what: 'the sysenter callback' });
}
