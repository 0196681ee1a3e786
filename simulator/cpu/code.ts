// The cache of decoded code: blocks by machine frame and address, found through the block table that the interpreter reads,
// dropped when their bytes are written. An accelerator only: nothing here is machine state.

import { type Decode, makeDecoder, newDecoded } from '../../x86/decode.ts';
import { type Block, BlockStore } from './blocks.ts';
import { bitsOf, type Core, raise } from './core.ts';
import * as L from './layout.ts';
import { After, type DecodeMode, RecordWriter } from './records.ts';
import { RecordTemplates } from './templates.ts';
import { type CaseList, FixedCase } from './tier0/cases.ts';
import type { CodeMarks } from './tlb.ts';

/** Bytes of an instruction at most. */
const LONGEST = 15;
/** Longest block in instructions. */
const MAX_BLOCK = 64;
/** Records that one block can take at most: address records, the second-page check, header and end. */
const BLOCK_ROOM = (2 * MAX_BLOCK + 4) * L.RECORD.size;
/** Budget that no slice has: a dropped block is never entered again. */
const NEVER = 0x7fffffff;

/** What the cache of decoded code must tell tier 1. */
export interface RegionMarks {
  /** Executions after which a block asks for a region. */
  heatOf(frame: number): number;
  /** A region begins there. */
  holds(lo: number, hi: number, frame: number, mode: number): boolean;
  beforeStore(frame: number, offset: number, size: number): void;
  /** Drops the regions whose code `meets` a range of addresses, given as keys. */
  dropWhere(meets: (from: number, to: number) => boolean): void;
  eachPiece(frame: number, visit: (start: number, end: number) => void): void;
  clear(): void;
}

/** Features of the processor models that change decoding. */
export const FEATURES = { amd: ['svm'], intel: ['popcnt'] } as const;

/** Instructions that reach for their memory operand themselves, to read and write it. */
const UPDATES_ADDRESS: ReadonlySet<string> = new Set(['bts', 'btr', 'btc', 'cmpxchg16b']);

const DIRECT_BRANCHES: ReadonlySet<string> = new Set(['jmp', 'call', 'jcc', 'jcxz', 'loop', 'loopz', 'loopnz']);

const decoders = new Map<string, Decode>();
function decoderOf(model: 'amd' | 'intel'): Decode {
  let decoder = decoders.get(model);
  if (!decoder) {
    decoder = makeDecoder(FEATURES[model]);
    decoders.set(model, decoder);
  }
  return decoder;
}

/** The pieces of 128 bytes of a frame that a range within it touches, one bit each. */
function piecesOf(start: number, end: number): number {
  return (-1 << (start >> 7)) & (-1 >>> (31 - Math.min(31, (end - 1) >> 7)));
}

export class CodeCache implements CodeMarks {
  private readonly core: Core;
  readonly writer: RecordWriter;
  private readonly list: CaseList;
  readonly decode: Decode;
  private readonly decoded = newDecoded();
  /** For every frame: which of its 32 pieces of 128 bytes hold decoded code. */
  private readonly lines: Uint32Array;
  private readonly store: BlockStore;
  private free: number;
  /** For 64-bit code and for 32-bit code with flat segments. */
  private readonly templates: readonly RecordTemplates[];
  private readonly breakpoints = new Set<number>();
  /** Breakpoints, and addresses in some vCPU's debug registers: blocks end before them and are entered through the engine only. */
  private stops: ReadonlySet<number> = new Set();
  private debugStops: ReadonlySet<number> = new Set();
  blocks = 0;
  instructions = 0;
  /** Counts the times that everything was forgotten. */
  generation = 0;
  /** Tier 1, null while off. */
  regions: RegionMarks | null = null;
  onMarked: (frame: number) => void = () => {};
  /** Frame of the page behind the one being decoded; -1: fault. */
  fetch: (lo: number, hi: number) => number = () => -1;

  constructor(core: Core, list: CaseList) {
    this.core = core;
    this.list = list;
    this.writer = new RecordWriter(core, list);
    this.decode = decoderOf(core.model);
    this.lines = new Uint32Array(core.frames);
    this.store = new BlockStore(core);
    this.free = core.layout.records;
    this.templates = [new RecordTemplates(core, 64), new RecordTemplates(core, 32)];
  }

