// Which level 1 entries map grants. Xen itself does not remember them (a debug build marks the entry): they are kept to tell a guest
// that it overwrote one, after which the mapping cannot be undone any more.

import type { Place } from './table-entry.ts';

/** Whose mapping an entry is. */
export interface GrantedEntry {
  readonly domain: number;
  readonly handle: number;
}

const key = ({ table, slot }: Place): number => table * 512 + slot;

export class GrantedEntries {
  private readonly byPlace = new Map<number, GrantedEntry>();

  get size(): number {
    return this.byPlace.size;
  }

  at(place: Place): GrantedEntry | undefined {
    return this.byPlace.get(key(place));
  }

  add(place: Place, entry: GrantedEntry): void {
    this.byPlace.set(key(place), entry);
  }

  remove(place: Place): void {
    this.byPlace.delete(key(place));
  }

  /** An entry was put into another place as it is. */
  move(from: Place, to: Place): void {
    const entry = this.at(from);
    if (!entry) return;
    this.remove(from);
    this.add(to, entry);
  }

  /** Domain and handle of every entry, as 'domain/handle'. */
  byMapping(): Set<string> {
    return new Set([...this.byPlace.values()].map(({ domain, handle }) => `${domain}/${handle}`));
  }
}
