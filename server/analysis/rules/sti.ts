// sti followed by hlt in one statement is the idle idiom: SCHEDOP_block does both without a window between them.

import type { Site } from '../site.ts';
import type { Refine } from './refine.ts';

/** 'idle' for sti; hlt, 'park' for cli; hlt in one asm statement. */
export function haltIdiom(site: Site): 'idle' | 'park' | null {
  const names = site.asm?.instructions.map(({ mnemonic }) => mnemonic) ?? [];
  const at = names.indexOf('hlt');
  if (at === -1) return null;
  const before = names.slice(0, at);
  if (before.includes('sti')) return 'idle';
  return before.includes('cli') ? 'park' : null;
}

export const sti: Refine = (_hit, site) =>
  haltIdiom(site) === 'idle'
    ? { message: 'sti; hlt waits for an interrupt.', replacement: 'SCHEDOP_block: it unmasks events and waits in one step.' }
    : null;

export const cli: Refine = (_hit, site) =>
  haltIdiom(site) === 'park'
    ? { message: 'cli; hlt stops this processor for ever.', replacement: 'SCHEDOP_shutdown, or VCPUOP_down for a secondary vCPU.' }
    : null;
