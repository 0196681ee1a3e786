// A parsed ELF file: the tables plus lazy access to contents, symbols and identification.

import { Reader, stringAt } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import { decompressSection } from './compressed.ts';
import { SHF_COMPRESSED, SHT_NOBITS, SHT_NOTE } from './names.table.ts';
import { readSymbols } from './symbols.ts';
import type { ElfSection, ElfSegment, ElfSymbol } from './types.ts';

export interface ElfParts {
  readonly bytes: Uint8Array;
  readonly bits: 32 | 64;
  readonly type: number;
  readonly machine: number;
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
}

export class ElfFile {
  /** The whole (unpacked) file. */
  readonly bytes: Uint8Array;
  readonly bits: 32 | 64;
  /** e_type: ET_EXEC, ET_DYN … */
  readonly type: number;
  /** e_machine: EM_386, EM_X86_64 … */
  readonly machine: number;
  /** e_entry. */
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  private readonly contents = new Map<number, Uint8Array>();
  private symbolList: readonly ElfSymbol[] | undefined;

  constructor(parts: ElfParts) {
    this.bytes = parts.bytes;
    this.bits = parts.bits;
    this.type = parts.type;
    this.machine = parts.machine;
    this.entry = parts.entry;
    this.segments = parts.segments;
    this.sections = parts.sections;
  }

  /** The first section of that name. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** The bytes of a segment in the file (p_filesz of them; the rest up to memorySize is zero in memory). */
  segmentBytes(segment: ElfSegment): Uint8Array {
    return this.slice(segment.offset, segment.fileSize, `Segment ${segment.index}`);
  }

  /** The contents of a section, decompressed where it is compressed; empty for SHT_NOBITS. */
  sectionBytes(section: ElfSection): Uint8Array {
    const cached = this.contents.get(section.index);
    if (cached) return cached;
    let bytes =
      section.type === SHT_NOBITS ? new Uint8Array() : this.slice(section.offset, section.size, `Section ${section.name || section.index}`);
    if (section.flags & SHF_COMPRESSED || section.name.startsWith('.zdebug_')) bytes = decompressSection(bytes, section, this.bits);
    this.contents.set(section.index, bytes);
    return bytes;
  }

  /** All symbols of .symtab, or of .dynsym where the file is stripped. */
  symbols(): readonly ElfSymbol[] {
    this.symbolList ??= readSymbols(this);
    return this.symbolList;
  }

  /** File bytes in bounds. */
  slice(offset: number, length: number, what: string): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.bytes.length)) {
      throw new ImageError(
        'truncated',
        `${what} lies at ${hex(offset)} with ${hex(length)} bytes, but the file has only ${hex(this.bytes.length)}. The file is truncated or damaged: build or copy it again.`,
      );
    }
    return this.bytes.subarray(offset, offset + length);
  }

  /** The GNU build id as lower-case hex digits: names the separate debug file `.build-id/xx/yyyy.debug`. */
  buildId(): string | undefined {
    for (const section of this.sections) {
      if (section.type !== SHT_NOTE) continue;
      const bytes = this.sectionBytes(section);
      const r = new Reader(bytes, section.name);
      while (r.offset + 12 <= r.end) {
        const [nameSize, size, type] = [r.u32(), r.u32(), r.u32()];
        const nameAt = r.offset;
        const descriptionAt = nameAt + ((nameSize + 3) & ~3);
        if (descriptionAt < nameAt || descriptionAt + size > r.end) break;
        if (type === 3 && stringAt(bytes, nameAt, nameAt + nameSize) === 'GNU') {
          return [...bytes.subarray(descriptionAt, descriptionAt + size)].map((b) => b.toString(16).padStart(2, '0')).join('');
        }
        r.offset = Math.min(r.end, descriptionAt + ((size + 3) & ~3));
      }
    }
    return undefined;
  }

  /** Name and CRC-32 of the separate debug file, from .gnu_debuglink. */
  debugLink(): { readonly file: string; readonly crc: number } | undefined {
    const section = this.section('.gnu_debuglink');
    if (!section) return undefined;
    const bytes = this.sectionBytes(section);
    const file = stringAt(bytes, 0);
    const at = (new TextEncoder().encode(file).length + 4) & ~3;
    if (at + 4 > bytes.length) return undefined;
    return { file, crc: new Reader(bytes, section.name, at).u32() };
  }
}
