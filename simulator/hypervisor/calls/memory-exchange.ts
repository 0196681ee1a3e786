// memory_op.exchange: a domain gives frames and gets as many others, in extents of another size if it likes (contiguous ones for
// devices). It is done chunk by chunk: the larger extent and the smaller ones that are as large together.
// Behaviour of Xen 4.17 (common/memory.c, common/compat/memory.c).

import { asMfn, type Mfn } from '../../../abi/address.ts';
import type { StructView } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, no, XEN_START_32 } from '../call.ts';
import { again } from '../continuation.ts';
import { frameLimit, maxOrder, nodeRefused } from '../extents.ts';

/** Words that a 64-bit address space has, less one. */
const ALL_WORDS_64 = (1n << 61n) - 1n;

interface Side {
  readonly list: bigint;
  readonly order: number;
  readonly extents: bigint;
}

const sideOf = (op: StructView, side: 'in' | 'out'): Side => ({
  list: op.big(`${side}.extent_start`),
  order: op.number(`${side}.extent_order`),
  extents: op.big(`${side}.nr_extents`),
});

export function exchange(call: Call, address: bigint): Answer {
  if (call.u32(0) >>> 6) return no(refuse('EINVAL', 'exchange-shape', { why: 'the operation number has extra bits' }));
  const op = call.struct('xen_memory_exchange', address);
  if (!op) return call.fault('xen_memory_exchange');
  const from = sideOf(op, 'in');
  const to = sideOf(op, 'out');
  const done = op.big('nr_exchanged');
  const shape = shapeRefused(call, op, from, to, done);
  if (shape) return shape;
  if (done === from.extents) return { ret: 0n };
  const grow = Math.max(0, to.order - from.order);
  const shrink = Math.max(0, from.order - to.order);
  const first = Number(done >> BigInt(grow));
  const got = BigInt(first << shrink);
  const lists: [bigint, string, bigint][] = [
    [from.list + done * BigInt(call.word), 'list of extents given', from.extents - done],
    [to.list + got * BigInt(call.word), 'list of extents to get', to.extents - got],
  ];
  for (const [list, what, count] of lists)
    if (!call.addressOk(list) || tooLong(call, list, count) || (call.bits === 32 && call.readWord(list) === null)) return call.fault(what);
  if (nodeRefused(call, op.number('out.mem_flags')))
    return no(refuse('EINVAL', 'exchange-shape', { why: 'only domain 0 may choose a node' }));
  const denied = call.onlySelf(op.number('in.domid'), 'memory_op.exchange');
  if (denied) return denied;
  return chunks(call, address, op, { from, to, grow, shrink, first });
}

/** Does a list of so many words not fit behind its address? */
function tooLong(call: Call, list: bigint, count: bigint): boolean {
  return call.bits === 64 ? count >= ALL_WORDS_64 : list + count * BigInt(call.word) > XEN_START_32;
}

/** What is wrong with the structure as a whole. */
function shapeRefused(call: Call, op: StructView, from: Side, to: Side, done: bigint): Answer | null {
  const most = maxOrder(call);
  const wrong = (why: string): Answer => no(refuse('EINVAL', 'exchange-shape', { why }));
  if (call.bits === 32) {
    const delta = BigInt(Math.min(31, Math.max(0, to.order - from.order)));
    if (done & ((1n << delta) - 1n)) return wrong('nr_exchanged is not a whole number of the larger extents');
  } else if (Math.max(from.order, to.order) > most)
    return no(refuse('EPERM', 'extent-order', { order: Math.max(from.order, to.order), most }));
  if (done > from.extents) return wrong('more are exchanged than were asked for');
  if (op.number('in.domid') !== op.number('out.domid')) return wrong('the two sides name different domains');
  const limit = (1n << BigInt(call.word * 8)) - 1n;
  for (const side of [from, to]) if (limit >> BigInt(side.order & 63) < side.extents) return wrong('the lists are too long');
  if (from.extents << BigInt(from.order & 63) !== to.extents << BigInt(to.order & 63))
    return wrong('the two sides are not of the same size');
  if (Math.max(from.order, to.order) > most) return no(refuse('EPERM', 'extent-order', { order: Math.max(from.order, to.order), most }));
  return null;
}

