// Which domain an operation's domid field names, and whether the caller may act for it.
// Behaviour of Xen 4.17 (common/domain.c, xsm/dummy.h).

import { domids } from '../../../abi/constants/domain.table.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, no, notPrivileged } from '../call.ts';
import type { Domain } from '../domain.ts';

/** The domain of a number, the caller's own or DOMID_SELF included; the refusal (ESRCH) where there is none. */
export function anyDomain(call: Call, domid: number, what: string): Domain | Answer {
  const domain = domid === domids.DOMID_SELF ? call.domain : call.hv.domainById(domid);
  if (domain) return domain;
  // Every Xen has a domain 0, though the machine may be without it; nobody may act for it.
  if (domid === 0) return notPrivileged(`${what} of domain 0 by domain ${call.domain.id}`);
  return no(refuse('ESRCH', 'no-such-domain', { what, domain: domid }));
}

/** Another domain than the caller's, by its number: DOMID_SELF names none, the own number is refused (Xen's "remote" lookups). */
export function remoteDomain(call: Call, domid: number, what: string): Domain | Answer {
  if (domid === domids.DOMID_SELF) return no(refuse('ESRCH', 'no-such-domain', { what, domain: domid }));
  const domain = anyDomain(call, domid, what);
  if (domain !== call.domain) return domain;
  return no(refuse('EPERM', 'own-domain-meant', { what, domain: call.domain.id }));
}

export const isDomain = (found: Domain | Answer): found is Domain => 'vcpus' in found;

/** May the caller act for that domain? For itself, or any when it is dom0. Null: it may. */
export function mayTarget(call: Call, target: Domain, what: string): Answer | null {
  return target === call.domain || call.domain.isDom0 ? null : notPrivileged(`${what} of domain ${target.id} by domain ${call.domain.id}`);
}
