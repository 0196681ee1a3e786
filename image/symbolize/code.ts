// The kernel's own code bytes: which addresses are code, and whether a call ends before one.

import type { ElfFile } from '../elf/file.ts';
import { PF_X, PT_LOAD, SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS } from '../elf/names.table.ts';

interface CodeRegion {
  readonly low: bigint;
  readonly high: bigint;
  readonly offset: number;
  readonly fileSize: number;
}

/** Longest form of an indirect call: prefixes, opcode, ModRM, SIB, 32-bit displacement. */
const INDIRECT_LENGTHS = [2, 3, 4, 6, 7, 8];

export class CodeMap {
  private readonly elf: ElfFile;
  private regions: readonly CodeRegion[] | undefined;

  constructor(elf: ElfFile) {
    this.elf = elf;
  }

  private load(): readonly CodeRegion[] {
    const { sections, segments } = this.elf;
    const wanted = SHF_ALLOC | SHF_EXECINSTR;
    const fromSections = sections.filter((s) => (s.flags & wanted) === wanted && s.size > 0);
    if (fromSections.length > 0) {
      return fromSections.map((s) => ({
        low: s.address,
        high: s.address + BigInt(s.size),
        offset: s.offset,
        fileSize: s.type === SHT_NOBITS ? 0 : s.size,
      }));
    }
    return segments
      .filter((s) => s.type === PT_LOAD && s.flags & PF_X)
      .map((s) => ({ low: s.virtualAddress, high: s.virtualAddress + s.memorySize, offset: s.offset, fileSize: s.fileSize }));
  }

  private region(address: bigint): CodeRegion | undefined {
    this.regions ??= this.load();
    return this.regions.find(({ low, high }) => address >= low && address < high);
  }

  isCode(address: bigint): boolean {
    return this.region(address) !== undefined;
  }

  /** Bytes of the file that are loaded at a code address; fewer at the end of the section, none outside. */
  bytesAt(address: bigint, length: number): Uint8Array {
    const region = this.region(address);
    if (!region) return new Uint8Array();
    const skip = Number(address - region.low);
    const available = Math.max(0, Math.min(length, region.fileSize - skip, this.elf.bytes.length - region.offset - skip));
    return this.elf.bytes.subarray(region.offset + skip, region.offset + skip + available);
  }

  /** Whether the bytes before an address of the kernel's code can be a call instruction: `call rel32` or `call r/m`. */
  followsCall(address: bigint): boolean {
    if (!this.isCode(address - 1n)) return false;
    const direct = this.bytesAt(address - 5n, 5);
    if (direct.length === 5 && direct[0] === 0xe8) return true;
    return INDIRECT_LENGTHS.some((length) => {
      const bytes = this.bytesAt(address - BigInt(length), length);
      let at = 0;
      while (at < bytes.length && ((bytes[at]! & 0xf0) === 0x40 || bytes[at] === 0x2e || bytes[at] === 0x3e)) at++;
      if (bytes.length !== length || bytes[at] !== 0xff || at + 1 >= length) return false;
      const modrm = bytes[at + 1]!;
      if (((modrm >> 3) & 7) !== 2) return false;
      const mode = modrm >> 6;
      const sib = mode !== 3 && (modrm & 7) === 4;
      const wide = mode === 2 || (mode === 0 && ((modrm & 7) === 5 || (sib && (bytes[at + 2]! & 7) === 5)));
      return at + 2 + (sib ? 1 : 0) + (wide ? 4 : mode === 1 ? 1 : 0) === length;
    });
  }
}
