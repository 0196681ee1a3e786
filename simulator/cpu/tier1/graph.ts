// Finds the blocks of a region: breadth first from a hot entry over direct branches that have been executed, with small leaf
// functions taken in at their calls.

import { type Decode, newDecoded } from '../../../x86/decode.ts';
import type { Decoded } from '../../../x86/types.ts';
import type { Core } from '../core.ts';
import * as L from '../layout.ts';
import { type RecordWriter, relativeHi, relativeLo } from '../records.ts';
import { tableTargets } from './jump-tables.ts';
import type { Plans } from './plans.ts';
import { exact, type Flow, type Step } from './step.ts';

const MAX_NODES = 64;
const MAX_INSTRUCTIONS = 600;
/** Callees that are taken in: instructions, and how deep. */
const MAX_CALLEE = 40;
const MAX_DEPTH = 3;
const MAX_CONTEXTS = 24;
/** Return addresses that a recursive function looks for. */
const MAX_RETURNS = 4;

/** Instructions of two bytes that end the run for the host to decide, with all done. */
export type Trap = 'syscall' | 'interrupt';
/** How a block ends: falling into the next, as its last instruction says, before an instruction of tier 0, or in a trap. */
export type Ending = 'fall' | 'stop' | Trap | Exclude<Flow, 'none'>;
export const isTrap = (ending: Ending): ending is Trap => ending === 'syscall' || ending === 'interrupt';

/** A call that was taken in. */
export interface Context {
  readonly id: number;
  readonly depth: number;
  readonly parent: Context | null;
  readonly callee: number;
  readonly returnLo: number;
  readonly returnHi: number;
}

export interface RegionNode {
  readonly lo: number;
  readonly hi: number;
  readonly context: Context | null;
  steps: Step[];
  ending: Ending;
  /** Of an `int n`. */
  vector: number;
  /** Direct target of the last instruction. */
  takenLo: number;
  takenHi: number;
  /** Address behind the block, a trap not included. */
  nextLo: number;
  nextHi: number;
  taken: RegionNode | null;
  next: RegionNode | null;
  /** Where a transfer whose target is not known probably goes: a return of the region's own function behind its calls of itself, an
   * indirect jump to the addresses of its table. */
  guesses: RegionNode[];
  // Filled by analyse()
  order: number;
  idom: RegionNode | null;
  children: RegionNode[];
  predecessors: RegionNode[];
  forward: number;
  loop: boolean;
  /** Instructions from here at most until the budget is looked at again. */
  slack: number;
}

/** What the region builder asks of the cache of decoded code. */
export interface CodeView {
  readonly writer: RecordWriter;
  readonly decode: Decode;
  /** Nothing may run through this address unseen. */
  isStop(lo: number, hi: number): boolean;
  /** A block that begins here has been executed. */
  isKnown(lo: number, hi: number, frame: number, mode: number): boolean;
}

export class GraphBuilder {
  private readonly core: Core;
  private readonly code: CodeView;
  private readonly plans: Plans;
  /** Take in what was never executed, too. */
  private readonly eager: boolean;
  private readonly bits: 64 | 32;
  private mode = 0;
  private fetchTlb = 0;
  /** An instruction over a page border, put together. */
  private readonly scratch = new Uint8Array(32);
  private readonly pool: Decoded[] = [];
  private pooled = 0;
  nodes: RegionNode[] = [];
  instructions = 0;
  /** Frames by page, -1: not in the instruction TLB. */
  private readonly frames = new Map<number, number>();
  private readonly callees = new Map<number, boolean>();
  private byKey = new Map<number, RegionNode>();
  private contexts: Context[] = [];
  private work: RegionNode[] = [];
  /** Blocks behind calls of the entry. */
  private continuations: RegionNode[] = [];
  private entry = 0;
  /** Of the `int n` found last. */
  private vector = 0;

  constructor(core: Core, code: CodeView, plans: Plans, bits: 64 | 32, eager: boolean) {
    this.bits = bits;
    this.core = core;
    this.code = code;
    this.plans = plans;
    this.eager = eager;
  }

