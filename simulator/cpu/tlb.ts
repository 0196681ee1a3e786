// The translation caches as machine state: fill on a miss through the host, drop on command only, and the slow path of every
// memory access of the interpreter: misses, page borders, stores into frames that hold decoded code.

import { bankOf, bitsOf, type Core, isCanonical, raise, raisePageFault } from './core.ts';
import { Access } from './engine-types.ts';
import * as L from './layout.ts';
import { pageKey, type Watch } from './watch.ts';

/** Length of the log of filled entries; when it is full, a flush visits every entry. */
const FILL_LOG = L.TLB_ENTRIES;
/** So few logged entries are sorted faster than all entries are looked at. */
const FEW = 1024;
/** Words of an entry among the values of a TLB. */
const ENTRY_VALUES = 4;
const FETCH_WORDS = (2 * L.FETCH_BANK_SIZE) >> 2;

/** What the TLB asks of the cache of decoded code. */
export interface CodeMarks {
  hasCode(frame: number): boolean;
  /** A store hits a frame with code. false: it hits the block that runs, which must be left first. */
  beforeStore(frame: number, offset: number, size: number, record: number): boolean;
  /** Does the instruction of this record read the operand that it stores to? */
  updates(record: number): boolean;
}

/** Entries are numbered by the word of memory that their read tag begins in; from there to the write tag: */
const TO_WRITE = L.TLB_WRITE >> 2;
const BANK_WORDS = L.TLB_BANK_SIZE >> 2;
const firstEntry = (vcpu: number): number => L.tlbBase(vcpu, 0) >> 2;
/** The word of an entry's addend. */
const addendOf = (e: number): number => (e + (L.TLB_ADDEND >> 1)) >> 1;
const entryIn = (bank: number, lo: number): number => (bank + ((lo >>> 9) & ((L.TLB_ENTRIES - 1) << 3))) >> 2;

/** The bank of data entries beside an instruction TLB. */
export const bankOfFetch = (fetchTlb: number): number => L.TLBS + ((fetchTlb - L.FETCH_TLBS) / L.FETCH_BANK_SIZE) * L.TLB_BANK_SIZE;
/** Host address of a byte that may be read and whose page is in this bank, -1: it is not. Changes nothing. */
export function cachedAt(core: Core, bank: number, lo: number, hi: number): number {
  const { i32 } = core;
  const e = entryIn(bank, lo);
  if ((i32[e]! & (-4096 | L.TAG_INVALID)) !== (lo & -4096) || i32[e + 1] !== hi) return -1;
  return (lo + i32[addendOf(e)]!) >>> 0;
}

/** `what` of miss(): size in the low byte. */
const WRITE = 0x100;
const STACK = 0x200;
/** No alignment check: a part of a larger operand. */
export const UNALIGNED = 0x400;

export class Tlb {
  private readonly core: Core;
  private readonly code: CodeMarks;
  private readonly vcpus: number;
  /** For every vCPU: data entries filled since the last flush, so that a flush need not visit all. */
  private readonly filled: Int32Array[];
  private readonly filledCount: Int32Array;
  /** Frames that some TLB may hold: set by a fill, cleared when the frame is dropped everywhere. */
  private readonly cached: Uint8Array;
  private readonly watch: Watch;
  /** The entry that reach() used last is of a page with watched bytes. */
  marked = false;

  constructor(core: Core, code: CodeMarks, watch: Watch, vcpus: number) {
    this.core = core;
    this.watch = watch;
    this.code = code;
    this.vcpus = vcpus;
    this.filled = Array.from({ length: vcpus }, () => new Int32Array(FILL_LOG));
    this.filledCount = new Int32Array(vcpus).fill(FILL_LOG);
    this.cached = new Uint8Array(core.frames);
    for (let e = L.NO_TLB >> 2; e < (L.NO_TLB >> 2) + BANK_WORDS; e += 2) this.drop(e);
    for (let v = 0; v < vcpus; v++) {
      core.i32.fill(0, L.fetchTlbBase(v, 0) >> 2, (L.fetchTlbBase(v, 0) + 2 * L.FETCH_BANK_SIZE) >> 2);
      this.flushAll(v);
    }
  }

  // ---- accesses

