// An entry that maps a grant is overwritten, or its table given up, without an unmap. Xen lets go of the frame and says nothing (a debug
// build complains): the grant stays in use until the domain ends, because an unmap does not find its entry any more. It is told here.
// Behaviour of Xen 4.17 (arch/x86/mm.c, put_page_from_l1e).

import type { Mfn } from '../../../abi/address.ts';
import { xenLine } from '../../../abi/xen-messages.table.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { callSite } from './call-site.ts';

export function entryDropped(hv: Hypervisor, table: Mfn, slot: number, entry: bigint): void {
  if (hv.grantEntries.size === 0) return;
  const granted = hv.grantEntries.at({ table, slot });
  if (!granted) return;
  hv.grantEntries.remove({ table, slot });
  const domain = hv.domainById(granted.domain);
  const mapping = domain?.grants.maptrack.get(granted.handle);
  if (!domain || !mapping || domain.dying !== 'no' || domain.ending) return;
  mapping.overwritten = { icount: hv.icount, rip: callSite(hv, hv.current) };
  const line = xenLine('grant-implicit-unmap', { owner: `d${domain.id}`, entry: entry.toString(16).padStart(16, '0') });
  hv.trace.emit('log', {
    ...{ domain: domain.id, vcpu: hv.current.id, by: 'simulator' },
    text:
      `the entry that maps grant ${mapping.ref} of domain ${mapping.domain} (handle ${granted.handle}) is overwritten without an unmap: ` +
      `the grant stays in use, and unmap_grant_ref will not find its entry. A debug build of Xen says '${line}' and raises #GP`,
  });
}
