// What must hold of the frame table at any time: counts equal the sum of what refers to a frame, and no page table in use is
// mapped writable. Counted anew from the tables, the vCPUs and the pins.

import type { Hypervisor } from '../../simulator/hypervisor/hypervisor.ts';
import { FLAG_ALLOCATED, FLAG_PINNED, FLAG_SPECIAL, FLAG_VALIDATED, FrameType, TYPE_NAMES } from '../../simulator/memory/frame-table.ts';

/** Sentences about what is wrong; empty when all is well. */
export function checkInvariants(hv: Hypervisor): string[] {
  const { frames, ram } = hv.memory;
  const references = new Float64Array(ram.frames);
  const types = new Float64Array(ram.frames);
  const wrong: string[] = [];
  const hold = (mfn: number, type: number | null, why: string): void => {
    const i = mfn - ram.base;
    if (!ram.valid(mfn)) {
      wrong.push(`${why} refers to 0x${mfn.toString(16)}, which is no frame`);
      return;
    }
    references[i]!++;
    if (type === null) return;
    types[i]!++;
    if (frames.type[i] !== type)
      wrong.push(`${why} uses 0x${mfn.toString(16)} as ${TYPE_NAMES[type]}, its type is ${TYPE_NAMES[frames.type[i]!]}`);
  };
  for (let i = 0; i < ram.frames; i++) {
    const flags = frames.flags[i]!;
    const mfn = ram.base + i;
    if (flags & FLAG_ALLOCATED) references[i]!++;
    if (flags & FLAG_PINNED) hold(mfn, frames.type[i]!, 'its pin');
    if (flags & FLAG_SPECIAL) types[i]!++;
    const level = frames.type[i]!;
    if (!frames.typeCount[i] || level < FrameType.l1 || level > FrameType.l4) continue;
    if (!(flags & FLAG_VALIDATED)) wrong.push(`table 0x${mfn.toString(16)} is in use and not validated`);
    for (let slot = 0; slot < 512; slot++) {
      if (level === 4 && slot >= 256 && slot <= 271) continue;
      const entry = ram.u64[i * 512 + slot]!;
      if (!(entry & 1n)) continue;
      const to = Number((entry >> 12n) & 0xff_ffff_ffffn);
      const why = `entry ${slot} of l${level} table 0x${mfn.toString(16)}`;
      if (level === 1) hold(to, entry & 2n ? FrameType.writable : null, why);
      else if (to === mfn) continue;
      else hold(to, frames.type[to - ram.base] === level ? level : level - 1, why);
    }
  }
  for (const mfn of [hv.domain.built.store, hv.domain.built.console]) if (mfn !== null) hold(mfn, FrameType.writable, 'a back end');
  if (hv.domain.pirqEoiPage !== null) hold(hv.domain.pirqEoiPage, FrameType.writable, 'the page of physdev_op.pirq_eoi_gmfn');
  for (const vcpu of hv.domain.vcpus) {
    if (vcpu.initialised) hold(vcpu.root, FrameType.l4, `base pointer of vCPU ${vcpu.id}`);
    if (vcpu.userRoot !== null) hold(vcpu.userRoot, FrameType.l4, `user base pointer of vCPU ${vcpu.id}`);
    for (const mfn of [...vcpu.gdtFrames, ...vcpu.ldtFrames.values()]) hold(mfn, FrameType.segDesc, `descriptor table of vCPU ${vcpu.id}`);
    if (vcpu.infoMoved) hold(vcpu.info.mfn, FrameType.writable, `vcpu_info of vCPU ${vcpu.id}`);
  }
  for (let i = 0; i < ram.frames; i++) {
    const name = `frame 0x${(ram.base + i).toString(16)} (${TYPE_NAMES[frames.type[i]!]})`;
    if (references[i] !== frames.references[i]) wrong.push(`${name} counts ${frames.references[i]} references, there are ${references[i]}`);
    if (types[i] !== frames.typeCount[i]) wrong.push(`${name} has type count ${frames.typeCount[i]}, there are ${types[i]} uses`);
  }
  return wrong;
}