  /** The blocks reachable from an entry in `frame`, which comes first; empty when its first instruction is tier 0's. `fetchTlb`: the
   * instruction TLB that says where other pages lie. */
  build(lo: number, hi: number, frame: number, fetchTlb: number, mode: number): RegionNode[] {
    this.fetchTlb = fetchTlb;
    this.mode = mode;
    this.nodes = [];
    this.byKey = new Map();
    this.contexts = [];
    this.work = [];
    this.continuations = [];
    this.frames.clear();
    this.frames.set(exact(lo & -4096, hi), frame);
    this.callees.clear();
    this.pooled = 0;
    this.instructions = 0;
    this.entry = exact(lo, hi);
    const first = this.node(lo, hi, null);
    if (!first) return [];
    for (let i = 0; i < this.work.length; i++) this.fill(this.work[i]!);
    this.connect();
    return first.steps.length === 0 && first.ending === 'stop' ? [] : this.nodes;
  }

  /** Frame of an address's page, without changing the instruction TLB. */
  frameOf(lo: number, hi: number): number {
    const page = exact(lo & -4096, hi);
    let frame = this.frames.get(page);
    if (frame === undefined) {
      const { i32 } = this.core;
      const e = (this.fetchTlb + ((lo >>> 8) & ((L.FETCH_ENTRIES - 1) << 4))) >> 2;
      frame = i32[e] === (lo & -4096) && i32[e + 1] === hi ? i32[e + 2]! : -1;
      this.frames.set(page, frame);
    }
    return frame;
  }

  private key(lo: number, hi: number, context: Context | null): number {
    return (hi & 0xffff) * 2 ** 32 + (lo >>> 0) + (context ? context.id : 0) * 2 ** 48;
  }

  /** The node at an address, made or split off where it is wanted for the first time; null when it may not be part of the region. */
  private node(lo: number, hi: number, context: Context | null): RegionNode | null {
    const key = this.key(lo, hi, context);
    const known = this.byKey.get(key);
    if (known) return known;
    if (this.nodes.length >= MAX_NODES || this.instructions >= MAX_INSTRUCTIONS) return null;
    const frame = this.frameOf(lo, hi);
    if (frame < 0 || this.code.isStop(lo, hi)) return null;
    if (!this.eager && this.nodes.length > 0 && !this.code.isKnown(lo, hi, frame, this.mode)) return null;
    const made: RegionNode = {
      lo,
      hi,
      context,
      steps: [],
      ending: 'fall',
      vector: 0,
      takenLo: 0,
      takenHi: 0,
      nextLo: 0,
      nextHi: 0,
      taken: null,
      next: null,
      guesses: [],
      order: 0,
      idom: null,
      children: [],
      predecessors: [],
      forward: 0,
      loop: false,
      slack: 0,
    };
    this.byKey.set(key, made);
    if (!this.split(made)) this.work.push(made);
    this.nodes.push(made);
    return made;
  }
  /** Takes over the end of a block that already covers this address. */
  private split(made: RegionNode): boolean {
    for (const n of this.nodes) {
      if (n.context !== made.context || n.hi !== made.hi || n.lo >>> 0 >= made.lo >>> 0) continue;
      const at = n.steps.findIndex((s) => s.lo === made.lo);
      if (at <= 0) continue;
      made.steps = n.steps.slice(at);
      made.ending = n.ending;
      made.vector = n.vector;
      made.guesses = n.guesses;
      made.takenLo = n.takenLo;
      made.takenHi = n.takenHi;
      made.nextLo = n.nextLo;
      made.nextHi = n.nextHi;
      n.steps.length = at;
      n.ending = 'fall';
      n.guesses = [];
      n.nextLo = made.lo;
      n.nextHi = made.hi;
      return true;
    }
    return false;
  }

