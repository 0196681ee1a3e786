// Disassembly of guest memory that never fails: what is not mapped or no instruction becomes a row that says so.

import type { Formatter, Decoder as IcedDecoder } from 'iced-x86';

export interface DisassembledRow {
  readonly address: bigint;
  readonly length: number;
  /** Null for a row that is no instruction. */
  readonly bytes: Uint8Array | null;
  readonly text: string;
}

export type CodeReader = (address: bigint, length: number) => Uint8Array;

const longestInstruction = 15;
const chunk = 4096;
const codeSize = 64;
/** `ud2; .ascii "xen"` before cpuid: Xen's marker for an emulated cpuid (public/arch-x86/xen.h, XEN_EMULATE_PREFIX). */
const xenPrefix = [0x0f, 0x0b, 0x78, 0x65, 0x6e];

type Iced = typeof import('iced-x86');
let loaded: Promise<Iced> | null = null;
/** 73 ms when first asked for: not at start-up. */
const load = (): Promise<Iced> => {
  loaded ??= import('iced-x86').then((module) => ('Decoder' in module ? module : (module as { default: Iced }).default));
  return loaded;
};

export class Disassembler {
  private readonly iced: Iced;
  private readonly formatter: Formatter;
  private readonly bits: 64 | 32;
  private readonly read: CodeReader;
  private readonly limit: bigint;

  static async open(
    bits: 64 | 32,
    syntax: 'att' | 'intel',
    read: CodeReader,
    symbol: (address: bigint) => string | null,
  ): Promise<Disassembler> {
    return new Disassembler(await load(), bits, syntax, read, symbol);
  }

  private readonly symbol: (address: bigint) => string | null;

  private constructor(iced: Iced, bits: 64 | 32, syntax: 'att' | 'intel', read: CodeReader, symbol: (address: bigint) => string | null) {
    this.iced = iced;
    this.bits = bits;
    this.read = read;
    this.symbol = symbol;
    this.limit = 1n << BigInt(bits);
    this.formatter = new iced.Formatter(syntax === 'att' ? iced.FormatterSyntax.Gas : iced.FormatterSyntax.Intel);
    this.formatter.hexPrefix = '0x';
    this.formatter.hexSuffix = '';
    this.formatter.uppercaseHex = false;
    this.formatter.spaceAfterOperandSeparator = true;
    this.formatter.ripRelativeAddresses = true;
    this.formatter.branchLeadingZeros = false;
    this.formatter.leadingZeros = false;
    this.formatter.smallHexNumbersInDecimal = false;
  }

  private wrap(address: bigint): bigint {
    return ((address % this.limit) + this.limit) % this.limit;
  }

  /** `count` rows from an address on. Addresses wrap at the end of the address space. */
  forward(from: bigint, count: number): DisassembledRow[] {
    const rows: DisassembledRow[] = [];
    let at = this.wrap(from);
    let window = new Uint8Array(0);
    let windowAt = at;
    while (rows.length < count) {
      const used = Number(at - windowAt);
      if (used < 0 || window.length - used < longestInstruction) {
        windowAt = at;
        window = this.read(at, chunk) as Uint8Array<ArrayBuffer>;
      }
      const row = this.row(at, window.subarray(Number(at - windowAt)));
      rows.push(row);
      at = this.wrap(at + BigInt(row.length));
    }
    return rows;
  }

  /**
   * `count` rows that end right before an address. x86 code cannot be read backwards: it is decoded from a known start (a function
   * or line at or before it), else from the earliest byte from which the instructions meet the address.
   */
  backward(to: bigint, count: number, starts: (near: bigint) => bigint | null): DisassembledRow[] {
    let rows: DisassembledRow[] = [];
    let at = to;
    while (rows.length < count) {
      const before = this.rowsBefore(at, starts);
      rows = [...before, ...rows];
      at = before[0]!.address;
    }
    return rows.slice(-count);
  }

  private rowsBefore(at: bigint, starts: (near: bigint) => bigint | null): DisassembledRow[] {
    const last = this.wrap(at - 1n);
    if (!this.read(last, 1).length) return [this.unmapped(last)];
    const start = starts(last);
    const from = start !== null && at > start && at - start < 0x10000n ? start : null;
    if (from !== null) {
      const known = this.rowsUpTo(from, at);
      if (known) return known;
    }
    for (let back = BigInt(codeSize); back >= 1n; back--) {
      if (back > at || this.read(at - back, 1).length === 0) continue;
      const rows = this.rowsUpTo(at - back, at);
      if (rows) return rows;
    }
    return [this.invalid(last, this.read(last, 1))];
  }

  /** The rows from one address exactly up to another; null when no instruction ends there or one of them is none. */
  private rowsUpTo(from: bigint, to: bigint): DisassembledRow[] | null {
    const bytes = this.read(from, Number(to - from));
    if (bytes.length < Number(to - from)) return null;
    const rows: DisassembledRow[] = [];
    for (let at = from; at < to; ) {
      const row = this.row(at, bytes.subarray(Number(at - from)));
      if (row.bytes === null) return null;
      rows.push(row);
      at += BigInt(row.length);
      if (at > to) return null;
    }
    return rows;
  }

  private row(address: bigint, bytes: Uint8Array): DisassembledRow {
    if (bytes.length === 0) return this.unmapped(address);
    if (xenPrefix.every((byte, i) => bytes[i] === byte)) {
      const marker = bytes.slice(0, xenPrefix.length);
      return { address, length: marker.length, bytes: marker, text: 'ud2; .ascii "xen"  # the next instruction is emulated by Xen' };
    }
    const decoder: IcedDecoder = new this.iced.Decoder(this.bits, bytes.subarray(0, longestInstruction), this.iced.DecoderOptions.None);
    decoder.ip = address;
    const instruction = decoder.decode();
    try {
      if (instruction.code === this.iced.Code.INVALID) return this.invalid(address, bytes);
      const target = this.branchTarget(instruction);
      const name = target === null ? null : this.symbol(target);
      const text = `${this.formatter.format(instruction)}${name === null ? '' : `  # <${name}>`}`;
      return { address, length: instruction.length, bytes: bytes.slice(0, instruction.length), text };
    } finally {
      instruction.free();
      decoder.free();
    }
  }

  private branchTarget(instruction: InstanceType<Iced['Instruction']>): bigint | null {
    const { OpKind } = this.iced;
    if (instruction.opCount > 0) {
      const kind = instruction.op0Kind;
      if (kind === OpKind.NearBranch64 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch16) return instruction.nearBranchTarget;
    }
    return instruction.isIpRelMemoryOperand ? instruction.ipRelMemoryAddress : null;
  }

  private unmapped(address: bigint): DisassembledRow {
    return { address, length: 1, bytes: null, text: '(not mapped in the current page tables)' };
  }
  private invalid(address: bigint, bytes: Uint8Array): DisassembledRow {
    const byte = (bytes[0] ?? 0).toString(16).padStart(2, '0');
    const cut = bytes.length < longestInstruction && this.read(address, longestInstruction).length < longestInstruction;
    return {
      address,
      length: 1,
      bytes: null,
      text: `.byte 0x${byte}  # ${cut ? 'cut off by the end of mapped memory, or no instruction' : 'no instruction'}`,
    };
  }
}
