// What is missing, misaligned or contradictory in an image's Xen notes: errors are Xen 4.17's own refusals, warnings what
// loads but hardly as meant.

import type { ElfFile } from '../elf/file.ts';
import { EM_386, ET_DYN, PF_X } from '../elf/names.table.ts';
import { hex } from '../error.ts';
import { FEATURE_DOM0 } from './notes.table.ts';
import type { Problem, XenLayout, XenParameters } from './types.ts';

type Report = (severity: Problem['severity'], text: string) => void;

/** Xen's own part of the address space, per guest width: [first, end). */
const PRIVATE = { 64: [0xffff_8000_0000_0000n, 0xffff_8800_0000_0000n], 32: [0xf580_0000n, 0x1_0000_0000n] } as const;

function checkIdentity(elf: ElfFile, p: XenParameters, report: Report): void {
  if (!p.loader.startsWith('generic') && !p.guestOs.startsWith('linux')) {
    report(
      'error',
      `Xen loads only images with LOADER "generic" (or GUEST_OS "linux"); this one has ${p.loader ? `LOADER ${JSON.stringify(p.loader)}` : 'no LOADER'}. Add the note XEN_ELFNOTE_LOADER (8) "generic".`,
    );
  }
  if (!p.xenVersion.startsWith('xen-3.0')) {
    report(
      'error',
      `Xen loads only images built for "xen-3.0"; this one has ${p.xenVersion ? JSON.stringify(p.xenVersion) : 'no XEN_VERSION'}. Add the note XEN_ELFNOTE_XEN_VERSION (5) "xen-3.0".`,
    );
  }
  if (elf.machine === EM_386 && p.pae === 'no') {
    report('error', 'A 32-bit PV guest must use PAE; Xen refuses images without it. Add the note XEN_ELFNOTE_PAE_MODE (9) "yes".');
  }
  if (p.guestOs === '') report('info', 'GUEST_OS is missing; tools show no name for the guest.');
  if (p.required.has(FEATURE_DOM0))
    report('warning', "FEATURES requires 'dom0': Xen's toolstack refuses the image as an unprivileged domain (domU).");
  if (p.hasSupportedFeatures && !p.supported.has(FEATURE_DOM0)) {
    report(
      'info',
      "SUPPORTED_FEATURES does not have bit 11 (dom0): Xen refuses the image as dom0 ('Kernel does not support Dom0 operation').",
    );
  }
}

function checkAddresses(elf: ElfFile, p: XenParameters, layout: XenLayout, report: Report): void {
  const { kernelStart: start, kernelEnd: end, entry } = layout;
  if (p.paddrOffset !== undefined && p.virtBase === undefined) {
    report('error', 'PADDR_OFFSET is given without VIRT_BASE; Xen refuses that. Add the note XEN_ELFNOTE_VIRT_BASE (3).');
  } else if (p.virtBase === undefined) {
    report(
      'warning',
      'VIRT_BASE is missing; Xen uses 0. Add the note XEN_ELFNOTE_VIRT_BASE (3) with the virtual address of the first page.',
    );
  }
  const range = `${hex(start)} to ${hex(end)}`;
  if (start > end) {
    report(
      'error',
      `The image would span ${range}, which wraps around. Check p_paddr of the program headers against PADDR_OFFSET ${hex(layout.paddrOffset)}.`,
    );
  } else if (entry < start || entry > end) {
    report(
      'error',
      `The entry point ${hex(entry)} (${p.entry === undefined ? 'e_entry, as there is no ENTRY' : 'ENTRY'}) is outside the loaded image, ${range}. Check ENTRY, VIRT_BASE and PADDR_OFFSET.`,
    );
  } else if (layout.virtBase > start) {
    report(
      'error',
      `VIRT_BASE ${hex(layout.virtBase)} lies above the start of the loaded image, ${hex(start)}. Check PADDR_OFFSET against p_paddr of the program headers.`,
    );
  }
  if (layout.virtBase & 0xfffn) report('error', `VIRT_BASE ${hex(layout.virtBase)} is not page aligned. Give a multiple of 0x1000.`);
  else if (start & 0xfffn)
    report(
      'error',
      `The loaded image begins at ${hex(start)}, which is not page aligned; Xen's builder refuses that. Align the first segment's p_paddr to 0x1000.`,
    );
  const [low, high] = PRIVATE[elf.bits];
  if (start < high && end > low)
    report(
      'error',
      `The loaded image, ${range}, overlaps the addresses that belong to Xen (${hex(low)} to ${hex(high - 1n)}). Link the kernel elsewhere.`,
    );
  checkEntry(layout, report);
  checkP2m(elf, p, layout, report);
}

