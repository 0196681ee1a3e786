// Whether an entry gives the access that is asked for, and the flags by which the granting guest sees it: GTF_reading and GTF_writing
// are set with the first use of a kind and cleared with its last.
// Behaviour of Xen 4.17 (common/grant_table.c).

import { grantFlags as F } from '../../../abi/constants/grant.table.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { refuse } from '../../memory/refuse.ts';
import type { GrantTable } from '../grant-table.ts';
import { entryFacts } from './facts.ts';
import { pinned, pinnedForWriting } from './pins.ts';

export interface Access {
  /** Who wants it. */
  readonly domain: number;
  readonly granting: number;
  readonly readonly: boolean;
  /** To map it: a transitive grant or one of a part of a page will not do. */
  readonly map: boolean;
}

/** Looks whether the entry gives the access and sets its flags. Null: it does. */
export function claim(table: GrantTable, ref: number, access: Access): Refusal | null {
  const { flags, domid } = table.read(ref);
  const facts = () => entryFacts(table, access.granting, access.domain, ref);
  const mask = F.GTF_type_mask | (access.map ? F.GTF_sub_page : 0);
  const type = flags & mask;
  const permits = type === F.GTF_permit_access || (table.version === 2 && !access.map && type === F.GTF_transitive);
  if (!pinned(table.active.get(ref)) && (!permits || domid !== access.domain)) {
    const wanted = { grantFlags: flags.toString(16), domain: `${domid}`, other: `${access.domain}` };
    return refuse(
      'EINVAL',
      'grant-not-given',
      facts(),
      table.version === 1
        ? { template: 'grant-flags', args: wanted }
        : { template: 'grant-flags-2', args: { ...wanted, expectedGrantFlags: mask.toString(16) } },
    );
  }
  if (!access.readonly && flags & F.GTF_readonly) {
    // Version 1 sets the flags in one exchange with the check.
    return refuse('EINVAL', 'grant-read-only', facts(), { template: 'grant-read-only', args: {} });
  }
  table.writeStatus(ref, table.status(ref) | F.GTF_reading | (access.readonly ? 0 : F.GTF_writing));
  return null;
}

/** The flags say more than is in use: they are cleared so far. */
export function unclaim(table: GrantTable, ref: number, readonly: boolean): void {
  const active = table.active.get(ref);
  let clear = pinned(active) ? 0 : F.GTF_reading;
  if (!readonly && !(active && pinnedForWriting(active))) clear |= F.GTF_writing;
  if (clear) table.writeStatus(ref, table.status(ref) & ~clear);
}
