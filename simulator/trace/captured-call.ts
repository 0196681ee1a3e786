// A hypercall as it was made: its registers, and the guest memory that they lead to, as it was when the call was made and at its end.
// The trace keeps calls like this; their names and values are worked out when somebody looks (abi/decode-hypercall.ts), from the
// same bytes and so with the same result.

import { decodeHypercall } from '../../abi/decode-hypercall.ts';
import type { Hypercall, Operation } from '../../abi/hypercalls/hypercall.ts';
import { hypercallByNumber, operationByNumber } from '../../abi/hypercalls.ts';
import { isStructure, type Layout, layoutOf, resolve, typeNamed } from '../../abi/layout.ts';
import type { MemoryReader } from '../../abi/present.ts';
import { type Member, parseDeclaration } from '../../abi/structures/declaration.ts';
import type { Args, TraceRecord } from './records.ts';

type Bits = 64 | 32;

/** Guest memory at an address; null: it was not mapped. */
export interface CapturedBytes {
  readonly address: bigint;
  readonly length: number;
  readonly bytes: Uint8Array | null;
}

export interface CapturedCall {
  readonly domain: number;
  readonly vcpu: number;
  readonly bits: Bits;
  readonly rip: bigint;
  readonly nr: number;
  /** The argument registers. */
  readonly args: readonly bigint[];
  /** What they led to when the call was made, as far as the record shows it, and at the end. */
  readonly before: readonly CapturedBytes[];
  readonly after: readonly CapturedBytes[];
  /** The answer; null where there is none, as for iret. */
  readonly ret: number | null;
  readonly continued: boolean;
}

/** One place that arguments lead to. */
interface Place {
  /** Argument register that holds its address. */
  readonly register: number;
  readonly size: number;
  /** Register of the number of elements; -1: it is one. */
  readonly count: number;
  /** Xen only writes it. */
  readonly output: boolean;
}

interface Plan {
  readonly places: readonly Place[];
  /** The operations are named in a list: it is needed as it was when the call was made. */
  readonly listed: boolean;
}

const PREEMPTED = 0x8000_0000;
/** More elements are shown only in part. */
const MOST_ELEMENTS = 64;
const MOST_BYTES = 4096;

const plans = new Map<number, Plan | null>();
/** Nothing captured. */
export const NONE: readonly CapturedBytes[] = [];

/** What is to be captured of a call, or null: what its arguments lead to leads further, so that only decoding it at once shows all. */
export function planOf(nr: number, bits: Bits, args: readonly bigint[]): Plan | null {
  const call = hypercallByNumber(nr);
  if (!call) return null;
  const selector = selectorOf(call, bits);
  const number = selector < 0 ? 0 : Number(args[selector]! & 0xffff_ffffn);
  const operation = call.operations?.mask === undefined ? number : number & call.operations.mask;
  if (operation > 0xff) return null;
  const key = (nr * 256 + operation) * 2 + (bits === 64 ? 0 : 1);
  let plan = plans.get(key);
  if (plan === undefined) {
    plan = makePlan(call, bits, selector < 0 ? null : operationByNumber(call, operation));
    plans.set(key, plan);
  }
  return plan;
}

/** The places as they are now; null when they are too large to be kept whole. `output`: also those that Xen only writes. */
export function capture(plan: Plan, args: readonly bigint[], read: MemoryReader, output: boolean): readonly CapturedBytes[] | null {
  if (plan.places.length === 0) return NONE;
  const found: CapturedBytes[] = [];
  for (const place of plan.places) {
    if (place.output && !output) continue;
    let elements = place.count < 0 ? 1 : Number(args[place.count]! & 0xffff_ffffn);
    if (elements >= PREEMPTED) elements -= PREEMPTED;
    const length = elements * place.size;
    if (elements > MOST_ELEMENTS || length > MOST_BYTES) return null;
    const address = args[place.register]!;
    if (address === 0n) continue;
    found.push({ address, length, bytes: read(address, length) });
  }
  return found;
}

/** The record of a captured call. */
export function recordOf(call: CapturedCall, n: number, icount: number): Extract<TraceRecord, { kind: 'hypercall' }> {
  const { name, operation, args } = valuesOf(call);
  return {
    ...{ n, icount, kind: 'hypercall', domain: call.domain, vcpu: call.vcpu, rip: `0x${call.rip.toString(16)}`, nr: call.nr },
    ...{ name, operation, args: args as Args, ret: call.ret, reason: null },
    ...(call.continued ? { continued: true as const } : {}),
  };
}