  /** The interpreter's import `miss`: host address of the operand, -1 when the instruction stopped. */
  miss = (lo: number, hi: number, what: number, record: number): number => {
    const { core } = this;
    const size = what & 0xff;
    const write = (what & WRITE) !== 0;
    const stack = (what & STACK) !== 0 || (record !== 0 && (core.u8[record + L.RECORD.info]! & L.INFO_STACK) !== 0);
    if (core.alignment && !(what & UNALIGNED) && !this.aligned(lo, hi, size, stack)) return -1;
    if ((lo & 4095) + size <= 4096) {
      const at = this.reach(lo, hi, write, stack);
      if (at < 0) return -1;
      if (this.marked && !this.watched(lo, hi, size, write, record, at)) return -1;
      if (!write) return at;
      return this.storeAllowed(at, lo, size, record) ? at : -1;
    }
    return this.cross(lo, hi, size, write, stack, record);
  };

  /** Host address of one byte's place, filling the TLB; -1: stop.kind says why. */
  reach(lo: number, hi: number, write: boolean, stack = false): number {
    const { core } = this;
    const { i32 } = core;
    const page = lo & -4096;
    const e = entryIn(core.tlb, lo);
    const tag = write ? e + TO_WRITE : e;
    if ((i32[tag]! & (-4096 | L.TAG_INVALID)) === page && i32[tag + 1] === hi) {
      this.marked = (i32[tag]! & L.TAG_WATCH) !== 0;
      return (lo + i32[addendOf(e)]!) >>> 0;
    }
    if (!this.reachable(hi, stack)) return -1;
    const at = this.fill(lo, hi, write, e);
    this.marked = at >= 0 && (i32[tag]! & L.TAG_WATCH) !== 0;
    return at;
  }
  private reachable(hi: number, stack: boolean): boolean {
    const { core } = this;
    if (bitsOf(core) === 64 ? isCanonical(hi) : hi === 0) return true;
    raise(core, stack ? 12 : 13, 0);
    return false;
  }
  /** Alignment check, for callers that know that it is on: after the canonical one, before the page is looked at (as AMD's
   * processors do). `size`: a power of two. */
  aligned(lo: number, hi: number, size: number, stack: boolean): boolean {
    if (!(lo & (size - 1))) return true;
    if (this.reachable(hi, stack)) raise(this.core, 17, 0);
    return false;
  }

  /** An access of one page whose entry is marked. false: it hits, the instruction is to run again alone. */
  private watched(lo: number, hi: number, size: number, write: boolean, record: number, at: number): boolean {
    return this.noteAccess(lo, hi, size, write, !write || this.code.updates(record), at, size, 0, 0, 0);
  }
  /** Compares an access with the watched ranges: see Watch.note. false: the instruction is to run again alone. */
  noteAccess(
    lo: number,
    hi: number,
    size: number,
    write: boolean,
    read: boolean,
    first: number,
    firstBytes: number,
    second: number,
    nextLo: number,
    nextHi: number,
  ): boolean {
    const hit = this.watch.note({ lo, hi, size, read, write, first, firstBytes, second, nextLo, nextHi });
    if (!hit || this.core.stepping) return true;
    this.core.stop.kind = 'retry';
    return false;
  }

  private fill(lo: number, hi: number, write: boolean, e: number): number {
    const { core } = this;
    const { i32, translation: t } = core;
    core.tlbMisses++;
    if (!core.host.translate(core.current, lo, hi, write ? Access.write : Access.read, bankOf(core), t)) {
      raisePageFault(core, lo, hi, t.errorCode);
      return -1;
    }
    this.checkFrame(t.mfn);
    const page = lo & -4096;
    if (i32[e]! & L.TAG_INVALID) this.noteFill(core.current, e);
    const marks = this.watch.marks(core.current, pageKey(lo, hi));
    return this.set(e, page, hi, t.mfn, marks, write || t.writable) + (lo & 4095);
  }
  /** Writes an entry; `marks`: of watched bytes. Host address of the frame. */
  private set(e: number, page: number, hi: number, frame: number, marks: number, writable: boolean): number {
    const { i32, layout } = this.core;
    const host = layout.ram + frame * 4096;
    i32[e] = page | (marks & 1 ? L.TAG_WATCH : 0);
    i32[e + 1] = hi;
    if (writable) {
      i32[e + TO_WRITE] = page | (this.code.hasCode(frame) ? L.TAG_CODE : 0) | (marks & 2 ? L.TAG_WATCH : 0);
      i32[e + TO_WRITE + 1] = hi;
    } else this.forbidStores(e);
    i32[addendOf(e)] = (host - page) | 0;
    this.cached[frame] = 1;
    return host;
  }

