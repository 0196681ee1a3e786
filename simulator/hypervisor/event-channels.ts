// Event channels of one domain in the 2-level form: ports, their bindings, and the pending and mask bits in shared_info.
// Source: public/event_channel.h; order of the bit operations as in Xen 4.17 (common/event_2l.c).

import { offsetOf } from '../../abi/layout.ts';

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
  | { readonly kind: 'ipi' };

interface Port {
  channel: Channel;
  /** vCPU that it notifies. */
  vcpu: number;
}

export const MAX_PORTS = 4096;
/** Virtual interrupts that each vCPU has of its own; the others belong to vCPU 0 of the domain. */
export const PER_VCPU_VIRQS: ReadonlySet<number> = new Set([0, 1, 7, 13]);

const PENDING = offsetOf('shared_info', 64, 'evtchn_pending');
const MASK = offsetOf('shared_info', 64, 'evtchn_mask');
const UPCALL_PENDING = offsetOf('vcpu_info', 64, 'evtchn_upcall_pending');
const UPCALL_MASK = offsetOf('vcpu_info', 64, 'evtchn_upcall_mask');
const PENDING_SEL = offsetOf('vcpu_info', 64, 'evtchn_pending_sel');

/** What event channels need of the rest of the hypervisor. */
export interface EventHost {
  /** Bytes of the domain's shared_info page. */
  shared(): Uint8Array;
  /** Bytes of a vCPU's vcpu_info. */
  info(vcpu: number): Uint8Array;
  /** shared_info or vcpu_info was written. */
  touched(): void;
  /** The vCPU has events pending now: wake it and let it look. */
  kick(vcpu: number): void;
  /** Wakes vCPUs that poll this port. */
  pollers(port: number): void;
  trace(action: 'send' | 'pending' | 'masked' | 'bound' | 'closed', port: number, detail: { virq?: number; peer?: string }): void;
}

export class EventChannels {
  readonly ports: Port[] = [{ channel: { kind: 'reserved' }, vcpu: 0 }];
  private readonly host: EventHost;

  constructor(host: EventHost) {
    this.host = host;
  }

  port(port: number): Port | null {
    return this.ports[port] ?? null;
  }

  /** The lowest free port; null when all are taken. */
  private freePort(): number | null {
    for (let port = 1; port < this.ports.length; port++) if (this.ports[port]!.channel.kind === 'free') return port;
    if (this.ports.length >= MAX_PORTS) return null;
    this.ports.push({ channel: { kind: 'free' }, vcpu: 0 });
    return this.ports.length - 1;
  }

  /** Takes a port and binds it. */
  allocate(channel: Channel, vcpu = 0): number | null {
    const port = this.freePort();
    if (port === null) return null;
    this.ports[port] = { channel, vcpu };
    const peer =
      channel.kind === 'interdomain' ? (channel.backEnd?.name ?? `port ${channel.remotePort} of d${channel.remote}`) : channel.kind;
    this.host.trace('bound', port, channel.kind === 'virq' ? { virq: channel.virq } : { peer });
    return port;
  }

  bind(port: number, channel: Channel): void {
    this.ports[port]!.channel = channel;
  }

  /** Frees a port; its peer in this domain becomes unbound again. */
  close(port: number): void {
    const { channel } = this.ports[port]!;
    if (channel.kind === 'interdomain' && channel.backEnd === null) {
      const other = this.ports[channel.remotePort];
      if (other && other.channel.kind === 'interdomain') other.channel = { kind: 'unbound', remote: channel.remote };
    }
    this.ports[port] = { channel: { kind: 'free' }, vcpu: 0 };
    this.clearBit(PENDING, port);
    this.host.touched();
    this.host.trace('closed', port, {});
  }

  /** Port to which a virtual interrupt is bound on a vCPU; 0 for none. */
  virqPort(virq: number, vcpu: number): number {
    const port = this.ports.findIndex(
      (p) => p.channel.kind === 'virq' && p.channel.virq === virq && (!PER_VCPU_VIRQS.has(virq) || p.vcpu === vcpu),
    );
    return Math.max(0, port);
  }

  raiseVirq(virq: number, vcpu: number): void {
    const port = this.virqPort(virq, vcpu);
    if (port > 0) this.setPending(port, { virq });
  }

  /** Marks a port pending, and its vCPU when nothing masks it. */
  setPending(port: number, detail: { virq?: number; peer?: string }): void {
    if (this.testAndSet(PENDING, port)) return;
    const masked = this.masked(port);
    this.host.trace(masked ? 'masked' : 'pending', port, detail);
    if (!masked) this.select(port);
    this.host.touched();
    this.host.pollers(port);
  }

  /** Clears the mask bit; a pending event is delivered then (EVTCHNOP_unmask). */
  unmask(port: number): void {
    this.clearBit(MASK, port);
    if (this.pending(port)) this.select(port);
    this.host.touched();
  }

  pending(port: number): boolean {
    return this.bit(PENDING, port);
  }

  masked(port: number): boolean {
    return this.bit(MASK, port);
  }

  /** Ports pending and not masked, in the order in which a guest finds them. */
  deliverable(): number[] {
    const out: number[] = [];
    for (let port = 1; port < this.ports.length; port++) if (this.pending(port) && !this.masked(port)) out.push(port);
    return out;
  }

  upcallPending(vcpu: number): boolean {
    return this.host.info(vcpu)[UPCALL_PENDING] !== 0;
  }

  upcallMask(vcpu: number): number {
    return this.host.info(vcpu)[UPCALL_MASK]!;
  }

  setUpcallMask(vcpu: number, value: number): void {
    this.host.info(vcpu)[UPCALL_MASK] = value;
    this.host.touched();
  }

  /** Pending events that are not masked as a whole: an upcall is due. */
  due(vcpu: number): boolean {
    const info = this.host.info(vcpu);
    return info[UPCALL_PENDING] !== 0 && info[UPCALL_MASK] === 0;
  }

  /** Sets the selector bit and, when that is new, upcall_pending. */
  private select(port: number): void {
    const { vcpu } = this.ports[port]!;
    const info = this.host.info(vcpu);
    const at = PENDING_SEL + ((port >> 6) >> 3);
    const bit = 1 << ((port >> 6) & 7);
    if (info[at]! & bit) return;
    info[at] = info[at]! | bit;
    this.markPending(vcpu);
  }

  markPending(vcpu: number): void {
    const info = this.host.info(vcpu);
    if (info[UPCALL_PENDING]) return;
    info[UPCALL_PENDING] = 1;
    this.host.touched();
    this.host.kick(vcpu);
  }

  /** Marks every selector bit, as Xen does when a vcpu_info moves: nothing may be lost. */
  markAll(vcpu: number): void {
    const info = this.host.info(vcpu);
    info.fill(0xff, PENDING_SEL, PENDING_SEL + 8);
    info[UPCALL_PENDING] = 1;
    this.host.touched();
    this.host.kick(vcpu);
  }

  private bit(base: number, port: number): boolean {
    return (this.host.shared()[base + (port >> 3)]! & (1 << (port & 7))) !== 0;
  }

  private testAndSet(base: number, port: number): boolean {
    const shared = this.host.shared();
    const at = base + (port >> 3);
    const old = shared[at]!;
    shared[at] = old | (1 << (port & 7));
    return (old & (1 << (port & 7))) !== 0;
  }

  private clearBit(base: number, port: number): void {
    const shared = this.host.shared();
    shared[base + (port >> 3)]! &= ~(1 << (port & 7));
  }
}
