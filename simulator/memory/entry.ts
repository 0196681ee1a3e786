// Page-table entries of x86-64 as values: flag bits, and what Xen PV allows a guest to set.
// Source: Intel SDM volume 3, 4.5; the allowed sets are observed on Xen 4.17 (arch/x86/mm.c).

import { asMfn, type Mfn } from '../../abi/address.ts';

export const PTE = {
  present: 0x1n,
  write: 0x2n,
  user: 0x4n,
  writeThrough: 0x8n,
  cacheDisable: 0x10n,
  accessed: 0x20n,
  dirty: 0x40n,
  /** PAT in an L1 entry, page size above. */
  size: 0x80n,
  global: 0x100n,
  available: 0xe00n,
  /** Xen's mark for a page of a 64-bit guest's kernel: bit 52, so that it is not global. */
  guestKernel: 1n << 52n,
  noExecute: 1n << 63n,
} as const;

const FRAME_MASK = 0x000f_ffff_ffff_f000n;
const FLAG_MASK = ~FRAME_MASK & 0xffff_ffff_ffff_ffffn;

export const entryMfn = (entry: bigint): Mfn => asMfn(Number((entry & FRAME_MASK) >> 12n));
export const entryFlags = (entry: bigint): bigint => entry & FLAG_MASK;
export const makeEntry = (mfn: Mfn, flags: bigint): bigint => (BigInt(mfn) << 12n) | flags;
export const isPresent = (entry: bigint): boolean => (entry & PTE.present) !== 0n;

/** Flags a guest may never set, per level: no superpages, no caching bits without I/O rights, no global bit above L1. */
const BASE_DISALLOWED = PTE.writeThrough | PTE.cacheDisable | PTE.size | PTE.global;
const CACHE_ATTRIBUTES = PTE.writeThrough | PTE.cacheDisable | PTE.size;

/** Level 3 of a 32-bit guest: its four entries have few flags in PAE, so Xen takes none of the high ones, not even no-execute. */
const PAE_L3_DISALLOWED = BASE_DISALLOWED | 0xfff0_0000_0000_0000n;

export function disallowedFlags(level: number, ioRights: boolean, bits: 64 | 32 = 64): bigint {
  if (bits === 32 && level === 3) return PAE_L3_DISALLOWED;
  if (level > 1) return BASE_DISALLOWED;
  return ioRights ? 0n : CACHE_ATTRIBUTES;
}

/** Flags that may change without taking references anew: they alter neither the frame nor what may be done to it. */
export const HARMLESS_FLAGS = PTE.noExecute | (0x7ffn << 52n) | PTE.available | PTE.global | PTE.dirty | PTE.accessed | PTE.user;

/** What Xen makes of an entry before it stores it. A 64-bit guest's kernel runs in ring 3: everything is 'user'; a page the guest
 * did not mark user is the kernel's (bit 52), one it did is global. A 32-bit guest's kernel runs in ring 1, for which the
 * processor's own user bit is right; only its level 3 entries get the flags that PAE's do not have. */
export function adjustEntry(level: number, entry: bigint, bits: 64 | 32 = 64): bigint {
  if (!isPresent(entry)) return entry;
  if (bits === 32) return level === 3 ? entry | PTE.user | PTE.write : entry;
  if (level === 4) return entry | PTE.accessed | PTE.user;
  if (level > 1) return entry | PTE.user;
  let e = entry;
  if (!(e & PTE.user)) e |= PTE.guestKernel | PTE.user;
  if (!(e & PTE.guestKernel)) e |= PTE.global | PTE.user;
  return e;
}

/** First and last L4 slot of a 64-bit guest that belong to Xen. */
export const XEN_FIRST_SLOT = 256;
export const XEN_LAST_SLOT = 271;
export const isXenSlot = (level: number, slot: number): boolean => level === 4 && slot >= XEN_FIRST_SLOT && slot <= XEN_LAST_SLOT;

/** A 32-bit guest's level 3 table has four entries. Behind the last lies the level 2 table whose end, from the address 0xf5800000
 * on, is Xen's. */
export const PAE_ENTRIES = 4;
export const XEN_L2_FIRST_SLOT = 428;
