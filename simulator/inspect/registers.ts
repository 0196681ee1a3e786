// Registers of a vCPU for a debugger.

import { GprName, Segment } from '../cpu/engine-types.ts';
import { readControl } from '../hypervisor/control-registers.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { loadDescriptor } from '../hypervisor/selectors.ts';
import type { VcpuState } from '../hypervisor/vcpu.ts';
import type { RegisterName, Registers } from '../machine-types.ts';

export function readRegisters(hv: Hypervisor, vcpu: VcpuState): Registers {
  const { cpu } = vcpu;
  const general = Object.fromEntries(GprName.map((name) => [name, cpu.get(name)])) as Pick<Registers, (typeof GprName)[number]>;
  return {
    ...general,
    rip: cpu.rip,
    rflags: BigInt(cpu.rflags >>> 0),
    cs: cpu.selector(Segment.cs),
    ss: cpu.selector(Segment.ss),
    ds: cpu.selector(Segment.ds),
    es: cpu.selector(Segment.es),
    fs: cpu.selector(Segment.fs),
    gs: cpu.selector(Segment.gs),
    fsBase: cpu.base(Segment.fs),
    gsBase: cpu.base(Segment.gs),
    gsBaseKernel: vcpu.gsBaseKernel(),
    gsBaseUser: vcpu.gsBaseUser(),
    cr0: readControl(hv, vcpu, 0)!,
    cr2: vcpu.cr2,
    cr3: hv.cr3(vcpu),
    cr4: readControl(hv, vcpu, 4)!,
  };
}

const isGeneral = (name: string): name is (typeof GprName)[number] => (GprName as readonly string[]).includes(name);

/** @throws RangeError with a message for the user when the register cannot have this value. */
export function writeRegister(hv: Hypervisor, vcpu: VcpuState, name: RegisterName, value: bigint): void {
  const { cpu } = vcpu;
  const v = BigInt.asUintN(64, value);
  if (isGeneral(name)) {
    cpu.set(name, v);
    return;
  }
  switch (name) {
    case 'rip':
      cpu.rip = v;
      return;
    case 'rflags':
      // IF stays set and IOPL 0, as Xen keeps them.
      cpu.rflags = (Number(v & 0xffff_ffffn) & ~0x3000) | 0x202;
      return;
    case 'fsBase':
      cpu.setBase(Segment.fs, v);
      return;
    case 'gsBase':
      cpu.setBase(Segment.gs, v);
      return;
    case 'gsBaseKernel':
      if (vcpu.kernelMode) cpu.setBase(Segment.gs, v);
      else vcpu.otherGsBase = v;
      return;
    case 'gsBaseUser':
      if (vcpu.kernelMode) vcpu.otherGsBase = v;
      else cpu.setBase(Segment.gs, v);
      return;
    case 'cr2':
      hv.setCr2(vcpu, v);
      return;
    case 'cs':
    case 'ss':
    case 'ds':
    case 'es':
    case 'fs':
    case 'gs': {
      const selector = Number(v & 0xffffn);
      if (selector <= 3 && name !== 'cs') {
        cpu.setSegment(Segment[name], selector, { base: 0n, limit: 0, attributes: 0 });
        return;
      }
      const loaded = loadDescriptor(hv, vcpu, Segment[name], selector);
      if (!loaded.ok)
        throw new RangeError(`${name} cannot be loaded with selector 0x${selector.toString(16)}: the guest has no such segment.`);
      cpu.setSegment(Segment[name], selector, loaded.cache);
      if (name === 'cs' && vcpu.bits === 32) vcpu.applyMode();
      return;
    }
    default:
      throw new RangeError(`${name} cannot be set: Xen keeps it. Let the guest change it with a hypercall.`);
  }
}
