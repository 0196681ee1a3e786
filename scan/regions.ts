// What of an image is loaded, as regions with one running index over all their bytes: flow and references are kept in that index.

import type { ElfFile } from '../image/elf/file.ts';
import { PF_X, PT_LOAD, SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS } from '../image/elf/names.table.ts';
import { lastAtMost } from './search.ts';

export interface Region {
  readonly name: string;
  /** Address of the first byte: a 64-bit image's is signed (canonical addresses are exact), a 32-bit image's is not. */
  readonly address: number;
  /** Bytes in memory. */
  readonly size: number;
  /** Those that the file gives; the rest is zero. */
  readonly bytes: Uint8Array;
  readonly executable: boolean;
  /** Index of its first byte among all loaded bytes. */
  readonly first: number;
}

/** More than any kernel has; what lies behind is left out. */
const LARGEST = 2 ** 30;

export class Regions {
  readonly bits: 64 | 32;
  /** By address. */
  readonly list: readonly Region[];
  /** Loaded bytes in all. */
  readonly total: number;

  constructor(elf: ElfFile) {
    this.bits = elf.bits;
    const parts = loaded(elf)
      .map((part) => ({ ...part, address: this.number(part.address) }))
      .sort((a, b) => a.address - b.address);
    let first = 0;
    let end = Number.NEGATIVE_INFINITY;
    const list: Region[] = [];
    for (const part of parts) {
      // Overlapping sections are a link error; the first one counts.
      if (part.address < end || first + part.size > LARGEST) continue;
      list.push({ ...part, first });
      first += part.size;
      end = part.address + part.size;
    }
    this.list = list;
    this.total = first;
  }

  /** An address of the file as the number that regions use. */
  number(address: bigint): number {
    return Number(this.bits === 64 ? BigInt.asIntN(64, address) : BigInt.asUintN(32, address));
  }

  /** Back to the address as unsigned number of the image's width. */
  address(index: number): bigint {
    const region = this.regionOf(index);
    return BigInt.asUintN(this.bits, BigInt(region.address + (index - region.first)));
  }

  /** Index of the byte at an address; -1 when nothing is loaded there. */
  find(address: number): number {
    const { list } = this;
    const region = list[lastAtMost(list.length, (n) => list[n]!.address, address)];
    return region && address < region.address + region.size ? region.first + (address - region.address) : -1;
  }

  /** The region of an index. */
  regionOf(index: number): Region {
    const { list } = this;
    return list[lastAtMost(list.length, (n) => list[n]!.first, index)]!;
  }
}

interface Part {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

/** The sections that are loaded; the segments of an image without sections. */
function loaded(elf: ElfFile): Part[] {
  const sections = elf.sections.filter((s) => s.flags & SHF_ALLOC && s.size > 0);
  if (sections.some((s) => s.flags & SHF_EXECINSTR))
    return sections.map((s) => ({
      name: s.name,
      address: s.address,
      size: s.size,
      bytes: s.type === SHT_NOBITS ? new Uint8Array() : elf.sectionBytes(s),
      executable: (s.flags & SHF_EXECINSTR) !== 0,
    }));
  return elf.segments
    .filter((s) => s.type === PT_LOAD && s.memorySize > 0n)
    .map((s) => ({
      name: `segment ${s.index}`,
      address: s.virtualAddress,
      size: Number(s.memorySize),
      bytes: elf.segmentBytes(s),
      executable: (s.flags & PF_X) !== 0,
    }));
}
