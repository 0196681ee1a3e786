// The flat segments that Xen keeps for 32-bit guests: kernel in ring 1, user mode in ring 3.
// Source: public/arch-x86/xen-x86_32.h.

import type { SegmentCache } from '../../cpu/engine-types.ts';

const flat = (attributes: number): SegmentCache => ({ base: 0n, limit: 0xffff_ffff, attributes });

export const FLAT32 = {
  kernelCs: 0xe019,
  kernelDs: 0xe021,
  userCs: 0xe02b,
  userDs: 0xe033,
  kernelCode: flat(0xc0bb),
  kernelData: flat(0xc0b3),
} as const;
