// Runs a line number program and keeps its rows by sequence: contiguous code whose addresses rise.

import { Reader } from '../bytes.ts';
import type { LineHeader } from './line-header.ts';

export const IS_STATEMENT = 1;
export const PROLOGUE_END = 2;
export const EPILOGUE_BEGIN = 4;

/** One contiguous piece of code. Rows are in step; `offsets` are relative to `low`. */
export interface LineSequence {
  readonly low: bigint;
  /** One past the last byte. */
  readonly high: bigint;
  readonly offsets: readonly number[];
  readonly files: readonly number[];
  readonly lines: readonly number[];
  readonly columns: readonly number[];
  readonly flags: readonly number[];
}

export interface LineRow {
  readonly address: bigint;
  /** One past the last byte that belongs to the row. */
  readonly end: bigint;
  readonly file: number;
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
  readonly prologueEnd: boolean;
}

export interface LineTable {
  readonly header: LineHeader;
  /** Sorted by address. */
  readonly sequences: readonly LineSequence[];
}

class Machine {
  readonly sequences: LineSequence[] = [];
  private readonly header: LineHeader;
  private rows = { offsets: [] as number[], files: [] as number[], lines: [] as number[], columns: [] as number[], flags: [] as number[] };
  private base = 0n;
  private started = false;
  /** Relative to `base`. */
  private address = 0;
  private file = 1;
  private line = 1;
  private column = 0;
  private flags = 0;

  constructor(header: LineHeader) {
    this.header = header;
    this.reset();
  }

  private reset(): void {
    this.rows = { offsets: [], files: [], lines: [], columns: [], flags: [] };
    this.base = 0n;
    this.started = false;
    this.address = 0;
    this.file = 1;
    this.line = 1;
    this.column = 0;
    this.flags = this.header.defaultIsStatement ? IS_STATEMENT : 0;
  }

  private row(): void {
    this.rows.offsets.push(this.address);
    this.rows.files.push(this.file);
    this.rows.lines.push(this.line);
    this.rows.columns.push(this.column);
    this.rows.flags.push(this.flags);
    this.flags &= IS_STATEMENT;
  }

  private setAddress(address: bigint): void {
    if (this.started) {
      this.address = Number(address - this.base);
      return;
    }
    this.base = address;
    this.address = 0;
    this.started = true;
  }

  private endSequence(): void {
    if (this.rows.offsets.length > 0 && this.address > 0) {
      this.sequences.push({ low: this.base, high: this.base + BigInt(Math.trunc(this.address)), ...this.rows });
    }
    this.reset();
  }

  private extended(r: Reader): void {
    const length = r.uleb();
    if (length === 0) return;
    const next = r.offset + length;
    const opcode = r.u8();
    if (opcode === 1) this.endSequence();
    else if (opcode === 2) this.setAddress(r.unsigned(length - 1));
    r.offset = Math.min(next, r.end);
  }

  private standard(opcode: number, r: Reader): void {
    const { header } = this;
    switch (opcode) {
      case 1: // copy
        this.row();
        break;
      case 2: // advance_pc
        this.address += r.uleb() * header.minimumLength;
        break;
      case 3: // advance_line
        this.line += r.sleb();
        break;
      case 4:
        this.file = r.uleb();
        break;
      case 5:
        this.column = r.uleb();
        break;
      case 6: // negate_stmt
        this.flags ^= IS_STATEMENT;
        break;
      case 7: // set_basic_block
        break;
      case 8: // const_add_pc
        this.address += Math.trunc((255 - header.opcodeBase) / header.lineRange) * header.minimumLength;
        break;
      case 9: // fixed_advance_pc
        this.address += r.u16();
        break;
      case 10:
        this.flags |= PROLOGUE_END;
        break;
      case 11:
        this.flags |= EPILOGUE_BEGIN;
        break;
      default:
        // set_isa (12) and what a later version may add: skipped by their operand counts.
        for (let i = header.operandCounts[opcode - 1] ?? 0; i > 0; i--) r.uleb64();
    }
  }

  step(r: Reader): void {
    const opcode = r.u8();
    const { opcodeBase, lineBase, lineRange, minimumLength } = this.header;
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      this.address += Math.trunc(adjusted / lineRange) * minimumLength;
      this.line += lineBase + (adjusted % lineRange);
      this.row();
    } else if (opcode === 0) {
      this.extended(r);
    } else {
      this.standard(opcode, r);
    }
  }
}

/** Runs the whole program of a header. */
export function runLineProgram(section: Uint8Array, header: LineHeader): LineTable {
  const machine = new Machine(header);
  const r = new Reader(section, '.debug_line', header.program, header.end);
  while (!r.atEnd) machine.step(r);
  machine.sequences.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  return { header, sequences: machine.sequences };
}

/** Row number `i` of a sequence. */
export function rowOf(sequence: LineSequence, i: number): LineRow {
  const flags = sequence.flags[i]!;
  const start = sequence.offsets[i]!;
  let next = i + 1;
  while (next < sequence.offsets.length && sequence.offsets[next] === start) next++;
  return {
    address: sequence.low + BigInt(start),
    end: next < sequence.offsets.length ? sequence.low + BigInt(sequence.offsets[next]!) : sequence.high,
    file: sequence.files[i]!,
    line: sequence.lines[i]!,
    column: sequence.columns[i]!,
    isStatement: (flags & IS_STATEMENT) !== 0,
    prologueEnd: (flags & PROLOGUE_END) !== 0,
  };
}

/** Index of the last row at or before an address of the sequence. */
export function rowIndexAt(sequence: LineSequence, address: bigint): number {
  const wanted = Number(address - sequence.low);
  let low = 0;
  let high = sequence.offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sequence.offsets[middle]! <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The sequences that cover an address. */
export function sequenceAt(table: LineTable, address: bigint): LineSequence | undefined {
  return table.sequences.find(({ low, high }) => address >= low && address < high);
}

/**
 * Of the rows at one address (optimised code has several) the one that counts: the last that begins a statement, as in gdb, so that a
 * breakpoint on a line shows that line; without any, the last. `last` is the index of the last row at the address.
 */
export function telling(sequence: LineSequence, last: number): number {
  for (let i = last; i >= 0 && sequence.offsets[i] === sequence.offsets[last]; i--) {
    if (sequence.flags[i]! & IS_STATEMENT) return i;
  }
  return last;
}

/** The row that an address belongs to. */
export function rowAt(table: LineTable, address: bigint): LineRow | undefined {
  const sequence = sequenceAt(table, address);
  return sequence && rowOf(sequence, telling(sequence, rowIndexAt(sequence, address)));
}