function checkEntry({ entry, segments }: XenLayout, report: Report): void {
  const home = segments.find(({ address, segment }) => entry >= address && entry < address + segment.memorySize);
  if (!home) return;
  if (!(home.segment.flags & PF_X))
    report('info', `The entry point ${hex(entry)} lies in a segment that is not marked executable. Xen ignores the flag; tools may not.`);
  if (entry >= home.address + BigInt(home.segment.fileSize)) {
    report(
      'warning',
      `The entry point ${hex(entry)} lies in the zero-filled part of segment ${home.segment.index}: the guest would start in zeros. Check ENTRY.`,
    );
  }
}

function checkP2m(elf: ElfFile, p: XenParameters, layout: XenLayout, report: Report): void {
  if (p.initP2m === undefined) return;
  const at = `INIT_P2M ${hex(p.initP2m)}`;
  if (p.initP2m >= layout.kernelStart && p.initP2m < layout.kernelEnd)
    report('error', `${at} lies inside the loaded image; Xen refuses that. Choose an address outside of it.`);
  else if (elf.bits === 32) report('warning', `${at} has no effect for a 32-bit guest: the frame list follows the kernel.`);
  else if (p.initP2m & 0xfffn)
    report('warning', `${at} is not page aligned; the builder ignores it and puts the frame list after the kernel.`);
  else if (p.initP2m >= layout.virtBase) {
    report(
      'warning',
      `${at} is not below VIRT_BASE ${hex(layout.virtBase)}; the builder ignores it and puts the frame list after the kernel.`,
    );
  }
}

function checkHypercallPage(elf: ElfFile, p: XenParameters, layout: XenLayout, report: Report): void {
  const { hypercallPage: page } = layout;
  if (p.hypercallPage === undefined || page === null) {
    report(
      'info',
      `There is no HYPERCALL_PAGE: no stubs are written, the kernel must enter Xen itself (${elf.bits === 64 ? 'syscall' : 'int 0x82'}).`,
    );
    return;
  }
  if (p.hypercallPage !== page) {
    report(
      'warning',
      `HYPERCALL_PAGE ${hex(p.hypercallPage)} is not page aligned; the builder fills the page at ${hex(page)}, so calls through the given address miss the stubs. Align it to 0x1000.`,
    );
  }
  if (page < layout.virtBase) {
    report(
      'error',
      `HYPERCALL_PAGE ${hex(page)} lies below VIRT_BASE ${hex(layout.virtBase)}, where no guest memory is. Give the virtual address of a page of the kernel.`,
    );
    return;
  }
  const home = layout.segments.find(({ address, segment }) => page >= address && page + 0x1000n <= address + segment.memorySize);
  if (!home) {
    report(
      'warning',
      `HYPERCALL_PAGE ${hex(page)} is not a whole page inside a loaded segment: the stubs would overwrite what else the builder puts there. Reserve a page-aligned page in .text.`,
    );
  } else if (!(home.segment.flags & PF_X)) {
    report('info', `HYPERCALL_PAGE ${hex(page)} lies in a segment that is not marked executable. Xen ignores the flag.`);
  }
}

function checkSegments(elf: ElfFile, layout: XenLayout, report: Report): void {
  if (elf.type === ET_DYN)
    report(
      'warning',
      'The image is ET_DYN (position independent): Xen applies no relocations, the kernel must do it itself or be linked with -no-pie.',
    );
  for (const { segment, address } of layout.segments) {
    if (segment.memorySize > 0n && segment.virtualAddress !== address) {
      report(
        'warning',
        `Segment ${segment.index} is linked for ${hex(segment.virtualAddress)} but loaded at ${hex(address)} (p_paddr ${hex(segment.physicalAddress)} + VIRT_BASE - PADDR_OFFSET). Make them equal, unless the kernel moves this part itself.`,
      );
    }
  }
  const sorted = layout.segments.filter(({ segment }) => segment.memorySize > 0n).sort((a, b) => (a.address < b.address ? -1 : 1));
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1]!, sorted[i]!];
    if (before.address + before.segment.memorySize > after.address) {
      report(
        'warning',
        `Segments ${before.segment.index} and ${after.segment.index} overlap in memory from ${hex(after.address)}: the later one overwrites the earlier.`,
      );
    }
  }
}

/** Problems of the values themselves; those of single notes are found where the notes are read. */
export function checkParameters(elf: ElfFile, p: XenParameters, layout: XenLayout | null): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (severity, text) => problems.push({ severity, text });
  checkIdentity(elf, p, report);
  if (!layout) {
    report('error', 'No segment can be loaded: no PT_LOAD has a permission flag. Check the linker script.');
    return problems;
  }
  checkAddresses(elf, p, layout, report);
  checkHypercallPage(elf, p, layout, report);
  checkSegments(elf, layout, report);
  return problems;
}
