// Grants: what is in use of each is what the handles of all domains map, and every host map has its entry unless it was told of as
// overwritten.

import type { Domain } from '../hypervisor/domain.ts';
import { kindsOf } from '../hypervisor/grants/map.ts';
import { type ActiveGrant, PIN_KINDS } from '../hypervisor/grants/pins.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';

const HOST_MAP = 2;

export function checkGrants(hv: Hypervisor): string[] {
  const wrong: string[] = [];
  const uses = new Map<string, number>();
  const add = (domain: number, ref: number, kind: string, by = 1): void => {
    const key = `${domain}/${ref}/${kind}`;
    uses.set(key, (uses.get(key) ?? 0) + by);
  };
  const entries = hv.grantEntries.byMapping();
  for (const domain of hv.domains.values()) {
    for (const [ref, count] of domain.grants.backEnds) add(domain.id, ref, 'hostWrite', count);
    for (const [handle, mapping] of domain.grants.maptrack.inUse()) {
      for (const kind of kindsOf(mapping.flags)) add(mapping.domain, mapping.ref, kind);
      if (!hv.domainById(mapping.domain)) continue;
      const active = hv.domainById(mapping.domain)!.grants.active.get(mapping.ref);
      if (active?.domain !== domain.id)
        wrong.push(`handle ${handle} of domain ${domain.id} maps grant ${mapping.ref}, which is not in use by it`);
      const shown = entries.has(`${domain.id}/${handle}`);
      if (mapping.flags & HOST_MAP && !shown && !mapping.overwritten)
        wrong.push(`handle ${handle} of domain ${domain.id} has a host map and no entry`);
    }
  }
  for (const domain of hv.domains.values()) checkPins(domain, uses, wrong);
  for (const [key, count] of uses) wrong.push(`grant ${key} is mapped ${count} times and not in use`);
  return wrong;
}

function checkPins({ id, grants }: Domain, uses: Map<string, number>, wrong: string[]): void {
  for (const [ref, { pins }] of grants.active as ReadonlyMap<number, ActiveGrant>) {
    for (const kind of PIN_KINDS) {
      const key = `${id}/${ref}/${kind}`;
      const mapped = uses.get(key) ?? 0;
      uses.delete(key);
      if (pins[kind] !== mapped) wrong.push(`grant ${ref} of domain ${id} counts ${pins[kind]} uses (${kind}), there are ${mapped} maps`);
    }
  }
}
