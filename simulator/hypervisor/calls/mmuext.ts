// mmuext_op: pinning, base pointers, TLB flushes, LDT, clearing and copying pages, as a list.

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { mmuextCommands as C } from '../../../abi/constants/mmuext.table.ts';
import { nameOf } from '../../../abi/enumerations.ts';
import { StructView, sizeOf } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { addressAllowed } from '../../memory/guest-memory.ts';
import { isStop, type Outcome } from '../../memory/outcome.ts';
import { alsoPrints, frameText, hex, refuse } from '../../memory/refuse.ts';
import { newBasePointer, newUserBasePointer } from '../base-pointer.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, notPrivileged } from '../call.ts';
import { batchStart, finishBatch, listFault } from '../continuation.ts';
import { dropLdt } from '../ldt.ts';
import { mayActFor, ownerText, pageOwner } from '../page-owner.ts';
import type { VcpuState } from '../vcpu.ts';
import { vcpuMask } from './update-va-mapping.ts';

const MAX_LDT_ENTRIES = 8192;

export function mmuextOp(call: Call): HandlerResult {
  const started = batchStart(call);
  if ('answer' in started) return started.answer;
  const { count, before } = started;
  const list = call.args[0]!;
  // The translation of a 32-bit guest's list ends before it tells a count.
  if (call.bits === 32 && count === 0) return 0;
  if (!call.addressOk(list)) return listFault(call, list);
  const owner = pageOwner(call, call.u32(3) & 0xffff);
  if (typeof owner !== 'number') return owner;
  const denied = mayActFor(call, owner, 'page tables');
  if (denied) return denied;
  const { types } = call.hv.memory;
  const { preemption } = types;
  const entry = sizeOf('mmuext_op', call.bits);
  let result: Answer | 'again' | null = null;
  let done = 0;
  for (; done < count; done++) {
    if (types.deferred.table !== null || (done > 0 && preemption.due())) {
      result = 'again';
      break;
    }
    preemption.work(1);
    const bytes = call.read(list + BigInt(done * entry), entry);
    if (!bytes) {
      result = call.fault(`mmuext_op request ${before + done}`);
      break;
    }
    result = one(call, new StructView('mmuext_op', call.bits, bytes), owner);
    if (result) break;
  }
  return finishBatch(call, { list, entry, count, before, done, result });
}

const toAnswer = (outcome: Outcome): Answer | 'again' | null => (isStop(outcome) ? 'again' : outcome && no(outcome));

