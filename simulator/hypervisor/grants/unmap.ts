// unmap_grant_ref and unmap_and_replace: the entry goes, then, after the TLBs were flushed, the references and the pins.
// Behaviour of Xen 4.17 (common/grant_table.c).

import type { Mfn } from '../../../abi/address.ts';
import { grantMapFlags as M, grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';
import type { Domain } from '../domain.ts';
import { unclaim } from './claim.ts';
import { entryFacts, handlesText, type Outcome, okay, refused } from './facts.ts';
import type { Mapping } from './maptrack.ts';
import { activeOf, type PinKind, pin } from './pins.ts';
import { replaceEntry } from './table-entry.ts';

export interface Unmap {
  readonly hostAddress: bigint;
  readonly busAddress: bigint;
  readonly newAddress: bigint;
  readonly handle: number;
}

/** What is to be let go of once no TLB can hold the mapping any more. */
export interface Unmapped {
  readonly granting: Domain;
  readonly ref: number;
  readonly mfn: Mfn;
  readonly kinds: readonly PinKind[];
  readonly readonly: boolean;
}

/** Null as outcome: the caller was ended. */
export function unmap(call: Call, op: Unmap, left: Unmapped[]): Outcome | null {
  const { maptrack } = call.domain.grants;
  const mapping = maptrack.get(op.handle);
  const domain = `${call.domain.id}`;
  const bad = (template: string): Outcome =>
    refused(
      S.GNTST_bad_handle,
      refuse(
        'EINVAL',
        'grant-handle',
        {
          handle: op.handle,
          known: mapping ? 'it is free' : 'there never was such a handle',
          handles: handlesText(call.domain.id, maptrack),
        },
        { template, args: { domain, handle: hex(op.handle) } },
      ),
    );
  if (!mapping) return bad('grant-bad-handle');
  if (mapping.flags === 0) return bad('grant-free-handle');
  const granting = call.hv.domainById(mapping.domain);
  if (!granting) {
    const refusal = refuse('ESRCH', 'grant-domain-gone', { handle: op.handle, ref: mapping.ref, granting: mapping.domain });
    call.hv.crash(call.vcpu, `a grant of domain ${mapping.domain}, which does not exist any more, is unmapped`, refusal);
    return null;
  }
  const mfn = activeOf(granting.grants.active, mapping.ref).mfn;
  const refusal = takeAway(call, op, mapping, mfn, left, granting);
  if (refusal) return refused(refusal.rule === 'grant-bus-address' ? S.GNTST_bad_dev_addr : S.GNTST_general_error, refusal);
  if (!(mapping.flags & (M.GNTMAP_device_map | M.GNTMAP_host_map))) maptrack.free(op.handle);
  call.hv.trace.emit('grant', { domain: call.domain.id, vcpu: call.vcpu.id, action: 'unmapped', ref: mapping.ref, peer: granting.id });
  return okay;
}

function takeAway(call: Call, op: Unmap, mapping: Mapping, mfn: Mfn, left: Unmapped[], granting: Domain): Refusal | null {
  const { flags, ref } = mapping;
  const readonly = (flags & M.GNTMAP_readonly) !== 0;
  const facts = () => ({ ...entryFacts(granting.grants, granting.id, call.domain.id, ref), handle: op.handle, ...lifeOf(mapping) });
  const device = op.busAddress !== 0n && (flags & M.GNTMAP_device_map) !== 0;
  if (device && op.busAddress !== BigInt(mfn) << 12n)
    return refuse(
      'EINVAL',
      'grant-bus-address',
      { ...facts(), address: hex(op.busAddress), wanted: hex(BigInt(mfn) << 12n) },
      {
        template: 'grant-bus-address',
        args: { bus: op.busAddress.toString(16), machine: (BigInt(mfn) << 12n).toString(16).padStart(16, '0') },
      },
    );
  const kinds: PinKind[] = [];
  if (op.hostAddress !== 0n && flags & M.GNTMAP_host_map) {
    const refusal = replaceEntry(call, op.hostAddress, mfn, op.newAddress, flags);
    if (refusal) return { ...refusal, facts: { ...facts(), ...refusal.facts } };
    mapping.flags &= ~M.GNTMAP_host_map;
    kinds.push(readonly ? 'hostRead' : 'hostWrite');
  }
  if (device) {
    mapping.flags &= ~M.GNTMAP_device_map;
    kinds.push(readonly ? 'deviceRead' : 'deviceWrite');
  }
  if (kinds.length > 0) left.push({ granting, ref, mfn, kinds, readonly });
  return null;
}

/** When a mapping was made, and overwritten if it was. */
const lifeOf = ({ icount, rip, overwritten }: Mapping): Record<string, string> => ({
  mapped: `at instruction ${icount}, by the call at ${hex(rip)}`,
  ...(overwritten ? { overwritten: `at instruction ${overwritten.icount}, by the code at ${hex(overwritten.rip)}` } : {}),
});

/** The second half, for up to 32 elements at once. */
export function finishUnmap(call: Call, left: readonly Unmapped[]): void {
  const { types } = call.hv.memory;
  for (const vcpu of call.domain.vcpus) vcpu.cpu.flushAll();
  for (const { granting, ref, mfn, kinds, readonly } of left) {
    for (const _ of kinds) {
      if (!readonly) types.putType(mfn);
      types.putPage(mfn);
    }
    pin(granting.grants.active, ref, kinds, -1);
    unclaim(granting.grants, ref, readonly);
  }
}
