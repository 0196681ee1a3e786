// movs, stos, lods, cmps, scas with and without rep, and xlat. Work goes through pages in chunks; every iteration counts one
// instruction, and registers are exact after each chunk, so that a fault or the end of the budget leaves at an iteration border.

import type { Decoded } from '../../../x86/types.ts';
import { FLAG, FlagKind } from '../isa/builder.ts';
import * as L from '../layout.ts';
import type { RareInstruction } from '../records.ts';
import { LOG2 } from '../tier0/locals.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import { mask, type RareBody, type RareContext } from './context.ts';

const RCX = 1;
const RSI = 6;
const RDI = 7;
const DS = 3;
const ES = 0;

type Kind = 'movs' | 'stos' | 'lods' | 'cmps' | 'scas';
const USES_SOURCE = { movs: true, stos: false, lods: true, cmps: true, scas: false } as const;
const USES_DESTINATION = { movs: true, stos: true, lods: false, cmps: true, scas: true } as const;
const WRITES = { movs: true, stos: true, lods: false, cmps: false, scas: false } as const;

interface Run {
  readonly c: RareContext;
  readonly kind: Kind;
  readonly w: 1 | 2 | 4 | 8;
  readonly step: number;
  /** repe and repne of cmps and scas stop by this value of z; -1: by the count only. */
  readonly goOnWhileZero: number;
}

function stringBody(kind: Kind): RareBody {
  return (c, i) => {
    const { d } = i;
    const w = d.operandSize as 1 | 2 | 4 | 8;
    const down = (c.core.i32[L.SYSTEM_FLAGS >> 2]! & FLAG.d) !== 0;
    const compares = kind === 'cmps' || kind === 'scas';
    const goOnWhileZero = compares && d.rep !== 0 ? (d.rep === 0xf3 ? 1 : 0) : -1;
    const run: Run = { c, kind, w, step: down ? -w : w, goOnWhileZero };
    return d.rep === 0 ? once(run, d) : repeat(run, d);
  };
}

function once(run: Run, d: Decoded): RareStatusValue {
  const n = chunk(run, d, 1);
  return n < 0 ? RareStatus.stopped : run.c.done(hitCode);
}

/** Set by chunk(): the last one stored into decoded code. */
let hitCode = false;
/** Set by chunk(): the comparison ended the repetition. */
let ended = false;

function repeat(run: Run, d: Decoded): RareStatusValue {
  const { c } = run;
  const { i32 } = c.core;
  const count = i32[L.COUNT >> 2]!;
  const allowed = count + 1;
  let left = c.reg(RCX, d.addressSize);
  if (left === 0n) return RareStatus.done;
  let executed = 0;
  let leave = false;
  while (left > 0n) {
    if (executed >= allowed) break;
    const most = Math.min(allowed - executed, left > 0x10000n ? 0x10000 : Number(left));
    const n = chunk(run, d, most);
    if (n < 0) {
      if (executed === 0) return RareStatus.stopped;
      break;
    }
    executed += n;
    left -= BigInt(n);
    c.setReg(RCX, d.addressSize, left);
    leave ||= hitCode;
    if (ended) break;
    if (hitCode && left > 0n) break;
  }
  i32[L.COUNT >> 2] = allowed - executed;
  if (left > 0n && !ended) {
    c.core.unfinished = true;
    return c.moveTo(c.instruction);
  }
  return leave ? c.moveTo(c.next) : RareStatus.done;
}

/** Elements that fit in the page of `va` in the direction of the run, at least 1 (which then may cross the border). */
function fitting(va: bigint, w: number, step: number): number {
  const offset = Number(va & 4095n);
  if (offset + w > 4096) return 0;
  return step > 0 ? Math.floor((4096 - offset) / w) : Math.floor(offset / w) + 1;
}

