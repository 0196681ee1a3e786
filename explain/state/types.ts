// What is known of a domain that stands still or is at its end: event channels, XenStore, console, start_info. The simulator fills it in, the
// files beside put it into words. Instruction counts are of the machine; -1 stands for never.

export interface PortState {
  readonly port: number;
  readonly kind: 'unbound' | 'interdomain' | 'virq' | 'ipi' | 'pirq';
  /** The other end in words: 'VIRQ_TIMER', 'the console of dom0', 'port 5 of domain 2', 'domain 0, which has not bound it'. */
  readonly peer: string;
  readonly vcpu: number;
  readonly pending: boolean;
  readonly masked: boolean;
  /** 2-level layout: the selector bit of the port's word in vcpu_info. FIFO: the port is on a queue. */
  readonly selected: boolean;
  readonly fifo: boolean;
  readonly boundAt: number;
  /** The last time that this domain sent through it, that an event came, that an upcall found it. */
  readonly lastSent: number;
  readonly lastEvent: number;
  readonly lastUpcall: number;
  /** Since when events have found it masked, without an unmasking in between. */
  readonly maskedSince: number;
}

export interface VcpuEvents {
  readonly vcpu: number;
  readonly upcallPending: boolean;
  readonly upcallMask: boolean;
  readonly hasCallback: boolean;
}

export interface WatchState {
  readonly path: string;
  readonly token: string;
  /** Events sent for it, the first one at its registration included. */
  readonly fired: number;
}

export interface StoreState {
  readonly watches: readonly WatchState[];
  /** Nodes that the domain looked for in vain and that still are not there: how often, and when last. */
  readonly missing: readonly { readonly path: string; readonly times: number; readonly last: number }[];
  readonly devices: readonly DeviceState[];
  /** Bytes of requests in the ring that the daemon was not told of, and of replies and events that the domain has not taken. */
  readonly requestBytes: number;
  readonly replyBytes: number;
}

/** One device of the domain: the nodes of both ends, by their names below the device's directory. */
export interface DeviceState {
  /** 'vbd', 'vif'. */
  readonly kind: string;
  readonly id: string;
  readonly frontPath: string;
  readonly front: Readonly<Record<string, string>>;
  /** As the front end's node names it; null: it has none. */
  readonly backPath: string | null;
  /** Null: there is no such directory. */
  readonly back: Readonly<Record<string, string>> | null;
}

export interface ConsoleState {
  /** Bytes that reached the console. */
  readonly printed: number;
  /** What lies in the ring and has not been taken, for want of an event. */
  readonly waiting: string;
  /** Text that the domain gave to console_io and that Xen refused. */
  readonly refused: string;
}

export interface StartInfoState {
  readonly address: string;
  readonly bits: 64 | 32;
  readonly dom0: boolean;
  readonly bytes: Uint8Array;
}

export interface DomainState {
  readonly domain: number;
  readonly icount: number;
  readonly vcpus: readonly VcpuEvents[];
  readonly ports: readonly PortState[];
  readonly store: StoreState | null;
  readonly console: ConsoleState | null;
  readonly startInfo: StartInfoState | null;
}
