// From a kernel file to what the domain builder needs: opened, its notes read, everything that Xen would refuse refused here with
// a sentence that says what to do.

import { openKernel } from '../../image/elf/kernel.ts';
import { ImageError } from '../../image/error.ts';
import { bootableNotes } from '../../image/xen-notes.ts';
import { KernelImageError } from '../machine-types.ts';

export interface LoadSegment {
  /** Virtual address at which the builder puts it. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly memorySize: bigint;
}

export interface LoadPlan {
  readonly bits: 64 | 32;
  readonly virtualBase: bigint;
  readonly kernelStart: bigint;
  readonly kernelEnd: bigint;
  readonly entry: bigint;
  readonly hypercallPage: bigint | null;
  readonly initP2m: bigint | null;
  readonly modStartPfn: boolean;
  readonly segments: readonly LoadSegment[];
}

/** Reads a kernel. @throws KernelImageError with the sentence to show. */
export function planKernel(bytes: Uint8Array): LoadPlan {
  try {
    const elf = openKernel(bytes);
    const { layout } = bootableNotes(elf);
    if (!layout) throw new KernelImageError('The notes of this kernel give no load addresses. Run `hyperport notes` on it to see why.');
    if (elf.bits === 32) {
      throw new KernelImageError(
        'This is a 32-bit (PAE) Xen PV kernel; the simulator builds 64-bit PV domains only in this version. Build the kernel for x86-64.',
      );
    }
    return {
      bits: elf.bits,
      virtualBase: layout.virtBase,
      kernelStart: layout.kernelStart,
      kernelEnd: layout.kernelEnd,
      entry: layout.entry,
      hypercallPage: layout.hypercallPage,
      initP2m: layout.initP2m,
      modStartPfn: layout.unmappedRamdisk,
      segments: layout.segments.map((loaded) => ({
        address: loaded.address,
        bytes: elf.segmentBytes(loaded.segment),
        memorySize: loaded.segment.memorySize,
      })),
    };
  } catch (error) {
    if (error instanceof ImageError) throw new KernelImageError(error.message);
    throw error;
  }
}
