// Watched memory: the debugger's watchpoints and the data breakpoints of each vCPU's debug registers, by page. The TLB marks
// entries of these pages, so that accesses to them (and to no others) take the slow path and are compared here.

import type { Core } from './core.ts';
import type { WatchHit, Watchpoint } from './engine-types.ts';

/** A watched part of one page. */
interface Part {
  /** First and last byte within the page. */
  readonly first: number;
  readonly last: number;
  readonly read: boolean;
  readonly write: boolean;
  /** Index of the watchpoint; -1 - n for debug register n. */
  readonly source: number;
}

/** An access of the instruction under way to watched memory. */
interface Note {
  readonly source: number;
  readonly address: bigint;
  readonly size: number;
  read: boolean;
  write: boolean;
  readonly before: Uint8Array;
  /** Where its bytes lie: host addresses of both parts, bytes in the first. */
  readonly first: number;
  readonly second: number;
  readonly firstBytes: number;
}

/** Page number of a linear address as an exact number: its low 48 bits. */
export const pageKey = (lo: number, hi: number): number => (hi & 0xffff) * 2 ** 20 + (lo >>> 12);
const linear = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

const MAX_LENGTH = 4096;
/** DR7: length code to bytes. */
const LENGTHS = [1, 2, 8, 4] as const;
const DATA_WRITE = 1;
const DATA_ACCESS = 3;

/** Is breakpoint `n` switched on, locally or globally? */
const enabled = (dr7: number, n: number): boolean => (dr7 & (3 << (2 * n))) !== 0;
const kindOf = (dr7: number, n: number): number => (dr7 >>> (16 + 4 * n)) & 3;

export class Watch {
  private readonly core: Core;
  private shared: ReadonlyMap<number, readonly Part[]> = new Map();
  private readonly own: Map<number, Part[]>[];
  private notes: Note[] = [];
  /** Debug registers (bits B0 to B3) that the instruction under way has hit. */
  debugBits = 0;

  constructor(core: Core, vcpus: number) {
    this.core = core;
    this.own = Array.from({ length: vcpus }, () => new Map());
  }

  /** Replaces the debugger's watchpoints; returns the pages whose marks may have changed. */
  set(watchpoints: readonly Watchpoint[]): Set<number> {
    const parts = new Map<number, Part[]>();
    watchpoints.forEach((w, source) => {
      if (!Number.isInteger(w.length) || w.length < 1 || w.length > MAX_LENGTH)
        throw new RangeError(`a watchpoint of ${w.length} bytes; 1 to ${MAX_LENGTH} are possible`);
      addRange(parts, w.address, w.length, { read: w.access !== 'write', write: w.access !== 'read', source });
    });
    const touched = new Set([...this.shared.keys(), ...parts.keys()]);
    this.shared = parts;
    return touched;
  }

  /** Takes over a vCPU's debug registers; returns the pages whose marks may have changed. */
  setDebug(vcpu: number, addresses: readonly bigint[], dr7: number): Set<number> {
    const parts = new Map<number, Part[]>();
    addresses.forEach((address, n) => {
      const kind = kindOf(dr7, n);
      if (!enabled(dr7, n) || (kind !== DATA_WRITE && kind !== DATA_ACCESS)) return;
      const length = LENGTHS[(dr7 >>> (18 + 4 * n)) & 3]!;
      addRange(parts, address & ~BigInt(length - 1), length, { read: kind === DATA_ACCESS, write: true, source: -1 - n });
    });
    const touched = new Set([...this.own[vcpu]!.keys(), ...parts.keys()]);
    this.own[vcpu] = parts;
    return touched;
  }

  /** Is anything watched at all? */
  get some(): boolean {
    return this.shared.size > 0 || this.own.some((parts) => parts.size > 0);
  }

  /** Must loads (bit 0), stores (bit 1) of this page be looked at? */
  marks(vcpu: number, key: number): number {
    const shared = this.shared.size === 0 ? undefined : this.shared.get(key);
    const own = this.own[vcpu]!.size === 0 ? undefined : this.own[vcpu]!.get(key);
    if (!shared && !own) return 0;
    const read = shared?.some((p) => p.read) || own?.some((p) => p.read);
    // An instruction that reads and writes asks for the right to write only, so stores count in either case.
    return read ? 3 : 2;
  }

  private *overlapping(lo: number, hi: number, size: number): Generator<Part> {
    const key = pageKey(lo, hi);
    const first = lo & 4095;
    for (const parts of [this.shared.get(key), this.own[this.core.current]!.get(key)])
      if (parts) for (const p of parts) if (p.first < first + size && p.last >= first) yield p;
  }

