// Alternatives of Linux and Xen: code outside of the functions that is copied over an original at run time. The table of them says which original,
// and so which source line, a replacement without a line of its own belongs to.

import type { ElfFile } from '../../image/elf/file.ts';

interface Replacement {
  readonly low: bigint;
  readonly high: bigint;
  readonly original: bigint;
}

/** Bytes of one entry: two 32-bit offsets, a feature, lengths. Linux 6.1 has 12, Xen 4.17 has 14. */
const SIZES = [12, 14];

export class Alternatives {
  readonly #replacements: readonly Replacement[];
  readonly #fixups: readonly Replacement[];

  constructor(elf: ElfFile, bytes: Uint8Array) {
    const symbols = new Map(elf.symbols().map(({ name, address }) => [name, address]));
    const low = symbols.get('__alt_instructions');
    const high = symbols.get('__alt_instructions_end');
    this.#fixups = fixupsOf(elf, bytes, symbols.get('__start___ex_table'), symbols.get('__stop___ex_table'));
    this.#replacements = low !== undefined && high !== undefined ? read(elf, bytes, low, high) : [];
  }

  /** The address of the original that the replacement at `address` stands for, or null. */
  originalOf(address: bigint): bigint | null {
    return [...this.#replacements, ...this.#fixups].find(({ low, high }) => address >= low && address < high)?.original ?? null;
  }
}

/** Xen's table of exceptions: where an instruction that faults goes on. What stands there without a line is of the same asm statement. */
function fixupsOf(elf: ElfFile, bytes: Uint8Array, low: bigint | undefined, high: bigint | undefined): Replacement[] {
  const section =
    low === undefined || high === undefined
      ? undefined
      : elf.sections.find(({ address, size }) => address <= low && high <= address + BigInt(size));
  if (!section || low === undefined || high === undefined || Number(high - low) % 8 !== 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset + section.offset + Number(low - section.address), Number(high - low));
  const found: Replacement[] = [];
  for (let at = 0; at < view.byteLength; at += 8) {
    const here = low + BigInt(at);
    const target = here + 4n + BigInt(view.getInt32(at + 4, true));
    found.push({ low: target, high: target + FIXUP, original: here + BigInt(view.getInt32(at, true)) });
  }
  // The nearest one above wins.
  return found.every((each) => isIn(elf, each.low) && isIn(elf, each.original)) ? found.sort((a, b) => (a.low < b.low ? 1 : -1)) : [];
}

/** Longest code of a fix-up that is looked at. */
const FIXUP = 64n;

function read(elf: ElfFile, bytes: Uint8Array, low: bigint, high: bigint): Replacement[] {
  const section = elf.sections.find(({ address, size }) => address <= low && high <= address + BigInt(size));
  if (!section) return [];
  const offset = Number(section.offset) + Number(low - section.address);
  const length = Number(high - low);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  for (const size of SIZES.filter((each) => length % each === 0)) {
    const found: Replacement[] = [];
    for (let at = 0; at < length; at += size) {
      const here = low + BigInt(at);
      const original = here + BigInt(view.getInt32(at, true));
      const replacement = here + 4n + BigInt(view.getInt32(at + 4, true));
      found.push({ low: replacement, high: replacement + BigInt(view.getUint8(at + 11)), original });
    }
    // The wrong size gives addresses that are nowhere.
    if (found.every(({ low: from, original }) => isIn(elf, from) && isIn(elf, original))) return found;
  }
  return [];
}

const isIn = (elf: ElfFile, at: bigint): boolean =>
  elf.sections.some(({ address, size }) => address !== 0n && address <= at && at <= address + BigInt(size));