  private decoded(): Decoded {
    if (this.pooled === this.pool.length) this.pool.push(newDecoded());
    return this.pool[this.pooled++]!;
  }
  /** Decodes one instruction; null: not to be translated (`d` tells nothing then), or a trap. */
  private step(lo: number, hi: number, frame: number): Step | Trap | null {
    const { core, code, bits } = this;
    const base = core.layout.ram + frame * 4096;
    const d = this.decoded();
    let status = code.decode(core.u8, base + (lo & 4095), base + 4096, bits, d);
    let secondFrame = -1;
    if (status === 'truncated') {
      const nextPage = ((lo & -4096) + 4096) | 0;
      secondFrame = nextPage === 0 ? -1 : this.frameOf(nextPage, hi);
      if (secondFrame < 0) return null;
      const here = 4096 - (lo & 4095);
      const second = core.layout.ram + secondFrame * 4096;
      this.scratch.set(core.u8.subarray(base + 4096 - here, base + 4096));
      this.scratch.set(core.u8.subarray(second, second + 16), here);
      status = code.decode(this.scratch, 0, here + 16, bits, d);
    }
    if (status !== 'ok') return null;
    const handler = code.writer.select(d);
    const nextLo = (lo + d.length) | 0;
    const nextHi = bits === 64 && (lo >>> 0) + d.length > 0xffffffff ? (hi + 1) | 0 : hi;
    if (handler === 0) return d.length === 2 && secondFrame < 0 && nextHi === hi ? this.trap(code.writer.rareName, d) : null;
    if (bits === 32 && d.addressSize === 2) return null;
    const plan = this.plans.of(handler);
    const { definition } = plan.c;
    if (definition.leaves || (definition.jumps && plan.flow === 'none')) return null;
    return { d, plan, lo, hi, nextLo, nextHi, secondFrame };
  }

  private trap(name: string, d: Decoded): Trap | null {
    if (name === 'syscall') return this.bits === 64 ? name : null;
    this.vector = d.immLo & 0xff;
    return name === 'int' ? 'interrupt' : null;
  }

  private fill(n: RegionNode): void {
    const frame = this.frameOf(n.lo, n.hi);
    const page = n.lo & -4096;
    // The nearest block behind, into which this one runs.
    let stopLo = page + 4096;
    for (const other of this.nodes)
      if (other !== n && other.context === n.context && other.hi === n.hi && (other.lo & -4096) === page && other.lo > n.lo)
        stopLo = Math.min(stopLo, other.lo);
    let { lo, hi } = n;
    n.ending = 'fall';
    for (;;) {
      if (n.steps.length > 0 && (lo === stopLo || (lo & -4096) !== page || this.code.isStop(lo, hi))) break;
      if (n.steps.length >= MAX_INSTRUCTIONS / 4) break;
      const step = this.step(lo, hi, frame);
      if (step === null || typeof step === 'string') {
        n.ending = step ?? 'stop';
        n.vector = this.vector;
        break;
      }
      n.steps.push(step);
      this.instructions++;
      lo = step.nextLo;
      hi = step.nextHi;
      if (step.plan.flow !== 'none') {
        n.ending = step.plan.flow;
        break;
      }
    }
    n.nextLo = lo;
    n.nextHi = hi;
    this.follow(n);
  }
  /** Makes the nodes that a block leads to. */
  private follow(n: RegionNode): void {
    const last = n.steps[n.steps.length - 1];
    if (last && (n.ending === 'branch' || n.ending === 'direct' || n.ending === 'call')) {
      n.takenLo = relativeLo(last.d, last.nextLo);
      n.takenHi = relativeHi(last.d, last.nextLo, last.nextHi);
    }
    switch (n.ending) {
      case 'fall':
        this.node(n.nextLo, n.nextHi, n.context);
        break;
      case 'branch':
        this.node(n.takenLo, n.takenHi, n.context);
        this.node(n.nextLo, n.nextHi, n.context);
        break;
      case 'direct':
        this.node(n.takenLo, n.takenHi, n.context);
        break;
      case 'call': {
        const context = this.enter(n, n.takenLo, n.takenHi);
        if (context) this.node(n.takenLo, n.takenHi, context);
        else if (!n.context && exact(n.takenLo, n.takenHi) === this.entry && this.continuations.length < MAX_RETURNS) {
          const behind = this.node(n.nextLo, n.nextHi, null);
          if (behind) this.continuations.push(behind);
        }
        break;
      }
      case 'indirect':
        this.guess(n);
        break;
      case 'return':
        if (n.context) this.node(n.context.returnLo, n.context.returnHi, n.context.parent);
        break;
      default:
        break;
    }
  }

