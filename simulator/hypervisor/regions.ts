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
  if (address < range.from || address >= range.to) return address < NULL_END ? 'the first 64 KiB (a null pointer with an offset?)' : null;
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
