// mmuext_op: pinning, base pointers, TLB flushes, LDT, clearing and copying pages.

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { domids } from '../../../abi/constants/domain.table.ts';
import { mmuextCommands as C } from '../../../abi/constants/mmuext.table.ts';
import { nameOf } from '../../../abi/enumerations.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { addressAllowed } from '../../memory/guest-memory.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, notPrivileged } from '../call.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { VcpuState } from '../vcpu.ts';
import { vcpuMask } from './mmu-update.ts';

const ENTRY = 24;
const PREEMPTED = 0x8000_0000;
const MAX_LDT_ENTRIES = 8192;

export function mmuextOp(call: Call): HandlerResult {
  const [list, , doneAt] = call.args as [bigint, bigint, bigint];
  const count = call.u32(1) & ~PREEMPTED;
  const foreign = call.u32(3) & 0xffff;
  if (foreign === domids.DOMID_IO || foreign === domids.DOMID_XEN) return notPrivileged('mmuext_op on frames of Xen');
  const denied = call.onlySelf(foreign, 'page tables');
  if (denied) return denied;
  let answer: Answer | null = null;
  let done = 0;
  for (; done < count; done++) {
    const bytes = call.read(list + BigInt(done * ENTRY), ENTRY);
    if (!bytes) {
      answer = call.fault(`mmuext_op request ${done}`);
      break;
    }
    const view = new DataView(bytes.buffer);
    const result = one(call, view.getUint32(0, true), view.getBigUint64(8, true), view.getBigUint64(16, true));
    if (result) {
      answer = result.refusal ? { ...result, refusal: { ...result.refusal, facts: { ...result.refusal.facts, request: done } } } : result;
      break;
    }
  }
  if (doneAt !== 0n) call.writeU32(doneAt, done);
  return answer ?? 0;
}

const orNo = (refusal: Refusal | null): Answer | null => refusal && no(refusal);

function one(call: Call, command: number, arg1: bigint, arg2: bigint): Answer | null {
  const { hv, vcpu, domain } = call;
  const { types } = hv.memory;
  const mfn = asMfn(Number(arg1 & 0xff_ffff_ffffn));
  hv.memory.frames.attribute(`mmuext_op.${nameOf('mmuext_op', command) ?? command}`, hv.icount);
  switch (command) {
    case C.MMUEXT_PIN_L1_TABLE:
    case C.MMUEXT_PIN_L2_TABLE:
    case C.MMUEXT_PIN_L3_TABLE:
    case C.MMUEXT_PIN_L4_TABLE:
      return orNo(types.pin(mfn, command + 1, domain.id));
    case C.MMUEXT_UNPIN_TABLE:
      return orNo(types.unpin(mfn, domain.id));
    case C.MMUEXT_NEW_BASEPTR:
      return orNo(newBasePointer(hv, vcpu, mfn));
    case C.MMUEXT_NEW_USER_BASEPTR:
      return orNo(newUserBasePointer(hv, vcpu, arg1 === 0n ? null : mfn));
    case C.MMUEXT_TLB_FLUSH_LOCAL:
      vcpu.cpu.flushAll();
      return null;
    case C.MMUEXT_INVLPG_LOCAL:
      vcpu.cpu.flushPage(arg1);
      return null;
    case C.MMUEXT_TLB_FLUSH_ALL:
      for (const v of domain.vcpus) v.cpu.flushAll();
      return null;
    case C.MMUEXT_INVLPG_ALL:
      for (const v of domain.vcpus) v.cpu.flushPage(arg1);
      return null;
    case C.MMUEXT_TLB_FLUSH_MULTI:
    case C.MMUEXT_INVLPG_MULTI: {
      const vcpus = vcpuMask(call, arg2);
      if (!vcpus)
        return no(
          refuse('EINVAL', 'argument-not-accessible', { what: 'vCPU mask', address: hex(arg2), error: hex(hv.guest.fault.errorCode) }),
        );
      for (const v of vcpus) command === C.MMUEXT_TLB_FLUSH_MULTI ? v.cpu.flushAll() : v.cpu.flushPage(arg1);
      return null;
    }
    case C.MMUEXT_FLUSH_CACHE:
      return domain.isDom0 ? null : no(refuse('EACCES', 'not-privileged', { what: 'cache flush (needs access to I/O memory)' }));
    case C.MMUEXT_FLUSH_CACHE_GLOBAL:
      return domain.isDom0 ? null : no(refuse('EINVAL', 'not-privileged', { what: 'cache flush (needs access to I/O memory)' }));
    case C.MMUEXT_SET_LDT:
      return setLdt(call, arg1, Number(arg2 & 0xffff_ffffn));
    case C.MMUEXT_CLEAR_PAGE:
      return orNo(withWritable(hv, mfn, domain.id, () => hv.memory.ram.page(mfn).fill(0)));
    case C.MMUEXT_COPY_PAGE: {
      const source = asMfn(Number(arg2 & 0xff_ffff_ffffn));
      const missing = types.getPage(source, domain.id);
      if (missing) return no(missing);
      const refusal = withWritable(hv, mfn, domain.id, () => hv.memory.ram.page(mfn).set(hv.memory.ram.page(source)));
      types.putPage(source);
      return orNo(refusal);
    }
    case C.MMUEXT_MARK_SUPER:
    case C.MMUEXT_UNMARK_SUPER:
      return no(refuse('EOPNOTSUPP', 'no-superpages', { frame: hv.memory.frames.fact(mfn) }));
    default:
      return noSuch('mmuext_op', command);
  }
}

function withWritable(hv: Hypervisor, mfn: Mfn, domain: number, act: () => void): Refusal | null {
  const refusal = hv.memory.types.getPageAndType(mfn, FrameType.writable, domain);
  if (refusal) return refusal;
  act();
  hv.written(mfn);
  hv.memory.types.putPageAndType(mfn);
  return null;
}

/** Changes the kernel's page tables: the new table is audited before the old one is let go. */
export function newBasePointer(hv: Hypervisor, vcpu: VcpuState, mfn: Mfn): Refusal | null {
  if (mfn !== vcpu.root) {
    const refusal = hv.memory.types.getPageAndType(mfn, FrameType.l4, hv.domain.id);
    if (refusal) return refusal;
    dropLdt(hv, vcpu);
    const old = vcpu.root;
    vcpu.root = mfn;
    vcpu.cpu.flushAll();
    hv.memory.types.putPageAndType(old);
    return null;
  }
  vcpu.cpu.flushAll();
  return null;
}

function newUserBasePointer(hv: Hypervisor, vcpu: VcpuState, mfn: Mfn | null): Refusal | null {
  const old = vcpu.userRoot;
  if (old === mfn) return null;
  if (mfn !== null) {
    const refusal = hv.memory.types.getPageAndType(mfn, FrameType.l4, hv.domain.id);
    if (refusal) return refusal;
  }
  vcpu.userRoot = mfn;
  if (old !== null) hv.memory.types.putPageAndType(old);
  return null;
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

/** Lets go of the LDT pages in use; they are taken again, and audited, at the next use. */
export function dropLdt(hv: Hypervisor, vcpu: VcpuState): void {
  for (const mfn of vcpu.ldtFrames.values()) hv.memory.types.putPageAndType(mfn);
  vcpu.ldtFrames.clear();
}
