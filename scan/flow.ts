// Finds the instructions of an image by following its flow from known starts. Bytes that are only guessed to be code (a stored address
// points to them, or a sized function's flow leaves them out) are taken when they decode without a flaw up to where they must end.

import { decodeAny, newDecoded } from '../x86/decode.ts';
import { OperandKind } from '../x86/types.ts';
import { CALL, CPUID, FLOW, Flow, isHypercall, SENSITIVE, sensitivity } from './instructions.ts';
import { Numbers } from './numbers.ts';
import type { Region, Regions } from './regions.ts';

/** One sensitive instruction. */
export interface Site {
  /** Its place, as an index of Regions. */
  readonly index: number;
  readonly length: number;
  /** Row of the instruction table. */
  readonly row: number;
  readonly rule: string;
  readonly effect: 'silent' | 'fault' | 'emulated';
  readonly note: string | null;
}

/** How one place names another. */
export const Reference = {
  /** A jump, or the next instruction where it belongs to another symbol: control gets there. */
  flow: 0,
  /** An address as an operand. */
  address: 1,
  call: 2,
} as const;

/** What a byte is. */
const Byte = { unknown: 0, start: 1, rest: 2 } as const;
/** "xen" behind ud2: Xen emulates the instruction that follows. */
const FORCED = [0x78, 0x65, 0x6e];
/** So many instructions of a guessed start are looked at before it is believed. */
const GUESS = 4096;

export class FlowGraph {
  readonly sites: Site[] = [];
  /** Triples: index of the instruction, index it names, Reference. */
  readonly references = new Numbers();
  /** Instructions found. */
  instructions = 0;
  hypercalls = 0;
  private readonly regions: Regions;
  private readonly starts: Uint8Array;
  private readonly bytes: Uint8Array;
  private readonly out = newDecoded();
  private readonly pending: number[] = [];
  private forced = -1;

  /** `starts` has 1 where a symbol begins. */
  constructor(regions: Regions, starts: Uint8Array) {
    this.regions = regions;
    this.starts = starts;
    this.bytes = new Uint8Array(regions.total);
  }

  /** Follows the flow from a place that is code for certain: an entry, a function symbol. Ignores what is no loaded code. */
  follow(index: number): void {
    this.pending.push(index);
    for (let at = this.pending.pop(); at !== undefined; at = this.pending.pop()) this.run(at);
  }

  /** As follow(), for a place that may be data: only when everything up to an end decodes. Says whether it was taken. */
  guess(index: number): boolean {
    const region = this.codeAt(index);
    if (!region || this.bytes[index] !== Byte.unknown || !this.decodes(region, index)) return false;
    this.follow(index);
    return true;
  }

  /** Instructions in what flow left out of a function, between `from` and `to`. */
  fill(from: number, to: number): void {
    const region = this.codeAt(from);
    if (!region) return;
    const end = Math.min(to, region.first + region.bytes.length);
    for (let at = from; at < end; ) {
      if (this.bytes[at] !== Byte.unknown) {
        at++;
        continue;
      }
      let stop = at;
      while (stop < end && this.bytes[stop] === Byte.unknown) stop++;
      if (this.meets(region, at, stop)) this.follow(at);
      // Flow may have ended before the gap does: the rest of it is looked at again.
      while (at < stop && this.bytes[at] === Byte.unknown) at++;
      if (this.bytes[at] === Byte.unknown) at = stop;
      else while (at < stop && this.bytes[at] !== Byte.unknown) at++;
    }
  }

  /** Stretches of a code region that no instruction covers: index and length. */
  *unread(region: Region): Generator<[first: number, length: number]> {
    const end = region.first + region.bytes.length;
    for (let from = region.first; from < end; ) {
      while (from < end && this.bytes[from] !== Byte.unknown) from++;
      let to = from;
      while (to < end && this.bytes[to] === Byte.unknown) to++;
      if (to > from) yield [from, to - from];
      from = to;
    }
  }

  private codeAt(index: number): Region | null {
    if (index < 0 || index >= this.regions.total) return null;
    const region = this.regions.regionOf(index);
    return region.executable && index - region.first < region.bytes.length ? region : null;
  }

