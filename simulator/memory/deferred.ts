// A table that a vCPU let go of, or whose audit failed half way, and that is still to be taken apart: Xen does that before
// anything else when the vCPU's call goes on (old_guest_table).

import type { Mfn } from '../../abi/address.ts';

export interface Deferred {
  table: Mfn | null;
  /** The table whose entry held it, where one did. */
  parent: Mfn | null;
  /** The table holds partial state; only that is to be undone. */
  partial: boolean;
}

export const nothingDeferred = (): Deferred => ({ table: null, parent: null, partial: true });
