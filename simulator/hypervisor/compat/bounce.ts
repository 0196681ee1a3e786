// Bounce frames of a 32-bit guest, lowest address first: [error code,] eip, cs with the saved upcall mask in bits 16-23, eflags,
// and, when user mode was interrupted, esp and ss of it. Its kernel's frames go onto the stack in use, those of user mode onto the
// stack that stack_switch named. Behaviour of Xen 4.17 built with PV32 (arch/x86/x86_64/compat/entry.S).

import { Segment } from '../../cpu/engine-types.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { savedFlags } from '../saved-flags.ts';
import { loadDescriptor } from '../selectors.ts';
import type { VcpuState } from '../vcpu.ts';
import { type ReturnFault, returnTo } from './return.ts';

const RSP = 4;
const IF = 0x200;
const IOPL = 0x3000;
/** Flags that entering the guest kernel clears: VM, RF, NT, TF. */
const CLEARED = 0x20000 | 0x10000 | 0x4000 | 0x100;

export interface Bounce32 {
  readonly address: bigint;
  readonly cs: number;
  readonly masks: boolean;
  readonly errorCode: number | null;
  readonly fault?: boolean;
  /** For the crash message: 'exception 14 (#PF)', 'the event callback'. */
  readonly what: string;
}

/** Pushes a frame and enters the guest kernel. The result is the fault that the processor met on the way into the guest, which is
 * the guest's to handle; a guest without stack or handler is killed, as by Xen. */
export function bounce32(hv: Hypervisor, vcpu: VcpuState, to: Bounce32): ReturnFault | null {
  const { cpu } = vcpu;
  const { events } = vcpu.domain;
  const cs = cpu.selector(Segment.cs);
  const fromUser = (cs & 2) !== 0;
  const oldSp = cpu.reg(RSP) & 0xffff_ffffn;
  const oldSs = cpu.selector(Segment.ss);
  const ss = fromUser ? vcpu.kernelSs : oldSs;
  const base = stackBase(hv, vcpu, ss);
  const top = fromUser ? vcpu.kernelSp & 0xffff_ffffn : oldSp;
  const mask = events.upcallMask(vcpu.id);
  const words = [
    ...(to.errorCode === null ? [] : [to.errorCode]),
    Number(cpu.rip & 0xffff_ffffn),
    (cs & 0xffff) | ((mask & 0xff) << 16),
    savedFlags(vcpu, mask, to.fault === true),
    ...(fromUser ? [Number(oldSp), oldSs] : []),
  ];
  const frame = new Uint8Array(words.length * 4);
  const view = new DataView(frame.buffer);
  words.forEach((word, n) => {
    view.setUint32(n * 4, word >>> 0, true);
  });
  const sp = BigInt.asUintN(32, top - BigInt(frame.length));
  if (base === null || !hv.guest.write(vcpu.currentRoot(), base + sp, frame)) {
    const refusal = refuse('EFAULT', 'bounce-stack', {
      stack: hex(top),
      stackSegment: hex(ss),
      for: to.what,
      rip: hex(cpu.rip),
      kernelStack: hex(vcpu.kernelSp),
    });
    hv.crash(vcpu, `the frame for ${to.what} cannot be pushed onto the stack at ${hex(ss)}:${hex(top)}`, refusal);
    return null;
  }
  if ((to.cs & ~3) === 0) {
    const refusal = refuse('EINVAL', 'no-handler', { for: to.what, rip: hex(cpu.rip) });
    hv.crash(vcpu, `${to.what} at eip ${hex(cpu.rip)}, and the guest has no handler for it`, refusal);
    return null;
  }
  if (to.masks) events.setUpcallMask(vcpu.id, mask | 1);
  cpu.rflags = (cpu.rflags & ~(CLEARED | IOPL)) | IF;
  cpu.setReg(RSP, sp);
  cpu.rip = to.address & 0xffff_ffffn;
  return returnTo(hv, vcpu, to.cs, ss);
}

/** Xen reaches the stack through the guest's stack segment, in 64-bit mode: its base counts, its limit does not. */
function stackBase(hv: Hypervisor, vcpu: VcpuState, ss: number): bigint | null {
  if ((ss & ~3) === 0) return 0n;
  const loaded = loadDescriptor(hv, vcpu, Segment.ds, ss, 0);
  return loaded.ok ? loaded.cache.base : null;
}
