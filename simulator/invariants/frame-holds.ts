// What one frame holds by its own state: its allocation, its pin, its partial state, and, of a page table, its entries.

import { isXenSlot, PAE_ENTRIES, PTE, XEN_L2_FIRST_SLOT } from '../memory/entry.ts';
import { FLAG_ALLOCATED, FLAG_PARTIAL, FLAG_PINNED, FLAG_SPECIAL, FLAG_XEN_L2, type FrameTable, FrameType } from '../memory/frame-table.ts';

/** One reference: frame index, and what it counts for. `type`: 0 for a general reference alone. */
export interface Hold {
  readonly target: number;
  readonly type: number;
  /** A type reference without a general one (Xen's own pages). */
  readonly typeOnly?: true;
  /** An entry that names a table of its own level. */
  readonly linear?: true;
  /** Slot of the table; -1: the frame's own state. */
  readonly slot: number;
}

/** An entry that names a frame outside the machine's RAM. */
export interface Stray {
  readonly mfn: number;
  readonly slot: number;
}

export function holdsOf(
  frames: FrameTable,
  bits: 64 | 32,
  i: number,
): { readonly holds: readonly Hold[]; readonly strays: readonly Stray[] } {
  const holds: Hold[] = [];
  const strays: Stray[] = [];
  const flags = frames.flags[i]!;
  const type = frames.type[i]!;
  if (flags & FLAG_ALLOCATED) holds.push({ target: i, type: 0, slot: -1 });
  if (flags & FLAG_PINNED) holds.push({ target: i, type, slot: -1 });
  if (flags & FLAG_PARTIAL) holds.push({ target: i, type, slot: -1 });
  if (flags & FLAG_SPECIAL) holds.push({ target: i, type: FrameType.writable, typeOnly: true, slot: -1 });
  if (frames.typeCount[i] === 0 || type < FrameType.l1 || type > FrameType.l4) return { holds, strays };
  const { ram } = frames;
  const partial = (flags & FLAG_PARTIAL) !== 0;
  const pae = type === FrameType.l3 && bits === 32;
  const end = pae ? PAE_ENTRIES : 512;
  const held = partial ? Math.min(frames.entriesHeld[i]!, end) : end;
  const last = partial && frames.nextHeld[i] ? held : held - 1;
  for (let slot = 0; slot <= last; slot++) {
    if (isXenSlot(type, slot) || (type === FrameType.l2 && flags & FLAG_XEN_L2 && slot >= XEN_L2_FIRST_SLOT)) continue;
    const entry = ram.u64[i * 512 + slot]!;
    if (!(entry & PTE.present)) continue;
    const mfn = Number((entry >> 12n) & 0xff_ffff_ffffn);
    if (!ram.valid(mfn)) {
      strays.push({ mfn, slot });
      continue;
    }
    const target = mfn - ram.base;
    if (type === FrameType.l1) holds.push({ target, type: entry & PTE.write ? FrameType.writable : 0, slot });
    else if (target === i) continue;
    else if (slot === held) holds.push({ target, type: 0, slot });
    else if (frames.type[target] === type) holds.push({ target, type, linear: true, slot });
    else holds.push({ target, type: type - 1, slot });
  }
  return { holds, strays };
}
