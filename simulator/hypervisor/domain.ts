// One PV domain: its vCPUs, shared_info, event channels, grants, limits, and how far its life has come.

import type { Mfn } from '../../abi/address.ts';
import type { BuiltDomain } from '../builder/build.ts';
import type { ConsoleRing } from '../devices/console.ts';
import type { StoreRing } from '../devices/store.ts';
import type { Ending } from '../machine-types.ts';
import type { CpuPolicy } from './cpu-policy.ts';
import type { Pirq } from './device-interrupts.ts';
import type { EventChannels } from './event-channels.ts';
import type { GrantTable } from './grant-table.ts';
import type { VcpuState } from './vcpu.ts';

/** Xen's default weight: the processor is shared in proportion to weights. */
export const DEFAULT_WEIGHT = 256;

/** What a domain is from its first moment on. */
export interface DomainIdentity {
  readonly id: number;
  /** As the user calls it. */
  readonly name: string;
  readonly isDom0: boolean;
  readonly bits: 64 | 32;
  readonly tsc: 'emulate' | 'native';
  readonly policy: CpuPolicy;
  readonly sharedInfo: Mfn;
  /** Guest time in ns at which it was made. */
  readonly startedAt: number;
  readonly maxPages: number;
}

export class Domain {
  readonly id: number;
  readonly name: string;
  readonly isDom0: boolean;
  /** Width of the guest kernel and of its interface to Xen. */
  bits: 64 | 32;
  tsc: 'emulate' | 'native';
  readonly policy: CpuPolicy;
  readonly sharedInfo: Mfn;
  readonly startedAt: number;
  readonly vcpus: VcpuState[] = [];
  /** Null for a domain whose memory its toolstack fills. */
  image: BuiltDomain | null = null;
  /** Pages it has and may have (memory_op). */
  pages = 0;
  maxPages: number;
  /** Bits of vm_assist that are on. */
  assists = 0n;
  events!: EventChannels;
  grants!: GrantTable;
  /** The simulator's back ends of its rings. */
  console: ConsoleRing | null = null;
  store: StoreRing | null = null;
  /** It has shut down, or was killed. */
  ending: Ending | null = null;
  /** How often it was paused without being unpaused (domctl, the builder). */
  paused = 0;
  /** destroydomain was called: its memory is being given back, or what is left waits for others to let go of it. */
  dying: 'no' | 'dying' | 'dead' = 'no';
  /** Dead: frames that others still hold. */
  framesLeft = 0;
  /** Pages of Xen's heap that were shared with it and go when it is forgotten. */
  readonly ownPages: Mfn[] = [];
  /** Share of the processor, and its most in per cent; 0: no limit. */
  weight = DEFAULT_WEIGHT;
  cap = 0;
  /** watchdog timers (sched_op.watchdog): guest time of expiry in ns, 0 for none. */
  readonly watchdogs = [0, 0];
  /** What Xen keeps for it of the ports that it watches: the CMOS index, and PCI's configuration address. */
  readonly ports = { cmosIndex: 0, pciAddress: 0 };
  /** Interrupts of the machine's devices, by the domain's number of them. */
  readonly pirqs = new Map<number, Pirq>();
  /** Its pirq_eoi_gmfn call was of the first version: ending an interrupt unmasks its port. */
  autoUnmask = false;
  /** physdev_op.pirq_eoi_gmfn. */
  pirqEoiPage: Mfn | null = null;
  /** Xen runs it on shadow tables (after a not-present entry that L1TF could use). */
  shadowed = false;
  /** Reason that the next shutdown counts as, once one was given. */
  shutdownCode: number | null = null;
  /** memory_op.memory_map: entries of 20 bytes, as the structure e820entry; empty for none. */
  memoryMap: Uint8Array = new Uint8Array(0);
  hypercalls = 0;
  /** For looking at: bytes that it printed, and text that it gave to console_io and Xen refused. */
  printed = 0;
  refusedText = '';

  constructor(identity: DomainIdentity) {
    this.id = identity.id;
    this.name = identity.name;
    this.isDom0 = identity.isDom0;
    this.bits = identity.bits;
    this.tsc = identity.tsc;
    this.policy = identity.policy;
    this.sharedInfo = identity.sharedInfo;
    this.startedAt = identity.startedAt;
    this.maxPages = identity.maxPages;
  }

  /** What the simulator's builder made. Only for domains of which it is known that it did. */
  get built(): BuiltDomain {
    if (!this.image) throw new Error(`domain ${this.id} was not made by the simulator's builder`);
    return this.image;
  }

  assist(type: number): boolean {
    return ((this.assists >> BigInt(type)) & 1n) !== 0n;
  }

  /** None of its vCPUs may run. */
  get stopped(): boolean {
    return this.paused > 0 || this.ending !== null || this.dying !== 'no';
  }
}
