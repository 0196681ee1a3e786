// Gives a dying domain's frames back: pins go, then the allocations' references; tables that hold each other (linear entries) are taken
// apart by force, from the top level down. Behaviour of Xen 4.17 (arch/x86/domain.c, relinquish_memory).

import { FLAG_ALLOCATED, FLAG_PINNED, FLAG_SPECIAL, FrameType } from '../memory/frame-table.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

/** Returns how many frames others still hold: those keep their owner. */
export function relinquishFrames(hv: Hypervisor, domain: Domain): number {
  const { id } = domain;
  const { types, frames, ram } = hv.memory;
  const own: number[] = [];
  for (let n = 0; n < ram.frames; n++) if (frames.owner[n] === id) own.push(n);
  for (const level of [FrameType.l4, FrameType.l3, FrameType.l2]) {
    for (const n of own) {
      if (frames.owner[n] !== id) continue;
      const mfn = ram.mfnAt(n);
      // A reference of its own, so that it does not vanish in the middle.
      frames.references[n]!++;
      if (frames.flags[n]! & FLAG_PINNED) {
        frames.flags[n]! &= ~FLAG_PINNED;
        types.putPageAndType(mfn);
      }
      if (frames.flags[n]! & FLAG_ALLOCATED && !(frames.flags[n]! & FLAG_SPECIAL)) types.release(mfn);
      types.breakUp(mfn, level);
      types.putPage(mfn);
    }
  }
  let left = 0;
  for (const n of own) {
    if (frames.owner[n] !== id) continue;
    const mfn = ram.mfnAt(n);
    if (frames.flags[n]! & FLAG_SPECIAL) {
      // Xen itself uses its page until the domain is forgotten: others may still let go of what it granted.
      domain.ownPages.push(mfn);
      if (frames.references[n] === 1) {
        types.takeBackShared(mfn);
        continue;
      }
      types.stopSharing(mfn);
    }
    left++;
  }
  return left;
}