  private checkFrame(mfn: number): void {
    if (!(mfn >= 0 && mfn < this.core.frames))
      throw new Error(`translate() returned frame ${mfn}, beyond the machine's ${this.core.frames}`);
  }

  /** Before a store: drops decoded code under it. false: the block that runs is hit, retry alone. */
  private storeAllowed(at: number, lo: number, size: number, record: number): boolean {
    const { core } = this;
    const frame = Math.floor((at - core.layout.ram) / 4096);
    if (!this.code.hasCode(frame)) {
      this.unmark(lo);
      return true;
    }
    if (this.code.beforeStore(frame, at & 4095, size, core.stepping ? 0 : record)) return true;
    core.stop.kind = 'retry';
    return false;
  }

  /** Takes the code mark off the entry of this address: its frame holds no decoded code any more. */
  private unmark(lo: number): void {
    this.core.i32[entryIn(this.core.tlb, lo) + TO_WRITE]! &= ~L.TAG_CODE;
  }

  /** An access over a page border, lower page first. Reads are gathered; stores wait in SCRATCH_WRITE until finishCrossing. */
  private cross(lo: number, hi: number, size: number, write: boolean, stack: boolean, record: number): number {
    const { core } = this;
    const firstBytes = 4096 - (lo & 4095);
    const nextLo = ((lo & -4096) >>> 0) + 4096;
    const wide = bitsOf(core) === 64;
    if (!wide && nextLo === 0x100000000) {
      // Beyond the 4 GiB limit of a flat segment.
      raise(core, stack ? 12 : 13, 0);
      return -1;
    }
    const nextHi = wide && nextLo === 0x100000000 ? (hi + 1) | 0 : hi;
    const first = this.reach(lo, hi, write, stack);
    if (first < 0) return -1;
    const { marked } = this;
    const second = this.reach(nextLo | 0, nextHi, write, stack);
    if (second < 0) return -1;
    if (marked || this.marked) {
      const read = !write || this.code.updates(record);
      if (!this.noteAccess(lo, hi, size, write, read, first, firstBytes, second, nextLo | 0, nextHi)) return -1;
    }
    const scratch = write ? L.SCRATCH_WRITE : L.SCRATCH_READ;
    core.u8.copyWithin(scratch, first, first + firstBytes);
    core.u8.copyWithin(scratch + firstBytes, second, second + size - firstBytes);
    if (!write) return scratch;
    if (!core.stepping) {
      core.stop.kind = 'retry';
      return -1;
    }
    this.storeAllowed(first, lo, firstBytes, record);
    this.storeAllowed(second, nextLo, size - firstBytes, record);
    core.crossing = { first, second, firstBytes, size };
    return scratch;
  }

  /** After an instruction that ran alone: carries out its crossing store. */
  finishCrossing(): void {
    const { core } = this;
    const c = core.crossing;
    if (!c) return;
    core.crossing = null;
    core.u8.copyWithin(c.first, L.SCRATCH_WRITE, L.SCRATCH_WRITE + c.firstBytes);
    core.u8.copyWithin(c.second, L.SCRATCH_WRITE + c.firstBytes, L.SCRATCH_WRITE + c.size);
  }

  /** Frame for instruction fetch, filling the instruction TLB; -1: stop.kind says why. */
  fetch(lo: number, hi: number): number {
    const { core } = this;
    const { i32 } = core;
    const page = lo & -4096;
    const e = (core.fetchTlb + ((lo >>> 8) & ((L.FETCH_ENTRIES - 1) << 4))) >> 2;
    if (i32[e] === page && i32[e + 1] === hi) return i32[e + 2]!;
    if (bitsOf(core) === 64 ? !isCanonical(hi) : hi !== 0) {
      raise(core, 13, 0);
      return -1;
    }
    core.fetchMisses++;
    const t = core.translation;
    if (!core.host.translate(core.current, lo, hi, Access.execute, bankOf(core), t)) {
      raisePageFault(core, lo, hi, t.errorCode);
      return -1;
    }
    this.checkFrame(t.mfn);
    i32[e] = page;
    i32[e + 1] = hi;
    i32[e + 2] = t.mfn;
    this.cached[t.mfn] = 1;
    return t.mfn;
  }

  // ---- maintenance

