// Where a function's body begins: the address at which a breakpoint on the function stops, with parameters readable.

import type { LineRow } from '../dwarf/line-table.ts';
import type { CodeMap } from './code.ts';

/** Machine code of `push %rbp; mov %rsp,%rbp` in the forms that compilers write, after an optional endbr. */
const FRAME_SETUPS: readonly (readonly number[])[] = [
  [0x55, 0x48, 0x89, 0xe5],
  [0x55, 0x48, 0x8b, 0xec],
  [0x55, 0x89, 0xe5],
  [0x55, 0x8b, 0xec],
];
const ENDBR = [
  [0xf3, 0x0f, 0x1e, 0xfa],
  [0xf3, 0x0f, 0x1e, 0xfb],
];

const startsWith = (bytes: Uint8Array, at: number, prefix: readonly number[]): boolean => prefix.every((byte, i) => bytes[at + i] === byte);

/** Length of the frame-pointer set-up at a function's first instruction; 0 when it keeps none. */
export function frameSetupLength(code: CodeMap, entry: bigint): number {
  const bytes = code.bytesAt(entry, 16);
  const skip = ENDBR.some((endbr) => startsWith(bytes, 0, endbr)) ? 4 : 0;
  const setup = FRAME_SETUPS.find((pattern) => startsWith(bytes, skip, pattern));
  return setup ? skip + setup.length : 0;
}

/**
 * The first address after the prologue: a row that the compiler marked, else (as gdb does) the end of the line that sets up the frame
 * pointer. Functions without frame pointer have their parameters described from the first instruction on.
 */
export function afterPrologue(
  code: CodeMap,
  entry: bigint,
  end: bigint,
  rowAt: (address: bigint) => LineRow | undefined,
  marked: bigint | undefined,
): bigint {
  if (marked !== undefined) return marked;
  const setup = frameSetupLength(code, entry);
  if (setup === 0) return entry;
  const address = entry + BigInt(setup);
  const row = rowAt(address);
  if (!row || row.address === address) return address;
  return row.end > address && row.end < end ? row.end : address;
}