  // ---- addresses as map keys: 48 bits of address and the mode in one exact number
  private static key(lo: number, hi: number, mode: number): number {
    return (hi & 0xffff) * 2 ** 32 + (lo >>> 0) + mode * 2 ** 48;
  }
  setBreakpoints(addresses: Iterable<bigint>): void {
    this.breakpoints.clear();
    for (const va of addresses) this.breakpoints.add(CodeCache.keyOf(va));
    this.updateStops();
  }
  /** Instruction addresses in debug registers of all vCPUs. */
  setDebugStops(addresses: Iterable<bigint>): void {
    const stops = new Set<number>();
    for (const va of addresses) stops.add(CodeCache.keyOf(va));
    if (stops.size === this.debugStops.size && [...stops].every((key) => this.debugStops.has(key))) return;
    this.debugStops = stops;
    this.updateStops();
  }
  private updateStops(): void {
    const before = this.stops;
    this.stops = new Set([...this.breakpoints, ...this.debugStops]);
    const changed = [...this.stops].filter((at) => !before.has(at));
    for (const at of before) if (!this.stops.has(at)) changed.push(at);
    if (changed.length > 0) this.dropAround(changed.sort((a, b) => a - b));
  }
  /** Drops what holds one of these addresses or ends there: nothing may run through a new stop, and what was cut at an old one may
   * be whole again. */
  private dropAround(addresses: readonly number[]): void {
    const meets = (from: number, to: number): boolean => {
      let low = 0;
      for (let high = addresses.length; low < high; ) {
        const middle = (low + high) >> 1;
        if (addresses[middle]! < from) low = middle + 1;
        else high = middle;
      }
      return low < addresses.length && addresses[low]! <= to;
    };
    this.regions?.dropWhere(meets);
    this.store.each((block) => {
      const from = CodeCache.key(block.lo, block.hi, 0);
      if (meets(from, from + block.end - block.start + block.secondBytes)) this.drop(block);
    });
  }
  private static keyOf(va: bigint): number {
    return CodeCache.key(Number(BigInt.asIntN(32, va)), Number(BigInt.asIntN(32, va >> 32n)), 0);
  }
  hasBreakpoint(lo: number, hi: number): boolean {
    return this.breakpoints.size > 0 && this.breakpoints.has(CodeCache.key(lo, hi, 0));
  }
  isStop(lo: number, hi: number): boolean {
    return this.stops.size > 0 && this.stops.has(CodeCache.key(lo, hi, 0));
  }

  /** Forgets everything decoded. */
  reset(): void {
    this.generation++;
    this.store.each((block) => this.kill(block.header));
    this.store.clear();
    this.lines.fill(0);
    this.core.i32.fill(0, L.BLOCK_TABLE >> 2, (L.BLOCK_TABLE + L.DECODE_MODES * L.BLOCK_TABLE_SIZE) >> 2);
    this.free = this.core.layout.records;
    this.writer.rare.length = 0;
    this.regions?.clear();
  }
  private kill(header: number): void {
    this.core.i32[(header + L.RECORD.immediate) >> 2] = NEVER;
  }

  private tableEntry(lo: number, mode: DecodeMode): number {
    const hash = (lo ^ (lo >>> 16)) & (L.BLOCK_TABLE_ENTRIES - 1);
    return (L.BLOCK_TABLE + mode * L.BLOCK_TABLE_SIZE + hash * 16) >> 2;
  }

  /** The block at an address whose page lies in `frame`; null: fetching its second page faulted. */
  find(lo: number, hi: number, frame: number, mode: DecodeMode, base = 0): Block | null {
    const { i32 } = this.core;
    const e = this.tableEntry(lo, mode);
    if (i32[e] === lo && i32[e + 1] === hi && i32[e + 2] === frame && i32[e + 3] !== 0) {
      const block = this.store.ofHeader(i32[e + 3]!);
      if (block.secondFrame < 0) return block;
    }
    const known = this.store.at(lo, hi, frame, mode);
    if (known) {
      if (known.secondFrame >= 0) {
        const second = this.secondFrame((lo + base) | 0, hi);
        if (second < 0) return null;
        if (second !== known.secondFrame) {
          this.drop(known);
          return this.build(lo, hi, frame, mode, base);
        }
      }
      if (known.base !== base) {
        this.drop(known);
        return this.build(lo, hi, frame, mode, base);
      }
      this.publish(known);
      return known;
    }
    return this.build(lo, hi, frame, mode, base);
  }

  /** Puts a block where the interpreter finds it, unless it must ask the engine each time. */
  private publish(block: Block): void {
    // Where addresses are not linear, links and the table do not apply.
    if (block.region || block.mode === 3 || this.isStop(block.lo, block.hi)) return;
    const { i32 } = this.core;
    const e = this.tableEntry(block.lo, block.mode);
    i32[e] = block.lo;
    i32[e + 1] = block.hi;
    i32[e + 2] = block.frame;
    i32[e + 3] = block.header;
  }

