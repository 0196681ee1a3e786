// Finds the unit of an address, and the line tables and source files of all units.

import { AT } from './constants.table.ts';
import type { Dwarf } from './dwarf.ts';
import { type LineHeader, readLineHeader } from './line-header.ts';
import { type LineTable, runLineProgram } from './line-table.ts';
import { type AddressRange, rangesOf } from './ranges.ts';
import type { Unit } from './unit.ts';

interface UnitRange extends AddressRange {
  readonly unit: Unit;
}

export class UnitIndex {
  private readonly dwarf: Dwarf;
  private ranges: UnitRange[] | undefined;
  private readonly headers = new Map<number, LineHeader | null>();
  private readonly tables = new Map<number, LineTable | null>();

  constructor(dwarf: Dwarf) {
    this.dwarf = dwarf;
  }

  private load(): UnitRange[] {
    const ranges: UnitRange[] = [];
    for (const unit of this.dwarf.units()) {
      if (unit.header.kind === 'type') continue;
      this.dwarf.attempt(() => {
        let own = rangesOf(unit.root());
        // Units without ranges (some assemblers): the line table knows where their code is.
        if (own.length === 0 && unit.root().has(AT.stmt_list)) own = this.lineTable(unit)?.sequences ?? [];
        for (const { low, high } of own) ranges.push({ low, high, unit });
      });
    }
    return ranges.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  }

  /** The unit whose code covers an address. */
  unitAt(address: bigint): Unit | undefined {
    this.ranges ??= this.load();
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && i >= low - 16; i--) {
      if (address < this.ranges[i]!.high) return this.ranges[i]!.unit;
    }
    return undefined;
  }

  private statementList(unit: Unit): number | undefined {
    const value = unit.root().attribute(AT.stmt_list)?.value;
    return typeof value === 'number' ? value : undefined;
  }

  /** Header of a unit's line program: its files. Does not run the program. */
  lineHeader(unit: Unit): LineHeader | undefined {
    const offset = this.statementList(unit);
    if (offset === undefined) return undefined;
    let header = this.headers.get(offset);
    if (header === undefined) {
      header = this.dwarf.attempt(() => readLineHeader(this.dwarf.sections, offset, unit.directory, unit.header.addressSize)) ?? null;
      this.headers.set(offset, header);
    }
    return header ?? undefined;
  }

  lineTable(unit: Unit): LineTable | undefined {
    const header = this.lineHeader(unit);
    if (!header) return undefined;
    let table = this.tables.get(header.offset);
    if (table === undefined) {
      table = this.dwarf.attempt(() => runLineProgram(this.dwarf.sections.debug('line'), header)) ?? null;
      this.tables.set(header.offset, table);
    }
    return table ?? undefined;
  }
}
