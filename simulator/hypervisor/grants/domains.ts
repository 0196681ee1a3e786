// The domain whose grants a call means. On a machine without a dom0 of its own the numbers of real Xen hold all the same: domain 0
// exists, has a table of one frame, and grants nothing.

import { domids } from '../../../abi/constants/domain.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';

/** References of the table of a domain 0 that nobody simulates. */
export const ABSENT_ENTRIES = 512;

/** 'absent': the domain 0 that this machine does without. */
export type Granting = Domain | 'absent';

export function byId(hv: Hypervisor, id: number): Granting | null {
  return hv.domainById(id) ?? (id === 0 ? 'absent' : null);
}

/** As byId, and the caller may call itself DOMID_SELF. */
export const byAnyId = (call: Call, id: number): Granting | null => (id === domids.DOMID_SELF ? call.domain : byId(call.hv, id));

/** May the caller look at or grow that domain's table? Its own, and dom0 any. */
export const mayManage = (call: Call, domain: Granting): domain is Domain =>
  domain !== 'absent' && (domain === call.domain || call.domain.isDom0);

export const noDomain = (what: string, id: number, template = true): Refusal =>
  refuse(
    'ESRCH',
    'no-such-domain',
    { what, domain: id },
    template ? { template: 'grant-no-domain', args: { domain: `${id}` } } : undefined,
  );

/** A reference into the table of a domain 0 that grants nothing. */
export const absentGrant = (ref: number, domain: number): Refusal =>
  ref >= ABSENT_ENTRIES
    ? refuse('EINVAL', 'grant-reference', { ref, granting: 0, domain, granted: 'there is no such entry' })
    : refuse('EINVAL', 'grant-not-given', { ref, granting: 0, domain, granted: 'domain 0 of this machine grants nothing' });
