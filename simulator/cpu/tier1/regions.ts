// Tier 1 as the engine sees it: takes note of hot blocks, translates them in batches, runs regions and drops them when their code
// changes. An accelerator only: nothing here is machine state, and no result depends on it.

import type { Core } from '../core.ts';
import type { Tier1Options, Tier1Statistics } from '../engine-types.ts';
import * as L from '../layout.ts';
import type { CaseList } from '../tier0/cases.ts';
import { Tier1 } from './binding.ts';
import { ExitTable } from './exits.ts';
import { type CodeView, GraphBuilder, isTrap, type RegionNode } from './graph.ts';
import { buildHelperModule, REGION_HELPERS } from './helpers.ts';
import { regionModule } from './module.ts';
import { Plans } from './plans.ts';
import { type RegionCode, RegionWriter } from './region.ts';
import { addressKey, Slots } from './slots.ts';

/** Translated code kept at most, in bytes of WebAssembly; beyond it all is dropped. */
const CODE_LIMIT = 24 << 20;
const BATCH = 256;
/** Bytes of code for one module at about most. */
const BUFFER = 1 << 20;
/** A module of many regions has this many functions at least, each of so many regions at most. */
const GROUPS = 16;
const LARGEST_GROUP = 8;
/** A smaller batch is translated when so many instructions have run since its first block became hot. */
const PATIENCE = 50_000;
const THRESHOLD = 50;

/** The cache of decoded code as regions use it. */
export interface RegionCodeView extends CodeView {
  /** Bytes of a frame are part of a region: stores into them must be noticed. */
  mark(frame: number, start: number, end: number): void;
  /** The block at an entry is a region now, so that the interpreter returns there. */
  hide(lo: number, hi: number, frame: number, mode: number): void;
  dropAt(lo: number, hi: number, frame: number, mode: number): void;
  reset(): void;
}

interface Request {
  readonly lo: number;
  readonly hi: number;
  readonly frame: number;
  readonly mode: 0 | 1;
  /** Instruction TLB by which it ran. */
  readonly fetchTlb: number;
}
interface Piece {
  readonly frame: number;
  /** Address of the page that the guest sees it in, as a key. */
  readonly page: number;
  start: number;
  end: number;
}
interface Region extends Request {
  readonly slot: number;
  readonly pieces: readonly Piece[];
}
/** A region whose code is generated and not yet compiled. */
interface Made {
  readonly request: Request;
  readonly pieces: readonly Piece[];
  readonly code: RegionCode;
}
interface Translator {
  readonly graph: GraphBuilder;
  readonly writer: RegionWriter;
}

