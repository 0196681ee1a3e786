// iret: the way back from a bounce frame, and into user mode. The frame is read from the guest's stack:
// rax, r11, rcx, flags, rip, cs, rflags, rsp, ss.

import { guestContextFlags } from '../../../abi/constants/vcpu.table.ts';
import { Segment } from '../../cpu/engine-types.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { injectException } from '../bounce.ts';
import { type Call, type HandlerResult, NO_RETURN } from '../call.ts';
import { loadDescriptor } from '../selectors.ts';
import { FLAT_CODE, FLAT_DATA, FLAT_KERNEL_CS, FLAT_KERNEL_SS, type VcpuState } from '../vcpu.ts';

const RAX = 0;
const RCX = 1;
const RSP = 4;
const R11 = 11;
const IF = 0x200;
const IOPL = 0x3000;
const VM = 0x20000;
const ARCHITECTURAL_IOPL = 4;
const FRAME_BYTES = 72;
const FLAT_USER_CS32 = 0xe023;
/** The L bit in a segment's cached attributes. */
const LONG_CODE = 0x2000;

export function iret(call: Call): HandlerResult {
  const { hv, vcpu } = call;
  const { cpu } = vcpu;
  const bytes = call.read(cpu.reg(RSP), FRAME_BYTES);
  if (!bytes) {
    const refusal = call.fault('iret frame').refusal!;
    hv.log(`d${vcpu.domain.id}v${vcpu.id} Fault while reading IRET context from guest stack`);
    hv.crash(vcpu, `the frame of the iret hypercall cannot be read from the stack at ${hex(cpu.reg(RSP))}`, refusal);
    return NO_RETURN;
  }
  const view = new DataView(bytes.buffer);
  const word = (n: number): bigint => view.getBigUint64(n * 8, true);
  const frame = { rax: word(0), r11: word(1), rcx: word(2), rip: word(4), rsp: word(7), ss: word(8) };
  const guestFlags = view.getUint32(3 * 8, true);
  const cs = view.getUint16(5 * 8, true);
  const flags = view.getUint32(6 * 8, true);
  if ((cs & 3) === 3) {
    if (vcpu.userRoot === null) {
      hv.log(`d${vcpu.domain.id}v${vcpu.id} Guest switching to user mode with no user page tables`);
      const refusal = refuse('EINVAL', 'no-user-tables', { rip: hex(frame.rip), cs: hex(cs) });
      hv.crash(vcpu, `iret to user mode (cs ${hex(cs)}) without user page tables: MMUEXT_NEW_USER_BASEPTR was never made`, refusal);
      return NO_RETURN;
    }
    vcpu.toggleMode();
  }
  if (vcpu.domain.assist(ARCHITECTURAL_IOPL)) vcpu.iopl = (flags & IOPL) >> 12;
  cpu.rflags = (flags & ~(IOPL | VM)) | IF;
  cpu.setReg(RSP, frame.rsp);
  cpu.setReg(RAX, frame.rax);
  cpu.rip = frame.rip;
  if (guestFlags & guestContextFlags.VGCF_in_syscall) {
    // Left by sysret: rcx and r11 become rip and flags.
    cpu.setReg(RCX, frame.rip);
    cpu.setReg(R11, BigInt(cpu.rflags >>> 0));
  } else {
    cpu.setReg(R11, frame.r11);
    cpu.setReg(RCX, frame.rcx);
  }
  vcpu.domain.events.setUpcallMask(vcpu.id, flags & IF ? 0 : 1);
  vcpu.nmiMasked = false;
  // The processor's own iret would fault on the way out: the guest gets the fault at the address it wanted to return to.
  const inSyscall = (guestFlags & guestContextFlags.VGCF_in_syscall) !== 0;
  const fault = inSyscall ? loadFlat(call, vcpu, cs | 3) : loadCodeAndStack(call, vcpu, cs | 3, Number(frame.ss & 0xffffn) | 3);
  if (fault?.vector === 14) {
    injectException(hv, vcpu, 14, 0, hv.ldtFault ?? 0n, {
      byXen: true,
      reason: 'a selector of the iret frame is in an LDT page that cannot be used',
    });
    hv.ldtFault = null;
  } else if (fault)
    injectException(hv, vcpu, fault.vector, fault.errorCode, 0n, {
      byXen: true,
      reason: `iret frame with cs ${hex(cs)}, ss ${hex(frame.ss)}`,
    });
  return NO_RETURN;
}

/** sysret loads flat segments whatever the frame names, 32-bit code when it names that. */
function loadFlat(call: Call, vcpu: VcpuState, cs: number): { vector: number; errorCode: number } | null {
  return loadCodeAndStack(call, vcpu, cs === FLAT_USER_CS32 ? cs : FLAT_KERNEL_CS, FLAT_KERNEL_SS);
}

/** Loads cs and ss with privilege forced to 3, as the processor's iret does it for Xen. */
function loadCodeAndStack(call: Call, vcpu: VcpuState, cs: number, ss: number): { vector: number; errorCode: number } | null {
  const { cpu } = vcpu;
  // A frame for a fault here shows the selectors that were asked for.
  cpu.setSegment(Segment.cs, cs, FLAT_CODE);
  cpu.setSegment(Segment.ss, ss, FLAT_DATA);
  if (cs === FLAT_KERNEL_CS) cpu.setSegment(Segment.cs, cs, FLAT_CODE);
  else {
    const code = loadDescriptor(call.hv, vcpu, Segment.cs, cs);
    if (!code.ok) return code;
    cpu.setSegment(Segment.cs, cs, code.cache);
    vcpu.applyMode(code.cache.attributes & LONG_CODE ? 64 : 32);
  }
  if (ss === FLAT_KERNEL_SS) cpu.setSegment(Segment.ss, ss, FLAT_DATA);
  else if (ss <= 3) return { vector: 13, errorCode: 0 };
  else {
    const stack = loadDescriptor(call.hv, vcpu, Segment.ss, ss);
    if (!stack.ok) return stack;
    cpu.setSegment(Segment.ss, ss, stack.cache);
  }
  return null;
}
