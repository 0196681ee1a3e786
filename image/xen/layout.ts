// Where the domain builder puts the image: Xen's own arithmetic, modulo 2^64.

import type { ElfFile } from '../elf/file.ts';
import { PF_R, PF_W, PF_X, PT_LOAD } from '../elf/names.table.ts';
import type { LoadedSegment, XenLayout, XenParameters } from './types.ts';

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const PAGE_MASK = ~0xfffn;

/** Loadable for Xen: PT_LOAD with at least one permission. */
const isLoadable = (type: number, flags: number): boolean => type === PT_LOAD && (flags & (PF_R | PF_W | PF_X)) !== 0;

/**
 * The layout that follows from the values, whether or not Xen accepts it (problems.ts says).
 * Without PADDR_OFFSET it is 0 with notes, and VIRT_BASE with a `__xen_guest` string.
 */
export function layoutOf(elf: ElfFile, p: XenParameters, legacy: boolean): XenLayout | null {
  const loadable = elf.segments.filter((segment) => isLoadable(segment.type, segment.flags));
  if (loadable.length === 0) return null;
  const virtBase = p.virtBase ?? 0n;
  const paddrOffset = p.paddrOffset ?? (legacy ? virtBase : 0n);
  const offset = virtBase - paddrOffset;
  let low = (1n << 64n) - 1n;
  let high = 0n;
  const segments: LoadedSegment[] = [];
  for (const segment of loadable) {
    const end = wrap(segment.physicalAddress + segment.memorySize);
    if (segment.physicalAddress < low) low = segment.physicalAddress;
    if (end > high) high = end;
    segments.push({ segment, address: wrap(segment.physicalAddress + offset), physical: wrap(segment.physicalAddress - paddrOffset) });
  }
  const p2mUsable = elf.bits === 64 && p.initP2m !== undefined && p.initP2m < virtBase && (p.initP2m & 0xfffn) === 0n;
  return {
    virtBase,
    paddrOffset,
    kernelStart: wrap(low + offset),
    kernelEnd: wrap(high + offset),
    entry: p.entry ?? elf.entry,
    hypercallPage: p.hypercallPage === undefined ? null : wrap(virtBase + (wrap(p.hypercallPage - virtBase) & PAGE_MASK)),
    initP2m: p2mUsable ? p.initP2m! : null,
    unmappedRamdisk: p.unmappedRamdisk,
    segments,
  };
}
