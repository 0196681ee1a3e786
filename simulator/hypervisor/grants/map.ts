// map_grant_ref: a frame that another domain (or the domain itself) grants, into the caller's address space.
// Behaviour of Xen 4.17 (common/grant_table.c).

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { grantMapFlags as M, grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import type { StructView } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { alsoPrints, frameText, hex, refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';
import type { Domain } from '../domain.ts';
import { callSite } from './call-site.ts';
import { claim, unclaim } from './claim.ts';
import { absentGrant, byId, noDomain } from './domains.ts';
import { entryFacts, handlesText, type Outcome, okay, refused, tableText } from './facts.ts';
import { type ActiveGrant, activeOf, type PinKind, pin, pinned, pinnedForWriting, pinWord, wouldOverflow } from './pins.ts';
import { createEntry } from './table-entry.ts';

/** The kinds of use that the flags ask for. */
export function kindsOf(flags: number): PinKind[] {
  const kinds: PinKind[] = [];
  const readonly = (flags & M.GNTMAP_readonly) !== 0;
  if (flags & M.GNTMAP_device_map) kinds.push(readonly ? 'deviceRead' : 'deviceWrite');
  if (flags & M.GNTMAP_host_map) kinds.push(readonly ? 'hostRead' : 'hostWrite');
  return kinds;
}

export function mapGrantRef(call: Call, op: StructView): Outcome {
  const flags = op.number('flags');
  const id = op.number('dom');
  const ref = op.number('ref');
  const kinds = kindsOf(flags);
  if (kinds.length === 0)
    return refused(
      S.GNTST_bad_gntref,
      refuse('EINVAL', 'grant-map-flags', { flags: hex(flags) }, { template: 'grant-map-flags', args: { grantFlags: flags.toString(16) } }),
    );
  const granting = byId(call.hv, id);
  if (!granting) return refused(S.GNTST_bad_domain, noDomain('a grant', id));
  const { maptrack } = call.domain.grants;
  const handle = maptrack.allocate(call.vcpu.id);
  if (handle === null)
    return refused(
      S.GNTST_no_space,
      refuse(
        'ENOSPC',
        'grant-handles-used-up',
        { handles: handlesText(call.domain.id, maptrack) },
        { template: 'grant-no-handle', args: {} },
      ),
    );
  if (granting === 'absent') {
    maptrack.free(handle);
    const refusal = absentGrant(ref, call.domain.id);
    return refused(refusal.rule === 'grant-reference' ? S.GNTST_bad_gntref : S.GNTST_general_error, refusal);
  }
  const got = take(call, granting, { ref, kinds, flags, address: op.big('host_addr'), handle });
  if (typeof got !== 'number') {
    maptrack.free(handle);
    return got;
  }
  const mapping = maptrack.get(handle)!;
  Object.assign(mapping, { domain: id, ref, flags, icount: call.hv.icount, rip: callSite(call.hv, call.vcpu), overwritten: null });
  op.set('dev_bus_addr', BigInt(got) << 12n);
  op.set('handle', handle);
  call.hv.trace.emit('grant', { domain: call.domain.id, vcpu: call.vcpu.id, action: 'mapped', ref, peer: id });
  return okay;
}

interface Wanted {
  readonly ref: number;
  readonly kinds: readonly PinKind[];
  readonly flags: number;
  readonly address: bigint;
  readonly handle: number;
}

/** Pins the grant and maps its frame; the frame, or why not. */
function take(call: Call, granting: Domain, { ref, kinds, flags, address, handle }: Wanted): Mfn | Outcome {
  const table = granting.grants;
  const { hv, domain } = call;
  const facts = () => ({ ...entryFacts(table, granting.id, domain.id, ref), handles: handlesText(domain.id, domain.grants.maptrack) });
  const withFacts = (refusal: Refusal): Refusal => ({ ...refusal, facts: { ...facts(), ...refusal.facts } });
  if (ref >= table.entries)
    return refused(
      S.GNTST_bad_gntref,
      beyondTable(granting, domain.id, ref, { template: 'grant-bad-ref', args: { ref: hex(ref), domain: `${granting.id}` } }),
    );
  const active = table.active.get(ref);
  if (active && pinned(active) && (active.domain !== domain.id || wouldOverflow(active, kinds) || active.subPage))
    return refused(S.GNTST_general_error, usedOtherwise(active, domain.id, facts(), true));
  const readonly = (flags & M.GNTMAP_readonly) !== 0;
  if (!active || !pinned(active) || (!readonly && !pinnedForWriting(active))) {
    const denied = claim(table, ref, { domain: domain.id, granting: granting.id, readonly, map: true });
    if (denied) return refused(S.GNTST_general_error, withFacts(denied));
    if (!active || !pinned(active)) {
      const mfn = asMfn(Number(table.read(ref).frame & 0xff_ffff_ffffn));
      const missing = hv.memory.types.getPage(mfn, granting.id);
      if (missing) {
        unclaim(table, ref, readonly);
        return refused(S.GNTST_bad_page, withFacts({ ...missing, rule: 'grant-frame' }));
      }
      hv.memory.types.putPage(mfn);
      Object.assign(activeOf(table.active, ref), {
        domain: domain.id,
        mfn,
        start: 0,
        length: 4096,
        subPage: false,
        transDomain: granting.id,
        transRef: ref,
      });
    }
  }
  const { mfn } = activeOf(table.active, ref);
  pin(table.active, ref, kinds, 1);
  const refusal = takeFrame(call, granting, mfn, { flags, address, handle });
  if (!refusal) return mfn;
  pin(table.active, ref, kinds, -1);
  unclaim(table, ref, readonly);
  return refused(S.GNTST_general_error, withFacts(refusal));
}

/** References to the frame, one for each kind of map, and the entry of a host map. */
function takeFrame(
  call: Call,
  granting: Domain,
  mfn: Mfn,
  { flags, address, handle }: Pick<Wanted, 'flags' | 'address' | 'handle'>,
): Refusal | null {
  const { types } = call.hv.memory;
  const readonly = (flags & M.GNTMAP_readonly) !== 0;
  const device = (flags & M.GNTMAP_device_map) !== 0;
  const host = (flags & M.GNTMAP_host_map) !== 0;
  let references = 0;
  let writable = 0;
  const undo = (refusal: Refusal): Refusal => {
    for (; writable > 0; writable--) types.putType(mfn);
    for (; references > 0; references--) types.putPage(mfn);
    return refusal;
  };
  for (const wanted of [device, host]) {
    if (!wanted) continue;
    const missing = types.getPage(mfn, granting.id) ?? null;
    if (missing) return undo(inUse(missing, mfn));
    references++;
    if (readonly) continue;
    const wrong = types.getType(mfn, FrameType.writable);
    if (wrong) return undo(inUse(wrong, mfn));
    writable++;
  }
  if (!host) return null;
  const place = createEntry(call, address, mfn, flags);
  if ('rule' in place) return undo(place);
  call.hv.grantEntries.add(place, { domain: call.domain.id, handle });
  return null;
}

export function usedOtherwise(active: ActiveGrant, domain: number, facts: Refusal['facts'], map: boolean): Refusal {
  const args = { domain: `${active.domain}`, other: `${domain}`, pins: pinWord(active).toString(16).padStart(8, '0') };
  const line = map
    ? { template: 'grant-used', args: { ...args, part: active.subPage ? '1' : '0' } }
    : { template: 'grant-used-copy', args };
  return refuse('EINVAL', 'grant-used-otherwise', { ...facts, pins: hex(pinWord(active)) }, line);
}

const inUse = (refusal: Refusal, mfn: Mfn): Refusal =>
  alsoPrints({ ...refusal, rule: 'grant-frame-in-use' }, 'grant-not-pinned', { mfn: `0x${frameText(mfn)}` });

export const beyondTable = (granting: Domain, domain: number, ref: number, line?: Refusal['xenLine']): Refusal =>
  refuse(
    'EINVAL',
    'grant-reference',
    { ref, granting: granting.id, domain, granted: 'there is no such entry', table: tableText(granting.id, granting.grants) },
    line,
  );
