// First registers of a vCPU of a 32-bit guest (vcpu_op.initialise). Its data segments are loaded as the vCPU is switched to; one that
// cannot be loaded leads to the failsafe callback, whose frame shows the selectors that were wanted: ds, es, fs, gs, eip, cs with the
// saved upcall mask, eflags and, from user mode, esp and ss. Behaviour of Xen 4.17 built with PV32 (arch/x86/domain.c).

import type { StructView } from '../../../abi/layout.ts';
import { GprName, Segment, type SegmentNumber } from '../../cpu/engine-types.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { injectException } from '../bounce.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { loadDescriptor } from '../selectors.ts';
import type { VcpuState } from '../vcpu.ts';
import { FLAT32 } from './flat.ts';
import { returnTo } from './return.ts';
import { guestSelector } from './traps.ts';

const NOTHING = { base: 0n, limit: 0, attributes: 0 };
const IF = 0x200;
const IOPL = 0x3000;
const CLEARED = 0x20000 | 0x10000 | 0x4000 | 0x100 | IOPL;
const ARCHITECTURAL_IOPL = 4;
const DATA_SEGMENTS = ['ds', 'es', 'fs', 'gs'] as const;

export function loadRegisters32(hv: Hypervisor, vcpu: VcpuState, context: StructView): void {
  const { cpu } = vcpu;
  for (const [n, name] of GprName.entries()) {
    if (n < 8) cpu.set(name, context.big(`user_regs.e${name.slice(1)}`));
  }
  cpu.rip = context.big('user_regs.eip');
  const flags = context.number('user_regs.eflags');
  vcpu.iopl = (flags >> 12) & 3;
  cpu.rflags = (flags & ~IOPL) | IF | 2;
  const wanted = DATA_SEGMENTS.map((name) => context.number(`user_regs.${name}`));
  const cs = guestSelector(context.number('user_regs.cs'));
  const ss = guestSelector(context.number('user_regs.ss'));
  const fault = returnTo(hv, vcpu, cs, ss);
  cpu.flushAll();
  if (!loadData(hv, vcpu, wanted, cs & 3)) failsafe(hv, vcpu, wanted, cs, ss);
  else if (fault)
    injectException(hv, vcpu, fault.vector, fault.errorCode, 0n, {
      byXen: true,
      reason: `vcpu_guest_context with cs ${hex(cs)}, ss ${hex(ss)}`,
    });
}

/** False when one could not be loaded: all are null then. */
function loadData(hv: Hypervisor, vcpu: VcpuState, wanted: readonly number[], cpl: number): boolean {
  let good = true;
  for (const [n, name] of DATA_SEGMENTS.entries()) {
    const selector = wanted[n]!;
    const segment: SegmentNumber = Segment[name];
    vcpu.cpu.setSegment(segment, selector <= 3 ? selector : 0, NOTHING);
    if (selector <= 3) continue;
    const loaded = loadDescriptor(hv, vcpu, segment, selector, cpl);
    if (loaded.ok) vcpu.cpu.setSegment(segment, selector, loaded.cache);
    else good = false;
  }
  return good;
}

function failsafe(hv: Hypervisor, vcpu: VcpuState, wanted: readonly number[], cs: number, ss: number): void {
  const { cpu } = vcpu;
  const { events } = vcpu.domain;
  const inKernel = (cs & 3) === 1;
  const esp = Number(cpu.reg(4) & 0xffff_ffffn);
  const mask = events.upcallMask(vcpu.id);
  const flags = (cpu.rflags & ~(IF | IOPL)) | (mask & 0xff ? 0 : IF) | (vcpu.domain.assist(ARCHITECTURAL_IOPL) ? vcpu.iopl << 12 : 0);
  const words = [...wanted, Number(cpu.rip & 0xffff_ffffn), (cs & 0xffff) | ((mask & 0xff) << 16), flags, ...(inKernel ? [] : [esp, ss])];
  const frame = new Uint8Array(words.length * 4);
  words.forEach((word, n) => {
    new DataView(frame.buffer).setUint32(n * 4, word >>> 0, true);
  });
  const top = inKernel ? esp : Number(vcpu.kernelSp & 0xffff_ffffn);
  const sp = (top - frame.length) >>> 0;
  if (!hv.guest.write(vcpu.root, BigInt(sp), frame)) {
    const refusal = refuse('EFAULT', 'bounce-stack', {
      stack: hex(top),
      for: 'the failsafe callback',
      rip: hex(cpu.rip),
      kernelStack: hex(vcpu.kernelSp),
    });
    hv.crash(vcpu, `the frame for the failsafe callback cannot be pushed onto the stack at ${hex(top)}`, refusal);
    return;
  }
  if (vcpu.failsafe.masks) events.setUpcallMask(vcpu.id, 1);
  cpu.rflags &= ~CLEARED;
  cpu.setReg(4, BigInt(sp));
  cpu.rip = vcpu.failsafe.address;
  returnTo(hv, vcpu, FLAT32.kernelCs, FLAT32.kernelDs);
}
