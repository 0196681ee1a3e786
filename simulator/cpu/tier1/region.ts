// Generates the function of a region from its graph: loops and merge points become WebAssembly's blocks along the dominator tree
// (Ramsey: Beyond Relooper), every edge that leaves the graph an exit.

import { I32, I64, type Node } from '../emit/expressions.ts';
import * as L from '../layout.ts';
import { analyse, isIrreducible } from './analyse.ts';
import type { Flow, Tier1 } from './binding.ts';
import type { FlagState } from './flags.ts';
import { isTrap, type RegionNode } from './graph.ts';
import { type Hash, hashOf } from './jump-tables.ts';
import * as V from './locals.ts';
import { Plans } from './plans.ts';
import { Status } from './status.ts';
import { exact } from './step.ts';

/** What the region's code must know of the world around it. */
export interface Surroundings {
  /** Frame of an address's page as the region assumes it, -1 unknown. */
  frameOf(lo: number, hi: number): number;
  /** Slot for regions that begin at an address of a frame, -1: none left. */
  slotFor(lo: number, hi: number, frame: number): number;
}

/** The code of a region. Its bytes lie in the builder's: the blocks from `start` on, from `prologue` to `end` what runs before them. */
export interface RegionCode {
  readonly start: number;
  readonly prologue: number;
  readonly end: number;
  readonly callsHelpers: boolean;
  readonly usesVector: boolean;
  /** 64-bit temporaries. */
  readonly temps64: number;
  readonly instructions: number;
}

/** More guesses are told apart by a table. */
const MAX_COMPARED = 4;
const LABELS = Array.from({ length: 256 }, (_, i) => `n${i}`);
const pageOf = (lo: number, hi: number): number => exact(lo & -4096, hi);

export class RegionWriter {
  private readonly b: Tier1;
  private readonly around: Surroundings;
  private entry!: RegionNode;
  /** Flags on the edges into a merge point: undefined none seen, null different ones. */
  private readonly merged = new Map<RegionNode, FlagState | null>();

  constructor(b: Tier1, around: Surroundings) {
    this.b = b;
    this.around = around;
  }

  /** The array that the code of regions lies in, and how much of it is in use. */
  get bytes(): Uint8Array {
    return this.b.bytes;
  }
  get used(): number {
    return this.b.at;
  }
  /** Regions from here on overwrite those before. */
  restart(): void {
    this.b.at = 0;
  }

  write(nodes: readonly RegionNode[]): RegionCode {
    const { b } = this;
    this.entry = nodes[0]!;
    this.merged.clear();
    const order = analyse(this.entry);
    const start = b.at;
    b.beginRegion();
    b.at = start;
    b.writeThrough = !order.some((n) => n.loop);
    b.open('block', 'exit');
    this.tree(this.entry, null);
    b.byte(0); // unreachable
    b.close();
    b.reset();
    this.epilogue();
    const prologue = b.at;
    this.prologue();
    let instructions = 0;
    for (const n of order) instructions += n.steps.length;
    return { start, prologue, end: b.at, callsHelpers: b.callsHelpers, usesVector: b.usesVector, temps64: b.most64, instructions };
  }

