// Addresses of the user's kernel to functions and lines; callers by unwinding the part of the stack that a dump shows.

import { hypercallByNumber } from '../../abi/hypercalls.ts';
import type { CoreRegister } from '../../image/dwarf/registers.table.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import type { LogFrame } from './note.ts';

/** A stack dump: consecutive words from an address on. */
export interface StackWords {
  readonly start: bigint;
  /** Bytes of a word: 8, or 4 of a 32-bit guest. */
  readonly size: 8 | 4;
  readonly words: readonly bigint[];
}

const MOST_FRAMES = 32;

/** Symbols of a kernel's ELF file (plain or gzip). Throws ImageError with a sentence that says what to do for any other file. */
export const symbolsOfKernel = (bytes: Uint8Array): LogSymbols => new LogSymbols(new Symbolizer(openKernel(bytes)));

export class LogSymbols {
  private readonly symbolizer: Symbolizer;

  constructor(symbolizer: Symbolizer) {
    this.symbolizer = symbolizer;
  }
  isCode(address: bigint): boolean {
    return this.symbolizer.isCode(address);
  }
  /** 'name+16' of code or data; undefined outside of the image. */
  nameOf(address: bigint): string | undefined {
    const text = this.symbolizer.symbolText(address);
    const offset = /^hypercall_page\+(\d+)$/.exec(text ?? '')?.[1];
    if (offset === undefined || Number(offset) >= 4096) return text;
    const number = Math.floor(Number(offset) / 32);
    const call = hypercallByNumber(number);
    return `${text}: hypercall ${number}${call ? ` (${call.name})` : ''}`;
  }
  /** The frames at an address, inlined ones first. */
  at(address: bigint, lookup: bigint, certainty: LogFrame['certainty']): LogFrame[] {
    const frames = this.symbolizer.framesAt(lookup);
    const shown = `0x${address.toString(16)}`;
    if (frames.length === 0) {
      const name = this.symbolizer.symbolText(lookup);
      return name ? [{ address: shown, function: name, certainty }] : [];
    }
    return frames.map((f) => ({
      address: shown,
      function: f.function,
      ...(f.file ? { file: f.file } : {}),
      ...(f.line > 0 ? { line: f.line } : {}),
      certainty,
    }));
  }

  /** The stack of a stopped vCPU, as far as the dump shows it. */
  stack(registers: Readonly<Record<string, bigint>>, stack: StackWords | null): LogFrame[] {
    const memory = (address: bigint, length: number): Uint8Array => readWords(stack, address, length);
    const frames = this.symbolizer.unwind(registers as Readonly<Partial<Record<CoreRegister, bigint>>>, memory, MOST_FRAMES);
    return frames.flatMap((frame) =>
      this.at(frame.pc, frame.lookup, frame.by === 'registers' ? 'exact' : frame.by === 'stack-scan' ? 'guess' : 'unwound'),
    );
  }
}

/** Bytes of the dump at an address; fewer than asked for where it ends. */
function readWords(stack: StackWords | null, address: bigint, length: number): Uint8Array {
  if (!stack || address < stack.start) return new Uint8Array();
  const from = Number(address - stack.start);
  const count = Math.max(0, Math.min(length, stack.words.length * stack.size - from));
  return Uint8Array.from({ length: count }, (_, i) => {
    const word = stack.words[Math.floor((from + i) / stack.size)]!;
    return Number((word >> BigInt(8 * ((from + i) % stack.size))) & 0xffn);
  });
}
