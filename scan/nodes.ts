// The parts of an image between which references are followed: functions and data objects, by their symbols; what has no symbol belongs
// to the one before it in its section.

import type { ElfFile } from '../image/elf/file.ts';
import { SHF_ALLOC } from '../image/elf/names.table.ts';
import type { Regions } from './regions.ts';
import { lastAtMost } from './search.ts';

export interface Node {
  /** First byte, as an index of Regions. */
  readonly first: number;
  /** One past its last byte. */
  end: number;
  /** Null for what lies before the first symbol of a section. */
  readonly name: string | null;
  readonly executable: boolean;
  /** A sized function: all of it is code. */
  readonly sized: boolean;
  /** A symbol without size: in data, the start or end mark of a table made of others' objects. */
  readonly label: boolean;
}

interface Mark {
  readonly index: number;
  readonly name: string | null;
  readonly size: number;
}

/** Labels that assemblers and linkers make for themselves. */
const LOCAL = /^(\.L|\$[adtx](\.|$)|L\d)/;

export class Nodes {
  list: readonly Node[];
  /** 1 where a node begins. */
  readonly starts: Uint8Array;
  /** No function symbols: what is called makes the functions (callTargets). */
  readonly stripped: boolean;
  private readonly regions: Regions;

  constructor(elf: ElfFile, regions: Regions) {
    this.regions = regions;
    this.starts = new Uint8Array(regions.total);
    const found = marks(elf, regions);
    this.stripped = !found.some(({ index }) => regions.regionOf(index).executable);
    this.list = this.build(found);
    for (const { first } of this.list) this.starts[first] = 1;
  }

  /** Cuts a stripped image at the places that are called. */
  callTargets(indexes: Iterable<number>): void {
    const all = [...new Set(indexes)].sort((a, b) => a - b).map((index): Mark => ({ index, name: null, size: 0 }));
    this.list = this.build(all);
    for (const { first } of this.list) this.starts[first] = 1;
  }

  /** Number of the node that holds an index. */
  at(index: number): number {
    const { list } = this;
    return lastAtMost(list.length, (n) => list[n]!.first, index);
  }

  private build(all: readonly Mark[]): Node[] {
    const { regions } = this;
    const list: Node[] = [];
    let next = 0;
    for (const region of regions.list) {
      const end = region.first + region.size;
      let covered = region.first;
      if (all[next]?.index !== region.first)
        list.push({ first: region.first, end, name: null, executable: region.executable, sized: false, label: true });
      for (; next < all.length && all[next]!.index < end; next++) {
        const { index, name, size } = all[next]!;
        const last = list.at(-1);
        // Labels inside a sized symbol, and other names of the same place, are no parts of their own.
        if (last?.first === index || (index < covered && size === 0)) continue;
        if (last) last.end = Math.min(last.end, index);
        list.push({ first: index, end, name, executable: region.executable, sized: region.executable && size > 0, label: size === 0 });
        covered = Math.max(covered, index + size);
      }
    }
    return list;
  }
}

/** Symbols of loaded places, by index; of several at one place the largest comes first. */
function marks(elf: ElfFile, regions: Regions): Mark[] {
  const found: Mark[] = [];
  for (const symbol of elf.symbols()) {
    if (symbol.name === '' || symbol.kind === 'section' || symbol.kind === 'file' || LOCAL.test(symbol.name)) continue;
    const section = elf.sections[symbol.section];
    if (!section || !(section.flags & SHF_ALLOC)) continue;
    const index = regions.find(regions.number(symbol.address));
    if (index >= 0) found.push({ index, name: symbol.name, size: Number(symbol.size) });
  }
  return found.sort((a, b) => a.index - b.index || b.size - a.size);
}
