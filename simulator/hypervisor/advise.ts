// What the simulator sees a guest do that real Xen lets pass without a word, and that cannot have been meant: one line in the log, with its rule.

import type { FactValue } from '../../abi/refusal.ts';
import { explainAdvice } from '../../explain/advice.ts';
import { hex } from '../memory/refuse.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

type Facts = Readonly<Record<string, FactValue>>;

/** `at`: the instruction; none where the moment belongs to no instruction of the guest. */
export function advise(hv: Hypervisor, vcpu: VcpuState, rule: string, facts: Facts, at?: bigint): void {
  hv.trace.emit('log', {
    domain: vcpu.domain.id,
    vcpu: vcpu.id,
    ...(at === undefined ? {} : { rip: hex(at) }),
    by: 'simulator',
    rule,
    text: explainAdvice(rule, facts),
  });
}