/** Carries out up to `most` iterations and advances rsi and rdi; -1: stopped before the first. */
function chunk(run: Run, d: Decoded, most: number): number {
  const { c, kind, w, step } = run;
  hitCode = false;
  ended = false;
  const source = USES_SOURCE[kind];
  const destination = USES_DESTINATION[kind];
  const si = c.reg(RSI, d.addressSize);
  const di = c.reg(RDI, d.addressSize);
  const sourceSegment = d.segment >= 0 ? d.segment : DS;
  const from = source ? c.linear(sourceSegment, si) : 0n;
  const to = destination ? c.linear(ES, di) : 0n;
  let n = most;
  if (c.bits === 32) {
    // Limits are checked for one element; flat segments of 4 GiB have none.
    const first = kind === 'cmps' && run.goOnWhileZero < 0 ? !c.allows(ES, di, w, false) : false;
    if (first || (source && !c.allows(sourceSegment, si, w, false)) || (destination && !c.allows(ES, di, w, WRITES[kind]))) return -1;
    if ((source && !c.isFlat(sourceSegment)) || (destination && !c.isFlat(ES)) || d.addressSize === 2) n = 1;
  }
  if (source) n = Math.min(n, fitting(from, w, step));
  if (destination) n = Math.min(n, fitting(to, w, step));
  if (n === 0) n = slowElement(run, from, to);
  else {
    const host = (va: bigint, write: boolean): number => {
      const lo = Number(va & 0xffffffffn) | 0;
      const hi = Number(va >> 32n) | 0;
      if (c.core.alignment && !c.tlb.aligned(lo, hi, w, false)) return -1;
      const at = c.tlb.reach(lo, hi, write);
      if (at < 0 || !c.tlb.marked) return at;
      n = c.watch.unwatched(lo, hi, w, step, n, write);
      if (n > 0) return at;
      n = 1;
      return c.tlb.noteAccess(lo, hi, w, write, !write, at, w, 0, 0, 0) ? at : -1;
    };
    // A cmps without rep reaches for its destination first (seen on AMD's processors), all others for their source.
    if (kind === 'cmps' && run.goOnWhileZero < 0 && host(to, false) < 0) return -1;
    const a = source ? host(from, false) : 0;
    if (a < 0) return -1;
    const b = destination ? host(to, WRITES[kind]) : 0;
    if (b < 0) return -1;
    n = onHost(run, a, b, n);
    if (WRITES[kind]) {
      const first = step > 0 ? b : b - (n - 1) * w;
      hitCode = c.dropCode(first - c.core.layout.ram, n * w);
    }
  }
  if (n < 0) return -1;
  const moved = BigInt(n * step);
  if (source) c.setReg(RSI, d.addressSize, si + moved);
  if (destination) c.setReg(RDI, d.addressSize, di + moved);
  return n;
}

/** One element over a page border. */
function slowElement(run: Run, from: bigint, to: bigint): number {
  const { c, kind, w } = run;
  if (kind === 'cmps' && run.goOnWhileZero < 0 && c.read(to, w) === null) return -1;
  const x = USES_SOURCE[kind] ? c.read(from, w) : c.reg(0, w);
  if (x === null) return -1;
  if (WRITES[kind]) {
    const store = c.prepareStore(to, w);
    if (!store) return -1;
    hitCode = c.commit(store, x);
    return 1;
  }
  if (kind === 'lods') {
    c.setReg(0, w, x);
    return 1;
  }
  const y = c.read(to, w);
  if (y === null) return -1;
  compare(run, x, y);
  return 1;
}

/** Flags of x - y, kept lazily; notes whether the repetition ends. */
function compare(run: Run, x: bigint, y: bigint): void {
  const { i32, u64 } = run.c.core;
  i32[L.FLAG_OP >> 2] = FlagKind.sub * 4 + LOG2[run.w];
  u64[L.FLAG_1 >> 3] = x;
  u64[L.FLAG_2 >> 3] = y;
  ended = run.goOnWhileZero >= 0 && (x === y ? 1 : 0) !== run.goOnWhileZero;
}

function element(run: Run, at: number): bigint {
  const { view } = run.c.core;
  if (run.w === 8) return view.getBigUint64(at, true);
  return BigInt(run.w === 4 ? view.getUint32(at, true) : run.w === 2 ? view.getUint16(at, true) : view.getUint8(at));
}

/** Up to n iterations on host addresses a (source) and b (destination). */
function onHost(run: Run, a: number, b: number, n: number): number {
  const { c, kind, w, step } = run;
  const { u8, view } = c.core;
  if (kind === 'movs') {
    if (step > 0 && (b <= a || b >= a + n * w)) u8.copyWithin(b, a, a + n * w);
    else for (let k = 0; k < n; k++) u8.copyWithin(b + k * step, a + k * step, a + k * step + w);
    return n;
  }
  if (kind === 'stos') {
    const first = step > 0 ? b : b - (n - 1) * w;
    const v = c.reg(0, w);
    if (w === 1) u8.fill(Number(v), first, first + n);
    else if (v === 0n) u8.fill(0, first, first + n * w);
    else
      for (let k = 0; k < n; k++) {
        if (w === 8) view.setBigUint64(first + 8 * k, v, true);
        else if (w === 4) view.setUint32(first + 4 * k, Number(v), true);
        else view.setUint16(first + 2 * k, Number(v), true);
      }
    return n;
  }
  if (kind === 'lods') {
    c.setReg(0, w, element(run, a + (n - 1) * step));
    return n;
  }
  const fixed = kind === 'scas' ? c.reg(0, w) : 0n;
  for (let k = 0; k < n; k++) {
    const x = kind === 'scas' ? fixed : element(run, a + k * step);
    compare(run, x, element(run, b + k * step));
    if (ended) return k + 1;
  }
  return n;
}

const xlat: RareBody = (c, i: RareInstruction) => {
  const { d } = i;
  const offset = mask(d.addressSize, c.reg(3) + c.reg(0, 1));
  const segment = d.segment >= 0 ? d.segment : DS;
  const v = c.allows(segment, offset, 1, false) ? c.read(c.linear(segment, offset), 1) : null;
  if (v === null) return RareStatus.stopped;
  c.setReg(0, 1, v);
  return RareStatus.done;
};

export const STRINGS: Record<string, RareBody> = {
  movs: stringBody('movs'),
  stos: stringBody('stos'),
  lods: stringBody('lods'),
  cmps: stringBody('cmps'),
  scas: stringBody('scas'),
  xlat,
};
