// memory_op.increase_reservation, decrease_reservation and populate_physmap: a domain gets frames or gives them up, extent by
// extent. The answer is the number of extents done; there is no errno.
// Behaviour of Xen 4.17 (common/memory.c).

import { asMfn, type Mfn } from '../../../abi/address.ts';
import type { StructView } from '../../../abi/layout.ts';
import type { FactValue, Refusal } from '../../../abi/refusal.ts';
import { alsoPrints, frameText, refuse } from '../../memory/refuse.ts';
import type { Answer, Call } from '../call.ts';
import { again } from '../continuation.ts';
import type { Domain } from '../domain.ts';
import { ADDRESS_BITS, EXACT_NODE, frameLimit, maxOrder, nodeMissing, nodeOf, nodeRefused, POPULATE_ON_DEMAND, VNODE } from '../extents.ts';
import { anyDomain, isDomain, mayTarget } from './domains.ts';

export const INCREASE = 0;
export const DECREASE = 1;
export const POPULATE = 6;
/** The operation register's bits above the operation: how many extents earlier rounds did. */
const EXTENT_SHIFT = 6;
const MOST_EXTENTS = 0xffff_ffff >>> EXTENT_SHIFT;

export function reservation(call: Call, command: number, address: bigint): Answer {
  const start = call.u32(0) >>> EXTENT_SHIFT;
  // What cannot even start has done no more extents: that count is the answer.
  const nothing = (refusal: Refusal): Answer => ({ ret: BigInt(start), refusal });
  const op = call.struct('xen_memory_reservation', address);
  if (!op) return nothing(call.fault('xen_memory_reservation').refusal!);
  const asked = op.big('nr_extents');
  const order = op.number('extent_order');
  const facts = { done: start, asked: `${asked}`, order };
  if (asked > BigInt(MOST_EXTENTS))
    return nothing(refuse('ENOMEM', 'fewer-extents', { ...facts, why: 'more extents than one call can take' }));
  if (BigInt(start) >= asked) return { ret: BigInt(start) };
  const domain = anyDomain(call, op.number('domid'), 'memory_op');
  if (!isDomain(domain)) return nothing(domain.refusal!);
  const denied = mayTarget(call, domain, 'memory_op');
  if (denied) return nothing(denied.refusal!);
  const flags = op.number('mem_flags');
  const wrong = flagsRefused(call, flags);
  if (wrong) return nothing({ ...wrong, facts: { ...wrong.facts, ...facts } });
  const list = op.big('extent_start');
  const mayBeNull = command === INCREASE && list === 0n;
  if (!mayBeNull && !call.addressOk(list + BigInt(start * call.word))) return nothing(listRefusal(call, list));
  const most = flags & POPULATE_ON_DEMAND && command === POPULATE ? 20 : maxOrder(call);
  if (order > most) return nothing(refuse('ENOMEM', 'fewer-extents', { ...facts, most, why: 'the extents are too large' }));
  return extents(call, { domain, op, command, flags, order, list, asked: Number(asked), start });
}

interface Plan {
  /** Whose memory it is. */
  readonly domain: Domain;
  readonly op: StructView;
  readonly command: number;
  readonly flags: number;
  readonly order: number;
  readonly list: bigint;
  readonly asked: number;
  readonly start: number;
}

function extents(call: Call, plan: Plan): Answer {
  const { preemption } = call.hv.memory.types;
  const { asked, start, order } = plan;
  for (let n = start; n < asked; n++) {
    if (n > start && preemption.due()) {
      const register = (call.u32(0) & ((1 << EXTENT_SHIFT) - 1)) | (n << EXTENT_SHIFT);
      return again({ nr: call.nr, args: [BigInt(register >>> 0), call.args[1]!] });
    }
    preemption.work(1 << order);
    const slot = plan.list + BigInt(n * call.word);
    const refusal = plan.command === DECREASE ? release(call, plan.domain.id, slot, order) : allocate(call, plan, slot, n);
    if (refusal) {
      const facts: Record<string, FactValue> = { ...refusal.facts, done: n, asked, order };
      return { ret: BigInt(n), refusal: { ...refusal, errno: 'ENOMEM', rule: 'fewer-extents', facts } };
    }
  }
  return { ret: BigInt(asked) };
}

