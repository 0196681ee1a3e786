// The debug information of one ELF file: its units, found by a quick scan of headers, and tables shared between them.

import type { ElfFile } from '../elf/file.ts';
import { ImageError } from '../error.ts';
import { type AbbreviationTable, readAbbreviations } from './abbreviations.ts';
import type { Die } from './die.ts';
import { DwarfSections } from './sections.ts';
import { readUnitHeader, Unit } from './unit.ts';

export class Dwarf {
  readonly sections: DwarfSections;
  /** What could not be read, one sentence each: damaged units are left out, the rest stays usable. */
  readonly warnings: string[] = [];
  private infoUnits: Unit[] | undefined;
  private typeUnits: Map<bigint, Unit> | undefined;
  private readonly abbreviationTables = new Map<number, AbbreviationTable>();

  constructor(elf: ElfFile) {
    this.sections = new DwarfSections(elf);
  }

  /** Runs a reader of damaged-prone data; an ImageError becomes a warning and `undefined`. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      if (this.warnings.length < 20 && !this.warnings.includes(error.message)) this.warnings.push(error.message);
      return undefined;
    }
  }

  private scan(name: 'info' | 'types'): Unit[] {
    const units: Unit[] = [];
    this.attempt(() => {
      const bytes = this.sections.debug(name);
      for (let at = 0; at < bytes.length; ) {
        const header = readUnitHeader(bytes, `.debug_${name}`, at);
        at = header.end;
        const unit = new Unit(this, header, bytes, `.debug_${name}`);
        // A unit whose root cannot be read is of no use; the others still are.
        if (this.attempt(() => unit.root())) units.push(unit);
      }
    });
    return units;
  }

  /** All units of .debug_info in their order. */
  units(): readonly Unit[] {
    this.infoUnits ??= this.scan('info');
    return this.infoUnits;
  }

  abbreviations(offset: number): AbbreviationTable {
    let table = this.abbreviationTables.get(offset);
    if (!table) {
      table = readAbbreviations(this.sections.debug('abbrev'), offset);
      this.abbreviationTables.set(offset, table);
    }
    return table;
  }

  /** The entry at an offset of .debug_info. */
  dieAt(offset: number): Die | undefined {
    const units = this.units();
    let low = 0;
    let high = units.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const unit = units[middle]!;
      if (offset < unit.header.start) high = middle - 1;
      else if (offset >= unit.header.end) low = middle + 1;
      else return unit.dieAt(offset);
    }
    return undefined;
  }

  typeBySignature(signature: bigint): Die | undefined {
    if (!this.typeUnits) {
      this.typeUnits = new Map();
      for (const unit of [...this.units(), ...this.scan('types')]) {
        if (unit.header.signature !== undefined) this.typeUnits.set(unit.header.signature, unit);
      }
    }
    const unit = this.typeUnits.get(signature);
    return unit?.header.typeOffset === undefined ? undefined : unit.dieAt(unit.header.typeOffset);
  }
}
