// Why a page fault happened, as facts: the walk, and what stands in the way.

import { entryMfn } from '../memory/entry.ts';
import { FrameType } from '../memory/frame-table.ts';
import { hex, refuse } from '../memory/refuse.ts';
import { PFEC } from '../memory/walk.ts';
import type { ExceptionDetail } from './bounce.ts';
import type { Hypervisor } from './hypervisor.ts';
import { regionOf } from './regions.ts';
import type { VcpuState } from './vcpu.ts';

const XEN_START = 0xffff_8000_0000_0000n;
const XEN_END = 0xffff_8800_0000_0000n;

export function pageFaultDetail(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): ExceptionDetail {
  if (!hv.trace.wants('exception')) return {};
  const detail = explainWalk(hv, vcpu, address, errorCode);
  const region = regionOf(hv, address);
  const { refusal } = detail;
  return refusal && region ? { ...detail, refusal: { ...refusal, facts: { ...refusal.facts, region } } } : detail;
}

function explainWalk(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): ExceptionDetail {
  const access = errorCode & PFEC.fetch ? 'fetch' : errorCode & PFEC.write ? 'write' : 'read';
  if (address >= XEN_START && address < XEN_END) {
    return {
      reason: `${access} of ${hex(address)}, which belongs to Xen`,
      refusal: refuse('EFAULT', 'address-of-xen', { address: hex(address), access }),
    };
  }
  const steps = hv.memory.walker.steps(vcpu.currentRoot(), address);
  const path = steps.map((step) => `l${step.level}[${step.index}] in frame ${hex(step.mfn)} = ${hex(step.entry)}`);
  const last = steps.at(-1);
  if (!last || !(last.entry & 1n)) {
    return {
      reason: `${access} of ${hex(address)}: not present at level ${last?.level ?? 4}`,
      refusal: refuse('EFAULT', 'page-not-present', { address: hex(address), access, level: last?.level ?? 4, walk: path }),
    };
  }
  const mfn = entryMfn(last.entry);
  const frame = hv.memory.frames.fact(mfn);
  if (access === 'write' && hv.memory.ram.valid(mfn)) {
    const type = hv.memory.frames.type[hv.memory.ram.index(mfn)]!;
    const table = type >= FrameType.l1 && type <= FrameType.l4 && frame.typeCount > 0;
    const rule = table ? 'store-to-page-table' : 'page-read-only';
    return {
      reason: table
        ? `write to ${hex(address)}: frame ${hex(mfn)} is a page table (${frame.type})`
        : `write to ${hex(address)}: the page is mapped read only`,
      refusal: refuse('EFAULT', rule, { address: hex(address), frame, walk: path }),
    };
  }
  return {
    reason: `${access} of ${hex(address)} is not allowed by the entry`,
    refusal: refuse('EFAULT', 'page-protection', { address: hex(address), access, frame, walk: path }),
  };
}
