// grant_table_op: lists of operations, each with its own status; the call itself fails only for what is wrong with the list, and where
// an operation has an errno instead of a status. Long lists are continued.
// Behaviour of Xen 4.17 (common/grant_table.c, common/compat/grant_table.c).

import { grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import { type StructureName, type StructView, sizeOf, writeBig } from '../../../abi/layout.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, otherOperation } from '../call.ts';
import { again, listFault } from '../continuation.ts';
import type { GrantTable } from '../grant-table.ts';
import { cacheFlush, ENTRIES_A_ROUND } from '../grants/cache-flush.ts';
import { GrantCopier } from '../grants/copy.ts';
import { byAnyId, mayManage, noDomain } from '../grants/domains.ts';
import { domainText, type Outcome, okay, refused, tableText } from '../grants/facts.ts';
import { compatList, type ListWork, putStatus, runList, tell, withElement } from '../grants/list.ts';
import { mapGrantRef } from '../grants/map.ts';
import { swapGrants } from '../grants/swap.ts';
import { transfer } from '../grants/transfer.ts';
import { finishUnmap, type Unmapped, unmap } from '../grants/unmap.ts';
import { setVersion } from '../grants/versions.ts';

/** Bits of the command above its number: how far cache_flush came in its search. */
const COMMAND_BITS = 12;
const COMMAND = (1 << COMMAND_BITS) - 1;
/** Elements of unmap between two flushes of the TLBs. */
const UNMAP_BATCH = 32;

const LISTS: Readonly<Record<number, { readonly name: StructureName; readonly start: (call: Call) => ListWork }>> = {
  0: { name: 'gnttab_map_grant_ref', start: (call) => eachOf(call, 'gnttab_map_grant_ref', mapGrantRef, true) },
  1: { name: 'gnttab_unmap_grant_ref', start: (call) => unmapList(call, 'gnttab_unmap_grant_ref') },
  4: { name: 'gnttab_transfer', start: (call) => eachOf(call, 'gnttab_transfer', transfer) },
  5: { name: 'gnttab_copy', start: copyList },
  7: { name: 'gnttab_unmap_and_replace', start: (call) => unmapList(call, 'gnttab_unmap_and_replace') },
  11: { name: 'gnttab_swap_grant_ref', start: (call) => eachOf(call, 'gnttab_swap_grant_ref', (c, op) => swapGrants(c.domain, op)) },
};
const CACHE_FLUSH = 12;

export function grantTableOp(call: Call): HandlerResult {
  const command = call.u32(0);
  const number = command & COMMAND;
  const count = call.u32(2);
  if (count & 0x8000_0000) return no(refuse('EINVAL', 'grant-count', { count }));
  if (number !== CACHE_FLUSH && command !== number) return no(refuse('EINVAL', 'grant-command', { command: hex(command) }));
  const list = LISTS[number];
  if (list || number === CACHE_FLUSH) {
    call.hv.memory.frames.attribute(`grant_table_op.${(list?.name ?? 'gnttab_cache_flush').slice('gnttab_'.length)}`, call.hv.icount);
    if (!call.addressOk(call.args[1]!)) return listFault(call, call.args[1]!);
    if (!list) return cacheFlushList(call, count, command >>> COMMAND_BITS);
    const work = list.start(call);
    return call.bits === 32 && (number === 4 || number === 5) ? compatList(call, work, count) : runList(call, work, count);
  }
  switch (number) {
    case 2:
      return setupTable(call, count);
    case 6:
      return querySize(call, count);
    case 8:
      return changeVersion(call);
    case 9:
      return statusFrames(call, count);
    case 10:
      return getVersion(call);
    default:
      return otherOperation(call, number);
  }
}

const eachOf = (call: Call, name: StructureName, act: (call: Call, op: StructView) => Outcome, whole = false): ListWork => ({
  ...{ name, batch: 1, whole },
  one: (op) => act(call, op),
  finish: () => {},
});

function copyList(call: Call): ListWork {
  const copier = new GrantCopier(call);
  return { name: 'gnttab_copy', batch: 1, whole: false, one: (op) => copier.copy(op), finish: () => copier.letGo() };
}

function unmapList(call: Call, name: 'gnttab_unmap_grant_ref' | 'gnttab_unmap_and_replace'): ListWork {
  const left: Unmapped[] = [];
  const replace = name === 'gnttab_unmap_and_replace';
  const one = (op: StructView): Outcome | null =>
    unmap(
      call,
      {
        hostAddress: op.big('host_addr'),
        busAddress: replace ? 0n : op.big('dev_bus_addr'),
        newAddress: replace ? op.big('new_addr') : 0n,
        handle: op.number('handle'),
      },
      left,
    );
  return { name, batch: UNMAP_BATCH, whole: false, one, finish: () => finishUnmap(call, left.splice(0)) };
}

function cacheFlushList(call: Call, count: number, resumed: number): Answer {
  const { preemption } = call.hv.memory.types;
  const size = sizeOf('gnttab_cache_flush', call.bits);
  const list = call.args[1]!;
  let from = resumed << COMMAND_BITS;
  const later = (n: number): Answer =>
    again({ nr: call.nr, args: [BigInt((CACHE_FLUSH | from) >>> 0), list + BigInt(n * size), BigInt(count - n)] });
  for (let n = 0; n < count; n++) {
    if (n > 0 && preemption.due()) return later(n);
    preemption.work(1);
    const op = call.struct('gnttab_cache_flush', list + BigInt(n * size));
    if (!op) return call.fault('gnttab_cache_flush');
    for (;;) {
      const result = cacheFlush(call, op, from);
      if (result === null) break;
      if (result !== 'more') return no(withElement(result, 'gnttab_cache_flush', n));
      from += ENTRIES_A_ROUND;
      preemption.work(ENTRIES_A_ROUND);
      if (preemption.due()) return later(n);
    }
    from = 0;
  }
  return { ret: 0n };
}

/** Writes the frame numbers of a list and the structure's status. */
function answerFrames(call: Call, op: StructView, outcome: Outcome, frames: readonly number[], width: 4 | 8): Answer {
  let { status, refusal } = outcome;
  if (status === S.GNTST_okay) {
    const list = new Uint8Array(frames.length * width);
    for (const [n, mfn] of frames.entries()) writeBig(list, n * width, width, BigInt(mfn));
    if (!call.write(op.big('frame_list'), list)) {
      // Of a 32-bit guest Xen copies the list itself, after the status.
      if (call.bits === 64) status = S.GNTST_bad_virt_addr;
      const { address } = call.hv.guest.fault;
      ({ refusal } = refused(S.GNTST_bad_virt_addr, refuse('EFAULT', 'grant-frame-list', { address: hex(address) })));
    }
  }
  op.set('status', status);
  const name = op.name;
  const written = call.bits === 32 ? call.put(call.args[1]!, op) : putStatus(call, op, call.args[1]!);
  if (!written) return call.fault(name);
  return refusal ? { ret: 0n, refusal: withElement(refusal, name, 0) } : { ret: 0n };
}

const notOne = (count: number): Answer => no(refuse('EINVAL', 'grant-count', { count }));

const notManaged = (id: number): Outcome => refused(S.GNTST_permission_denied, refuse('EPERM', 'grant-table-of-another', { granting: id }));

function setupTable(call: Call, count: number): Answer {
  if (count === 0 && call.bits === 32) return { ret: 0n };
  if (count !== 1) return notOne(count);
  const op = call.struct('gnttab_setup_table', call.args[1]!);
  if (!op) return call.fault('gnttab_setup_table');
  const wanted = op.number('nr_frames');
  if (!call.addressOk(op.big('frame_list'))) return listFault(call, op.big('frame_list'));
  const id = op.number('dom');
  const domain = byAnyId(call, id);
  if (!domain) return answerFrames(call, op, refused(S.GNTST_bad_domain, noDomain('setup_table', id, false)), [], 8);
  if (!mayManage(call, domain)) return answerFrames(call, op, notManaged(id), [], 8);
  const { grants } = domain;
  if (wanted > grants.maxFrames) return answerFrames(call, op, tooMany(domain.id, grants, wanted), [], 8);
  if (wanted > grants.frames.length && wanted > 1) {
    const args = { domain: `${domain.id}`, from: `${grants.frames.length}`, to: `${wanted}` };
    call.hv.logMessage('grant-expanding', args, call.vcpu);
  }
  grants.grow(wanted);
  return answerFrames(call, op, okay, grants.frames.slice(0, wanted), call.word);
}

function tooMany(id: number, table: GrantTable, frames: number): Outcome {
  const facts = { granting: id, frames, most: table.maxFrames, table: tableText(id, table) };
  const line = { template: 'grant-limited', args: { domain: `${id}`, max: `${table.maxFrames}` } };
  return refused(S.GNTST_general_error, refuse('EINVAL', 'grant-table-size', facts, line));
}

function statusFrames(call: Call, count: number): Answer {
  if (count !== 1) return count === 0 && call.bits === 32 ? { ret: 0n } : notOne(count);
  const op = call.struct('gnttab_get_status_frames', call.args[1]!);
  if (!op) {
    const refusal = call.fault('gnttab_get_status_frames').refusal!;
    // Of a 32-bit guest Xen copies the structure before.
    return no(call.bits === 64 ? { ...refusal, xenLine: { template: 'grant-status-arguments', args: {} } } : refusal);
  }
  if (!call.addressOk(op.big('frame_list'))) return listFault(call, op.big('frame_list'));
  const id = op.number('dom');
  const wanted = op.number('nr_frames');
  const domain = byAnyId(call, id);
  if (!domain) return answerFrames(call, op, refused(S.GNTST_bad_domain, noDomain('get_status_frames', id, false)), [], 8);
  if (!mayManage(call, domain)) return answerFrames(call, op, notManaged(id), [], 8);
  const { statusFrames: frames } = domain.grants;
  if (wanted > frames.length) {
    const facts = { granting: domain.id, frames: wanted, most: frames.length, table: tableText(domain.id, domain.grants) };
    const line = { template: 'grant-status-frames', args: { domain: `${domain.id}`, asked: `${wanted}`, max: `${frames.length}` } };
    return answerFrames(call, op, refused(S.GNTST_general_error, refuse('EINVAL', 'grant-table-size', facts, line)), [], 8);
  }
  return answerFrames(call, op, okay, frames.slice(0, wanted), 8);
}

function querySize(call: Call, count: number): Answer {
  if (count !== 1) return notOne(count);
  const op = call.struct('gnttab_query_size', call.args[1]!);
  if (!op) return call.fault('gnttab_query_size');
  const id = op.number('dom');
  const domain = byAnyId(call, id);
  let outcome = okay;
  if (!domain) outcome = refused(S.GNTST_bad_domain, noDomain('query_size', id, false));
  else if (!mayManage(call, domain)) outcome = notManaged(id);
  else {
    op.set('nr_frames', domain.grants.frames.length);
    op.set('max_nr_frames', domain.grants.maxFrames);
  }
  if (!tell(call, op, call.args[1]!, outcome, true)) return call.fault('gnttab_query_size');
  return outcome.refusal ? { ret: 0n, refusal: withElement(outcome.refusal, 'gnttab_query_size', 0) } : { ret: 0n };
}

function changeVersion(call: Call): Answer {
  const op = call.struct('gnttab_set_version', call.args[1]!);
  if (!op) return call.fault('gnttab_set_version');
  const refusal = setVersion(call.hv, call.domain, op.number('version'));
  op.set('version', call.domain.grants.version);
  if (!call.put(call.args[1]!, op)) return call.fault('gnttab_set_version');
  return refusal ? no(refusal) : { ret: 0n };
}

function getVersion(call: Call): Answer {
  const op = call.struct('gnttab_get_version', call.args[1]!);
  if (!op) return call.fault('gnttab_get_version');
  const id = op.number('dom');
  const domain = byAnyId(call, id);
  if (!domain) return no(noDomain('get_version', id, false));
  if (!mayManage(call, domain)) return no(refuse('EPERM', 'grant-table-of-another', { granting: id, what: domainText(id) }));
  op.set('version', domain.grants.version);
  return call.put(call.args[1]!, op) ? { ret: 0n } : call.fault('gnttab_get_version');
}