  /** Makes the nodes that an indirect jump or call probably goes to. */
  private guess(n: RegionNode): void {
    const isCall = n.steps[n.steps.length - 1]!.plan.c.definition.key === 'call-ind';
    const isCode = (lo: number, hi: number): boolean => this.frameOf(lo, hi) >= 0;
    // A target in the midst of this block splits it: the jump and its guesses go to the new node.
    const { guesses } = n;
    for (const { lo, hi } of tableTargets(this.core, n.steps, this.bits, this.fetchTlb, isCode)) {
      const context = isCall ? this.enter(n, lo, hi) : n.context;
      if (isCall && context === null) continue;
      const to = this.node(lo, hi, context);
      if (to) guesses.push(to);
    }
  }

  /** The context of a call's callee, when it is taken in. */
  private enter(n: RegionNode, lo: number, hi: number): Context | null {
    const callee = exact(lo, hi);
    const known = this.contexts.find(
      (c) => c.parent === n.context && c.callee === callee && c.returnLo === n.nextLo && c.returnHi === n.nextHi,
    );
    if (known) return known;
    const depth = (n.context?.depth ?? 0) + 1;
    if (depth > MAX_DEPTH || this.contexts.length >= MAX_CONTEXTS) return null;
    if (callee === this.entry) return null;
    for (let c = n.context; c; c = c.parent) if (c.callee === callee) return null;
    if (!this.isSmallLeaf(lo, hi)) return null;
    const made = { id: this.contexts.length + 1, depth, parent: n.context, callee, returnLo: n.nextLo, returnHi: n.nextHi };
    this.contexts.push(made);
    return made;
  }
  /** Few instructions, all to be translated, up to returns, and no calls. */
  private isSmallLeaf(lo: number, hi: number): boolean {
    const key = exact(lo, hi);
    let small = this.callees.get(key);
    if (small === undefined) {
      small = this.look(lo, hi);
      this.callees.set(key, small);
    }
    return small;
  }
  private look(lo: number, hi: number): boolean {
    const frame = this.frameOf(lo, hi);
    if (frame < 0 || (!this.eager && !this.code.isKnown(lo, hi, frame, this.mode))) return false;
    const seen = new Set<number>();
    const queue: [number, number][] = [[lo, hi]];
    let left = MAX_CALLEE;
    let returns = false;
    const mark = this.pooled;
    for (let i = 0; i < queue.length; i++) {
      let [at, high] = queue[i]!;
      for (;;) {
        if (seen.has(exact(at, high))) break;
        seen.add(exact(at, high));
        const here = this.frameOf(at, high);
        if (here < 0 || left-- === 0) return false;
        const step = this.step(at, high, here);
        this.pooled = mark;
        if (step === null || typeof step === 'string') return false;
        const { flow } = step.plan;
        if (flow === 'call' || flow === 'indirect') return false;
        if (flow === 'return') {
          returns = true;
          break;
        }
        if (flow !== 'none') {
          const tLo = relativeLo(step.d, step.nextLo);
          const tHi = relativeHi(step.d, step.nextLo, step.nextHi);
          if (flow === 'branch') queue.push([tLo, tHi]);
          at = flow === 'direct' ? tLo : step.nextLo;
          high = flow === 'direct' ? tHi : step.nextHi;
        } else {
          at = step.nextLo;
          high = step.nextHi;
        }
      }
    }
    return returns;
  }

  /** Links the nodes; what did not become one stays null, an exit. */
  private connect(): void {
    const find = (lo: number, hi: number, context: Context | null): RegionNode | null => this.byKey.get(this.key(lo, hi, context)) ?? null;
    for (const n of this.nodes) {
      const { ending, context } = n;
      if (ending === 'fall' || ending === 'branch') n.next = find(n.nextLo, n.nextHi, context);
      if (ending === 'branch' || ending === 'direct') n.taken = find(n.takenLo, n.takenHi, context);
      if (ending === 'return' && !context) n.guesses = [...new Set(this.continuations)];
      if (ending === 'return' && context) n.next = find(context.returnLo, context.returnHi, context.parent);
      if (ending === 'call') {
        const inner = this.contexts.find((c) => c.parent === context && c.returnLo === n.nextLo && c.returnHi === n.nextHi);
        if (inner) n.taken = find(n.takenLo, n.takenHi, inner);
        else if (exact(n.takenLo, n.takenHi) === this.entry) n.taken = this.nodes[0]!;
      }
    }
  }
}
