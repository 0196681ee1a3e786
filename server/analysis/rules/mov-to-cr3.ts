// mov to cr3: one that only writes back what a mov from cr3 in the same statement read is a TLB flush.

import type { Hit, Site } from '../site.ts';
import type { Refine } from './refine.ts';

/** Read and write of cr3 in one asm statement. */
export const isFlush = (site: Site): boolean => {
  const has = (rule: string): boolean => site.hits.some((hit: Hit) => hit.sensitive.rule === rule);
  return has('mov-from-cr3') && has('mov-to-cr3');
};

export const movToCr3: Refine = (_hit, site) =>
  isFlush(site)
    ? {
        message: 'Writing CR3 back flushes the TLB by two traps into Xen.',
        replacement: 'mmuext_op MMUEXT_TLB_FLUSH_LOCAL, or _MULTI for other vCPUs.',
      }
    : null;
