// Every grant that is in use or could be, for those who look for leaks: who granted it, where and when, who maps it since when, and what
// keeps it from being let go.

import { grantFlags as F, grantMapFlags as M, reservedGrants } from '../../../abi/constants/grant.table.ts';
import type { GrantMapView, GrantView } from '../../machine-types.ts';
import { hex } from '../../memory/refuse.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Moment } from './granting.ts';
import { pinned } from './pins.ts';

const moment = (at: Moment): { readonly icount: number; readonly rip: string } => ({ icount: at.icount, rip: hex(at.rip) });

/** Grants of all domains by domain and reference: those in use, and those that a guest gave and nobody uses. */
export function grantViews(hv: Hypervisor): GrantView[] {
  const maps = new Map<string, GrantMapView[]>();
  for (const domain of hv.domains.values()) {
    for (const [handle, mapping] of domain.grants?.maptrack.inUse() ?? []) {
      const key = `${mapping.domain}/${mapping.ref}`;
      const { flags, overwritten } = mapping;
      const view: GrantMapView = {
        domain: domain.id,
        handle,
        writable: !(flags & M.GNTMAP_readonly),
        kinds: [...(flags & M.GNTMAP_host_map ? (['host'] as const) : []), ...(flags & M.GNTMAP_device_map ? (['device'] as const) : [])],
        mapped: moment(mapping),
        ...(overwritten ? { overwritten: moment(overwritten) } : {}),
      };
      maps.set(key, [...(maps.get(key) ?? []), view]);
    }
  }
  return [...hv.domains.values()].flatMap((domain) => (domain.grants ? viewsOf(hv, domain, maps) : []));
}

function viewsOf(hv: Hypervisor, domain: Domain, maps: ReadonlyMap<string, readonly GrantMapView[]>): GrantView[] {
  const { grants } = domain;
  const views: GrantView[] = [];
  for (let ref = 0; ref < grants.entries; ref++) {
    const active = grants.active.get(ref);
    const entry = grants.read(ref);
    const type = entry.flags & F.GTF_type_mask;
    const inUse = pinned(active);
    if (!inUse && type === F.GTF_invalid) continue;
    const given = hv.granting.givenAt(domain, ref);
    views.push({
      granting: domain.id,
      ref,
      to: inUse ? active!.domain : entry.domid,
      state: inUse ? 'mapped' : type === F.GTF_accept_transfer ? 'offered' : 'granted',
      takenBack: inUse && type === F.GTF_invalid,
      ofToolstack: ref < reservedGrants.GNTTAB_NR_RESERVED_ENTRIES,
      ...(inUse ? { mfn: hex(active!.mfn) } : type === F.GTF_permit_access ? { mfn: hex(entry.frame) } : {}),
      ...(given ? { granted: moment(given) } : {}),
      maps: maps.get(`${domain.id}/${ref}`) ?? [],
    });
  }
  return views;
}
