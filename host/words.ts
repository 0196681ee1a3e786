// What the host says to a person about refusals, crashes and waiting machines.

import type { Ending, WaitReason } from '../simulator/machine-types.ts';

export function explainCrash(ending: Ending & { kind: 'crash' }): string {
  return `The guest crashed: ${ending.reason}`;
}

export function explainWaits(waits: readonly WaitReason[]): string {
  const lines = waits.map((w) => `  domain ${w.domain} vCPU ${w.vcpu}: ${w.text}`);
  return ['Every vCPU is blocked and no timer is pending: only console input can make the guest go on.', ...lines].join('\n');
}