  private run(index: number): void {
    const region = this.codeAt(index);
    if (!region) return;
    const { bytes, out } = this;
    const { bits } = this.regions;
    for (let at = index; at - region.first < region.bytes.length && bytes[at] === Byte.unknown; ) {
      if (decodeAny(region.bytes, at - region.first, region.bytes.length, bits, out) !== 'ok') return;
      const { length } = out;
      bytes[at] = Byte.start;
      bytes.fill(Byte.rest, at + 1, at + length);
      this.instructions++;
      const next = at + length;
      if (isHypercall(out, bits)) this.hypercalls++;
      else if (SENSITIVE[out.row]) this.record(at);
      this.operands(region, at, next);
      const flow = FLOW[out.row]!;
      if (flow === Flow.branch || flow === Flow.jump) this.target(region, at, next);
      if (flow === Flow.end || flow === Flow.jump) return;
      if (flow === Flow.trap) {
        if (!FORCED.every((byte, i) => region.bytes[next - region.first + i] === byte)) return;
        bytes.fill(Byte.rest, next, next + FORCED.length);
        this.forced = next + FORCED.length;
      }
      const after = flow === Flow.trap ? this.forced : next;
      if (this.starts[after]) this.references.add3(at, after, Reference.flow);
      at = after;
    }
  }

  private record(index: number): void {
    const { out } = this;
    if (out.row === CPUID && index === this.forced) return;
    const info = sensitivity(out);
    if (!info || info.effect === 'native') return;
    this.sites.push({ index, length: out.length, row: out.row, rule: info.rule, effect: info.effect, note: info.note ?? null });
  }

  private target(region: Region, at: number, next: number): void {
    const { out } = this;
    if (out.kind[0] !== OperandKind.relative) return;
    const target = this.near(region, next + out.immLo);
    if (target < 0) return;
    this.references.add3(at, target, out.row === CALL ? Reference.call : Reference.flow);
    this.pending.push(target);
  }

  /** Index of a place given relative to a region's own indexes, which may lie in another region. */
  private near(region: Region, index: number): number {
    const offset = index - region.first;
    if (offset >= 0 && offset < region.size) return index;
    return this.regions.find(this.wrap(region.address + offset));
  }

  private wrap(address: number): number {
    return this.regions.bits === 32 ? address >>> 0 : address;
  }

  /** Addresses among the operands. */
  private operands(region: Region, at: number, next: number): void {
    const { out } = this;
    for (let i = 0; i < out.count; i++) {
      const kind = out.kind[i]!;
      if (kind === OperandKind.memory) {
        if (out.ripRelative) this.named(at, this.near(region, next + out.dispLo));
        else if (out.dispLo > 4095 || out.dispLo < -4096) this.named(at, this.regions.find(this.signed(out.dispLo, out.dispHi)));
      } else if (kind === OperandKind.immediate && (out.immLo > 4095 || out.immLo < -4096))
        this.named(at, this.regions.find(this.signed(out.immLo, out.immHi)));
    }
  }

  private signed(lo: number, hi: number): number {
    return this.regions.bits === 32 ? lo >>> 0 : hi * 2 ** 32 + (lo >>> 0);
  }

  private named(at: number, index: number): void {
    if (index >= 0) this.references.add3(at, index, Reference.address);
  }

  /** Whether what starts here decodes up to an end, or up to known code, and is no run of zeros. */
  private decodes(region: Region, index: number): boolean {
    const { out, bytes } = this;
    let at = index;
    for (let n = 0; n < GUESS; n++) {
      const offset = at - region.first;
      if (offset >= region.bytes.length) return false;
      if (bytes[at] !== Byte.unknown) return bytes[at] === Byte.start && n > 0;
      if (region.bytes[offset] === 0 && region.bytes[offset + 1] === 0) return false;
      if (decodeAny(region.bytes, offset, region.bytes.length, this.regions.bits, out) !== 'ok') return false;
      const flow = FLOW[out.row]!;
      if (flow === Flow.jump || flow === Flow.end || flow === Flow.trap) return true;
      at += out.length;
    }
    return true;
  }

  /** Whether the bytes from `from` decode one after the other so that an instruction ends at `to`. */
  private meets(region: Region, from: number, to: number): boolean {
    let at = from;
    while (at < to) {
      if (decodeAny(region.bytes, at - region.first, region.bytes.length, this.regions.bits, this.out) !== 'ok') return false;
      at += this.out.length;
    }
    return at === to;
  }
}
