// Flags and limits of memory_op's extents.
// Source: public/memory.h; limits of Xen 4.17 as Debian configures it.

import type { Call } from './call.ts';

/** mem_flags: bits 0 to 7 how many address bits frames may have (0: any), 8 to 15 a NUMA node plus 1. */
export const ADDRESS_BITS = 0xff;
export const POPULATE_ON_DEMAND = 1 << 16;
export const EXACT_NODE = 1 << 17;
export const VNODE = 1 << 18;
const NO_NODE = 0xff;
const MOST_NODES = 64;

/** Largest extent, as a power of two: 2 MiB for a domU, 1 GiB for domain 0. */
export const maxOrder = (call: Call): number => (call.domain.isDom0 ? 18 : 9);

export const nodeOf = (flags: number): number => ((flags >>> 8) - 1) & 0xff;

/** May the caller not choose that node? Naming one is a wish for a domU, insisting on it is not allowed. */
export function nodeRefused(call: Call, flags: number): boolean {
  const node = nodeOf(flags);
  if (node === NO_NODE) return false;
  return call.domain.isDom0 ? node >= MOST_NODES : (flags & EXACT_NODE) !== 0;
}

/** Does the caller insist on a node that the machine does not have? It has one. */
export const nodeMissing = (flags: number): boolean =>
  (flags & (EXACT_NODE | VNODE)) === EXACT_NODE && nodeOf(flags) !== NO_NODE && nodeOf(flags) !== 0;

/** First frame number that is too high for the address bits asked for; none where all frames have so few. */
export function frameLimit(call: Call, flags: number): number | undefined {
  const bits = flags & ADDRESS_BITS;
  if (bits === 0) return undefined;
  const limit = 2 ** Math.min(bits - 12, 52);
  return limit < call.hv.memory.hostFrames ? limit : undefined;
}
