// The debug sections of an ELF file, decompressed on first use; an absent one is empty.

import type { ElfFile } from '../elf/file.ts';
import { SHT_NOBITS } from '../elf/names.table.ts';

const EMPTY = new Uint8Array();

export class DwarfSections {
  readonly elf: ElfFile;
  private readonly cache = new Map<string, Uint8Array>();

  constructor(elf: ElfFile) {
    this.elf = elf;
  }

  /** Contents of `.debug_NAME` (or of its compressed `.zdebug_NAME` form). */
  debug(name: string): Uint8Array {
    return this.get(`.debug_${name}`, `.zdebug_${name}`);
  }

  /** Contents of a section by its names. */
  get(...names: readonly string[]): Uint8Array {
    const key = names[0]!;
    const cached = this.cache.get(key);
    if (cached) return cached;
    const section = this.elf.sections.find((candidate) => names.includes(candidate.name) && candidate.type !== SHT_NOBITS);
    const bytes = section ? this.elf.sectionBytes(section) : EMPTY;
    this.cache.set(key, bytes);
    return bytes;
  }
}
