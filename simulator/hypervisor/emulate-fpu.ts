// The task-switched flag (CR0.TS): while it is set, the guest's next FPU instruction gives it #NM.

import type { VcpuState } from './vcpu.ts';

export function setTaskSwitched(vcpu: VcpuState, set: boolean): void {
  vcpu.taskSwitched = set;
  vcpu.cpu.fpuDisabled = set;
}
