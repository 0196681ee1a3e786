// Segment selectors of a PV guest: its own GDT frames and LDT pages, and the flat segments that Xen puts at the end of every GDT.
// Source: Intel SDM volume 3, 3.4 and 5; public/arch-x86/xen-x86_64.h for Xen's segments.

import { asMfn } from '../../abi/address.ts';
import { checkSegmentLoad } from '../cpu/descriptors.ts';
import { type LoadReason, Segment, type SegmentLoad, type SegmentNumber } from '../cpu/engine-types.ts';
import { FrameType } from '../memory/frame-table.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

const RESERVED_START = 0xe000;
/** Present, S and type of a call gate that is not present. */
const ABSENT_CALL_GATE = 0x0c;
/** Xen's descriptors for a 32-bit guest: ring 0 code and data (unusable for guests), ring 1 code and data, ring 3 code and data. */
const XEN_DESCRIPTORS_32: ReadonlyMap<number, bigint> = new Map([
  [0xe008, 0x00af9b000000ffffn],
  [0xe010, 0x00cf93000000ffffn],
  [0xe018, 0x00cfbb000000ffffn],
  [0xe020, 0x00cfb3000000ffffn],
  [0xe028, 0x00cffb000000ffffn],
  [0xe030, 0x00cff3000000ffffn],
]);
/** For a 64-bit guest: ring 0 code and data, ring 3 code 32, data, code 64. */
const XEN_DESCRIPTORS: ReadonlyMap<number, bigint> = new Map([
  [0xe008, 0x00af9b000000ffffn],
  [0xe010, 0x00cf93000000ffffn],
  [0xe020, 0x00cffb000000ffffn],
  [0xe028, 0x00cff3000000ffffn],
  [0xe030, 0x00affb000000ffffn],
]);

/** The raw descriptor behind a selector; null when it is outside its table or its page cannot be used. */
export function readDescriptor(hv: Hypervisor, vcpu: VcpuState, selector: number): bigint | null {
  const index = selector >> 3;
  if (selector & 4) return readLdt(hv, vcpu, index);
  if ((selector & ~7) >= RESERVED_START) return (vcpu.bits === 64 ? XEN_DESCRIPTORS : XEN_DESCRIPTORS_32).get(selector & ~7) ?? null;
  if (index >= vcpu.gdtEntries) return 0n;
  const mfn = vcpu.gdtFrames[index >> 9];
  return mfn === undefined ? 0n : hv.memory.ram.entry(mfn, index & 511);
}

/** LDT pages are taken, and audited, at their first use. */
function readLdt(hv: Hypervisor, vcpu: VcpuState, index: number): bigint | null {
  if (index >= vcpu.ldtEntries) return null;
  const page = index >> 9;
  let mfn = vcpu.ldtFrames.get(page);
  if (mfn === undefined) {
    const step = hv.memory.walker.steps(vcpu.root, vcpu.ldtBase + BigInt(page * 4096)).find((s) => s.level === 1);
    if (!step || !(step.entry & 1n)) return null;
    mfn = asMfn(Number((step.entry >> 12n) & 0xff_ffff_ffffn));
    const refusal = hv.memory.types.getPageAndType(mfn, FrameType.segDesc, vcpu.domain.id);
    if (refusal) {
      hv.logRefusal(refusal, vcpu);
      return null;
    }
    vcpu.ldtFrames.set(page, mfn);
  }
  return hv.memory.ram.entry(mfn, index & 511);
}

/** A segment register load: the descriptor, or the fault. `cpl`: the privilege that it is checked against; of iret and lret, for cs
 * and ss, the new one. */
export function loadDescriptor(
  hv: Hypervisor,
  vcpu: VcpuState,
  segment: SegmentNumber,
  selector: number,
  cpl = vcpu.cpu.mode().cpl,
  how: LoadReason = 'load',
): SegmentLoad {
  const descriptor = readDescriptor(hv, vcpu, selector);
  if (descriptor === null && selector & 4 && selector >> 3 < vcpu.ldtEntries) {
    hv.ldtFault = vcpu.ldtBase + BigInt((selector >> 3) * 8);
    return { ok: false, vector: 14, errorCode: 0 };
  }
  // A call gate that is not present is #NP, when its privilege allows the call; Xen leaves such a descriptor as the guest wrote it.
  if (segment === Segment.cs && how === 'jump' && descriptor !== null && Number((descriptor >> 40n) & 0x9fn) === ABSENT_CALL_GATE) {
    const dpl = Number((descriptor >> 45n) & 3n);
    if (dpl >= Math.max(cpl, selector & 3)) return { ok: false, vector: 11, errorCode: selector & 0xfffc };
  }
  return checkSegmentLoad(descriptor, segment, selector, cpl, how);
}
