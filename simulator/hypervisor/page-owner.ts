// Whose frames a call means: the domain id in the last argument of mmu_update, mmuext_op and update_va_mapping_otherdomain.
// Behaviour of Xen 4.17 (common/page_alloc.c, xsm/dummy.h).

import { domids } from '../../abi/constants/domain.table.ts';
import { refuse } from '../memory/refuse.ts';
import { type Answer, type Call, no, notPrivileged } from './call.ts';

/** The domain's number, or the refusal. The caller's own number is none: it has to say DOMID_SELF. */
export function pageOwner(call: Call, domid: number): number | Answer {
  const self = call.domain.id;
  if (domid === domids.DOMID_SELF) return self;
  if (domid === domids.DOMID_IO || domid === domids.DOMID_XEN) return domid;
  if (domid === self) return no(refuse('ESRCH', 'own-number-as-foreign', { domain: domid }, { template: 'self-as-foreign', args: {} }));
  if (domid === 0 || call.hv.domainById(domid)) return domid;
  return no(
    refuse('ESRCH', 'no-such-domain', { what: 'frames', domain: domid }, { template: 'unknown-domain', args: { domain: `${domid}` } }),
  );
}

/** May the caller act for that domain? Its own, or any for domain 0. */
export function mayActFor(call: Call, owner: number, what: string): Answer | null {
  return owner === call.domain.id || call.domain.isDom0
    ? null
    : notPrivileged(`${what} of ${ownerText(owner)} by domain ${call.domain.id}`);
}

/** Whose frames they are, in words. */
export const ownerText = (owner: number): string =>
  owner === domids.DOMID_IO ? 'DOMID_IO' : owner === domids.DOMID_XEN ? 'DOMID_XEN' : `domain ${owner}`;