let helperModule: WebAssembly.Module | null = null;
function helpers(memory: WebAssembly.Memory): WebAssembly.Exports {
  helperModule ??= new WebAssembly.Module(buildHelperModule() as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(helperModule, { e: { memory } }).exports;
}

export class Regions {
  readonly threshold: number;
  private readonly core: Core;
  private readonly code: RegionCodeView;
  private readonly list: CaseList;
  private readonly options: Tier1Options;
  private readonly imports: WebAssembly.ModuleImports;
  readonly slots: Slots;
  readonly exits = new ExitTable();
  private readonly translators: (Translator | null)[] = [null, null];
  private requests: Request[] = [];
  private waited = 0;
  /** When the generation of code began. */
  private started = 0;
  private readonly byFrame = new Map<number, Set<Region>>();
  private readonly bySlot = new Map<number, Region>();
  private codeBytes = 0;
  /** Regions dropped by stores, by the frame of their entry: code that changes all the time must become hotter each time. */
  private readonly drops = new Map<number, number>();
  /** Where the region being generated lies. */
  private current!: Request;
  readonly statistics: { -readonly [K in keyof Tier1Statistics]: Tier1Statistics[K] } = {
    regions: 0,
    instructions: 0,
    bytes: 0,
    modules: 0,
    dropped: 0,
    resets: 0,
    entries: 0,
    sideExits: 0,
    executed: 0,
    emitTime: 0,
    moduleTime: 0,
    instanceTime: 0,
  };

  constructor(
    core: Core,
    code: RegionCodeView,
    list: CaseList,
    memory: WebAssembly.Memory,
    imports: WebAssembly.ModuleImports,
    options: Tier1Options,
  ) {
    this.core = core;
    this.code = code;
    this.list = list;
    this.options = options;
    this.threshold = options.threshold ?? THRESHOLD;
    this.slots = new Slots(core, memory);
    this.imports = { ...imports, ...helpers(memory), memory };
  }

  // ---- requests

  /** Executions after which a block of this frame asks for a region. */
  heatOf(frame: number): number {
    const drops = this.drops.get(frame);
    return drops === undefined ? this.threshold : this.threshold << Math.min(12, drops >> 2);
  }

  /** A block has become hot. */
  request(lo: number, hi: number, frame: number, mode: 0 | 1): void {
    this.requests.push({ lo, hi, frame, mode, fetchTlb: this.core.fetchTlb });
    if (this.requests.length >= (this.options.batch ?? BATCH)) this.translate();
  }
  /** Before a run: `executed` instructions have run since the last call. */
  tick(executed: number): void {
    if (this.requests.length === 0) return;
    this.waited += executed;
    if (this.waited >= PATIENCE) this.translate();
  }
  get pending(): number {
    return this.requests.length;
  }

  // ---- translation

  private now(): number {
    return this.options.clock ? this.options.clock() : 0;
  }
  private translator(mode: 0 | 1): Translator {
    const known = this.translators[mode];
    if (known) return known;
    const bits = mode === 0 ? 64 : 32;
    const plans = new Plans(this.list, bits);
    const graph = new GraphBuilder(this.core, this.code, plans, bits, this.options.eager ?? false);
    const binding = new Tier1(bits, REGION_HELPERS, this.exits);
    const writer = new RegionWriter(binding, {
      frameOf: (lo, hi) => graph.frameOf(lo, hi),
      slotFor: (lo, hi, frame) => this.slots.of(lo, hi, frame, this.current.mode),
    });
    this.translators[mode] = { graph, writer };
    return this.translators[mode];
  }

  /** Translates what was asked for in the current mode; the rest waits. */
  private translate(): void {
    if (this.codeBytes > CODE_LIMIT || this.slots.nearlyFull) {
      this.statistics.resets++;
      this.code.reset();
      return;
    }
    const mode = this.core.i32[L.MODE_BITS >> 2] === 32 ? 1 : 0;
    const now = this.requests.filter((r) => r.mode === mode);
    this.requests = this.requests.filter((r) => r.mode !== mode);
    this.waited = 0;
    // What lies together shares functions.
    now.sort((a, b) => addressKey(a.lo, a.hi) - addressKey(b.lo, b.hi));
    const { graph, writer } = this.translator(mode);
    let made: Made[] = [];
    const done = new Set<number>();
    writer.restart();
    this.started = this.now();
    for (const request of now) {
      const { lo, hi, frame } = request;
      const slot = this.slots.of(lo, hi, frame, mode);
      if (done.has(slot) || this.bySlot.has(slot)) continue;
      done.add(slot);
      this.current = request;
      const nodes = graph.build(lo, hi, frame, request.fetchTlb, mode);
      if (nodes.length === 0) continue;
      made.push({ request, pieces: this.piecesOf(graph, nodes), code: writer.write(nodes) });
      if (writer.used < BUFFER) continue;
      this.compile(made, writer.bytes);
      made = [];
      writer.restart();
    }
    this.compile(made, writer.bytes);
  }
  /** Makes a module of regions whose code lies in `bytes`. */
  private compile(made: readonly Made[], bytes: Uint8Array): void {
    const { statistics } = this;
    const emitted = this.now();
    statistics.emitTime += emitted - this.started;
    if (made.length === 0) return;
    const size = this.options.group ?? Math.max(1, Math.min(LARGEST_GROUP, Math.floor(made.length / GROUPS)));
    const groups: RegionCode[][] = [];
    for (let i = 0; i < made.length; i += size) groups.push(made.slice(i, i + size).map((m) => m.code));
    const module = new WebAssembly.Module(regionModule(bytes, groups));
    const compiled = this.now();
    statistics.moduleTime += compiled - emitted;
    const { exports } = new WebAssembly.Instance(module, { e: this.imports });
    let call!: WebAssembly.ExportValue;
    made.forEach(({ request, pieces, code }, i) => {
      if (i % size === 0) call = exports[String(i / size)] as WebAssembly.ExportValue;
      this.install(request, pieces, call, i % size);
      const length = code.end - code.start;
      statistics.regions++;
      statistics.instructions += code.instructions;
      statistics.bytes += length;
      this.codeBytes += length;
    });
    statistics.modules++;
    this.started = this.now();
    statistics.instanceTime += this.started - compiled;
  }

  private install(request: Request, pieces: readonly Piece[], call: WebAssembly.ExportValue, entry: number): void {
    const { lo, hi, frame, mode } = request;
    const slot = this.slots.of(lo, hi, frame, mode);
    if (slot < 0) return;
    const region: Region = { ...request, slot, pieces };
    for (const piece of pieces) {
      this.code.mark(piece.frame, piece.start, piece.end);
      let regions = this.byFrame.get(piece.frame);
      if (!regions) {
        regions = new Set();
        this.byFrame.set(piece.frame, regions);
      }
      regions.add(region);
    }
    this.bySlot.set(slot, region);
    this.slots.set(slot, call, entry);
    this.slots.publish(lo, hi, frame, mode, slot);
    this.code.hide(lo, hi, frame, mode);
  }
  /** The bytes that a region was made from, joined where they touch. */
  private piecesOf(graph: GraphBuilder, nodes: readonly RegionNode[]): Piece[] {
    const pieces: Piece[] = [];
    for (const n of nodes) {
      const last = n.steps[n.steps.length - 1];
      const start = n.lo & 4095;
      const page = addressKey(n.lo & -4096, n.hi);
      const length = last ? (last.nextLo - n.lo) >>> 0 : 1;
      const end = Math.min(4096, start + length + (isTrap(n.ending) ? 2 : 0));
      const frame = graph.frameOf(n.lo, n.hi);
      if (last && last.secondFrame >= 0)
        pieces.push({ frame: last.secondFrame, page: page + 4096, start: 0, end: Math.max(1, last.nextLo & 4095) });
      const near = pieces.find((p) => p.frame === frame && p.page === page && start <= p.end && end >= p.start);
      if (near) {
        near.start = Math.min(near.start, start);
        near.end = Math.max(near.end, end);
      } else pieces.push({ frame, page, start, end });
    }
    return pieces;
  }

  // ---- running

  /** A region begins there: published again when another one took its place in the region table. */
  holds(lo: number, hi: number, frame: number, mode: number): boolean {
    return this.bySlot.has(this.slots.find(lo, hi, frame, mode));
  }
  republish(lo: number, hi: number, frame: number, mode: number): void {
    this.slots.publish(lo, hi, frame, mode, this.slots.find(lo, hi, frame, mode));
  }
  /** Runs regions from the one at RIP with the budget in COUNT: the status they ended with. Afterwards RIP, flags and COUNT are those
   * of the guest, exactly. */
  run(tlb: number, mode: number): number {
    const { i32 } = this.core;
    const { statistics } = this;
    const before = i32[L.COUNT >> 2]!;
    statistics.entries++;
    const status = this.slots.dispatcher.run(tlb, mode << L.REGION_KEY_MODE);
    if (status < 0) {
      const { exits } = this;
      const place = ~status;
      statistics.sideExits++;
      i32[L.RIP >> 2] = exits.lo(place);
      i32[(L.RIP >> 2) + 1] = exits.hi(place);
      i32[L.COUNT >> 2]! += exits.back(place);
      if (exits.op(place) >= 0) i32[L.FLAG_OP >> 2] = exits.op(place);
    }
    statistics.executed += before - i32[L.COUNT >> 2]!;
    return status;
  }

  // ---- invalidation

  /** Drops the regions that a store hits. */
  beforeStore(frame: number, offset: number, size: number): void {
    const regions = this.byFrame.get(frame);
    if (!regions) return;
    for (const region of [...regions])
      if (region.pieces.some((p) => p.frame === frame && offset < p.end && offset + size > p.start)) this.drop(region);
  }
  dropWhere(meets: (from: number, to: number) => boolean): void {
    for (const region of [...this.bySlot.values()])
      if (region.pieces.some((p) => meets(p.page + p.start, p.page + p.end))) this.remove(region);
  }
  private drop(region: Region): void {
    this.drops.set(region.frame, (this.drops.get(region.frame) ?? 0) + 1);
    this.remove(region);
  }
  private remove(region: Region): void {
    const { slots } = this;
    this.statistics.dropped++;
    slots.set(region.slot, null);
    slots.withdraw(region.lo, region.slot);
    this.bySlot.delete(region.slot);
    for (const { frame } of region.pieces) {
      const regions = this.byFrame.get(frame);
      if (regions?.delete(region) && regions.size === 0) this.byFrame.delete(frame);
    }
    this.code.dropAt(region.lo, region.hi, region.frame, region.mode);
  }
  /** Calls `visit` with every range of a frame that regions cover. */
  eachPiece(frame: number, visit: (start: number, end: number) => void): void {
    const regions = this.byFrame.get(frame);
    if (regions) for (const r of regions) for (const p of r.pieces) if (p.frame === frame) visit(p.start, p.end);
  }
  clear(): void {
    if (this.bySlot.size > 0 || this.slots.nearlyFull) this.slots.clear();
    this.byFrame.clear();
    this.bySlot.clear();
    this.requests = [];
    this.exits.clear();
    this.codeBytes = 0;
  }
}
