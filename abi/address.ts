// The address kinds of a Xen PV guest, as distinct types. Mixing a machine frame with a pseudo-physical one is the very
// mistake that this product exists to find, so in our own code it does not compile.

declare const kind: unique symbol;

/** Machine frame number: what a page-table entry holds. A safe integer below 2^40. */
export type Mfn = number & { readonly [kind]: 'mfn' };
/** Pseudo-physical frame number: the guest's own numbering, 0 to nr_pages - 1. */
export type Pfn = number & { readonly [kind]: 'pfn' };
/** Machine byte address: `mfn * 4096 + offset`, a safe integer. */
export type MachineAddress = number & { readonly [kind]: 'maddr' };
/** Guest virtual address, 0 to 2^64 - 1, always unsigned. */
export type VirtualAddress = bigint & { readonly [kind]: 'va' };

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

export const asMfn = (n: number): Mfn => n as Mfn;
export const asPfn = (n: number): Pfn => n as Pfn;
export const asVirtual = (n: bigint): VirtualAddress => BigInt.asUintN(64, n) as VirtualAddress;
export const machineAddress = (mfn: Mfn, offset = 0): MachineAddress => (mfn * PAGE_SIZE + offset) as MachineAddress;
export const frameOf = (address: MachineAddress): Mfn => Math.floor(address / PAGE_SIZE) as Mfn;
export const offsetInPage = (address: MachineAddress): number => address % PAGE_SIZE;

/** Bits 48 to 63 equal bit 47: what the processor takes for an address in 64-bit mode. `value` unsigned. */
export const isCanonical = (value: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, value)) === value;
