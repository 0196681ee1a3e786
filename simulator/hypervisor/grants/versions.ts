// set_version: the table goes over to the other layout. Only the entries that the toolstack reserves may be in use then, and they stay.
// Behaviour of Xen 4.17 (common/grant_table.c).

import { grantFlags as F, reservedGrants } from '../../../abi/constants/grant.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { entryText, useText } from './facts.ts';
import { pinned } from './pins.ts';

const RESERVED = reservedGrants.GNTTAB_NR_RESERVED_ENTRIES;

/** Null when the table has the version now. */
export function setVersion(hv: Hypervisor, domain: Domain, version: number): Refusal | null {
  const table = domain.grants;
  if (version !== 1 && version !== 2) return refuse('EINVAL', 'grant-version', { version });
  if (table.version === version) return null;
  for (const [ref, active] of table.active) {
    if (ref < RESERVED || !pinned(active)) continue;
    const args = { from: `${table.version}`, to: `${version}` };
    const facts = { ref, granting: domain.id, used: `grant ${ref} is ${useText(active)}`, version };
    return refuse('EBUSY', 'grant-table-in-use', facts, { template: 'grant-version-in-use', args });
  }
  const refusal = version === 1 ? (notRepresentable(domain) ?? statusMapped(hv, domain)) : null;
  if (refusal?.errno !== 'ERANGE' && version === 1) tellDropped(hv, domain);
  if (refusal) return refusal;
  table.changeVersion(version);
  return null;
}

/** Reserved entries that are neither empty nor grants of access do not stay. */
function tellDropped(hv: Hypervisor, { grants }: Domain): void {
  for (let ref = 0; ref < RESERVED; ref++) {
    const { flags } = grants.read(ref);
    const type = flags & F.GTF_type_mask;
    if (type !== F.GTF_permit_access && type !== F.GTF_invalid)
      hv.logMessage('grant-version-flags', { grantFlags: hex(flags), ref: ref === 0 ? '0' : hex(ref) });
  }
}

/** A reserved entry that version 1 has no form for. */
function notRepresentable({ grants, id }: Domain): Refusal | null {
  for (let ref = 0; ref < RESERVED; ref++) {
    const { flags, frame } = grants.read(ref);
    const type = flags & F.GTF_type_mask;
    if (type !== F.GTF_transitive && !(type === F.GTF_permit_access && frame >> 32n !== 0n)) continue;
    const facts = { ref, granting: id, granted: `grant ${ref} ${entryText(grants, ref)}` };
    return refuse('ERANGE', 'grant-not-in-version-1', facts, { template: 'grant-version-1', args: {} });
  }
  return null;
}

/** The status frames are given up: the guest may not have one mapped. */
function statusMapped(hv: Hypervisor, { grants }: Domain): Refusal | null {
  const { frames, ram } = hv.memory;
  const mapped = grants.statusFrames.find((mfn) => frames.references[ram.index(mfn)]! > 1);
  return mapped === undefined ? null : refuse('EBUSY', 'grant-status-mapped', { frame: frames.fact(mapped) });
}