  private withdraw(block: Block): void {
    const e = this.tableEntry(block.lo, block.mode);
    if (this.core.i32[e + 3] === block.header) this.core.i32.fill(0, e, e + 4);
  }

  private secondFrame(lo: number, hi: number): number {
    const nextLo = ((lo & -4096) + 4096) | 0;
    return this.fetch(nextLo, nextLo === 0 ? (hi + (bitsOf(this.core) === 64 ? 1 : 0)) | 0 : hi);
  }

  private build(lo: number, hi: number, frame: number, mode: DecodeMode, segmentBase: number): Block | null {
    const { core, writer, decoded: d } = this;
    if (this.free + BLOCK_ROOM > core.layout.recordsEnd) this.reset();
    const bits = bitsOf(core);
    const templates = mode < 2 ? this.templates[mode]! : null;
    const base = core.layout.ram + frame * 4096;
    const linear = (lo + segmentBase) | 0;
    const start = linear & 4095;
    const most = mode === 3 ? 1 : MAX_BLOCK;
    const header = this.free;
    let at = header + L.RECORD.size;
    let offset = start;
    let count = 0;
    let secondFrame = -1;
    let secondBytes = 0;
    let ended = false;
    let leave = false;
    let before = 0;
    let ipLo = lo;
    let ipHi = hi;
    while (!ended) {
      if (count > 0 && (offset >= 4096 || count >= most || this.isStop(ipLo, ipHi))) break;
      const template = templates === null ? -1 : templates.find(base + offset);
      if (template >= 0) {
        const length = templates!.lengthOf(template);
        const next = (ipLo >>> 0) + length;
        const nextHi = bits === 64 && next > 0xffffffff ? (ipHi + 1) | 0 : ipHi;
        if (offset + length <= 4096 && templates!.write(template, base + offset, at, next | 0, nextHi)) {
          const handler = templates!.handlerOf(template);
          const pair = before === 0 ? 0 : this.list.fused(before, handler);
          if (pair !== 0) core.view.setUint16(at - L.RECORD.size, pair, true);
          before = handler;
          count++;
          at += L.RECORD.size;
          offset += length;
          ipLo = next | 0;
          ipHi = nextHi;
          const after = templates!.afterOf(template);
          if (after === After.goesOn) continue;
          leave = after === After.leaves;
          break;
        }
      }
      let status = this.decode(core.u8, base + offset, base + 4096, bits, d);
      if (status === 'truncated') {
        if (count > 0) break;
        secondFrame = this.secondFrame(linear, hi);
        if (secondFrame < 0) return null;
        const bytes = new Uint8Array(32);
        const here = 4096 - offset;
        bytes.set(core.u8.subarray(base + offset, base + 4096));
        const second = core.layout.ram + secondFrame * 4096;
        bytes.set(core.u8.subarray(second, second + 16), here);
        status = this.decode(bytes, 0, here + 16, bits, d);
        secondBytes = Math.max(0, d.length - here);
        ended = true;
        at = this.writeSecondPageCheck(at, linear, lo, hi, secondFrame);
      }
      const next = (ipLo >>> 0) + d.length;
      const nextLo = next | 0;
      const nextHi = bits === 64 && next > 0xffffffff ? (ipHi + 1) | 0 : ipHi;
      count++;
      if (status !== 'ok') {
        at = writer.writeRare(at, d, nextLo, nextHi, status === 'too-long' ? 'too-long' : 'undefined', '');
        ipLo = nextLo;
        ipHi = nextHi;
        // Any of the bytes that were looked at may make it another instruction.
        offset += LONGEST;
        break;
      }
      const first = at;
      at = writer.write(at, d, nextLo, nextHi, mode);
      const pair = before === 0 || at !== first + L.RECORD.size ? 0 : this.list.fused(before, writer.handler);
      if (pair !== 0) core.view.setUint16(first - L.RECORD.size, pair, true);
      before = writer.handler;
      offset += d.length;
      ipLo = nextLo;
      ipHi = nextHi;
      const after = writer.afterOf(d);
      if (template < 0 && templates !== null && !ended && writer.handler !== 0 && at === first + L.RECORD.size)
        templates.learn(d, first, after === After.repeated ? After.goesOn : after);
      if (after === After.ends || (after === After.repeated && d.rep !== 0)) ended = true;
      else if (after === After.leaves) {
        ended = true;
        leave = true;
      }
    }
    at = writer.writeNext(at, ipLo, ipHi, leave);
    this.writeHeader(header, count, lo, hi, this.regions?.heatOf(frame) ?? 0);
    this.free = at;
    const region = this.regions?.holds(lo, hi, frame, mode) ?? false;
    const block: Block = {
      header,
      count,
      mode,
      frame,
      start,
      end: Math.min(offset, 4096),
      secondFrame,
      secondBytes,
      lo,
      hi,
      base: segmentBase,
      shorts: null,
      region,
      asked: region,
      id: 0,
      inBucket: 0,
      next: 0,
      previous: 0,
    };
    this.blocks++;
    this.instructions += count;
    this.register(block);
    return block;
  }

