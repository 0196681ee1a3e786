// swap_grant_ref: two entries of the caller's table change places, unless one is in use.
// Behaviour of Xen 4.17 (common/grant_table.c).

import { grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import type { StructView } from '../../../abi/layout.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Domain } from '../domain.ts';
import { entryFacts, type Outcome, okay, refused } from './facts.ts';
import { beyondTable } from './map.ts';
import { pinned } from './pins.ts';

export function swapGrants(domain: Domain, op: StructView): Outcome {
  const table = domain.grants;
  const refs = [op.number('ref_a'), op.number('ref_b')] as const;
  for (const [n, ref] of refs.entries()) {
    const args = { which: n === 0 ? 'a' : 'b', ref: hex(ref) };
    if (ref >= table.entries)
      return refused(S.GNTST_bad_gntref, beyondTable(domain, domain.id, ref, { template: 'grant-swap-reference', args }));
  }
  if (refs[0] === refs[1]) return okay;
  for (const [n, ref] of refs.entries()) {
    if (!pinned(table.active.get(ref))) continue;
    const line = { template: 'grant-busy', args: { which: n === 0 ? 'a' : 'b', ref: hex(ref) } };
    return refused(S.GNTST_eagain, refuse('EBUSY', 'grant-in-use', entryFacts(table, domain.id, domain.id, ref), line));
  }
  table.swap(...refs);
  return okay;
}
