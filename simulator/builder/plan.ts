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
  /** A 32-bit kernel that takes a level 3 table above 4 GiB: the builder switches vm_assist(pae_extended_cr3) on for it. */
  readonly extendedCr3: boolean;
  readonly segments: readonly LoadSegment[];
}

/** Reads a kernel. @throws KernelImageError with the sentence to show. */
export function planKernel(bytes: Uint8Array): LoadPlan {
  try {
    const elf = openKernel(bytes);
    const { layout, parameters } = bootableNotes(elf);
    if (!layout) throw new KernelImageError('The notes of this kernel give no load addresses. Run `hyperport notes` on it to see why.');
    return {
      bits: elf.bits,
      virtualBase: layout.virtBase,
      kernelStart: layout.kernelStart,
      kernelEnd: layout.kernelEnd,
      entry: layout.entry,
      hypercallPage: layout.hypercallPage,
      initP2m: layout.initP2m,
      modStartPfn: layout.unmappedRamdisk,
      extendedCr3: elf.bits === 32 && (parameters.pae === 'extended-cr3' || parameters.pae === 'bimodal'),
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
