// mmu_update and update_va_mapping: changes of page-table entries and of the machine-to-physical table.

import { asMfn } from '../../../abi/address.ts';
import { domids } from '../../../abi/constants/domain.table.ts';
import { mapFlags } from '../../../abi/constants/mmu.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { addressAllowed } from '../../memory/guest-memory.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, notPrivileged } from '../call.ts';
import type { VcpuState } from '../vcpu.ts';

const PREEMPTED = 0x8000_0000;
const ENTRY = 16;

export function mmuUpdate(call: Call): HandlerResult {
  const [list, , doneAt] = call.args as [bigint, bigint, bigint];
  const count = call.u32(1) & ~PREEMPTED;
  const foreign = call.u32(3);
  const other = foreign >>> 16 ? (foreign >>> 16) - 1 : 0x7ff0;
  const denied = call.onlySelf(other, 'page tables') ?? foreignFrames(call, foreign & 0xffff);
  if (denied) return denied;
  let answer: Answer | null = null;
  let flush = false;
  let done = 0;
  for (; done < count && !answer; done++) {
    const request = call.read(list + BigInt(done * ENTRY), ENTRY);
    if (!request) {
      answer = call.fault(`mmu_update request ${done}`);
      break;
    }
    const view = new DataView(request.buffer);
    const ptr = view.getBigUint64(0, true);
    const val = view.getBigUint64(8, true);
    const result = one(call, ptr, val);
    if ('ret' in result) {
      answer = result.refusal ? { ...result, refusal: { ...result.refusal, facts: { ...result.refusal.facts, request: done } } } : result;
      break;
    }
    flush ||= result.flush;
  }
  if (flush) for (const vcpu of call.domain.vcpus) vcpu.cpu.flushAll();
  if (doneAt !== 0n) call.writeU32(doneAt, done);
  return answer ?? 0;
}

/** Whose frames the entries may name: the own ones; dom0 may also name I/O memory and Xen's shared pages. */
function foreignFrames(call: Call, domid: number): Answer | null {
  if (domid !== domids.DOMID_IO && domid !== domids.DOMID_XEN) return call.onlySelf(domid, 'frames');
  return call.domain.isDom0 ? null : notPrivileged('mapping frames of I/O memory or of Xen');
}

/** As update_va_mapping, for frames of the domain in the fourth argument. */
export function updateVaMappingOtherDomain(call: Call): HandlerResult {
  return foreignFrames(call, call.u32(3) & 0xffff) ?? updateVaMapping(call);
}

function one(call: Call, ptr: bigint, val: bigint): Answer | { flush: boolean } {
  const command = Number(ptr & 7n);
  const address = ptr & ~7n;
  const mfn = asMfn(Number(address >> 12n));
  const { types, frames, ram, m2p } = call.hv.memory;
  const self = call.domain.id;
  if (command === 1) {
    const refusal = types.getPage(mfn, self);
    if (refusal) return no(refusal);
    m2p.set(mfn, val);
    types.putPage(mfn);
    return { flush: false };
  }
  if (command !== 0 && command !== 2 && command !== 3) return noSuch('mmu_update command', command);
  const missing = types.getPage(mfn, self);
  if (missing) return no(missing);
  const index = ram.index(mfn);
  const slot = Number((address & 0xfffn) >> 3n);
  const type = frames.type[index]!;
  let refusal: Refusal | null = null;
  let flush = false;
  if (frames.typeCount[index]! > 0 && type >= FrameType.l1 && type <= FrameType.l4) {
    refusal = types.updateEntry(mfn, slot, val, self, command === 2);
    flush = !refusal && type !== FrameType.l1;
  } else {
    // Not a table in use: an ordinary store to a page of the guest.
    refusal = types.getType(mfn, FrameType.writable);
    if (!refusal) {
      ram.setEntry(mfn, slot, val);
      call.hv.written(mfn);
      types.putType(mfn);
    }
  }
  types.putPage(mfn);
  return refusal ? no(refusal) : { flush };
}

export function updateVaMapping(call: Call): HandlerResult {
  const [va, val, flags] = call.args as [bigint, bigint, bigint];
  const { walker, types, frames, ram } = call.hv.memory;
  const vcpu = call.vcpu;
  const table = addressAllowed(va) ? walker.steps(vcpu.currentRoot(), va).find((step) => step.level === 1) : undefined;
  const isL1 = table && frames.type[ram.index(table.mfn)] === FrameType.l1 && frames.typeCount[ram.index(table.mfn)]! > 0;
  if (!table || !isL1) {
    const why = addressAllowed(va) ? 'no-l1-table' : 'address-of-xen';
    return no(refuse('EINVAL', why, { address: hex(va), ...(table ? { frame: frames.fact(table.mfn) } : {}) }));
  }
  const refusal = types.updateEntry(table.mfn, table.index, val, call.domain.id);
  if (refusal) return no({ ...refusal, facts: { ...refusal.facts, address: hex(va) } });
  return flush(call, va, flags);
}

/** The flush that update_va_mapping's flags ask for: 0 none, 1 all of the TLB, 2 one page; on this vCPU, all, or those of a mask. */
function flush(call: Call, va: bigint, flags: bigint): HandlerResult {
  const kind = flags & BigInt(mapFlags.UVMF_FLUSHTYPE_MASK);
  if (kind !== 1n && kind !== 2n) return 0;
  const where = flags & ~BigInt(mapFlags.UVMF_FLUSHTYPE_MASK);
  let vcpus: readonly VcpuState[];
  if (where === 0n) vcpus = [call.vcpu];
  else if (where === BigInt(mapFlags.UVMF_ALL)) vcpus = call.domain.vcpus;
  else {
    const chosen = vcpuMask(call, where);
    if (!chosen) return call.fault('vCPU mask');
    vcpus = chosen;
  }
  for (const vcpu of vcpus) kind === 1n ? vcpu.cpu.flushAll() : vcpu.cpu.flushPage(va);
  return 0;
}

/** The vCPUs of a guest's bitmap; null when it cannot be read. */
export function vcpuMask(call: Call, address: bigint): VcpuState[] | null {
  const bytes = call.read(address, 8);
  if (!bytes) return null;
  return call.domain.vcpus.filter((vcpu) => (bytes[vcpu.id >> 3]! >> (vcpu.id & 7)) & 1);
}
