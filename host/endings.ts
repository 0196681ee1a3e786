// How a machine ended, in words and as the command line's exit code.

import type { Ending, Machine } from '../simulator/machine-types.ts';
import type { EndingInfo } from './protocol.ts';

export type FinalEnding = Ending | { readonly kind: 'terminated' };

const texts: Readonly<Record<Exclude<FinalEnding['kind'], 'crash'>, { text: string; exitCode: number }>> = {
  poweroff: { text: 'The guest powered off.', exitCode: 0 },
  reboot: { text: 'The guest asked for a reboot.', exitCode: 6 },
  suspend: { text: 'The guest asked to be suspended.', exitCode: 6 },
  'soft-reset': { text: 'The guest asked for a soft reset.', exitCode: 6 },
  watchdog: { text: "The guest's watchdog ended it: it was not fed in time.", exitCode: 3 },
  terminated: { text: 'The machine was ended from outside.', exitCode: 130 },
};

/** `explain` puts a refusal into words. */
export function describeEnding(ending: FinalEnding, explain: (ending: Ending & { kind: 'crash' }) => string): EndingInfo {
  if (ending.kind === 'crash') return { kind: 'crash', text: explain(ending), exitCode: 3 };
  return { kind: ending.kind, ...texts[ending.kind] };
}

/** One of several domains ended: which, and how. */
export function describeDomainEnding(machine: Machine, domain: number, ending: Ending): string {
  const { name } = machine.domains().find(({ id }) => id === domain) ?? { name: '' };
  const who = `Domain ${domain}${name ? ` (${name})` : ''}`;
  switch (ending.kind) {
    case 'crash':
      return `${who} crashed: ${ending.reason}`;
    case 'poweroff':
      return `${who} powered off.`;
    case 'watchdog':
      return `${who} was ended by its watchdog.`;
    default:
      return `${who} asked for ${ending.kind}.`;
  }
}
