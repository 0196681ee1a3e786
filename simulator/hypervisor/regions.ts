// What lies at an address, by the layout that the builder gave the domain: for explaining faults.

import { PAGE_SIZE } from '../../abi/address.ts';
import { addressSpace32, addressSpace64 } from '../../abi/constants/address-space.table.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

const NULL_END = 0x10000n;

/** Xen's own addresses; the machine-to-physical table is at their start. */
const RANGE = {
  64: { start: addressSpace64.HYPERVISOR_VIRT_START, end: addressSpace64.HYPERVISOR_VIRT_END },
  32: { start: addressSpace32.HYPERVISOR_VIRT_START, end: 1n << 32n },
} as const;

export const isXens = (bits: 64 | 32, address: bigint): boolean => address >= RANGE[bits].start && address < RANGE[bits].end;

const nullText = (address: bigint): string =>
  address < 0x1000n
    ? `page 0: a null pointer, or the field at offset 0x${address.toString(16)} of a structure through one`
    : 'the first 64 KiB (a null pointer with an offset?)';

/** Pages between a mapping that is known and an address that may have been meant to lie in it. */
const NEAR = 16;

/** What the guest itself mapped there, or close below. */
function mappedRegion(hv: Hypervisor, domain: Domain, address: bigint): string | null {
  const root = domain.vcpus[0]?.root;
  if (root === undefined) return null;
  const page = address & ~0xfffn;
  for (let n = 0; n <= NEAR; n++) {
    const at = page - BigInt(n * PAGE_SIZE);
    if (at < 0n) return null;
    const machine = hv.memory.walker.peek(root, at);
    const name = machine < 0 ? null : frameName(domain, Math.floor(machine / PAGE_SIZE));
    if (name)
      return n === 0 ? name : `0x${(address - at - BigInt(PAGE_SIZE)).toString(16)} bytes behind ${name}, mapped at 0x${at.toString(16)}`;
  }
  return null;
}

/** Frames that Xen and the toolstack share with the domain. */
function frameName({ sharedInfo, grants, image }: Domain, mfn: number): string | null {
  if (mfn === sharedInfo) return 'shared_info';
  const grant = (grants.frames as readonly number[]).indexOf(mfn);
  if (grant >= 0) return `frame ${grant} of the grant table`;
  if (!image) return null;
  if (mfn === image.store) return 'the XenStore ring';
  if (mfn === image.console) return 'the console ring';
  return mfn === image.p2m[image.layout.startInfo] ? 'start_info' : null;
}

/** 'the console ring', 'the initial page tables'; null where the builder put nothing. */
export function regionOf(hv: Hypervisor, domain: Domain, address: bigint): string | null {
  const { image, bits } = domain;
  if (isXens(bits, address)) {
    const m2p = RANGE[bits].start + BigInt(hv.memory.m2p.length);
    return address < m2p ? 'the machine-to-physical table (read only)' : 'the range of Xen';
  }
  if (!image) return null;
  const { layout } = image;
  const range = layout.ranges[0]!;
  if (address < range.from || address >= range.to) return address < NULL_END ? nullText(address) : mappedRegion(hv, domain, address);
  const pfn = Number((address - range.from) / BigInt(PAGE_SIZE));
  const at = (start: number | null, pages: number): boolean => start !== null && pfn >= start && pfn < start + pages;
  if (image.hypercallPage !== null && address >= image.hypercallPage && address < image.hypercallPage + 4096n) return 'the hypercall page';
  if (at(layout.kernel.pfn, layout.kernel.pages)) return 'the kernel image';
  if (layout.ramdisk && at(layout.ramdisk.pfn, layout.ramdisk.pages)) return 'the ramdisk';
  if (at(layout.startInfo, 1)) return 'start_info';
  if (at(layout.store, 1)) return 'the XenStore ring';
  if (at(layout.console, 1)) return 'the console ring';
  if (at(layout.tables.pfn, layout.tables.pages)) return 'the initial page tables';
  if (at(layout.bootStack, 1)) return 'the boot stack';
  if (layout.firstP2mPfn === 0 && at(layout.p2m.pfn, layout.p2m.pages)) return 'the p2m list';
  if (pfn === layout.bootStack - 1 - layout.tables.pages) return 'the page below the initial page tables';
  return pfn < layout.kernel.pfn ? 'the space below the kernel' : 'the free space behind the boot stack';
}
