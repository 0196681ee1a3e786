// cache_flush: writes back what the caches hold of a page, the caller's own or one that it maps by a grant. On x86 it cannot be dropped
// without being written back.
// Behaviour of Xen 4.17 (common/grant_table.c, asm-x86/flushtlb.h).

import { asMfn } from '../../../abi/address.ts';
import { grantCacheFlags as C } from '../../../abi/constants/grant.table.ts';
import type { StructView } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { OWNER_XEN } from '../../memory/frame-table.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';
import { pinned } from './pins.ts';

const PAGE = 4096;
/** Entries of the granting domain's table that are looked at between two breaks. */
export const ENTRIES_A_ROUND = 1 << 12;

/** Null: done. 'more': the search for the grant goes on from `from` + ENTRIES_A_ROUND. */
export function cacheFlush(call: Call, op: StructView, from: number): Refusal | 'more' | null {
  const [offset, length, what] = [op.number('offset'), op.number('length'), op.number('op')];
  if (offset >= PAGE || length > PAGE || offset + length > PAGE)
    return refuse('EINVAL', 'grant-cache-flush', { offset, length, why: 'the bytes do not lie in one page' });
  if (what & ~(C.GNTTAB_CACHE_INVAL | C.GNTTAB_CACHE_CLEAN))
    return refuse('EINVAL', 'grant-cache-flush', { op: hex(what), why: 'only GNTTAB_CACHE_CLEAN and GNTTAB_CACHE_INVAL exist' });
  if (length === 0 || what === 0)
    return from === 0 ? null : refuse('EILSEQ', 'grant-cache-flush', { why: 'the element changed while the call was continued' });
  const { memory } = call.hv;
  const { frames, ram } = memory;
  const mfn = asMfn(Number((op.big('a.dev_bus_addr') >> 12n) & 0xff_ffff_ffffn));
  const fact = { frame: frames.fact(mfn) };
  if (!ram.valid(mfn) && !frames.elsewhere(mfn)) return refuse('EINVAL', 'grant-cache-flush', { ...fact, why: 'there is no such frame' });
  const inside = ram.valid(mfn);
  const owner = !inside ? frames.ownerElsewhere : frames.references[ram.index(mfn)] === 0 ? null : frames.owner[ram.index(mfn)]!;
  if (owner === null || owner === OWNER_XEN) return refuse('EPERM', 'grant-cache-flush', { ...fact, why: 'no domain owns the frame' });
  if (owner !== call.domain.id) {
    const table = call.hv.domainById(owner)?.grants;
    const last = Math.min(from + ENTRIES_A_ROUND, table?.entries ?? 0);
    const mapped = [...(table?.active ?? [])].some(
      ([ref, active]) => ref >= from && ref < last && pinned(active) && active.domain === call.domain.id && active.mfn === mfn,
    );
    if (!mapped && table && last < table.entries) return 'more';
    if (!mapped) return refuse('EINVAL', 'grant-cache-flush', { ...fact, why: 'the caller maps no grant of the frame' });
  }
  if (what === C.GNTTAB_CACHE_INVAL)
    return refuse('EOPNOTSUPP', 'grant-cache-flush', { why: 'an x86 processor cannot drop cached bytes without writing them back' });
  return null;
}
