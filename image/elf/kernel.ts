// The door for guest kernels: unpack, parse, and refuse what Xen PV can never boot, each refusal with its own sentence.

import { ImageError } from '../error.ts';
import { unpack } from '../unpack.ts';
import type { ElfFile } from './file.ts';
import { EM_386, EM_X86_64, ET_CORE, ET_DYN, ET_EXEC, ET_REL, machineName, PT_LOAD, SHT_NOBITS, TYPE_NAMES } from './names.table.ts';
import { parseElf } from './parse.ts';

function checkMachine(elf: ElfFile): void {
  if (elf.machine !== EM_386 && elf.machine !== EM_X86_64) {
    throw new ImageError(
      'wrong-machine',
      `This ELF file is built for ${machineName(elf.machine)}; Xen PV guests are Intel 80386 or AMD x86-64. Build the kernel for x86.`,
    );
  }
  if (elf.machine === EM_X86_64 && elf.bits === 32) {
    throw new ImageError(
      'wrong-machine',
      'This is an ELF32 container with x86-64 code (x32, or a 64-bit kernel wrapped for a multiboot loader). Xen PV takes the machine from the ELF class: give the ELF64 file.',
    );
  }
  if (elf.machine === EM_386 && elf.bits === 64) {
    throw new ImageError(
      'malformed',
      'This file is ELF64, but its machine is Intel 80386, which has ELF32 only. The file is damaged: build it again.',
    );
  }
}

function checkType(elf: ElfFile): void {
  if (elf.type === ET_REL) {
    throw new ImageError(
      'wrong-type',
      'This is a relocatable object (ET_REL, the output of the compiler or a kernel module). Link it into a kernel and give that file.',
    );
  }
  if (elf.type === ET_CORE) throw new ImageError('wrong-type', 'This is a core dump (ET_CORE). Give the kernel itself.');
  if (elf.type !== ET_EXEC && elf.type !== ET_DYN) {
    throw new ImageError(
      'wrong-type',
      `The ELF type is ${TYPE_NAMES[elf.type] ?? elf.type}; a kernel is ET_EXEC (or ET_DYN). Link the kernel as an executable.`,
    );
  }
}

function checkContents(elf: ElfFile): void {
  for (const segment of elf.segments) {
    if (segment.type !== PT_LOAD) continue;
    elf.segmentBytes(segment);
    if (segment.memorySize < BigInt(segment.fileSize)) {
      throw new ImageError(
        'malformed',
        `Segment ${segment.index} has more bytes in the file (${segment.fileSize}) than in memory (${segment.memorySize}). The file is damaged: build it again.`,
      );
    }
  }
  for (const section of elf.sections) {
    if (section.type !== SHT_NOBITS && section.type !== 0)
      elf.slice(section.offset, section.size, `Section ${section.name || section.index}`);
  }
  if (!elf.segments.some((segment) => segment.type === PT_LOAD && segment.memorySize > 0n)) {
    throw new ImageError(
      'malformed',
      'This ELF file has no loadable segment (PT_LOAD), so nothing of it can be put into memory. Link the kernel with a linker script that makes one.',
    );
  }
}

/**
 * Opens a guest kernel: plain or gzip-compressed ELF for x86, complete and linked. Xen notes are not looked at (see xen-notes.ts).
 * @throws ImageError that says what is wrong and what to do.
 */
export function openKernel(bytes: Uint8Array): ElfFile {
  const elf = parseElf(unpack(bytes));
  checkMachine(elf);
  checkType(elf);
  checkContents(elf);
  return elf;
}