  private prologue(): void {
    const { b } = this;
    const take = (local: number, type: typeof I32 | typeof I64, address: number): void => {
      b.emit(b.loadAt(type === I64 ? 8 : 4, b.k32(0), address));
      b.byte(0x21);
      b.unsigned(local);
    };
    const registers = b.usedRegisters | b.dirtyRegisters;
    for (let r = 0; r < 16; r++) if (registers & (1 << r)) take(V.REGISTERS + r, I64, L.REG + 8 * r);
    if (b.flagsUsed) {
      take(V.FLAG_1, I64, L.FLAG_1);
      take(V.FLAG_2, I64, L.FLAG_2);
      take(V.FLAG_OP, I32, L.FLAG_OP);
    }
    take(V.COUNT, I32, L.COUNT);
  }
  private epilogue(): void {
    const { b } = this;
    const zero = b.k32(0);
    const dirty = b.writeThrough ? 0 : b.dirtyRegisters;
    for (let r = 0; r < 16; r++) if (dirty & (1 << r)) b.storeAt(8, zero, b.local(V.REGISTERS + r, I64), L.REG + 8 * r);
    if (b.flagsWritten) {
      b.storeAt(8, zero, b.local(V.FLAG_1, I64), L.FLAG_1);
      b.storeAt(8, zero, b.local(V.FLAG_2, I64), L.FLAG_2);
      b.storeAt(4, zero, b.local(V.FLAG_OP, I32), L.FLAG_OP);
    }
    b.storeAt(4, zero, b.local(V.COUNT, I32), L.COUNT);
    b.return(b.local(V.STATUS, I32));
  }
  // Structure
  private tree(n: RegionNode, flags: FlagState | null): void {
    const { b } = this;
    b.flagState = flags;
    if (n.loop) {
      b.reset();
      b.syncFlags();
      b.flagState = null;
      b.open('loop', LABELS[n.order]!);
    }
    const merges = n.children.filter((c) => c.forward > 1).sort((x, y) => x.order - y.order);
    const at = b.flagState;
    this.within(n, merges, merges.length - 1, at);
    if (n.loop) {
      b.byte(0); // unreachable
      b.close();
    }
  }
  private within(n: RegionNode, merges: readonly RegionNode[], i: number, flags: FlagState | null): void {
    const { b } = this;
    if (i < 0) {
      b.flagState = flags;
      this.block(n);
      return;
    }
    const merge = merges[i]!;
    b.open('block', LABELS[merge.order]!);
    this.within(n, merges, i - 1, flags);
    b.close();
    this.tree(merge, this.merged.get(merge) ?? null);
  }

  private count(): Node {
    return this.b.local(V.COUNT, I32);
  }
  private block(n: RegionNode): void {
    const { b } = this;
    b.beginBlock();
    const total = n.steps.length + (isTrap(n.ending) ? 1 : 0);
    if (n === this.entry || n.loop) {
      b.emit(b.lts(this.count(), b.k32(Math.max(1, n.slack))));
      b.open('if', 'budget');
      b.exitTo(n.lo, n.hi, Status.budget);
      b.close();
    }
    if (total > 0) b.setLocal(V.COUNT, b.sub(this.count(), b.k32(total)));
    b.flow = this.flowOf(n);
    for (let i = 0; i < n.steps.length; i++) b.instruction(n.steps[i]!, total - i, this.flagsDead(n, i));
    b.reset();
    b.flushRegisters();
    if (n.ending === 'fall') this.edge(n, n.next, n.nextLo, n.nextHi);
    else if (n.ending === 'stop') b.exitTo(n.nextLo, n.nextHi, Status.leave);
    else if (n.ending === 'syscall') b.exitTo(n.nextLo + 2, n.nextHi, Status.syscall);
    else if (n.ending === 'interrupt') b.exitTo(n.nextLo + 2, n.nextHi, Status.interrupt + n.vector);
  }
  private flagsDead(n: RegionNode, i: number): boolean {
    for (let j = i + 1; j < n.steps.length; j++) {
      const e = Plans.effectsOf(n.steps[j]!);
      if (e.reads || e.exits) return false;
      if (e.writes) return true;
    }
    return false;
  }

