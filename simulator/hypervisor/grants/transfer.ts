// transfer: a frame of the caller's becomes another domain's, which offered to take one. The frame is taken away before anything is
// known of the other domain: where that does not take it, nobody has it any more.
// Behaviour of Xen 4.17 (common/grant_table.c).

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { grantFlags as F, grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import type { StructView } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';
import type { Domain } from '../domain.ts';
import { byId, noDomain } from './domains.ts';
import { entryFacts, type Outcome, okay, refused } from './facts.ts';
import { beyondTable } from './map.ts';

export function transfer(call: Call, op: StructView): Outcome {
  const { hv, domain } = call;
  const { memory } = hv;
  const mfn = asMfn(Number(op.big('mfn') & 0xff_ffff_ffffn));
  const ref = op.number('ref');
  const id = op.number('domid');
  const stolen = memory.types.steal(mfn, domain.id);
  if (stolen) return refused(S.GNTST_bad_page, { ...stolen, facts: { ...stolen.facts, what: 'grant_table_op.transfer' } });
  domain.pages--;
  for (const vcpu of domain.vcpus) vcpu.cpu.flushAll();
  const lost = (status: number, refusal: Refusal): Outcome => {
    memory.giveBack(mfn);
    return refused(status, { ...refusal, facts: { ...refusal.facts, lost: hex(mfn) } });
  };
  const taker = byId(hv, id);
  if (!taker) return lost(S.GNTST_bad_domain, noDomain('a transfer', id, false));
  if (taker === 'absent')
    return lost(
      S.GNTST_general_error,
      refuse('EINVAL', 'grant-no-offer', { ref, granting: id, domain: domain.id, granted: 'domain 0 of this machine offers nothing' }),
    );
  if (taker.dying !== 'no' || taker.pages >= taker.maxPages)
    return lost(S.GNTST_general_error, refuse('ENOMEM', 'grant-no-room', { granting: id, pages: taker.pages, allowed: taker.maxPages }));
  const refusal = offered(taker, ref, domain.id);
  if (refusal) return lost(S.GNTST_general_error, refusal);
  give(call, taker, ref, mfn);
  return okay;
}

/** Is the entry an offer to this domain, and nothing else? Then it is settled. */
function offered(taker: Domain, ref: number, domain: number): Refusal | null {
  const table = taker.grants;
  if (ref >= table.entries)
    return beyondTable(taker, domain, ref, { template: 'grant-bad-transfer-ref', args: { ref: hex(ref), domain: `${taker.id}` } });
  const { flags, domid } = table.read(ref);
  if (flags !== F.GTF_accept_transfer || domid !== domain)
    return refuse('EINVAL', 'grant-no-offer', entryFacts(table, taker.id, domain, ref), {
      template: 'grant-flags',
      args: { grantFlags: flags.toString(16), domain: `${domid}`, other: `${domain}` },
    });
  table.writeFlags(ref, flags | F.GTF_transfer_committed);
  return null;
}

function give({ hv }: Call, taker: Domain, ref: number, mfn: Mfn): void {
  const { memory } = hv;
  const table = taker.grants;
  memory.types.allocated(mfn, taker.id);
  taker.pages++;
  hv.written(memory.m2p.set(mfn, table.read(ref).frame));
  table.writeFrame(ref, mfn);
  table.writeFlags(ref, table.read(ref).flags | F.GTF_transfer_completed);
}