  private noteFill(vcpu: number, e: number): void {
    const n = this.filledCount[vcpu]!;
    if (n === FILL_LOG) return;
    this.filled[vcpu]![n] = e;
    this.filledCount[vcpu] = n + 1;
  }

  /** Drops all data entries. */
  private dropAll(vcpu: number): void {
    const n = this.filledCount[vcpu]!;
    if (n < FILL_LOG) {
      const filled = this.filled[vcpu]!;
      for (let k = 0; k < n; k++) this.drop(filled[k]!);
    } else {
      const base = firstEntry(vcpu);
      for (let e = base; e < base + 2 * BANK_WORDS; e += 2) this.drop(e);
    }
    this.filledCount[vcpu] = 0;
  }
  flushAll(vcpu: number): void {
    const { i32 } = this.core;
    this.dropAll(vcpu);
    const fetch = L.fetchTlbBase(vcpu, 0) >> 2;
    for (let e = fetch; e < fetch + FETCH_WORDS; e += 4) if (!(i32[e]! & L.TAG_INVALID)) this.dropFetch(e);
  }
  private drop(e: number): void {
    const { i32 } = this.core;
    i32[e] = L.TAG_INVALID;
    i32[e + 1] = 0;
    this.forbidStores(e);
    i32[addendOf(e)] = 0;
  }
  private forbidStores(e: number): void {
    this.core.i32[e + TO_WRITE] = L.TAG_INVALID;
    this.core.i32[e + TO_WRITE + 1] = 0;
  }
  /** Frame of a valid entry. */
  private frameOf(e: number): number {
    const { i32, layout } = this.core;
    return ((i32[e]! & -4096) + i32[addendOf(e)]! - layout.ram) >>> 12;
  }
  private dropFetch(e: number): void {
    this.core.i32[e] = L.TAG_INVALID;
    this.core.i32[e + 1] = 0;
    this.core.i32[e + 2] = 0;
  }

  flushPage(vcpu: number, lo: number, hi: number): void {
    const { i32 } = this.core;
    const page = lo & -4096;
    for (let bank = 0; bank < 2; bank++) {
      const e = entryIn(L.tlbBase(vcpu, bank), lo);
      if ((i32[e]! & (-4096 | L.TAG_INVALID)) === page && i32[e + 1] === hi) this.drop(e);
      const f = (L.fetchTlbBase(vcpu, bank) + ((lo >>> 8) & ((L.FETCH_ENTRIES - 1) << 4))) >> 2;
      if (i32[f] === page && i32[f + 1] === hi) this.dropFetch(f);
    }
  }

  /** Visits every valid data entry of a frame. */
  private eachEntry(frame: number, visit: (e: number) => void): void {
    const { i32 } = this.core;
    if (!this.cached[frame]) return;
    const look = (e: number): void => {
      if (!(i32[e]! & L.TAG_INVALID) && this.frameOf(e) === frame) visit(e);
    };
    for (let vcpu = 0; vcpu < this.vcpus; vcpu++) {
      const n = this.filledCount[vcpu]!;
      if (n < FILL_LOG) {
        const filled = this.filled[vcpu]!;
        for (let k = 0; k < n; k++) look(filled[k]!);
      } else {
        const base = firstEntry(vcpu);
        for (let e = base; e < base + 2 * BANK_WORDS; e += 2) look(e);
      }
    }
  }

  flushFrame(frame: number): void {
    if (!this.cached[frame]) return;
    this.eachEntry(frame, (e) => this.drop(e));
    this.cached[frame] = 0;
    const { i32 } = this.core;
    for (let vcpu = 0; vcpu < this.vcpus; vcpu++) {
      const base = L.fetchTlbBase(vcpu, 0) >> 2;
      for (let e = base; e < base + (2 * L.FETCH_BANK_SIZE) / 4; e += 4)
        if (i32[e + 2] === frame && !(i32[e]! & L.TAG_INVALID)) this.dropFetch(e);
    }
  }

  writeProtectFrame(frame: number): void {
    this.eachEntry(frame, (e) => this.forbidStores(e));
  }

  /** The frame now holds decoded code: stores through cached entries must take the slow path. */
  markCode(frame: number): void {
    const { i32 } = this.core;
    this.eachEntry(frame, (e) => {
      if (!(i32[e + TO_WRITE]! & L.TAG_INVALID)) i32[e + TO_WRITE]! |= L.TAG_CODE;
    });
  }