  /** Is any of `size` bytes within one page watched for such an access? */
  hits(lo: number, hi: number, size: number, read: boolean, write: boolean): boolean {
    for (const p of this.overlapping(lo, hi, size)) if ((read && p.read) || (write && p.write)) return true;
    return false;
  }

  /** How many elements of `w` bytes, from `lo`:`hi` on in steps of `step`, can be accessed before one that is watched; at most `n`.
   * None of them crosses its page. */
  unwatched(lo: number, hi: number, w: number, step: number, n: number, write: boolean): number {
    for (let k = 0; k < n; k++) if (this.hits((lo + k * step) | 0, hi, w, !write, write)) return k;
    return n;
  }

  /** Compares an access with what is watched and notes the hits. `second`: host address of what lies in the next page, at
   * `nextLo`:`nextHi`; `firstBytes` lie before it. Returns whether there were any. */
  note(a: {
    lo: number;
    hi: number;
    size: number;
    read: boolean;
    write: boolean;
    first: number;
    firstBytes: number;
    second: number;
    nextLo: number;
    nextHi: number;
  }): boolean {
    const found = new Set<number>();
    const look = (lo: number, hi: number, size: number): void => {
      for (const p of this.overlapping(lo, hi, size)) if ((a.read && p.read) || (a.write && p.write)) found.add(p.source);
    };
    look(a.lo, a.hi, a.firstBytes);
    if (a.firstBytes < a.size) look(a.nextLo, a.nextHi, a.size - a.firstBytes);
    if (!this.core.stepping) return found.size > 0;
    for (const source of found) {
      if (source < 0) {
        this.debugBits |= 1 << (-1 - source);
        continue;
      }
      const address = linear(a.lo, a.hi);
      const known = this.notes.find((n) => n.source === source && n.address === address && n.size === a.size);
      if (known) {
        known.read ||= a.read;
        known.write ||= a.write;
        continue;
      }
      const { first, second, firstBytes, size } = a;
      this.notes.push({
        ...{ source, address, size, read: a.read, write: a.write, first, second, firstBytes },
        before: this.bytes(first, second, firstBytes, size),
      });
    }
    return found.size > 0;
  }

  private bytes(first: number, second: number, firstBytes: number, size: number): Uint8Array {
    const out = new Uint8Array(size);
    out.set(this.core.u8.subarray(first, first + firstBytes));
    if (firstBytes < size) out.set(this.core.u8.subarray(second, second + size - firstBytes), firstBytes);
    return out;
  }

  /** A new instruction begins, or starts again: what was noted did not happen. */
  clear(): void {
    this.debugBits = 0;
    if (this.notes.length > 0) this.notes = [];
  }

  /** The hits of the instruction that has just ended. */
  take(): readonly WatchHit[] {
    const hits: WatchHit[] = [];
    for (const n of this.notes) {
      const access = n.read && n.write ? 'update' : n.write ? 'write' : 'read';
      const after = this.bytes(n.first, n.second, n.firstBytes, n.size);
      const hit: WatchHit = { watchpoint: n.source, address: n.address, size: n.size, access, before: n.before, after };
      const last = hits.at(-1);
      // An operand that a TypeScript body accesses in parts is one access.
      if (last && last.watchpoint === hit.watchpoint && last.access === access && last.address + BigInt(last.size) === hit.address)
        hits[hits.length - 1] = joined(last, hit);
      else hits.push(hit);
    }
    this.notes = [];
    return hits;
  }
}

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => Uint8Array.from([...a, ...b]);
const joined = (a: WatchHit, b: WatchHit): WatchHit => ({
  ...a,
  size: a.size + b.size,
  before: concat(a.before, b.before),
  after: concat(a.after, b.after),
});

function addRange(into: Map<number, Part[]>, address: bigint, length: number, what: Pick<Part, 'read' | 'write' | 'source'>): void {
  for (let done = 0; done < length; ) {
    const at = BigInt.asUintN(64, address + BigInt(done));
    const first = Number(at & 4095n);
    const count = Math.min(length - done, 4096 - first);
    const key = pageKey(Number(BigInt.asIntN(32, at)), Number(BigInt.asIntN(32, at >> 32n)));
    const parts = into.get(key) ?? [];
    parts.push({ first, last: first + count - 1, ...what });
    into.set(key, parts);
    done += count;
  }
}

/** Addresses of the instruction breakpoints among a vCPU's debug registers, with their numbers. */
export function instructionBreakpoints(addresses: readonly bigint[], dr7: number): { readonly n: number; readonly address: bigint }[] {
  return addresses.flatMap((address, n) => (enabled(dr7, n) && kindOf(dr7, n) === 0 ? [{ n, address }] : []));
}