/** Name, operation and arguments: the operation as it was asked for, the arguments as they are at the end where the call changes them. */
export function valuesOf({ nr, args, bits, before, after }: Pick<CapturedCall, 'nr' | 'args' | 'bits' | 'before' | 'after'>) {
  const made = decodeHypercall({ number: nr, args, bits, phase: 'entry', read: readerOf(before) });
  return after === before
    ? made
    : { ...made, args: decodeHypercall({ number: nr, args, bits, phase: 'exit', read: readerOf(after) }).args };
}

const readerOf =
  (places: readonly CapturedBytes[]): MemoryReader =>
  (address, length) => {
    if (address === 0n) return null;
    return places.find((one) => one.address === address && one.length === length)?.bytes ?? null;
  };

/** Register of the sub-operation's number; -1: there is none, or it lies in memory. */
function selectorOf(call: Hypercall, bits: Bits): number {
  const key = call.number * 2 + (bits === 64 ? 0 : 1);
  let at = selectors.get(key);
  if (at === undefined) {
    at = membersOf(call, bits).find(({ member }) => member.name === call.operations?.selector)?.register ?? -1;
    selectors.set(key, at);
  }
  return at;
}

const selectors = new Map<number, number>();

const textOf = (call: Hypercall, bits: Bits): string => (typeof call.args === 'string' ? call.args : call.args[bits]);

/** The arguments with the registers that they begin in. */
function membersOf(call: Hypercall, bits: Bits): { readonly member: Member; readonly register: number }[] {
  const text = textOf(call, bits).replace('$', 'void');
  let register = 0;
  return (text === '' ? [] : parseDeclaration(text).members).map((member) => {
    const at = register;
    register += resolve(member.name, bits, member.type).type.size * 8 > bits ? 2 : 1;
    return { member, register: at };
  });
}

function makePlan(call: Hypercall, bits: Bits, operation: Operation | null): Plan | null {
  const selector = call.operations?.selector;
  const listed = selector?.includes('[].') === true;
  if (selector?.includes('->')) return null;
  const members = membersOf(call, bits);
  const places: Place[] = [];
  for (const { member, register } of members) {
    if (member.type.kind !== 'pointer') continue;
    const place = placeOf(call, bits, operation, member, register);
    if (place === 'none') continue;
    const { count } = member.type;
    const countAt = count === null ? -1 : (members.find((one) => one.member.name === count)?.register ?? null);
    if (place === null || countAt === null) return null;
    places.push({ ...place, count: countAt });
  }
  return { places, listed };
}

/** Lists with an end or a shape of their own. */
const PECULIAR = new Set(['trap_info', 'multicall_entry']);

/** What one pointer leads to; 'none': nothing is shown of it; null: more than one place. */
function placeOf(call: Hypercall, bits: Bits, operation: Operation | null, member: Member, register: number): Place | 'none' | null {
  const type = member.type as Extract<Member['type'], { kind: 'pointer' }>;
  const typed = textOf(call, bits).includes(`@$ ${member.name}`);
  if (typed && operation?.type === null) return 'none';
  const to = typed ? (operation?.type ?? 'void') : type.to;
  const output = member.out || to.startsWith('>');
  const target = to.replace(/^>/, '').replace(/\[\d+\]$/, '');
  const length = /\[(\d+)\]$/.exec(to)?.[1];
  if (PECULIAR.has(target)) return null;
  if (isStructure(target)) {
    const layout = layoutOf(target, bits);
    return isFlat(layout) ? { register, size: layout.size, count: -1, output } : null;
  }
  if (target === 'void') return 'none';
  if (target === 'char' && length === undefined) return type.count === null ? 'none' : null;
  return { register, size: length === undefined ? typeNamed(target, bits).size : Number(length), count: -1, output };
}

/** Does it lead to no further memory that is shown? */
const isFlat = (layout: Layout): boolean =>
  layout.fields.every(({ type }) => {
    const of = type.kind === 'array' ? type.of : type;
    return of.kind === 'struct' ? isFlat(of.layout) : of.kind !== 'pointer' || of.count === null;
  });

/** Do the places still hold what they held? */
export const sameBytes = (one: readonly CapturedBytes[], other: readonly CapturedBytes[]): boolean =>
  one.length === other.length && one.every(({ bytes }, n) => sameArray(bytes, other[n]!.bytes));

function sameArray(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  for (let n = 0; n < one.length; n++) if (one[n] !== other[n]) return false;
  return one.length === other.length;
}
