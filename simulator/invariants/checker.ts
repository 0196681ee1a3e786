// What must hold of a machine at any time, checked while it runs: the counts of every frame are the sum of what refers to it, no
// page table or descriptor page is mapped writable, no entry names a frame that is not the domain's, both views of the
// machine-to-physical table agree, event channel pairs are symmetric. After each call the frames that changed are checked, and
// every so many calls all of them.

import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { VcpuState } from '../hypervisor/vcpu.ts';
import { FLAG_PARTIAL, FLAG_PINNED, FLAG_VALIDATED, FrameType, NOBODY, OWNER_XEN, TYPE_NAMES } from '../memory/frame-table.ts';
import { type Hold, holdsOf } from './frame-holds.ts';
import { checkGrants } from './grants.ts';
import { type Holder, holders } from './holders.ts';
import { checkPorts } from './ports.ts';
import { mayName, mayNameDevice } from './rights.ts';
import { WatchedArray } from './watched-array.ts';

/** The machine broke one of its own rules: a mistake of the simulator. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

export class InvariantChecker {
  private readonly hv: Hypervisor;
  private readonly every: number;
  private calls = 0;
  /** What the frames' counts should be. */
  private readonly references: Int32Array;
  private readonly types: Int32Array;
  private readonly linear: Int32Array;
  private readonly holdsAt: (readonly Hold[])[] = [];
  private others: readonly Holder[] = [];
  /** The frame table as it was checked last. */
  private readonly seen: readonly WatchedArray[];
  private readonly touched = new Set<number>();

  /** `every`: calls between two sweeps over all frames. */
  constructor(hv: Hypervisor, every: number) {
    this.hv = hv;
    this.every = every;
    const { frames, ram } = hv.memory;
    this.references = new Int32Array(ram.frames);
    this.types = new Int32Array(ram.frames);
    this.linear = new Int32Array(ram.frames);
    const watched = [frames.owner, frames.type, frames.flags, frames.typeCount, frames.references, frames.linear, frames.entriesHeld];
    this.seen = [...watched, frames.nextHeld].map((array) => new WatchedArray(array));
    this.sweep();
  }

  /** A frame's contents changed. */
  touch(mfn: number): void {
    if (this.hv.memory.ram.valid(mfn)) this.touched.add(mfn - this.hv.memory.ram.base);
  }

  /** After a hypercall or an emulated store.
   * @throws InvariantError that says what is wrong. */
  afterCall(): void {
    const wrong = ++this.calls % this.every === 0 ? this.sweep() : this.changes();
    if (wrong.length > 0) throw new InvariantError(wrong.slice(0, 10).join('; '));
  }

  /** Everything, counted anew. Sentences about what is wrong. */
  sweep(): string[] {
    const { ram } = this.hv.memory;
    this.references.fill(0);
    this.types.fill(0);
    this.linear.fill(0);
    const wrong: string[] = [];
    for (let i = 0; i < ram.frames; i++) this.count(i, wrong);
    this.others = holders(this.hv);
    for (const holder of this.others) this.countHolder(holder, 1, wrong);
    for (let i = 0; i < ram.frames; i++) this.check(i, wrong);
    this.checkM2p(wrong);
    wrong.push(...checkPorts(this.hv), ...checkGrants(this.hv));
    for (const array of this.seen) array.settle();
    this.touched.clear();
    return wrong;
  }

  /** What changed since the last check. */
  private changes(): string[] {
    const wrong: string[] = [];
    const changed = this.changedFrames();
    const affected = new Set(changed);
    // Whether an entry counts as a linear one depends on the type of the table it names, so tables count after all states are known.
    for (const i of changed) for (const hold of this.holdsAt[i] ?? []) this.add(i, hold, -1, affected);
    for (const i of changed) {
      this.count(i, wrong);
      for (const { target } of this.holdsAt[i]!) affected.add(target);
    }
    for (const holder of this.others) this.countHolder(holder, -1, wrong, affected);
    this.others = holders(this.hv);
    for (const holder of this.others) this.countHolder(holder, 1, wrong, affected);
    for (const i of affected) this.check(i, wrong);
    wrong.push(...checkGrants(this.hv));
    return wrong;
  }

  private changedFrames(): Set<number> {
    const changed = new Set(this.touched);
    for (const array of this.seen) array.changes(changed);
    this.touched.clear();
    return changed;
  }

  private count(i: number, wrong: string[]): void {
    const { frames } = this.hv.memory;
    const { holds, strays } = holdsOf(frames, this.hv.domainById(frames.owner[i]!)?.bits ?? 64, i);
    this.holdsAt[i] = holds;
    for (const { mfn, slot } of strays) {
      if (mayNameDevice(this.hv, i, slot, mfn)) continue;
      wrong.push(`entry ${slot} of ${this.name(i)} names frame 0x${mfn.toString(16)}, which is not the domain's`);
    }
    for (const hold of holds) {
      this.add(i, hold, 1);
      const { target, type, slot } = hold;
      const user = (): string => (slot < 0 ? `the state of ${this.name(i)}` : `entry ${slot} of ${this.name(i)}`);
      if (slot >= 0 && !mayName(this.hv, i, slot, target))
        wrong.push(`${user()} of d${frames.owner[i]} names ${this.name(target)} of d${frames.owner[target]}, to which it has no right`);
      if (type !== 0 && frames.type[target] !== type) wrong.push(`${user()} uses ${this.name(target)} as ${TYPE_NAMES[type]}`);
    }
  }

  private add(i: number, { target, type, typeOnly, linear }: Hold, by: 1 | -1, affected?: Set<number>): void {
    if (!typeOnly) this.references[target]! += by;
    if (type !== 0) this.types[target]! += by;
    if (linear) {
      this.linear[i]! += by;
      this.linear[target]! -= by;
    }
    affected?.add(target);
  }

  private countHolder({ mfn, type, why }: Holder, by: 1 | -1, wrong: string[], affected?: Set<number>): void {
    const { ram, frames } = this.hv.memory;
    if (!ram.valid(mfn)) {
      wrong.push(`${why} is 0x${mfn.toString(16)}, which is no frame`);
      return;
    }
    const i = mfn - ram.base;
    this.references[i]! += by;
    affected?.add(i);
    if (type === null) return;
    this.types[i]! += by;
    if (by > 0 && frames.type[i] !== type) wrong.push(`${why} uses ${this.name(i)} as ${TYPE_NAMES[type]}`);
  }

  private check(i: number, wrong: string[]): void {
    const { frames } = this.hv.memory;
    if (frames.owner[i] === OWNER_XEN) return;
    const flags = frames.flags[i]!;
    const uses = frames.typeCount[i]!;
    const type = frames.type[i]!;
    const say = (what: string): void => void wrong.push(`${this.name(i)} ${what}`);
    if (this.references[i] !== frames.references[i]) say(`counts ${frames.references[i]} references, there are ${this.references[i]}`);
    if (this.types[i] !== uses) say(`has type count ${uses}, there are ${this.types[i]} uses`);
    if (frames.owner[i] === NOBODY && (frames.references[i] !== 0 || uses !== 0)) say('is in use although it is free');
    if (uses === 0) {
      if (flags & (FLAG_PINNED | FLAG_PARTIAL)) say('is pinned or partial without a use');
      return;
    }
    const table = type >= FrameType.l1 && type <= FrameType.l4;
    const validated = (flags & FLAG_VALIDATED) !== 0;
    if (validated === ((flags & FLAG_PARTIAL) !== 0)) say(validated ? 'is validated and partial' : 'is in use and not audited');
    if (flags & FLAG_PARTIAL && uses !== 1) say(`is partial with type count ${uses}`);
    if (table && this.linear[i] !== frames.linear[i] && !this.deferredLinear(i))
      say(`has the linear count ${frames.linear[i]}, there are ${this.linear[i]}`);
  }

  /** A linear entry that was replaced still counts until the table that it named is taken apart. */
  private deferredLinear(i: number): boolean {
    const { ram } = this.hv.memory;
    const waits = ({ deferred: { table, parent } }: VcpuState): boolean =>
      [table, parent].some((mfn) => mfn !== null && ram.index(mfn) === i);
    return [...this.hv.domains.values()].some(({ vcpus }) => vcpus.some(waits));
  }

  /** What Xen knows and what the guest reads. */
  private checkM2p(wrong: string[]): void {
    const { frames, m2p, ram, bits } = this.hv.memory;
    for (let i = 0; i < ram.frames; i++) {
      const pfn = frames.m2p[i]!;
      const free = frames.owner[i] === NOBODY;
      if (free && pfn >= 0) wrong.push(`${this.name(i)} is free and has the pseudo-physical number ${pfn}`);
      const shown = m2p.shown(ram.base + i);
      if (pfn >= 0 && shown !== BigInt.asIntN(bits, BigInt(pfn)))
        wrong.push(`the table shows ${shown} for ${this.name(i)}, Xen knows ${pfn}`);
    }
  }

  private name(i: number): string {
    const { frames, ram } = this.hv.memory;
    return `frame 0x${(ram.base + i).toString(16)} (${TYPE_NAMES[frames.type[i]!]})`;
  }
}
