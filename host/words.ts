// What the host says to a person about refusals, crashes and waiting machines.

import type { Refusal } from '../abi/refusal.ts';
import { explainRefusal } from '../explain/refusal.ts';
import type { Ending, WaitReason } from '../simulator/machine-types.ts';

/** A refusal as a paragraph: what was wrong, the objects, what to do, Xen's own line. */
export function explainInFull(refusal: Refusal): string {
  const { summary, details, hint, xenLine } = explainRefusal(refusal);
  return [summary, ...details, ...(hint ? [`What to do: ${hint}`] : []), ...(xenLine ? [`Real Xen logs: ${xenLine}`] : [])].join('\n');
}

export function explainCrash(ending: Ending & { kind: 'crash' }): string {
  const refusal = ending.refusal ? `\n${explainInFull(ending.refusal)}` : '';
  return `The guest crashed: ${ending.reason}${refusal}`;
}

export function explainWaits(waits: readonly WaitReason[]): string {
  const lines = waits.map((w) => `  domain ${w.domain} vCPU ${w.vcpu}: ${w.text}`);
  return ['Every vCPU is blocked and no timer is pending: only console input can make the guest go on.', ...lines].join('\n');
}