/** What is wrong with mem_flags; null where nothing is. */
function flagsRefused(call: Call, flags: number): Refusal | null {
  const bits = flags & ADDRESS_BITS;
  if (bits !== 0 && bits <= 12) return refuse('EINVAL', 'fewer-extents', { addressBits: bits, why: 'no frame has so few address bits' });
  // Without virtual NUMA nodes the flag means nothing.
  if (flags & VNODE) return null;
  return nodeRefused(call, flags)
    ? refuse('EINVAL', 'fewer-extents', { node: nodeOf(flags), exact: (flags & EXACT_NODE) !== 0, why: 'only domain 0 may choose a node' })
    : null;
}

const listRefusal = (call: Call, list: bigint): Refusal =>
  refuse('EFAULT', 'argument-not-accessible', {
    what: 'list of extents',
    address: `0x${list.toString(16)}`,
    error: `0x${call.hv.guest.fault.errorCode.toString(16)}`,
  });

function release(call: Call, domain: number, slot: bigint, order: number): Refusal | null {
  const first = call.readWord(slot);
  if (first === null) return call.fault('list of extents').refusal!;
  const { types, ram, frames } = call.hv.memory;
  for (let n = 0; n < 2 ** order; n++) {
    const mfn = asMfn(Number(first) + n);
    const wrong = types.getPage(mfn, domain);
    if (wrong) {
      // Frames of I/O memory exist as well: Xen has said whose they are.
      const exists = ram.valid(mfn) || frames.elsewhere(mfn) || wrong.xenLine?.template === 'error-mfn';
      const args = { domain: `${domain}`, mfn: frameText(mfn) };
      const refusal = alsoPrints(wrong, exists ? 'bad-page-free' : 'page-number-invalid', args);
      return { ...refusal, facts: { ...refusal.facts, why: 'a frame of the extent is not the domain’s' } };
    }
    // One that was given up before is held by a mapping only: nothing is left to give.
    types.release(mfn);
    types.putPage(mfn);
  }
  return null;
}

function allocate(call: Call, plan: Plan, slot: bigint, n: number): Refusal | null {
  const { memory } = call.hv;
  const { domain, command, flags, order } = plan;
  const count = 2 ** order;
  let pfn = 0n;
  if (command === POPULATE) {
    const given = call.readWord(slot);
    if (given === null) return call.fault('list of extents').refusal!;
    pfn = given;
    if (flags & POPULATE_ON_DEMAND) return refuse('ENOMEM', 'fewer-extents', { why: 'pages on demand are for HVM guests' });
  }
  const line = {
    template: 'no-extent',
    args: {
      order: `${order}`,
      domain: `${domain.id}`,
      memflags: (flags & ADDRESS_BITS).toString(16),
      done: `${n}`,
      asked: `${plan.asked}`,
    },
  };
  if (domain.pages + count > domain.maxPages) {
    const over = {
      template: 'over-allocation',
      args: { domain: `${domain.id}`, total: `${domain.pages + count}`, max: `${domain.maxPages}` },
    };
    const facts = { pages: domain.pages, allowed: domain.maxPages, why: 'the domain has its maximum' };
    return alsoPrints(refuse('ENOMEM', 'fewer-extents', facts, over), line.template, line.args);
  }
  const run = nodeMissing(flags) ? null : memory.allocateRun(domain.id, count, frameLimit(call, flags));
  if (!run) return refuse('ENOMEM', 'fewer-extents', { why: 'the machine has no such run of free frames' }, line);
  domain.pages += count;
  if (command === POPULATE) for (const [k, mfn] of run.entries()) call.hv.written(memory.m2p.set(mfn, pfn + BigInt(k)));
  if (plan.list === 0n && command === INCREASE) return null;
  return call.writeWord(slot, BigInt(run[0] as Mfn)) ? null : call.fault('list of extents').refusal!;
}
