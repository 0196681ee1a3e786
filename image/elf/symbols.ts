// The symbol table of an ELF file.

import { Reader, stringAt } from '../bytes.ts';
import { ImageError } from '../error.ts';
import type { ElfFile } from './file.ts';
import { SHT_DYNSYM, SHT_SYMTAB } from './names.table.ts';
import type { ElfSymbol, SymbolKind } from './types.ts';

const KINDS: readonly SymbolKind[] = ['none', 'data', 'function', 'section', 'file'];

function readOne(r: Reader, bits: 32 | 64, names: Uint8Array): ElfSymbol {
  const nameOffset = r.u32();
  let address: bigint;
  let size: bigint;
  let info: number;
  let section: number;
  if (bits === 64) {
    info = r.u8();
    r.u8();
    section = r.u16();
    address = r.u64();
    size = r.u64();
  } else {
    address = BigInt(r.u32());
    size = BigInt(r.u32());
    info = r.u8();
    r.u8();
    section = r.u16();
  }
  const binding = info >> 4;
  return {
    name: stringAt(names, nameOffset),
    address,
    size,
    kind: KINDS[info & 15] ?? 'other',
    binding: binding === 0 ? 'local' : binding === 2 ? 'weak' : 'global',
    section,
  };
}

/** Reads .symtab, else .dynsym; none of both is an empty list. */
export function readSymbols(elf: ElfFile): readonly ElfSymbol[] {
  const table = elf.sections.find((s) => s.type === SHT_SYMTAB) ?? elf.sections.find((s) => s.type === SHT_DYNSYM);
  if (!table) return [];
  const strings = elf.sections[table.link];
  if (!strings)
    throw new ImageError(
      'malformed',
      `The symbol table names section ${table.link} for its strings, which does not exist. The file is damaged: build it again.`,
    );
  const names = elf.sectionBytes(strings);
  const size = elf.bits === 64 ? 24 : 16;
  const bytes = elf.sectionBytes(table);
  const symbols: ElfSymbol[] = [];
  const r = new Reader(bytes, 'the symbol table');
  for (let at = size; at + size <= bytes.length; at += size) {
    r.offset = at;
    symbols.push(readOne(r, elf.bits, names));
  }
  return symbols;
}
