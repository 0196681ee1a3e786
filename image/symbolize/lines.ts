// Source positions of addresses, and addresses of source lines.

import { AT } from '../dwarf/constants.table.ts';
import type { Dwarf } from '../dwarf/dwarf.ts';
import { functionAt, inlinedAt } from '../dwarf/functions.ts';
import {
  IS_STATEMENT,
  type LineRow,
  type LineSequence,
  PROLOGUE_END,
  rowAt,
  rowIndexAt,
  rowOf,
  sequenceAt,
  telling,
} from '../dwarf/line-table.ts';
import { normalisePath, type PathSubstitution, substitutePath } from '../dwarf/paths.ts';
import type { AddressRange } from '../dwarf/ranges.ts';
import type { Unit } from '../dwarf/unit.ts';
import { UnitIndex } from '../dwarf/unit-index.ts';

export interface SourceLine {
  readonly file: string;
  readonly line: number;
  /** 1-based; 0 when the compiler gave none (assembly). */
  readonly column: number;
  readonly isStatement: boolean;
  /** The addresses of the row: [low, high). */
  readonly low: bigint;
  readonly high: bigint;
}

export interface LineAddress {
  readonly address: bigint;
  /** The address is the first of its function, before the prologue. */
  readonly isEntry: boolean;
}

export interface LineMatch {
  readonly file: string;
  /** The line asked for, or the nearest one after it that has code. */
  readonly line: number;
  readonly addresses: readonly LineAddress[];
}

/** One path ends with the whole other, at a folder boundary. */
function isSuffix(a: string, b: string): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long === short || (short !== '' && long.endsWith(short.startsWith('/') ? short : `/${short}`));
}

export class SourceLines {
  readonly index: UnitIndex;
  private readonly dwarf: Dwarf;
  private readonly substitutions: readonly PathSubstitution[];
  private unitsByFile: Map<string, Set<Unit>> | undefined;
  private readonly paths = new Map<string, string>();

  constructor(dwarf: Dwarf, substitutions: readonly PathSubstitution[]) {
    this.dwarf = dwarf;
    this.index = new UnitIndex(dwarf);
    this.substitutions = substitutions;
  }

  /** Path of a recorded file, moved by the substitutions. */
  path(recorded: string): string {
    let moved = this.paths.get(recorded);
    if (moved === undefined) {
      moved = substitutePath(recorded, this.substitutions);
      this.paths.set(recorded, moved);
    }
    return moved;
  }

  /** Path of file number `file` in a unit's line table. */
  fileOf(unit: Unit, file: number | undefined): string | undefined {
    const recorded = file === undefined ? undefined : this.index.lineHeader(unit)?.files[file];
    return recorded ? this.path(recorded) : undefined;
  }

  row(address: bigint): { readonly unit: Unit; readonly row: LineRow } | undefined {
    const unit = this.index.unitAt(address);
    const table = unit && this.index.lineTable(unit);
    const row = table && rowAt(table, address);
    return unit && row ? { unit, row } : undefined;
  }

  /** Source position of an address; undefined for code that no line made (line 0). */
  at(address: bigint): SourceLine | undefined {
    const found = this.row(address);
    if (!found || found.row.line <= 0) return undefined;
    const { unit, row } = found;
    const file = this.fileOf(unit, row.file);
    if (!file) return undefined;
    return { file, line: row.line, column: row.column, isStatement: row.isStatement, low: row.address, high: row.end };
  }

  /** The first row in [low, high) that the compiler marked as the end of the prologue (clang does, gcc does not). */
  prologueEnd(low: bigint, high: bigint): bigint | undefined {
    const unit = this.index.unitAt(low);
    const table = unit && this.index.lineTable(unit);
    const sequence = table && sequenceAt(table, low);
    if (!sequence) return undefined;
    for (let i = rowIndexAt(sequence, low); i < sequence.offsets.length; i++) {
      const address = sequence.low + BigInt(sequence.offsets[i]!);
      if (address >= high) return undefined;
      if (address >= low && sequence.flags[i]! & PROLOGUE_END) return address;
    }
    return undefined;
  }

  /** All address ranges within [low, high) whose rows have the file and line of `address`, merged; for stepping over a line. */
  rangesOfLine(address: bigint, low: bigint, high: bigint): readonly AddressRange[] {
    const found = this.row(address);
    const table = found && this.index.lineTable(found.unit);
    const sequence = table && sequenceAt(table, address);
    if (!found || !sequence) return [];
    const ranges: { low: bigint; high: bigint }[] = [];
    for (let i = rowIndexAt(sequence, low < sequence.low ? sequence.low : low); i < sequence.offsets.length; i++) {
      // Only the last row of an address: it decides together with those before it.
      if (i + 1 < sequence.offsets.length && sequence.offsets[i + 1] === sequence.offsets[i]) continue;
      const row = rowOf(sequence, telling(sequence, i));
      if (row.address >= high) break;
      if (row.line !== found.row.line || row.file !== found.row.file) continue;
      const last = ranges.at(-1);
      if (last && last.high === row.address) last.high = row.end;
      else ranges.push({ low: row.address, high: row.end });
    }
    return ranges;
  }

