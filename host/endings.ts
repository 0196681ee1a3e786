// How a machine ended, in words and as the command line's exit code.

import type { Ending } from '../simulator/machine-types.ts';
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