  private flowOf(n: RegionNode): Flow {
    const { b } = this;
    const expected = n.ending === 'return' && n.next && !isIrreducible(n, n.next) ? exact(n.next.lo, n.next.hi) : null;
    return {
      expected,
      direct: () => this.edge(n, n.taken, n.takenLo, n.takenHi),
      branch: (condition) => this.branch(n, condition),
      indirect: (target) => {
        b.setLocal(V.TARGET, target);
        if (expected !== null) {
          b.emit(b.ne(b.local(V.TARGET, I64), b.k64(expected)));
          b.open('if', 'unexpected');
          b.exitThere(Status.lookup);
          b.close();
          this.edge(n, n.next, n.next!.lo, n.next!.hi);
        } else {
          this.guess(n);
          b.exitThere(Status.lookup);
        }
      },
    };
  }
  /** Goes to the guess that the address in TARGET is; falls through when it is none of them. */
  private guess(n: RegionNode): void {
    const guesses = n.guesses.filter((to) => !isIrreducible(n, to));
    const hash = guesses.length > MAX_COMPARED ? hashOf(guesses) : null;
    if (hash) this.select(n, guesses, hash);
    else this.compare(n, guesses.slice(0, MAX_COMPARED));
  }
  private select(n: RegionNode, guesses: readonly RegionNode[], { shift, slots }: Hash): void {
    const { b } = this;
    const flags = b.flagState;
    const labels = guesses.map((_, i) => `guess ${i}`);
    b.open('block', 'no guess');
    for (const label of [...labels].reverse()) b.open('block', label);
    const number = b.and(b.shr(b.wrap(b.local(V.TARGET, I64)), b.k32(shift)), b.k32(slots.length - 1));
    b.brTable(
      number,
      slots.map((i) => labels[i] ?? 'no guess'),
      'no guess',
    );
    for (const to of guesses) {
      b.close();
      b.reset();
      b.flagState = flags;
      b.brIf(b.ne(b.local(V.TARGET, I64), b.k64(exact(to.lo, to.hi))), 'no guess');
      this.edge(n, to, to.lo, to.hi);
    }
    b.close();
    b.reset();
    b.flagState = flags;
  }
  private compare(n: RegionNode, guesses: readonly RegionNode[]): void {
    const { b } = this;
    const flags = b.flagState;
    for (const to of guesses) {
      b.emit(b.eq(b.local(V.TARGET, I64), b.k64(exact(to.lo, to.hi))));
      b.open('if', 'returning');
      this.edge(n, to, to.lo, to.hi);
      b.close();
      b.reset();
      b.flagState = flags;
    }
  }
  private branch(n: RegionNode, condition: Node): void {
    const { b } = this;
    const flags = b.flagState;
    const { taken } = n;
    if (taken && this.isPlainJump(n, taken)) {
      // What changes here is FLAG_OP, which no condition on known flags looks at.
      this.arrive(n, taken);
      b.brIf(condition, LABELS[taken.order]!);
      this.edge(n, n.next, n.nextLo, n.nextHi);
      return;
    }
    b.emit(condition);
    b.open('if', 'taken');
    this.edge(n, taken, n.takenLo, n.takenHi);
    b.flagState = flags;
    b.else();
    this.edge(n, n.next, n.nextLo, n.nextHi);
    b.close();
  }
  /** A branch to a label, with nothing to check on the way. */
  private isPlainJump(n: RegionNode, to: RegionNode): boolean {
    if (isIrreducible(n, to) || pageOf(n.lo, n.hi) !== pageOf(to.lo, to.hi)) return false;
    return to.order <= n.order || to.forward > 1;
  }
  /** Prepares the flags for a label. */
  private arrive(n: RegionNode, to: RegionNode): void {
    const { b } = this;
    b.syncFlags();
    if (to.order <= n.order) return;
    const seen = this.merged.get(to);
    const f = b.flagState;
    if (seen === undefined) this.merged.set(to, f);
    else if (seen !== null && seen !== f)
      this.merged.set(to, f && f.kind === seen.kind && f.w === seen.w ? { ...f, bits1: 64, bits2: 64, second: null } : null);
  }
  private edge(n: RegionNode, to: RegionNode | null, lo: number, hi: number): void {
    const { b } = this;
    if (!to || isIrreducible(n, to)) {
      this.exit(n, lo, hi);
      return;
    }
    if (pageOf(n.lo, n.hi) !== pageOf(lo, hi)) this.checkPage(lo, hi);
    if (to.order <= n.order || to.forward > 1) {
      this.arrive(n, to);
      b.br(LABELS[to.order]!);
    } else this.tree(to, b.flagState);
  }
  private exit(n: RegionNode, lo: number, hi: number): void {
    const frame = this.around.frameOf(lo, hi);
    const slot = frame < 0 ? -1 : this.around.slotFor(lo, hi, frame);
    const same = pageOf(n.lo, n.hi) === pageOf(lo, hi);
    this.b.exitTo(lo, hi, slot < 0 ? Status.lookup : same ? slot : slot | Status.otherPage);
  }
  /** Going on in another page: it must be in the instruction TLB, with the frame that was translated. */
  private checkPage(lo: number, hi: number): void {
    const { b } = this;
    const entry = b.let(b.add(b.loadAt(4, b.k32(0), L.FETCH_TLB), b.k32((lo >>> 8) & ((L.FETCH_ENTRIES - 1) << 4))));
    const otherPage = b.ne(b.loadAt(8, entry, 0), b.k64(pageOf(lo, hi)));
    const otherFrame = b.ne(b.loadAt(4, entry, 8), b.k32(this.around.frameOf(lo, hi)));
    b.emit(b.or(otherPage, otherFrame));
    b.open('if', 'elsewhere');
    b.exitTo(lo, hi, Status.lookup);
    b.close();
  }
}
