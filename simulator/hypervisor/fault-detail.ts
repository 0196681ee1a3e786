// Why a page fault happened, as facts: the walk, and what stands in the way.

import type { Refusal } from '../../abi/refusal.ts';
import { entryMfn } from '../memory/entry.ts';
import { FrameType } from '../memory/frame-table.ts';
import { hex, refuse } from '../memory/refuse.ts';
import { PFEC } from '../memory/walk.ts';
import type { ExceptionDetail } from './bounce.ts';
import { withFaultHints } from './hints.ts';
import type { Hypervisor } from './hypervisor.ts';
import { isXens, regionOf } from './regions.ts';
import type { VcpuState } from './vcpu.ts';

/** vm_assist type. */
const WRITABLE_PAGETABLES = 2;

export function pageFaultDetail(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): ExceptionDetail {
  if (!hv.trace.wants('exception')) return {};
  const detail = explainWalk(hv, vcpu, address, errorCode);
  const region = regionOf(hv, vcpu.domain, address);
  if (!detail.refusal) return detail;
  const refusal = withFaultHints(hv, vcpu, address, detail.refusal);
  return { ...detail, refusal: region ? { ...refusal, facts: { ...refusal.facts, region } } : refusal };
}

function explainWalk(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): ExceptionDetail {
  const access = errorCode & PFEC.fetch ? 'fetch' : errorCode & PFEC.write ? 'write' : 'read';
  if (isXens(vcpu.bits, address)) {
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
      refusal: table
        ? storeRefusal(hv, vcpu, type, { address: hex(address), frame, walk: path })
        : refuse('EFAULT', rule, { address: hex(address), frame, walk: path }),
    };
  }
  return {
    reason: `${access} of ${hex(address)} is not allowed by the entry`,
    refusal: refuse('EFAULT', 'page-protection', { address: hex(address), access, frame, walk: path }),
  };
}

/** A store into a page table that Xen did not carry out: every reason why not. */
function storeRefusal(hv: Hypervisor, vcpu: VcpuState, level: number, facts: Refusal['facts']): Refusal {
  const reasons: string[] = [];
  const assist = vcpu.domain.isDom0 || vcpu.domain.assist(WRITABLE_PAGETABLES);
  if (!assist) reasons.push('the domain never enabled the writable_pagetables assist');
  if (level !== FrameType.l1) {
    const why = `Xen emulates stores into level 1 tables only, and this is one of level ${level}`;
    reasons.push(assist ? why : `enabling it would not help: ${why}`);
  } else if (assist && !vcpu.kernelMode) reasons.push('Xen emulates stores of the kernel only, and user mode made this one');
  const { storeRefused } = hv;
  if (level === FrameType.l1 && storeRefused) reasons.push(storeRefused.why);
  const refusal = refuse('EFAULT', 'store-to-page-table', { ...facts, level, assist, reasons });
  const lines = storeRefused?.refusal;
  return lines?.xenLine ? { ...refusal, xenLine: lines.xenLine, furtherXenLines: lines.furtherXenLines ?? [] } : refusal;
}