  private writeHeader(header: number, count: number, lo: number, hi: number, heat: number): void {
    const { i32 } = this.core;
    const w = header >> 2;
    i32[w] = FixedCase.header;
    i32[w + 1] = 0;
    i32[w + 2] = count;
    i32[w + 3] = 0;
    // Kept when the first is overwritten to bar the block.
    i32[w + 4] = count;
    i32[w + 5] = heat;
    i32[w + 6] = lo;
    i32[w + 7] = hi;
  }
  private writeSecondPageCheck(at: number, linear: number, lo: number, hi: number, secondFrame: number): number {
    const { i32, view, u8 } = this.core;
    view.setUint16(at, FixedCase.secondPage, true);
    u8[at + L.RECORD.info] = L.INFO_PREFIX;
    const nextLo = ((linear & -4096) + 4096) | 0;
    const w = at >> 2;
    i32[w + 2] = nextLo;
    i32[w + 3] = nextLo === 0 ? (hi + 1) | 0 : hi;
    i32[w + 4] = secondFrame;
    i32[w + 6] = lo;
    i32[w + 7] = hi;
    return at + L.RECORD.size;
  }

  private register(block: Block): void {
    this.store.add(block);
    this.mark(block.frame, block.start, block.end);
    if (block.secondFrame >= 0) this.mark(block.secondFrame, 0, Math.max(1, block.secondBytes));
    if (block.region) this.kill(block.header);
    this.publish(block);
  }
  mark(frame: number, start: number, end: number): void {
    const was = this.lines[frame]!;
    this.lines[frame] = was | piecesOf(start, end);
    if (was === 0) this.onMarked(frame);
  }

  private drop(block: Block): void {
    this.kill(block.header);
    if (block.shorts) for (const header of block.shorts.values()) this.kill(header);
    this.withdraw(block);
    this.store.remove(block);
  }

  // ---- tier 1
  isKnown(lo: number, hi: number, frame: number, mode: number): boolean {
    return this.store.at(lo, hi, frame, mode) !== undefined;
  }
  /** The block at an entry is a region now: links to it and the block table lead to the engine. */
  hide(lo: number, hi: number, frame: number, mode: number): void {
    const block = this.store.at(lo, hi, frame, mode);
    if (!block) return;
    block.region = true;
    this.kill(block.header);
    this.withdraw(block);
  }
  dropAt(lo: number, hi: number, frame: number, mode: number): void {
    const block = this.store.at(lo, hi, frame, mode);
    if (block) this.drop(block);
  }
  /** One more execution that the interpreter does not see; true when the block is hot now and was not asked for a region. */
  isHot(block: Block): boolean {
    const { i32 } = this.core;
    const w = (block.header + L.RECORD.link) >> 2;
    if (i32[w]! > 0) i32[w]!--;
    if (i32[w] !== 0 || block.asked) return false;
    block.asked = true;
    return true;
  }

  // ---- stores into code
  hasCode(frame: number): boolean {
    return this.lines[frame] !== 0;
  }
  beforeStore(frame: number, offset: number, size: number, record: number): boolean {
    if (!this.touches(frame, offset, size)) return true;
    const running = record === 0 ? 0 : this.headerOf(record);
    let hitRunning = false;
    this.regions?.beforeStore(frame, offset, size);
    this.store.eachIn(frame, (block) => {
      if (!this.overlaps(block, frame, offset, size)) return;
      if (block.header === running || (block.shorts !== null && running !== 0 && this.isShortOf(block, running))) hitRunning = true;
      this.drop(block);
    });
    this.recount(frame);
    return !hitRunning;
  }
  private isShortOf(block: Block, header: number): boolean {
    for (const h of block.shorts!.values()) if (h === header) return true;
    return false;
  }
  /** RAM was written by someone else than the guest. */
  written(address: number, length: number): void {
    const last = Math.min(this.core.frames - 1, Math.floor((address + length - 1) / 4096));
    for (let frame = Math.floor(address / 4096); frame <= last; frame++) {
      if (this.lines[frame] === 0) continue;
      const from = Math.max(0, address - frame * 4096);
      this.beforeStore(frame, from, Math.min(4096, address + length - frame * 4096) - from, 0);
    }
  }
  private touches(frame: number, offset: number, size: number): boolean {
    const first = offset >> 7;
    const last = (offset + size - 1) >> 7;
    for (let i = first; i <= last; i++) if (this.lines[frame]! & (1 << i)) return true;
    return false;
  }
  private overlaps(block: Block, frame: number, offset: number, size: number): boolean {
    if (block.frame === frame && offset < block.end && offset + size > block.start) return true;
    return block.secondFrame === frame && offset < block.secondBytes;
  }
  private recount(frame: number): void {
    let lines = 0;
    this.regions?.eachPiece(frame, (start, end) => {
      lines |= piecesOf(start, end);
    });
    this.store.eachIn(frame, (block) => {
      if (block.frame === frame) lines |= piecesOf(block.start, block.end);
      if (block.secondFrame === frame) lines |= piecesOf(0, Math.max(1, block.secondBytes));
    });
    this.lines[frame] = lines;
  }

