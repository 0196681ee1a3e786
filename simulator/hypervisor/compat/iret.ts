// The iret hypercall of a 32-bit guest. Frame on the kernel's stack: eax, eip, cs, eflags and, unless it returns to ring 1, esp, ss.
// Behaviour of Xen 4.17 built with PV32 (arch/x86/pv/iret.c).

import { hex, refuse } from '../../memory/refuse.ts';
import { injectException } from '../bounce.ts';
import { type Call, type HandlerResult, NO_RETURN } from '../call.ts';
import { returnTo } from './return.ts';

const RAX = 0;
const RSP = 4;
const GP = 13;
const IF = 0x200;
const IOPL = 0x3000;
const VM = 0x20000;
const CLEARED = 0x10000 | 0x4000 | 0x100;
const ARCHITECTURAL_IOPL = 4;

export function iret32(call: Call): HandlerResult {
  const { hv, vcpu } = call;
  const { cpu } = vcpu;
  const sp = cpu.reg(RSP) & 0xffff_ffffn;
  const words = (from: number, count: number): number[] | null => {
    const bytes = call.read(sp + BigInt(from * 4), count * 4);
    return bytes && Array.from({ length: count }, (_, n) => new DataView(bytes.buffer).getUint32(n * 4, true));
  };
  const unreadable = (): HandlerResult => {
    hv.crash(vcpu, `the frame of the iret hypercall cannot be read from the stack at ${hex(sp)}`, call.fault('iret frame').refusal!);
    return NO_RETURN;
  };
  const frame = words(0, 4);
  if (!frame) return unreadable();
  const [eax, eip, selector, flags] = frame as [number, number, number, number];
  if (vcpu.domain.assist(ARCHITECTURAL_IOPL)) vcpu.iopl = (flags & IOPL) >> 12;
  cpu.rflags = (flags & ~(IOPL | VM)) | IF;
  if (flags & VM) return refuseVm86(call, sp, flags);
  const cs = selector & 0xffff;
  let newSp = sp + 16n;
  let ss = cpu.selector(2);
  if ((cs & 3) === 0) {
    const refusal = refuse('EINVAL', 'iret-to-ring-0', { cs: hex(cs), rip: hex(eip) });
    hv.crash(vcpu, `iret to ring 0 (cs ${hex(cs)}), which is Xen's`, refusal);
    return NO_RETURN;
  }
  if ((cs & 3) > 1) {
    const outer = words(4, 2);
    if (!outer) return unreadable();
    newSp = BigInt(outer[0]!);
    ss = outer[1]! & 0xffff;
  }
  cpu.setReg(RAX, BigInt(eax));
  cpu.setReg(RSP, newSp);
  cpu.rip = BigInt(eip);
  vcpu.domain.events.setUpcallMask(vcpu.id, flags & IF ? 0 : 1);
  vcpu.nmiMasked = false;
  const fault = returnTo(hv, vcpu, cs, ss);
  if (fault)
    injectException(hv, vcpu, fault.vector, fault.errorCode, hv.ldtFault ?? 0n, {
      byXen: true,
      reason: `iret frame with cs ${hex(cs)}, ss ${hex(ss)}`,
    });
  hv.ldtFault = null;
  return NO_RETURN;
}

/** There is no virtual-8086 mode in long mode: the kernel's handler of #GP gets the frame, moved to the stack of stack_switch. */
function refuseVm86(call: Call, sp: bigint, flags: number): HandlerResult {
  const { hv, vcpu } = call;
  const { cpu } = vcpu;
  const kernelSp = BigInt.asUintN(32, vcpu.kernelSp - 40n);
  const saved = call.read(sp + 4n, 36);
  const zero = new Uint8Array(4);
  if (!saved || !call.write(kernelSp + 4n, saved) || !call.write(kernelSp, zero)) {
    hv.crash(
      vcpu,
      `the frame of an iret to virtual-8086 mode cannot be moved to the stack at ${hex(kernelSp)}`,
      call.fault('stack').refusal!,
    );
    return NO_RETURN;
  }
  const trap = vcpu.traps[GP]!;
  const masked = (trap.flags & 4) !== 0 || !(flags & IF);
  cpu.rflags &= ~CLEARED;
  cpu.setReg(RSP, kernelSp);
  cpu.rip = trap.address;
  vcpu.domain.events.setUpcallMask(vcpu.id, masked ? 1 : 0);
  const fault = returnTo(hv, vcpu, trap.cs, vcpu.kernelSs);
  if (fault) injectException(hv, vcpu, fault.vector, fault.errorCode, 0n, { byXen: true, reason: 'iret to virtual-8086 mode' });
  return NO_RETURN;
}
