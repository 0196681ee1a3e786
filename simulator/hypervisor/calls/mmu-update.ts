// mmu_update: changes of page-table entries of any level and of the machine-to-physical table, as a list.

import { asMfn } from '../../../abi/address.ts';
import { domids } from '../../../abi/constants/domain.table.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { isStop, type Outcome } from '../../memory/outcome.ts';
import { alsoPrints, noReference, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch } from '../call.ts';
import { batchStart, finishBatch, listFault } from '../continuation.ts';
import { mayActFor, pageOwner } from '../page-owner.ts';

const ENTRY = 16;
const NORMAL = 0;
const MACHPHYS = 1;
const PRESERVE_AD = 2;
const NO_TRANSLATE = 3;

export function mmuUpdate(call: Call): HandlerResult {
  const started = batchStart(call);
  if ('answer' in started) return started.answer;
  const { count, before } = started;
  const list = call.args[0]!;
  const foreign = call.u32(3);
  if (!call.addressOk(list)) return listFault(call, list);
  const tables = tableOwner(call, foreign >>> 16);
  if (typeof tables !== 'number') return finishBatch(call, { list, entry: ENTRY, count, before, done: 0, result: tables });
  const pages = pageOwner(call, foreign & 0xffff);
  if (typeof pages !== 'number') return finishBatch(call, { list, entry: ENTRY, count, before, done: 0, result: pages });
  const { types } = call.hv.memory;
  const { preemption } = types;
  let result: Answer | 'again' | null = null;
  let flush = false;
  let done = 0;
  for (; done < count; done++) {
    if (types.deferred.table !== null || (done > 0 && preemption.due())) {
      result = 'again';
      break;
    }
    preemption.work(1);
    const request = call.read(list + BigInt(done * ENTRY), ENTRY);
    if (!request) {
      result = call.fault(`mmu_update request ${before + done}`);
      break;
    }
    const view = new DataView(request.buffer);
    const answer = one(call, view.getBigUint64(0, true), view.getBigUint64(8, true), tables, pages);
    if (answer !== null && typeof answer === 'object' && 'flush' in answer) {
      flush ||= answer.flush;
      continue;
    }
    result = answer;
    break;
  }
  const answer = finishBatch(call, { list, entry: ENTRY, count, before, done, result });
  if (flush) for (const vcpu of call.hv.domainById(tables)?.vcpus ?? []) vcpu.cpu.flushAll();
  return answer;
}

/** The domain whose tables are changed: the high half of the last argument is its number plus 1, or 0 for the caller. */
function tableOwner(call: Call, high: number): number | Answer {
  if (high === 0 || high - 1 === call.domain.id) return call.domain.id;
  const other = call.hv.domainById(high - 1);
  if (other && other.vcpus.length === 0) return no(refuse('EINVAL', 'domain-without-vcpus', { domain: other.id }));
  if (high - 1 === 0 || other) return high - 1;
  return no(refuse('ESRCH', 'no-such-domain', { what: 'page tables', domain: high - 1 }));
}

function one(call: Call, ptr: bigint, value: bigint, tables: number, pages: number): Answer | 'again' | { flush: boolean } {
  const command = Number(ptr & 7n);
  if (command === MACHPHYS) return machphys(call, ptr & ~7n, value, tables, pages);
  if (command !== NORMAL && command !== PRESERVE_AD && command !== NO_TRANSLATE) return noSuch('mmu_update command', command);
  const denied = (pages === domids.DOMID_IO ? null : mayActFor(call, pages, 'frames')) ?? mayActFor(call, tables, 'page tables');
  if (denied) return denied;
  const address = ptr & ~7n;
  const mfn = asMfn(Number(address >> 12n));
  const { types, frames, ram } = call.hv.memory;
  const missing = types.getPage(mfn, tables);
  if (missing) return no(alsoPrints(missing, 'no-page-for-update', {}));
  const index = ram.index(mfn);
  const slot = Number((address & 0xfffn) >> 3n);
  const type = frames.type[index]!;
  let outcome: Outcome;
  let flush = false;
  if (!frames.usable(index) || type === FrameType.writable) {
    // Not a table in use: an ordinary store to a page of the guest.
    outcome = types.getType(mfn, FrameType.writable);
    if (!outcome) {
      ram.setEntry(mfn, slot, value);
      call.hv.written(mfn);
      types.putType(mfn);
    }
  } else if (type > FrameType.l4) {
    outcome = refuse('EINVAL', 'frame-has-other-type', { frame: frames.fact(mfn), wanted: 'a page table' });
  } else if (type > FrameType.l1 && pages !== tables) {
    outcome = refuse('EINVAL', 'upper-entry-of-foreign-frame', { table: frames.fact(mfn), domain: pages });
  } else {
    outcome = types.updateEntry(mfn, slot, value, tables, { preserveAccessedDirty: command === PRESERVE_AD, pages });
    flush = outcome === null && type !== FrameType.l1;
    if (outcome === null && tables !== call.domain.id && type === FrameType.l1) call.hv.handedOn.note(mfn, slot, tables);
  }
  types.putPage(mfn);
  if (outcome === null) return { flush };
  return isStop(outcome) ? 'again' : no(outcome);
}

function machphys(call: Call, address: bigint, pfn: bigint, tables: number, pages: number): Answer | { flush: boolean } {
  const { types, m2p } = call.hv.memory;
  if (tables !== call.domain.id)
    return no(refuse('EPERM', 'not-privileged', { what: `the machine-to-physical table for domain ${tables}` }));
  const denied = pages === domids.DOMID_IO ? null : mayActFor(call, pages, 'frames');
  if (denied) return denied;
  const mfn = asMfn(Number(address >> 12n));
  const missing = types.getPage(mfn, pages);
  if (missing) return no(alsoPrints(noReference(missing, mfn), 'no-page-for-machphys', {}));
  call.hv.written(m2p.set(mfn, pfn));
  types.putPage(mfn);
  return { flush: false };
}
