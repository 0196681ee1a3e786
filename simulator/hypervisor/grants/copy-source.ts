// Pins a grant for a copy: whole pages, parts of one, and grants that hand on another domain's (once, not further).
// Behaviour of Xen 4.17 (common/grant_table.c).

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { grantFlags as F, grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { claim, unclaim } from './claim.ts';
import { absentGrant, byId } from './domains.ts';
import { entryFacts, type Outcome, refused } from './facts.ts';
import { beyondTable, usedOtherwise } from './map.ts';
import { type ActiveGrant, activeOf, pin, pinned, pinnedForWriting, wouldOverflow } from './pins.ts';

/** A frame that may be copied from or to; one reference to it is taken. */
export interface Acquired {
  readonly mfn: Mfn;
  readonly offset: number;
  readonly length: number;
}

export const isAcquired = (got: Acquired | Outcome): got is Acquired => 'mfn' in got;

/** Undoes acquire(), but for the reference. */
export function release(hv: Hypervisor, granting: Domain, ref: number, readonly: boolean): void {
  const table = granting.grants;
  const { transDomain, transRef } = activeOf(table.active, ref);
  const handedOn = table.version === 2 && transDomain !== granting.id ? hv.domainById(transDomain) : null;
  pin(table.active, ref, [readonly ? 'hostRead' : 'hostWrite'], -1);
  unclaim(table, ref, readonly);
  if (handedOn) release(hv, handedOn, transRef, readonly);
}

export function acquire(
  hv: Hypervisor,
  granting: Domain,
  ref: number,
  domain: number,
  readonly: boolean,
  mayHandOn = true,
): Acquired | Outcome {
  const table = granting.grants;
  const facts = () => entryFacts(table, granting.id, domain, ref);
  if (ref >= table.entries)
    return refused(S.GNTST_bad_gntref, beyondTable(granting, domain, ref, { template: 'grant-bad-copy-ref', args: { ref: hex(ref) } }));
  const kind = readonly ? 'hostRead' : 'hostWrite';
  const before = table.active.get(ref);
  const inUse = before !== undefined && pinned(before);
  if (inUse && (before.domain !== domain || wouldOverflow(before, [kind])))
    return refused(S.GNTST_general_error, usedOtherwise(before, domain, facts(), false));
  const fresh = !inUse || (!readonly && !pinnedForWriting(before));
  const entry = table.read(ref);
  const handsOn = table.version === 2 && (entry.flags & F.GTF_type_mask) === F.GTF_transitive;
  if (fresh) {
    const denied = claim(table, ref, { domain, granting: granting.id, readonly, map: false });
    if (denied) return refused(S.GNTST_general_error, denied);
  }
  const undo = (outcome: Outcome): Outcome => {
    unclaim(table, ref, readonly);
    return outcome;
  };
  let got: Acquired | Outcome;
  if (handsOn) got = handOn(hv, granting, ref, readonly, mayHandOn);
  else if (!inUse) got = frameOf(hv, granting, ref, domain);
  else got = (fresh ? gone(hv, granting, ref, domain) : null) ?? again(hv, granting, before, facts);
  if (!isAcquired(got)) return undo(got);
  if (handsOn && inUse && !sameGrant(before, got, entry.transDomain, entry.transRef)) {
    // Real Xen asks the guest to try again, without end, until the grant is as it was when it was pinned.
    const other = hv.domainById(entry.transDomain)!;
    release(hv, other, entry.transRef, readonly);
    hv.memory.types.putPage(got.mfn);
    return undo(
      refused(
        S.GNTST_eagain,
        refuse('EBUSY', 'grant-transitive', { ...facts(), why: 'the grant that it hands on changed while it is in use' }),
      ),
    );
  }
  if (!inUse) {
    const sub = handsOn || (table.version === 2 && (entry.flags & F.GTF_sub_page) !== 0);
    const trans = handsOn ? { transDomain: entry.transDomain, transRef: entry.transRef } : { transDomain: granting.id, transRef: ref };
    Object.assign(activeOf(table.active, ref), { domain, mfn: got.mfn, start: got.offset, length: got.length, subPage: sub, ...trans });
  }
  pin(table.active, ref, [kind], 1);
  const { mfn, start, length } = activeOf(table.active, ref);
  return { mfn, offset: start, length };
}

const sameGrant = (active: ActiveGrant, { mfn, offset, length }: Acquired, domain: number, ref: number): boolean =>
  active.mfn === mfn &&
  active.start === offset &&
  active.length === length &&
  active.transDomain === domain &&
  active.transRef === ref &&
  active.subPage;

/** A grant in use: its frame is the one that was pinned. */
function again(hv: Hypervisor, granting: Domain, { mfn, start, length }: ActiveGrant, facts: () => Refusal['facts']): Acquired | Outcome {
  const missing = hv.memory.types.getPage(mfn, granting.id);
  if (!missing && granting.dying === 'no') return { mfn, offset: start, length };
  if (!missing) hv.memory.types.putPage(mfn);
  return refused(S.GNTST_bad_domain, refuse('ESRCH', 'grant-domain-gone', { ...facts(), granting: granting.id }));
}

/** A grant in use for reading that is to be written to as well: what its entry names now has to be a frame of the granting domain. */
function gone(hv: Hypervisor, granting: Domain, ref: number, domain: number): Outcome | null {
  const got = frameOf(hv, granting, ref, domain);
  if (!isAcquired(got)) return got;
  hv.memory.types.putPage(got.mfn);
  return null;
}

function frameOf(hv: Hypervisor, granting: Domain, ref: number, domain: number): Acquired | Outcome {
  const table = granting.grants;
  const entry = table.read(ref);
  const mfn = asMfn(Number(entry.frame & 0xff_ffff_ffffn));
  const missing = hv.memory.types.getPage(mfn, granting.id);
  if (missing)
    return refused(S.GNTST_bad_page, {
      ...missing,
      rule: 'grant-frame',
      facts: { ...entryFacts(table, granting.id, domain, ref), ...missing.facts },
    });
  return entry.flags & F.GTF_sub_page && table.version === 2
    ? { mfn, offset: entry.offset, length: entry.length }
    : { mfn, offset: 0, length: 4096 };
}

function handOn(hv: Hypervisor, granting: Domain, ref: number, readonly: boolean, allowed: boolean): Acquired | Outcome {
  const { transDomain, transRef } = granting.grants.read(ref);
  const wrong = (why: string, template: string, args: Readonly<Record<string, string>> = {}): Outcome =>
    refused(S.GNTST_general_error, refuse('EINVAL', 'grant-transitive', { ref, granting: granting.id, why }, { template, args }));
  if (!allowed) return wrong('a grant that is handed on may not itself hand on another', 'grant-transitive-twice');
  if (transDomain === granting.id) return wrong('a domain cannot hand on its own grant', 'grant-transitive-self');
  const other = byId(hv, transDomain);
  if (!other)
    return wrong(`it hands on a grant of domain ${transDomain}, which does not exist`, 'grant-transitive-domain', {
      domain: `${transDomain}`,
    });
  if (other === 'absent') {
    const refusal = absentGrant(transRef, granting.id);
    return refused(refusal.rule === 'grant-reference' ? S.GNTST_bad_gntref : S.GNTST_general_error, refusal);
  }
  return acquire(hv, other, transRef, granting.id, readonly, false);
}
