// The checks of a segment register load in long mode, for hosts: what a processor does with the descriptor that it finds.
// Source: Intel SDM volume 2 (mov, jmp, ret), volume 3 chapter 5.

import { type LoadReason, Segment, type SegmentCache, type SegmentLoad, type SegmentNumber } from './engine-types.ts';

const GENERAL_PROTECTION = 13;
const NOT_PRESENT = 11;
const STACK_FAULT = 12;
const bit = (descriptor: bigint, n: number): boolean => ((descriptor >> BigInt(n)) & 1n) !== 0n;

/** Base, limit in bytes and attributes of a descriptor. */
export function segmentCacheOf(descriptor: bigint): SegmentCache {
  const base = ((descriptor >> 16n) & 0xff_ffffn) | ((descriptor >> 32n) & 0xff00_0000n);
  const raw = Number((descriptor & 0xffffn) | ((descriptor >> 32n) & 0xf_0000n));
  return { base, limit: bit(descriptor, 55) ? raw * 4096 + 0xfff : raw, attributes: Number((descriptor >> 40n) & 0xf0ffn) };
}

/** Loads `segment` at privilege `cpl` with a selector that is not null; `descriptor`: null when the selector lies outside its table. */
export function checkSegmentLoad(
  descriptor: bigint | null,
  segment: SegmentNumber,
  selector: number,
  cpl: number,
  how: LoadReason,
): SegmentLoad {
  const fault = (vector: number): SegmentLoad => ({ ok: false, vector, errorCode: selector & 0xfffc });
  if (descriptor === null || !bit(descriptor, 44)) return fault(GENERAL_PROTECTION);
  const dpl = Number((descriptor >> 45n) & 3n);
  const rpl = selector & 3;
  const code = bit(descriptor, 43);
  const conforming = code && bit(descriptor, 42);
  const readOrWrite = bit(descriptor, 41);
  let allowed: boolean;
  if (segment === Segment.cs) {
    const privilege = how === 'return' ? (conforming ? dpl <= rpl : dpl === rpl) : conforming ? dpl <= cpl : dpl === cpl && rpl <= cpl;
    const long = bit(descriptor, 53);
    allowed = code && privilege && !(long && bit(descriptor, 54));
  } else if (segment === Segment.ss) allowed = !code && readOrWrite && rpl === cpl && dpl === cpl;
  else allowed = (!code || readOrWrite) && (conforming || dpl >= Math.max(cpl, rpl));
  if (!allowed) return fault(GENERAL_PROTECTION);
  if (!bit(descriptor, 47)) return fault(segment === Segment.ss ? STACK_FAULT : NOT_PRESENT);
  return { ok: true, cache: segmentCacheOf(descriptor) };
}