  /** Sets the watch marks of these pages' entries anew. */
  markWatched(vcpu: number, pages: Iterable<number>): void {
    for (const key of pages) {
      const marks = this.watch.marks(vcpu, key);
      for (let bank = 0; bank < 2; bank++) this.setMarks((L.tlbBase(vcpu, bank) + (key % L.TLB_ENTRIES) * 8) >> 2, key, marks);
    }
  }
  private setMarks(e: number, key: number, marks: number): void {
    const { i32 } = this.core;
    if (i32[e]! & L.TAG_INVALID || pageKey(i32[e]!, i32[e + 1]!) !== key) return;
    i32[e] = (i32[e]! & ~L.TAG_WATCH) | (marks & 1 ? L.TAG_WATCH : 0);
    const w = e + TO_WRITE;
    if (!(i32[w]! & L.TAG_INVALID)) i32[w] = (i32[w]! & ~L.TAG_WATCH) | (marks & 2 ? L.TAG_WATCH : 0);
  }

  /** Valid data entries of a vCPU, in their order. */
  private entriesOf(vcpu: number): Int32Array {
    const { i32 } = this.core;
    const n = this.filledCount[vcpu]!;
    const found = new Int32Array(n <= FEW ? n : 2 * L.TLB_ENTRIES);
    let count = 0;
    if (n <= FEW) {
      // The log has an entry as often as it was filled.
      const logged = this.filled[vcpu]!.slice(0, n).sort();
      for (let k = 0; k < n; k++) if (logged[k] !== logged[k - 1] && !(i32[logged[k]!]! & L.TAG_INVALID)) found[count++] = logged[k]!;
    } else {
      const first = firstEntry(vcpu);
      for (let e = first; e < first + 2 * BANK_WORDS; e += 2) if (!(i32[e]! & L.TAG_INVALID)) found[count++] = e;
    }
    return found.subarray(0, count);
  }
  /** TLB content as values, without marks (those belong to caches, not to the machine): the instruction TLBs, then for each valid data
   * entry its number, page (bit 0: may be stored to) and frame. */
  canonical(vcpu: number): Uint8Array {
    const { i32 } = this.core;
    const entries = this.entriesOf(vcpu);
    const words = new Int32Array(FETCH_WORDS + ENTRY_VALUES * entries.length);
    const fetch = L.fetchTlbBase(vcpu, 0) >> 2;
    words.set(i32.subarray(fetch, fetch + FETCH_WORDS));
    let at = FETCH_WORDS;
    for (const e of entries) {
      words[at] = (e - firstEntry(vcpu)) >> 1;
      words[at + 1] = (i32[e]! & -4096) | (i32[e + TO_WRITE]! & L.TAG_INVALID ? 0 : 1);
      words[at + 2] = i32[e + 1]!;
      words[at + 3] = this.frameOf(e);
      at += ENTRY_VALUES;
    }
    return new Uint8Array(words.buffer);
  }
  /** Replaces the TLB by one that canonical() gave. Throws a RangeError when it did not. */
  load(vcpu: number, bytes: Uint8Array): void {
    const { core } = this;
    const { i32 } = core;
    const words = bytes.length % 4 === 0 ? new Int32Array(bytes.slice().buffer) : new Int32Array(0);
    const valid = words.length >= FETCH_WORDS && (words.length - FETCH_WORDS) % ENTRY_VALUES === 0;
    if (!valid) throw new RangeError(`${bytes.length} bytes are not the saved TLBs of a vCPU`);
    this.dropAll(vcpu);
    const fetch = L.fetchTlbBase(vcpu, 0) >> 2;
    i32.set(words.subarray(0, FETCH_WORDS), fetch);
    for (let f = 0; f < FETCH_WORDS; f += 4) if (!(words[f]! & L.TAG_INVALID)) this.cached[words[f + 2]!] = 1;
    for (let at = FETCH_WORDS; at < words.length; at += ENTRY_VALUES) {
      const e = firstEntry(vcpu) + 2 * words[at]!;
      const page = words[at + 1]! & -4096;
      const hi = words[at + 2]!;
      const frame = words[at + 3]!;
      const marks = this.watch.marks(vcpu, pageKey(page, hi));
      this.noteFill(vcpu, e);
      this.set(e, page, hi, frame, marks, (words[at + 1]! & 1) !== 0);
    }
  }
}
