// ELF symbols by address and by name: functions, data and the labels of assembly code.

import type { ElfFile } from '../elf/file.ts';
import { SHF_ALLOC } from '../elf/names.table.ts';
import type { ElfSection, ElfSymbol } from '../elf/types.ts';

export interface NearestSymbol {
  readonly symbol: ElfSymbol;
  /** Address minus the symbol's. */
  readonly offset: bigint;
}

const UNDEFINED = 0;
const RESERVED = 0xff00;

/** Of several symbols at one address the most telling comes last: sized and typed before bare labels, global before local. */
const weight = (symbol: ElfSymbol): number =>
  (symbol.kind === 'function' || symbol.kind === 'data' ? 4 : 0) + (symbol.size > 0n ? 2 : 0) + (symbol.binding === 'local' ? 0 : 1);

export class SymbolIndex {
  private readonly elf: ElfFile;
  private readonly list: () => readonly ElfSymbol[];
  private sorted: readonly ElfSymbol[] | undefined;
  private names: Map<string, ElfSymbol[]> | undefined;
  private allocated: readonly ElfSection[] | undefined;

  /** `list` may answer fewer symbols than the file has, when its table is damaged. */
  constructor(elf: ElfFile, list: () => readonly ElfSymbol[]) {
    this.elf = elf;
    this.list = list;
  }

  private byAddress(): readonly ElfSymbol[] {
    this.sorted ??= this.list()
      .filter((s) => s.name !== '' && s.section !== UNDEFINED && s.section < RESERVED && s.kind !== 'section' && s.kind !== 'file')
      .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : weight(a) - weight(b)));
    return this.sorted;
  }

  /** Index of the first symbol behind an address. */
  private after(address: bigint): number {
    const symbols = this.byAddress();
    let low = 0;
    let high = symbols.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (symbols[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The loaded section that covers an address. */
  sectionAt(address: bigint): ElfSection | undefined {
    this.allocated ??= this.elf.sections.filter((s) => s.flags & SHF_ALLOC && s.size > 0);
    return this.allocated.find((s) => address >= s.address && address < s.address + BigInt(Math.min(s.size, Number.MAX_SAFE_INTEGER)));
  }

  /**
   * The symbol that covers an address, else the nearest one before it in the same section.
   * Sized symbols that end before the address are passed over when a larger one or a label still covers it.
   */
  nearest(address: bigint): NearestSymbol | undefined {
    const symbols = this.byAddress();
    const low = this.after(address);
    const section = this.sectionAt(address);
    let fallback: ElfSymbol | undefined;
    for (let i = low - 1; i >= 0 && i >= low - 64; i--) {
      const symbol = symbols[i]!;
      if (section ? this.elf.sections[symbol.section] !== section : symbol.address !== address) continue;
      const covers = symbol.size === 0n || address < symbol.address + symbol.size;
      if (covers) return { symbol, offset: address - symbol.address };
      fallback ??= symbol;
    }
    return fallback && { symbol: fallback, offset: address - fallback.address };
  }

  /** Address of the first symbol after `address`. */
  next(address: bigint): bigint | undefined {
    return this.byAddress()[this.after(address)]?.address;
  }

  /** All symbols of a name (static ones may have several), definitions only. */
  named(name: string): readonly ElfSymbol[] {
    if (!this.names) {
      this.names = new Map();
      for (const symbol of this.list()) {
        if (symbol.section === UNDEFINED || symbol.kind === 'section' || symbol.kind === 'file') continue;
        const same = this.names.get(symbol.name);
        if (same) same.push(symbol);
        else this.names.set(symbol.name, [symbol]);
      }
    }
    return this.names.get(name) ?? [];
  }
}
