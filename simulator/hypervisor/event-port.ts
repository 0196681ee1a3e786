// One event channel port, and what its two layouts (2-level, FIFO) have in common.

/** The other end of a port that leads to a device back end of the simulator. */
export interface BackEnd {
  /** In words: 'console', 'store'. */
  readonly name: string;
  /** The guest sent an event. */
  notified(): void;
}

export type Channel =
  | { readonly kind: 'free' }
  | { readonly kind: 'reserved' }
  | { readonly kind: 'unbound'; readonly remote: number }
  | { readonly kind: 'interdomain'; readonly remote: number; readonly remotePort: number; readonly backEnd: BackEnd | null }
  | { readonly kind: 'virq'; readonly virq: number }
  | { readonly kind: 'pirq'; readonly pirq: number }
  | { readonly kind: 'ipi' };

export const FREE: Channel = { kind: 'free' };

export class Port {
  readonly port: number;
  channel: Channel = FREE;
  /** vCPU that it notifies. */
  vcpu = 0;
  /** FIFO: queue for the next event, and the queue that it was last put into. */
  priority = 0;
  lastVcpu = 0;
  lastPriority = 0;
  /** FIFO: came while the array had no page for it. */
  early = false;
  /** Instruction counts of the last event and of the last upcall that found it pending, for looking at; -1: never. */
  lastEvent = -1;
  lastUpcall = -1;
  /** Likewise: when it was bound, when this domain last sent through it, and since when events have found it masked. */
  boundAt = -1;
  lastSent = -1;
  maskedSince = -1;

  constructor(port: number) {
    this.port = port;
  }

  /** Bound to something: events can come. */
  usable(): boolean {
    return this.channel.kind !== 'free' && this.channel.kind !== 'reserved';
  }
}

/** Where pending and mask bits lie and how a vCPU finds them. */
export interface PortLayout {
  readonly name: '2-level' | 'FIFO';
  /** Ports beyond this one do not exist. */
  readonly ports: number;
  /** Marks a port pending for a vCPU and tells the vCPU when it has to look. */
  setPending(port: Port, vcpu: number): void;
  clearPending(port: Port): void;
  unmask(port: Port): void;
  pending(port: Port): boolean;
  masked(port: Port): boolean;
  /** Still in a queue: cannot be given out again. */
  busy(port: Port): boolean;
}

/** What one end of a pair needs of the other. */
export interface PortTable {
  bind(port: number, channel: Channel): void;
}

/** What event channels need of the rest of the hypervisor. */
export interface EventHost {
  /** Id of the domain. */
  readonly domain: number;
  /** Width of the guest's words. */
  readonly bits: 64 | 32;
  /** Bytes of the domain's shared_info page. */
  shared(): Uint8Array;
  /** Bytes of a vCPU's vcpu_info. */
  info(vcpu: number): Uint8Array;
  /** shared_info or vcpu_info was written. */
  touched(): void;
  /** Bytes of a page that the guest gave for event words; `wrotePage` after a store. */
  page(mfn: number): Uint8Array;
  wrotePage(mfn: number): void;
  /** The vCPU has events pending now: wake it and let it look. */
  kick(vcpu: number): void;
  /** The port of one of the domain's interrupts was closed. */
  pirqClosed(pirq: number): void;
  /** Wakes vCPUs that poll this port. */
  pollers(port: number): void;
  /** Instructions executed. */
  icount(): number;
  trace(action: 'send' | 'pending' | 'masked' | 'bound' | 'closed', port: number, detail: { virq?: number; peer?: string }): void;
  /** Ports of another domain, or of this one. */
  peer(domain: number): PortTable | null;
  /** Xen logs something about a vCPU's use of events. */
  log(vcpu: number, text: string): void;
}