  private filesToUnits(): Map<string, Set<Unit>> {
    if (this.unitsByFile) return this.unitsByFile;
    this.unitsByFile = new Map();
    for (const unit of this.dwarf.units()) {
      const header = unit.header.kind === 'type' ? undefined : this.index.lineHeader(unit);
      for (const recorded of header?.files ?? []) {
        if (recorded === '') continue;
        const path = this.path(recorded);
        const units = this.unitsByFile.get(path);
        if (units) units.add(unit);
        else this.unitsByFile.set(path, new Set([unit]));
      }
    }
    return this.unitsByFile;
  }

  /** All source files that line tables name. */
  files(): readonly string[] {
    return [...this.filesToUnits().keys()].sort();
  }

  /** The recorded files that a user's path may mean: the same path, else those of which one is the end of the other. */
  matchFile(path: string): readonly string[] {
    const wanted = normalisePath(path);
    const files = this.filesToUnits();
    if (files.has(wanted)) return [wanted];
    const candidates = [...files.keys()].filter((file) => isSuffix(file, wanted));
    // The longest common end wins: /src/xen/io.c means xen/io.c rather than io.c.
    const longest = Math.max(0, ...candidates.map((file) => Math.min(file.length, wanted.length)));
    return candidates.filter((file) => Math.min(file.length, wanted.length) === longest);
  }

  private *rowsIn(unit: Unit, file: string): Generator<{ readonly sequence: LineSequence; readonly i: number }> {
    const table = this.index.lineTable(unit);
    if (!table) return;
    const numbers = new Set(table.header.files.flatMap((recorded, n) => (recorded !== '' && this.path(recorded) === file ? [n] : [])));
    for (const sequence of table.sequences) {
      for (let i = 0; i < sequence.offsets.length; i++) {
        if (numbers.has(sequence.files[i]!) && sequence.flags[i]! & IS_STATEMENT && sequence.lines[i]! > 0) yield { sequence, i };
      }
    }
  }

  /** The lines of a file that have code, ascending; for marking where breakpoints can stand. */
  linesWithCode(path: string): readonly number[] {
    const lines = new Set<number>();
    for (const file of this.matchFile(path)) {
      for (const unit of this.filesToUnits().get(file) ?? []) {
        for (const { sequence, i } of this.rowsIn(unit, file)) lines.add(sequence.lines[i]!);
      }
    }
    return [...lines].sort((a, b) => a - b);
  }

  /**
   * Addresses for a breakpoint on a line: of the line itself, else of the nearest later line with code. One address per function or
   * inlined instance (the lowest), as a line often has several rows.
   */
  addressesOf(path: string, line: number): LineMatch | undefined {
    for (const file of this.matchFile(path)) {
      const match = this.addressesIn(file, line);
      if (match) return match;
    }
    return undefined;
  }

  private addressesIn(file: string, line: number): LineMatch | undefined {
    const units = [...(this.filesToUnits().get(file) ?? [])];
    let best = Number.POSITIVE_INFINITY;
    for (const unit of units) {
      for (const { sequence, i } of this.rowsIn(unit, file)) {
        const at = sequence.lines[i]!;
        if (at >= line && at < best) best = at;
      }
    }
    if (!Number.isFinite(best)) return undefined;
    const lowest = new Map<string, LineAddress>();
    for (const unit of units) {
      for (const { sequence, i } of this.rowsIn(unit, file)) {
        if (sequence.lines[i] !== best) continue;
        const address = sequence.low + BigInt(sequence.offsets[i]!);
        const { key, isEntry } = this.placeOf(unit, sequence, address, file, best);
        const known = lowest.get(key);
        if (!known || address < known.address) lowest.set(key, { address, isEntry });
      }
    }
    const addresses = [...lowest.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
    return { file, line: best, addresses: addresses.filter(({ address }, i) => i === 0 || address !== addresses[i - 1]!.address) };
  }

  /**
   * Names the function or inlined instance that a row of a line belongs to. Where an inlined call begins or ends, its address has rows of
   * the calling line too, however deep the inlining goes there: those belong to the caller, so that a breakpoint on a call is one place
   * and stands before the call.
   */
  private placeOf(unit: Unit, sequence: LineSequence, address: bigint, file: string, line: number): { key: string; isEntry: boolean } {
    const subprogram = this.dwarf.attempt(() => functionAt(unit, address));
    if (!subprogram) return { key: `${sequence.low}`, isEntry: false };
    const inlined = [...(this.dwarf.attempt(() => inlinedAt(subprogram, address)) ?? [])];
    const calledHere = inlined.findIndex(
      (die) => die.number(AT.call_line) === line && this.fileOf(unit, die.number(AT.call_file)) === file,
    );
    const chain = calledHere < 0 ? inlined : inlined.slice(0, calledHere);
    const isEntry = chain.length === 0 && this.dwarf.attempt(() => subprogram.address(AT.low_pc)) === address;
    return { key: `${unit.header.start}:${(chain.at(-1) ?? subprogram).offset}`, isEntry };
  }
}