function one(call: Call, op: StructView, owner: number): Answer | 'again' | null {
  const { hv, vcpu, domain } = call;
  const { types } = hv.memory;
  const command = op.number('cmd');
  const arg1 = op.big('arg1.linear_addr');
  const arg2 = op.big('arg2.src_mfn');
  const mfn = asMfn(Number(arg1 & 0xff_ffff_ffffn));
  hv.memory.frames.attribute(`mmuext_op.${nameOf('mmuext_op', command) ?? command}`, hv.icount);
  switch (command) {
    case C.MMUEXT_PIN_L1_TABLE:
    case C.MMUEXT_PIN_L2_TABLE:
    case C.MMUEXT_PIN_L3_TABLE:
    case C.MMUEXT_PIN_L4_TABLE:
      // A 32-bit guest has no level 4; pinning one is ignored.
      if (command === C.MMUEXT_PIN_L4_TABLE && call.bits === 32) return null;
      return toAnswer(types.pinTable(mfn, command + 1, owner));
    case C.MMUEXT_UNPIN_TABLE:
      return toAnswer(types.unpin(mfn, owner));
    case C.MMUEXT_CLEAR_PAGE:
      return clearPage(call, mfn, owner);
    case C.MMUEXT_COPY_PAGE:
      return copyPage(call, mfn, asMfn(Number(arg2 & 0xff_ffff_ffffn)), owner);
    case C.MMUEXT_MARK_SUPER:
    case C.MMUEXT_UNMARK_SUPER:
      return no(refuse('EOPNOTSUPP', 'no-superpages', { frame: hv.memory.frames.fact(mfn) }));
    default:
      break;
  }
  if (command > C.MMUEXT_UNMARK_SUPER) return noSuch('mmuext_op', command);
  // The rest concerns the caller itself.
  if (owner !== domain.id) return notPrivileged(`mmuext_op.${nameOf('mmuext_op', command) ?? command} for ${ownerText(owner)}`);
  switch (command) {
    case C.MMUEXT_NEW_BASEPTR:
      return toAnswer(newBasePointer(hv, vcpu, mfn));
    case C.MMUEXT_NEW_USER_BASEPTR:
      // A 32-bit guest has one set of tables for its kernel and its user mode.
      if (domain.bits === 32) return no(refuse('EINVAL', 'no-such-operation', { what: 'mmuext_op', number: command }));
      return toAnswer(newUserBasePointer(hv, vcpu, arg1 === 0n ? null : mfn));
    case C.MMUEXT_TLB_FLUSH_LOCAL:
    case C.MMUEXT_INVLPG_LOCAL:
      flush([vcpu], command === C.MMUEXT_INVLPG_LOCAL, arg1);
      return null;
    case C.MMUEXT_TLB_FLUSH_ALL:
    case C.MMUEXT_INVLPG_ALL:
      flush(domain.vcpus, command === C.MMUEXT_INVLPG_ALL, arg1);
      return null;
    case C.MMUEXT_TLB_FLUSH_MULTI:
    case C.MMUEXT_INVLPG_MULTI: {
      const vcpus = vcpuMask(call, arg2);
      if (!vcpus)
        return no(
          refuse('EINVAL', 'argument-not-accessible', { what: 'vCPU mask', address: hex(arg2), error: hex(hv.guest.fault.errorCode) }),
        );
      flush(vcpus, command === C.MMUEXT_INVLPG_MULTI, arg1);
      return null;
    }
    case C.MMUEXT_FLUSH_CACHE:
      return domain.isDom0 ? null : no(refuse('EACCES', 'not-privileged', { what: 'cache flush (needs access to I/O memory)' }));
    case C.MMUEXT_FLUSH_CACHE_GLOBAL:
      return domain.isDom0 ? null : no(refuse('EINVAL', 'not-privileged', { what: 'cache flush (needs access to I/O memory)' }));
    case C.MMUEXT_SET_LDT:
      return setLdt(call, arg1, Number(arg2 & 0xffff_ffffn));
    default:
      return noSuch('mmuext_op', command);
  }
}

/** Whole TLBs, or one page of each; a page that no guest can have is none. */
function flush(vcpus: readonly VcpuState[], page: boolean, address: bigint): void {
  for (const vcpu of vcpus) {
    if (!page) vcpu.cpu.flushAll();
    else if (addressAllowed(address)) vcpu.cpu.flushPage(address);
  }
}

/** Acts on a page that may be written; `message`: what Xen prints when it may not. */
function withWritable(call: Call, mfn: Mfn, owner: number, message: string, act: () => void): Refusal | null {
  const { types } = call.hv.memory;
  const refusal = types.getPageAndType(mfn, FrameType.writable, owner);
  if (refusal) return alsoPrints(refusal, message, { mfn: frameText(mfn) });
  act();
  call.hv.written(mfn);
  types.putPageAndType(mfn);
  return null;
}

function clearPage(call: Call, mfn: Mfn, owner: number): Answer | null {
  const refusal = withWritable(call, mfn, owner, 'error-clearing', () => call.hv.memory.ram.page(mfn).fill(0));
  return refusal && no(refusal);
}

function copyPage(call: Call, to: Mfn, from: Mfn, owner: number): Answer | null {
  const { types, ram } = call.hv.memory;
  const missing = types.getPage(from, owner);
  if (missing) return no(alsoPrints(missing, 'error-copying-from', { mfn: frameText(from) }));
  const refusal = withWritable(call, to, owner, 'error-copying-to', () => ram.page(to).set(ram.page(from)));
  types.putPage(from);
  return refusal && no(refusal);
}

function setLdt(call: Call, address: bigint, entries: number): Answer | null {
  if (entries > MAX_LDT_ENTRIES || (entries > 0 && ((address & 0xfffn) !== 0n || !addressAllowed(address)))) {
    return no(
      refuse(
        'EINVAL',
        'ldt-place',
        { address: hex(address), entries },
        { template: 'bad-ldt', args: { ptr: address.toString(16), ents: entries.toString(16) } },
      ),
    );
  }
  const { vcpu, hv } = call;
  if (vcpu.ldtEntries === entries && vcpu.ldtBase === address) return null;
  dropLdt(hv, vcpu);
  vcpu.ldtBase = entries ? address : 0n;
  vcpu.ldtEntries = entries;
  return null;
}
