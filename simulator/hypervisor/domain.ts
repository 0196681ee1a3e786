// One PV domain: its vCPUs, shared_info, event channels, grants, limits and how it ended.

import type { Mfn } from '../../abi/address.ts';
import type { BuiltDomain } from '../builder/build.ts';
import type { Ending } from '../machine-types.ts';
import type { EventChannels } from './event-channels.ts';
import type { GrantTable } from './grant-table.ts';
import type { VcpuState } from './vcpu.ts';

export class Domain {
  readonly id: number;
  readonly isDom0: boolean;
  readonly sharedInfo: Mfn;
  readonly vcpus: VcpuState[] = [];
  readonly built: BuiltDomain;
  /** Pages it has and may have (memory_op). */
  pages: number;
  readonly maxPages: number;
  /** Bits of vm_assist that are on. */
  assists = 0n;
  readonly events: EventChannels;
  readonly grants: GrantTable;
  ending: Ending | null = null;
  /** watchdog timers (sched_op.watchdog): guest time of expiry in ns, 0 for none. */
  readonly watchdogs = [0, 0];
  /** physdev_op.pirq_eoi_gmfn. */
  pirqEoiPage: Mfn | null = null;
  /** Xen runs it on shadow tables (after a not-present entry that L1TF could use). */
  shadowed = false;
  /** Reason that the next shutdown counts as, once one was given. */
  shutdownCode: number | null = null;
  /** memory_op.memory_map: entries of 20 bytes, as the structure e820entry; empty for none. */
  memoryMap: Uint8Array = new Uint8Array(0);
  hypercalls = 0;

  constructor(
    id: number,
    isDom0: boolean,
    sharedInfo: Mfn,
    built: BuiltDomain,
    pages: number,
    maxPages: number,
    events: EventChannels,
    grants: GrantTable,
  ) {
    this.id = id;
    this.isDom0 = isDom0;
    this.sharedInfo = sharedInfo;
    this.built = built;
    this.pages = pages;
    this.maxPages = maxPages;
    this.events = events;
    this.grants = grants;
  }

  /** Width of the guest kernel and of its interface to Xen. */
  get bits(): 64 | 32 {
    return this.built.bits;
  }

  assist(type: number): boolean {
    return ((this.assists >> BigInt(type)) & 1n) !== 0n;
  }
}
