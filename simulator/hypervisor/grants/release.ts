// A domain is destroyed: what it still maps of others' grants is undone, last handle first. The frames of host maps are let go of with
// its page tables, those of device maps here.
// Behaviour of Xen 4.17 (common/grant_table.c, gnttab_release_mappings and grant_table_warn_active_grants).

import { grantMapFlags as M } from '../../../abi/constants/grant.table.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { unclaim } from './claim.ts';
import { kindsOf } from './map.ts';
import { activeOf, pin, pinned } from './pins.ts';

/** Undoes all mappings of a dying domain. Returns how many there were. */
export function releaseMappings(hv: Hypervisor, domain: Domain): number {
  const { maptrack } = domain.grants;
  const left = [...maptrack.inUse()].reverse();
  for (const [handle, mapping] of left) {
    const { flags, ref } = mapping;
    const granting = hv.domainById(mapping.domain);
    if (granting && flags & (M.GNTMAP_device_map | M.GNTMAP_host_map)) {
      const readonly = (flags & M.GNTMAP_readonly) !== 0;
      const { mfn } = activeOf(granting.grants.active, ref);
      if (flags & M.GNTMAP_device_map) {
        if (!readonly) hv.memory.types.putType(mfn);
        hv.memory.types.putPage(mfn);
      }
      pin(granting.grants.active, ref, kindsOf(flags), -1);
      unclaim(granting.grants, ref, readonly);
    }
    maptrack.free(handle);
  }
  return left.length;
}

/** Grants of a dying domain that others have in use: while they do, it stays as a zombie. */
export const activeGrants = ({ grants }: Domain): { readonly ref: number; readonly mfn: number; readonly by: number }[] =>
  [...grants.active]
    .filter(([, active]) => pinned(active))
    .map(([ref, { mfn, domain }]) => ({ ref, mfn, by: domain }))
    .sort((a, b) => a.ref - b.ref);
