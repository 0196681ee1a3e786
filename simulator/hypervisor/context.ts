// Gives a vCPU the state of a vcpu_guest_context (vcpu_op.initialise), with the checks that Xen makes of it.

import { asMfn, isCanonical } from '../../abi/address.ts';
import { guestContextFlags as VGCF } from '../../abi/constants/vcpu.table.ts';
import type { StructView } from '../../abi/layout.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { GprName, Segment } from '../cpu/engine-types.ts';
import { FrameType } from '../memory/frame-table.ts';
import { hex, refuse } from '../memory/refuse.ts';
import { loadRegisters32 } from './compat/context.ts';
import { guestSelector } from './compat/traps.ts';
import { paeFrame, writeDebug } from './control-registers.ts';
import type { Hypervisor } from './hypervisor.ts';
import { dropLdt } from './ldt.ts';
import type { VcpuState } from './vcpu.ts';

const MAX_GDT = 14 * 512;

const ADDRESSES_64 = [
  'user_regs.rip',
  'event_callback_eip',
  'failsafe_callback_eip',
  'syscall_callback_eip',
  'kernel_sp',
  'fs_base',
  'gs_base_kernel',
  'gs_base_user',
];

export function loadContext(hv: Hypervisor, vcpu: VcpuState, context: StructView): Refusal | null {
  const { bits } = vcpu;
  for (const path of bits === 64 ? ADDRESSES_64 : []) {
    if (!isCanonical(context.big(path)))
      return refuse('EINVAL', 'address-not-canonical', { what: `vcpu_guest_context.${path}`, address: hex(context.big(path)) });
  }
  const cr3 = context.big('ctrlreg[3]');
  const root = asMfn(bits === 64 ? Number((cr3 >> 12n) & 0xff_ffff_ffffn) : paeFrame(Number(cr3)));
  const { types } = hv.memory;
  const entries = context.number('gdt_ents');
  if (entries > MAX_GDT) return refuse('EINVAL', 'gdt-size', { entries, most: MAX_GDT });
  const frames = Array.from({ length: Math.ceil(entries / 512) }, (_, n) => asMfn(Number(context.big(`gdt_frames[${n}]`))));
  const taken: typeof frames = [];
  for (const mfn of frames) {
    const refusal = types.getPageAndType(mfn, FrameType.segDesc, vcpu.domain.id);
    if (refusal) {
      for (const other of taken) types.putPageAndType(other);
      return { ...refusal, errno: 'EINVAL' };
    }
    taken.push(mfn);
  }
  const refusal = types.getPageAndType(root, bits === 64 ? FrameType.l4 : FrameType.l3, vcpu.domain.id);
  if (refusal) {
    for (const other of taken) types.putPageAndType(other);
    return refusal;
  }
  vcpu.root = root;
  vcpu.gdtFrames = frames;
  vcpu.gdtEntries = entries;
  dropLdt(hv, vcpu);
  vcpu.ldtBase = context.big('ldt_base');
  vcpu.ldtEntries = context.number('ldt_ents');
  const flags = context.number('flags');
  const own = (selector: number): number => (bits === 64 ? selector | 3 : guestSelector(selector));
  vcpu.kernelMode = true;
  const userRoot = asMfn(bits === 64 ? Number((context.big('ctrlreg[1]') >> 12n) & 0xff_ffff_ffffn) : 0);
  if (userRoot !== 0 && !types.getPageAndType(userRoot, FrameType.l4, vcpu.domain.id)) vcpu.userRoot = userRoot;
  for (let vector = 0; vector < 256; vector++) {
    const trap = `trap_ctxt[${vector}]`;
    const address = context.big(`${trap}.address`);
    vcpu.setTrap(vector, address ? { cs: own(context.number(`${trap}.cs`)), flags: context.number(`${trap}.flags`), address } : null);
  }
  const callback = (name: string): { address: bigint; cs?: number } => ({
    address: context.big(`${name}_eip`),
    ...(bits === 32 ? { cs: own(context.number(`${name}_cs`)) } : {}),
  });
  vcpu.event = { ...callback('event_callback'), masks: true };
  vcpu.failsafe = { ...callback('failsafe_callback'), masks: (flags & VGCF.VGCF_failsafe_disables_events) !== 0 };
  if (bits === 64)
    vcpu.syscall = { address: context.big('syscall_callback_eip'), masks: (flags & VGCF.VGCF_syscall_disables_events) !== 0 };
  vcpu.kernelSp = context.big('kernel_sp');
  vcpu.kernelSs = own(context.number('kernel_ss'));
  for (const register of [0, 1, 2, 3, 6, 7]) writeDebug(vcpu, register, context.big(`debugreg[${register}]`));
  if (bits === 64) loadRegisters(vcpu, context);
  else loadRegisters32(hv, vcpu, context);
  vcpu.initialised = true;
  vcpu.up = (flags & VGCF.VGCF_online) !== 0;
  vcpu.asleep = vcpu.up;
  return null;
}

function loadRegisters(vcpu: VcpuState, context: StructView): void {
  const { cpu } = vcpu;
  for (const name of GprName) cpu.set(name, context.big(`user_regs.${name}`));
  cpu.rip = context.big('user_regs.rip');
  const flags = context.number('user_regs.rflags');
  vcpu.iopl = (flags >> 12) & 3;
  cpu.rflags = (flags & ~0x3000) | 0x202;
  vcpu.resetSegments();
  vcpu.applyMode();
  cpu.setBase(Segment.fs, context.big('fs_base'));
  cpu.setBase(Segment.gs, context.big('gs_base_kernel'));
  vcpu.otherGsBase = context.big('gs_base_user');
  cpu.flushAll();
}