  /** The instruction of a record reads the memory operand that it writes. Bodies in TypeScript ask for both accesses themselves. */
  updates(record: number): boolean {
    if (record === 0) return false;
    const handler = this.core.view.getUint16(record, true);
    const definition = this.list.cases[handler - FixedCase.count]?.definition;
    if (!definition) return false;
    return UPDATES_ADDRESS.has(definition.key) || (definition.memory === 'auto' && definition.key !== 'mov');
  }

  // ---- parts of blocks
  /** Header of the block that a record belongs to. */
  headerOf(record: number): number {
    const { core } = this;
    let p = record;
    while (core.view.getUint16(p, true) !== FixedCase.header) p -= L.RECORD.size;
    return p;
  }
  /** How many instructions of its block lie before the one of `record`. */
  indexOf(record: number): number {
    const { u8 } = this.core;
    let n = 0;
    for (let p = this.headerOf(record) + L.RECORD.size; p < record; p += L.RECORD.size) if (!(u8[p + L.RECORD.info]! & L.INFO_PREFIX)) n++;
    return n;
  }
  countOf(header: number): number {
    return this.core.i32[(header + L.RECORD.displacement) >> 2]!;
  }
  /** A block of the first `n` instructions of another. */
  short(block: Block, n: number): number {
    const known = block.shorts?.get(n);
    if (known !== undefined) return known;
    const { core } = this;
    if (this.free + BLOCK_ROOM > core.layout.recordsEnd) {
      // No room left: the caller looks the block up again after the reset.
      this.reset();
      return 0;
    }
    const header = this.free;
    let from = block.header + L.RECORD.size;
    let at = header + L.RECORD.size;
    for (let i = 0; i < n; from += L.RECORD.size, at += L.RECORD.size) {
      core.u8.copyWithin(at, from, from + L.RECORD.size);
      if (!(core.u8[from + L.RECORD.info]! & L.INFO_PREFIX)) i++;
    }
    // The copy may end between the instructions of a fused pair.
    const last = at - L.RECORD.size;
    core.view.setUint16(last, this.list.unfused(core.view.getUint16(last, true)), true);
    const w = (last + L.RECORD.next) >> 2;
    this.free = this.writer.writeNext(at, core.i32[w]!, core.i32[w + 1]!, true);
    this.writeHeader(header, n, block.lo, block.hi, 0);
    block.shorts ??= new Map();
    block.shorts.set(n, header);
    return header;
  }

  /** Bytes of the first instruction of a block. */
  lengthOf(block: Block): number {
    let p = block.header + L.RECORD.size;
    while (this.core.view.getUint16(p, true) === FixedCase.secondPage) p += L.RECORD.size;
    return this.core.u8[p + L.RECORD.info]! & 15;
  }
  /** The near branch that a block begins with: its direct target, and whether it always goes there; null: none. */
  directBranch(block: Block): { readonly target: number; readonly always: boolean } | null {
    const { i32, view } = this.core;
    let p = block.header + L.RECORD.size;
    while (this.core.u8[p + L.RECORD.info]! & L.INFO_PREFIX) p += L.RECORD.size;
    const definition = this.list.cases[view.getUint16(p, true) - FixedCase.count]?.definition;
    if (!definition?.jumps || !DIRECT_BRANCHES.has(definition.key)) return null;
    return { target: i32[(p + L.RECORD.immediate) >> 2]! >>> 0, always: definition.key === 'jmp' || definition.key === 'call' };
  }

  raiseUndefined(name: string | null): void {
    raise(this.core, 6);
    this.core.stop.unsupported = name;
  }
}
