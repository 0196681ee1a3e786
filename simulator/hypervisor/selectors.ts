// Segment selectors of a PV guest: its own GDT frames and LDT pages, and the flat segments that Xen puts at the end of every GDT.
// Source: Intel SDM volume 3, 3.4 and 5; public/arch-x86/xen-x86_64.h for Xen's segments.

import { asMfn } from '../../abi/address.ts';
import { Segment, type SegmentCache, type SegmentLoad, type SegmentNumber } from '../cpu/engine-types.ts';
import { FrameType } from '../memory/frame-table.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

const RESERVED_START = 0xe000;
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
    if (hv.memory.types.getPageAndType(mfn, FrameType.segDesc, hv.domain.id)) return null;
    vcpu.ldtFrames.set(page, mfn);
  }
  return hv.memory.ram.entry(mfn, index & 511);
}

export function cacheOf(descriptor: bigint): SegmentCache {
  const base = ((descriptor >> 16n) & 0xff_ffffn) | ((descriptor >> 32n) & 0xff00_0000n);
  const raw = Number((descriptor & 0xffffn) | ((descriptor >> 32n) & 0xf_0000n));
  const limit = descriptor & (1n << 55n) ? raw * 4096 + 0xfff : raw;
  return { base, limit, attributes: Number((descriptor >> 40n) & 0xf0ffn) };
}

/** A segment register load: the descriptor, or the fault. `cpl`: the privilege that it is checked against; of iret and lret, for cs
 * and ss, the new one. */
export function loadDescriptor(
  hv: Hypervisor,
  vcpu: VcpuState,
  segment: SegmentNumber,
  selector: number,
  cpl = vcpu.cpu.mode().cpl,
): SegmentLoad {
  const fault = (vector: number): SegmentLoad => ({ ok: false, vector, errorCode: selector & 0xfffc });
  const descriptor = readDescriptor(hv, vcpu, selector);
  if (descriptor === null && selector & 4 && selector >> 3 < vcpu.ldtEntries) {
    hv.ldtFault = vcpu.ldtBase + BigInt((selector >> 3) * 8);
    return { ok: false, vector: 14, errorCode: 0 };
  }
  if (descriptor === null) return fault(13);
  const access = Number((descriptor >> 40n) & 0xffn);
  const dpl = (access >> 5) & 3;
  const rpl = selector & 3;
  const code = (access & 8) !== 0;
  const readOrWrite = (access & 2) !== 0;
  if (!(access & 0x10)) return fault(13);
  if (segment === Segment.cs) {
    const conforming = (access & 4) !== 0;
    if (!code || (conforming ? dpl > cpl : dpl !== cpl)) return fault(13);
    // Long mode and 32-bit default size together are reserved.
    if ((descriptor >> 53n) & 1n && (descriptor >> 54n) & 1n) return fault(13);
  } else if (segment === Segment.ss) {
    if (rpl !== cpl || dpl !== cpl || code || !readOrWrite) return fault(13);
  } else {
    if (code && !readOrWrite) return fault(13);
    if (!(code && access & 4) && dpl < Math.max(cpl, rpl)) return fault(13);
  }
  if (!(access & 0x80)) return fault(segment === Segment.ss ? 12 : 11);
  return { ok: true, cache: cacheOf(descriptor) };
}
