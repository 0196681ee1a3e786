// What Xen's domain builder will do with an image, in sentences.

import type { ElfFile } from '../elf/file.ts';
import { hex } from '../error.ts';
import type { XenLayout, XenParameters } from './types.ts';

const pages = (bytes: bigint): string => `${(bytes + 0xfffn) / 0x1000n} page(s)`;

export function planOf(elf: ElfFile, p: XenParameters, layout: XenLayout): string[] {
  const { virtBase, kernelStart, kernelEnd } = layout;
  const plan = [
    `Builds a ${elf.bits}-bit PV domain${elf.bits === 32 ? ` with PAE (${p.pae})` : ''} for ${p.guestOs || 'an unnamed guest'}${p.guestVersion ? ` ${p.guestVersion}` : ''}.`,
    `Maps pseudo-physical page 0 at VIRT_BASE ${hex(virtBase)}; the image takes ${hex(kernelStart)} to ${hex(kernelEnd)} (pfn ${hex((kernelStart - virtBase) >> 12n)} on, ${pages(kernelEnd - kernelStart)}).`,
  ];
  for (const { segment, address } of layout.segments) {
    const zero = segment.memorySize - BigInt(segment.fileSize);
    plan.push(
      `Copies segment ${segment.index} (${hex(segment.fileSize)} bytes) to ${hex(address)}${zero > 0n ? ` and clears ${hex(zero)} bytes after it` : ''}.`,
    );
  }
  if (p.bsdSymtab) plan.push('Puts the symbol and string tables behind the image (BSD_SYMTAB).');
  plan.push(
    layout.hypercallPage === null
      ? 'Writes no hypercall page.'
      : `Fills the page at ${hex(layout.hypercallPage)} (pfn ${hex((layout.hypercallPage - virtBase) >> 12n)}) with 128 hypercall stubs of 32 bytes.`,
    layout.unmappedRamdisk
      ? 'Puts a ramdisk into memory without mapping it; start_info.mod_start is its first pfn (SIF_MOD_START_PFN).'
      : 'Maps a ramdisk behind the image; start_info.mod_start is its virtual address.',
    layout.initP2m === null
      ? 'Maps the frame list (p2m) behind the ramdisk, then start_info, the XenStore page, the console page, the page tables and the boot stack.'
      : `Maps the frame list (p2m) at INIT_P2M ${hex(layout.initP2m)}, and start_info, the XenStore page, the console page, the page tables and the boot stack behind the ramdisk.`,
    `Starts vCPU 0 at ${hex(layout.entry)} in the guest kernel, ${elf.bits === 64 ? 'rsi' : 'esi'} = address of start_info.`,
  );
  return plan;
}