interface Plan {
  readonly from: Side;
  readonly to: Side;
  /** Extents given for one got, and got for one given, as powers of two; one of them is 0. */
  readonly grow: number;
  readonly shrink: number;
  readonly first: number;
}

function chunks(call: Call, address: bigint, op: StructView, plan: Plan): Answer {
  const { preemption } = call.hv.memory.types;
  const { from, grow, first } = plan;
  const count = Number(from.extents >> BigInt(grow));
  const tell = (extents: bigint): boolean => {
    op.set('nr_exchanged', extents);
    return call.put(address, op);
  };
  for (let chunk = first; chunk < count; chunk++) {
    if (chunk > first && preemption.due()) {
      if (!tell(BigInt(chunk) << BigInt(grow))) return call.fault('xen_memory_exchange');
      return again({ nr: call.nr, args: [call.args[0]!, address] });
    }
    preemption.work(2 ** Math.max(from.order, plan.to.order));
    const refusal = one(call, op, plan, chunk);
    if (refusal) {
      if (!tell(BigInt(chunk) << BigInt(grow))) return call.fault('xen_memory_exchange');
      return no({ ...refusal, facts: { ...refusal.facts, done: chunk << grow } });
    }
  }
  return tell(from.extents) ? { ret: 0n } : call.fault('xen_memory_exchange');
}

/** One chunk: all of it or nothing, until the new frames are the domain's. */
function one(call: Call, op: StructView, plan: Plan, chunk: number): Refusal | null {
  const { memory, domain } = call.hv;
  const { from, to, grow, shrink } = plan;
  const taken: Mfn[] = [];
  const giveBack = (refusal: Refusal): Refusal => {
    for (const mfn of taken) memory.types.allocated(mfn, domain.id);
    return refusal;
  };
  for (let n = 0; n < 2 ** grow; n++) {
    const extent = (chunk << grow) + n;
    const base = call.readWord(from.list + BigInt(extent * call.word));
    if (base === null) return giveBack(call.fault('list of extents given').refusal!);
    for (let k = 0; k < 2 ** from.order; k++) {
      const mfn = asMfn(Number(base) + k);
      const refusal = memory.types.steal(mfn, domain.id);
      if (refusal) return giveBack({ ...refusal, facts: { ...refusal.facts, extent } });
      taken.push(mfn);
    }
  }
  const runs: Mfn[][] = [];
  for (let n = 0; n < 2 ** shrink; n++) {
    const run = memory.allocateRun(domain.id, 2 ** to.order, frameLimit(call, op.number('out.mem_flags')));
    if (!run) {
      for (const mfn of runs.flat()) memory.types.release(mfn);
      domain.pages += runs.length * 2 ** to.order;
      return giveBack(refuse('ENOMEM', 'no-free-run', { order: to.order, extent: (chunk << shrink) + n }));
    }
    runs.push(run);
  }
  for (const mfn of taken) memory.giveBack(mfn);
  return assign(call, plan, chunk, runs);
}

/** Tells the guest its new frames. The exchange is made, whatever becomes of that. */
function assign(call: Call, { to, shrink }: Plan, chunk: number, runs: readonly Mfn[][]): Refusal | null {
  const { memory } = call.hv;
  let refusal: Refusal | null = null;
  for (const [n, run] of runs.entries()) {
    const slot = to.list + BigInt(((chunk << shrink) + n) * call.word);
    const pfn = call.readWord(slot);
    if (pfn === null) {
      refusal = call.fault('list of extents to get').refusal!;
      continue;
    }
    for (const [k, mfn] of run.entries()) call.hv.written(memory.m2p.set(mfn, pfn + BigInt(k)));
    if (!call.writeWord(slot, BigInt(run[0] as Mfn))) refusal = call.fault('list of extents to get').refusal!;
  }
  return refusal;
}
