// update_va_mapping: changes the level 1 entry of a virtual address, with the TLB flush that goes with it.

import { mapFlags } from '../../../abi/constants/mmu.table.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { addressAllowed } from '../../memory/guest-memory.ts';
import { isStop } from '../../memory/outcome.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Call, type HandlerResult, no } from '../call.ts';
import { mayActFor, pageOwner } from '../page-owner.ts';
import type { VcpuState } from '../vcpu.ts';

export function updateVaMapping(call: Call): HandlerResult {
  return update(call, call.domain.id);
}

/** As update_va_mapping, for frames of the domain in the fourth argument. */
export function updateVaMappingOtherDomain(call: Call): HandlerResult {
  const owner = pageOwner(call, call.u32(3) & 0xffff);
  if (typeof owner !== 'number') return owner;
  return mayActFor(call, owner, 'frames') ?? update(call, owner);
}

function update(call: Call, pages: number): HandlerResult {
  const [va, val, flags] = call.args as [bigint, bigint, bigint];
  const { walker, types, frames, ram } = call.hv.memory;
  const table = addressAllowed(va) ? walker.steps(call.vcpu.currentRoot(), va).find((step) => step.level === 1) : undefined;
  const index = table && ram.valid(table.mfn) ? ram.index(table.mfn) : -1;
  const isL1 = index >= 0 && frames.type[index] === FrameType.l1 && frames.usable(index);
  if (!table || !isL1) {
    const why = addressAllowed(va) ? 'no-l1-table' : 'address-of-xen';
    const walk = addressAllowed(va) ? walkOf(call, va) : [];
    return no(
      refuse('EINVAL', why, { address: hex(va), ...(table ? { frame: frames.fact(table.mfn) } : {}), ...(walk.length ? { walk } : {}) }),
    );
  }
  const outcome = types.updateEntry(table.mfn, table.index, val, call.domain.id, { pages });
  if (isStop(outcome)) return { ret: null, continuation: { nr: call.nr, args: call.args } };
  if (outcome) return no({ ...outcome, facts: { ...outcome.facts, address: hex(va) } });
  return flush(call, va, flags);
}

const walkOf = (call: Call, va: bigint): string[] =>
  call.hv.memory.walker
    .steps(call.vcpu.currentRoot(), va)
    .map((step) => `l${step.level}[${step.index}] in frame ${hex(step.mfn)} = ${hex(step.entry)}`);

/** The flush that the flags ask for: 0 none, 1 all of the TLB, 2 one page; on this vCPU, all, or those of a mask. */
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

/** The vCPUs of a guest's bitmap, read word by word; null when it cannot be read. */
export function vcpuMask(call: Call, address: bigint): VcpuState[] | null {
  const chosen: VcpuState[] = [];
  const width = call.word;
  for (let first = 0; first < call.domain.vcpus.length; first += width * 8) {
    const word = call.readWord(address + BigInt(first / 8));
    if (word === null) return null;
    for (const vcpu of call.domain.vcpus.slice(first, first + width * 8)) if ((word >> BigInt(vcpu.id - first)) & 1n) chosen.push(vcpu);
  }
  return chosen;
}
