// memory_op.acquire_resource: the frames behind another domain's grant table, for dom0 to map. Other resources are of HVM guests.
// Behaviour of Xen 4.17 (common/memory.c, common/grant_table.c).

import type { Mfn } from '../../../abi/address.ts';
import { writeBig } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notPrivileged } from '../call.ts';
import type { Domain } from '../domain.ts';
import { statusFramesFor } from '../grant-table.ts';
import { isDomain, remoteDomain } from './domains.ts';

const WHAT = 'memory_op.acquire_resource';
const IOREQ_SERVER = 0;
const GRANT_TABLE = 1;
const VMTRACE = 2;
const SHARED = 0;
const STATUS = 1;

export function acquireResource(call: Call, address: bigint): HandlerResult {
  const op = call.struct('xen_mem_acquire_resource', address);
  if (!op) return call.fault('xen_mem_acquire_resource');
  if (op.number('pad') !== 0) return wrong('pad is not 0');
  const frame = op.big('frame');
  const count = op.number('nr_frames');
  if (frame >> 32n || (frame + BigInt(count)) >> 32n) return wrong('the frames go beyond 32 bits');
  const domain = remoteDomain(call, op.number('domid'), WHAT);
  if (!isDomain(domain)) return domain;
  if (!call.domain.isDom0) return notPrivileged(`${WHAT} of domain ${domain.id} by domain ${call.domain.id}`);
  const [type, id] = [op.number('type'), op.number('id')];
  const most = maximum(domain, type, id);
  if (most === 0) return wrong(type === VMTRACE ? 'the domain has no trace buffers' : 'the domain has no such resource');
  const list = op.big('frame_list');
  if (list === 0n) {
    if (count !== 0) return wrong('frames are asked for without a list to put them into');
    // What is not known at all counts as more than the field holds.
    op.set('nr_frames', (most ?? -95) >>> 0);
    return call.put(address, op) ? 0 : call.fault('xen_mem_acquire_resource');
  }
  if (count === 0) return wrong('no frames are asked for');
  if (most === null) return no(refuse('EOPNOTSUPP', 'no-such-resource', { type, domain: domain.id }));
  const frames = framesOf(domain, type, id, Number(frame), count);
  if (!frames) return wrong('the grant table cannot have so many frames');
  const bytes = new Uint8Array(count * call.word);
  for (const [n, mfn] of frames.entries()) writeBig(bytes, n * call.word, call.word, BigInt(mfn));
  return call.write(list, bytes) ? 0 : call.fault('list of frames');
}

const wrong = (why: string): Answer => no(refuse('EINVAL', 'resource-not-there', { why }));

/** Frames that the resource can have; null for a kind that Xen does not know, 0 for one that a PV domain has not. */
function maximum({ grants }: Domain, type: number, id: number): number | null {
  switch (type) {
    case GRANT_TABLE:
      return id === SHARED ? grants.maxFrames : id === STATUS ? statusFramesFor(grants.maxFrames) : 0;
    case IOREQ_SERVER:
    case VMTRACE:
      return 0;
    default:
      return null;
  }
}

/** The table grows to what is asked for. Null: it cannot. */
function framesOf({ grants }: Domain, type: number, id: number, first: number, count: number): readonly Mfn[] | null {
  if (type !== GRANT_TABLE) return null;
  const last = first + count - 1;
  if (id === SHARED) {
    if (last >= grants.maxFrames) return null;
    grants.grow(last + 1);
    return grants.frames.slice(first, first + count);
  }
  if (grants.version !== 2 || last >= statusFramesFor(grants.maxFrames)) return null;
  while (grants.statusFrames.length <= last) grants.grow(grants.frames.length + 1);
  return grants.statusFrames.slice(first, first + count);
}
