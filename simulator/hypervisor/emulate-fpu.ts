// Who may use the floating-point unit. CR0.TS as the guest set it gives it #NM; besides, on AMD's processors Xen loads a vCPU's state
// only at its first use after a switch: that #NM is Xen's own, and the guest sees of it only the bit in smsw.

import type { VcpuState } from './vcpu.ts';

export function setTaskSwitched(vcpu: VcpuState, set: boolean): void {
  vcpu.taskSwitched = set;
  vcpu.cpu.fpuDisabled = set || !vcpu.fpuLoaded;
}

/** Another vCPU gets the processor. */
export function unloadFpu(vcpu: VcpuState): void {
  vcpu.fpuLoaded = vcpu.eagerFpu;
  vcpu.cpu.fpuDisabled = vcpu.taskSwitched || !vcpu.fpuLoaded;
}

/** #NM: true when it is for the guest, whose flag Xen clears as it tells it. */
export function deviceNotAvailable(vcpu: VcpuState): boolean {
  const guests = vcpu.taskSwitched;
  vcpu.fpuLoaded = true;
  setTaskSwitched(vcpu, false);
  return guests;
}
