// The tables that a vCPU runs on: the new one is audited before the old one is let go.
// Behaviour of Xen 4.17 (arch/x86/mm.c).

import type { Mfn } from '../../abi/address.ts';
import { negative } from '../../abi/errno.ts';
import { FrameType } from '../memory/frame-table.ts';
import { isStop, type Outcome } from '../memory/outcome.ts';
import { alsoPrints, frameText, noReference } from '../memory/refuse.ts';
import type { Hypervisor } from './hypervisor.ts';
import { dropLdt } from './ldt.ts';
import type { VcpuState } from './vcpu.ts';

/** The kernel's tables (the only ones of a 32-bit guest, whose top is a level 3 table). */
export function newBasePointer(hv: Hypervisor, vcpu: VcpuState, mfn: Mfn): Outcome {
  const { types } = hv.memory;
  if (vcpu.domain.bits === 32) return newCompatBasePointer(hv, vcpu, mfn);
  if (types.drain()) return 'partial';
  if (mfn === vcpu.root) {
    vcpu.cpu.flushAll();
    return null;
  }
  const outcome = types.takePageAndType(mfn, FrameType.l4, vcpu.domain.id, { preemptible: true });
  if (isStop(outcome)) return 'partial';
  if (outcome) return alsoPrints(noReference(outcome, mfn), 'baseptr-failed', { mfn: frameText(mfn) });
  dropLdt(hv, vcpu);
  const old = vcpu.root;
  vcpu.root = mfn;
  vcpu.cpu.flushAll();
  return types.letGo(old) ? 'partial' : null;
}

/** Real Xen keeps a 32-bit guest's table in an entry of a level 4 table of its own. */
function newCompatBasePointer(hv: Hypervisor, vcpu: VcpuState, mfn: Mfn): Outcome {
  const { types } = hv.memory;
  if (mfn !== vcpu.root) {
    const outcome = types.takePageAndType(mfn, FrameType.l3, vcpu.domain.id, { preemptible: true });
    if (isStop(outcome)) return 'partial';
    if (outcome) {
      // It would be a writable entry of that level 4 table.
      const said = outcome.rule === 'frame-has-other-type' ? alsoPrints(outcome, 'linear-writable', {}) : noReference(outcome, mfn);
      return alsoPrints(said, 'compat-baseptr-failed', { mfn: frameText(mfn) });
    }
    const old = vcpu.root;
    vcpu.root = mfn;
    types.defer(old, null, false);
  }
  dropLdt(hv, vcpu);
  vcpu.cpu.flushAll();
  return null;
}

/** The tables of user mode; null for none. */
export function newUserBasePointer(hv: Hypervisor, vcpu: VcpuState, mfn: Mfn | null): Outcome {
  const { types } = hv.memory;
  const old = vcpu.userRoot;
  if (old === mfn) return null;
  if (mfn !== null) {
    const outcome = types.takePageAndType(mfn, FrameType.l4, vcpu.domain.id, { preemptible: true });
    if (isStop(outcome)) return 'partial';
    if (outcome)
      return alsoPrints(noReference(outcome, mfn), 'user-baseptr-failed', { error: `${negative(outcome.errno)}`, mfn: frameText(mfn) });
  }
  vcpu.userRoot = mfn;
  return old !== null && types.letGo(old) ? 'partial' : null;
}
