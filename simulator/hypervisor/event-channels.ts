// Event channels of one domain: its table of ports and what they are bound to. How events are marked is the layout's affair.
// Source: public/event_channel.h; behaviour of Xen 4.17.

import { offsetOf } from '../../abi/layout.ts';
import { TwoLevel } from './event-2l.ts';
import { DEFAULT_PRIORITY, Fifo } from './event-fifo.ts';
import { type BackEnd, type Channel, type EventHost, FREE, Port, type PortLayout } from './event-port.ts';

/** Xen makes room for so many ports at once: what lies in the last piece exists, though free. */
const PORTS_AT_ONCE = 64;
/** Virtual interrupts that each vCPU has of its own (timer, debug, xenoprof, PMU); the others belong to vCPU 0 of the domain. */
export const PER_VCPU_VIRQS: ReadonlySet<number> = new Set([0, 1, 7, 13]);

const UPCALL_PENDING = 0;
const UPCALL_MASK = 1;

/** A port of dom0 that waits for, or is bound to, a port of this domain: the far side of a device. */
interface RemotePort {
  readonly backEnd: BackEnd;
  /** Port of this domain; 0 while it waits. */
  boundTo: number;
}

export class EventChannels {
  readonly ports: Port[] = [];
  private readonly host: EventHost;
  private readonly twoLevel: TwoLevel;
  private layout: PortLayout;
  /** Highest port number that the toolstack lets the domain have. */
  private readonly highest: number;
  /** By vCPU and virtual interrupt: the port. */
  private readonly virqs = new Map<number, number>();
  private readonly remotePorts = new Map<number, RemotePort>();
  private readonly selectorAt: number;

  constructor(host: EventHost, highest: number) {
    this.host = host;
    this.highest = highest;
    this.selectorAt = offsetOf('vcpu_info', host.bits, 'evtchn_pending_sel');
    this.twoLevel = new TwoLevel(host, (vcpu) => this.markPending(vcpu));
    this.layout = this.twoLevel;
    this.grow();
    this.ports[0]!.channel = { kind: 'reserved' };
  }

  /** A port that exists, bound or free; null beyond the table. */
  port(port: number): Port | null {
    return this.ports[port] ?? null;
  }

  /** The FIFO layout when the guest switched to it. */
  fifo(): Fifo | null {
    return this.layout instanceof Fifo ? this.layout : null;
  }

  /** How many ports the domain can have. */
  limit(): number {
    return Math.min(this.layout.ports, this.highest + 1);
  }

  private grow(): void {
    for (let n = 0; n < PORTS_AT_ONCE; n++) this.ports.push(new Port(this.ports.length));
  }

  /** The lowest port that is free and in no queue; null when all are taken. */
  private freePort(): Port | null {
    const limit = this.limit();
    for (let port = 1; port < limit; port++) {
      if (port >= this.ports.length) this.grow();
      const entry = this.ports[port]!;
      if (entry.channel.kind === 'free' && !this.layout.busy(entry)) return entry;
    }
    return null;
  }

  /** Is there a port that can be taken? */
  room(): boolean {
    return this.freePort() !== null;
  }

  /** Takes a port and binds it; null when all are taken. */
  allocate(channel: Channel, vcpu = 0): number | null {
    const entry = this.freePort();
    if (!entry) return null;
    const { port } = entry;
    entry.channel = channel;
    entry.vcpu = vcpu;
    entry.boundAt = this.host.icount();
    entry.lastSent = entry.lastEvent = entry.lastUpcall = entry.maskedSince = -1;
    if (this.fifo()) entry.priority = DEFAULT_PRIORITY;
    if (channel.kind === 'virq') this.virqs.set(virqKey(channel.virq, vcpu), port);
    if (channel.kind === 'interdomain' && channel.backEnd)
      this.remotePorts.set(channel.remotePort, { backEnd: channel.backEnd, boundTo: port });
    this.host.trace('bound', port, channel.kind === 'virq' ? { virq: channel.virq } : { peer: peerOf(channel) });
    return port;
  }

  bind(port: number, channel: Channel): void {
    this.ports[port]!.channel = channel;
  }

  /** The back end that waits behind a port of dom0 for this domain; null when none does. */
  waitingBackEnd(remotePort: number): BackEnd | null {
    const remote = this.remotePorts.get(remotePort);
    return remote && remote.boundTo === 0 ? remote.backEnd : null;
  }

  /** Frees a bound port; its peer becomes unbound again. */
  close(port: number): void {
    const entry = this.ports[port]!;
    const { channel } = entry;
    if (channel.kind === 'virq') this.virqs.delete(virqKey(channel.virq, entry.vcpu));
    if (channel.kind === 'pirq') this.host.pirqClosed(channel.pirq);
    if (channel.kind === 'interdomain') {
      if (channel.backEnd) this.remotePorts.get(channel.remotePort)!.boundTo = 0;
      else this.host.peer(channel.remote)?.bind(channel.remotePort, { kind: 'unbound', remote: this.host.domain });
    }
    this.layout.clearPending(entry);
    entry.channel = FREE;
    entry.vcpu = 0;
    this.host.trace('closed', port, {});
  }

  /** Closes every port and goes back to the 2-level layout. Answers the frames that the FIFO layout held. */
  reset(): number[] {
    for (const { port, channel } of this.ports) if (channel.kind !== 'free' && channel.kind !== 'reserved') this.close(port);
    const frames = this.fifo()?.frames() ?? [];
    this.layout = this.twoLevel;
    return frames;
  }

  /** Switches to the FIFO layout with its first control block; what is pending now is kept until the ports' words exist. */
  useFifo(vcpu: number, mfn: number, offset: number): void {
    for (const entry of this.ports) {
      if (entry.port === 0) continue;
      if (this.layout.pending(entry)) entry.early = true;
      entry.priority = DEFAULT_PRIORITY;
    }
    const fifo = new Fifo(this.host, (target) => this.markPending(target));
    fifo.setControlBlock(vcpu, mfn, offset);
    this.layout = fifo;
  }

  /** Moves a port to another vCPU. */
  setVcpu(port: number, vcpu: number): void {
    const entry = this.ports[port]!;
    const { channel } = entry;
    entry.vcpu = vcpu;
    // A global virtual interrupt stays in vCPU 0's list wherever it is delivered.
    if (channel.kind === 'virq') this.virqs.set(virqKey(channel.virq, 0), port);
  }

  /** Port to which a virtual interrupt is bound on a vCPU; 0 for none. */
  virqPort(virq: number, vcpu: number): number {
    return this.virqs.get(virqKey(virq, vcpu)) ?? 0;
  }

  raiseVirq(virq: number, vcpu: number): void {
    const port = this.virqPort(virq, vcpu);
    if (port > 0) this.raise(this.ports[port]!, PER_VCPU_VIRQS.has(virq) ? vcpu : this.ports[port]!.vcpu, { virq });
  }

  /** Marks a port pending and tells its vCPU, unless it is masked. A port that is not bound stays as it is. */
  setPending(port: number, detail: { virq?: number; peer?: string }): void {
    const entry = this.ports[port]!;
    if (entry.usable()) this.raise(entry, entry.vcpu, detail);
  }

  /** An event of a device: only while the port still leads to it. */
  fromBackEnd(backEnd: BackEnd): void {
    for (const { backEnd: other, boundTo } of this.remotePorts.values())
      if (other === backEnd && boundTo) this.setPending(boundTo, { peer: backEnd.name });
  }

  private raise(entry: Port, vcpu: number, detail: { virq?: number; peer?: string }): void {
    entry.lastEvent = this.host.icount();
    if (!this.layout.masked(entry)) entry.maskedSince = -1;
    else if (entry.maskedSince < 0) entry.maskedSince = entry.lastEvent;
    if (!this.layout.pending(entry)) this.host.trace(this.layout.masked(entry) ? 'masked' : 'pending', entry.port, detail);
    this.layout.setPending(entry, vcpu);
  }

  /** Clears the mask bit; a pending event is delivered then (EVTCHNOP_unmask). Ports that are not bound stay as they are. */
  unmask(port: number): void {
    const entry = this.ports[port]!;
    entry.maskedSince = -1;
    if (entry.usable()) this.layout.unmask(entry);
  }

  pending(port: number): boolean {
    return this.layout.pending(this.ports[port]!);
  }

  masked(port: number): boolean {
    return this.layout.masked(this.ports[port]!);
  }

  /** FIFO: is the port on a queue? */
  busy(port: number): boolean {
    return this.layout.busy(this.ports[port]!);
  }

  /** Bound ports pending and not masked, by number. */
  deliverable(): number[] {
    return this.ports.flatMap((entry) => (entry.usable() && this.layout.pending(entry) && !this.layout.masked(entry) ? [entry.port] : []));
  }

  upcallPending(vcpu: number): boolean {
    return this.host.info(vcpu)[UPCALL_PENDING] !== 0;
  }

  upcallMask(vcpu: number): number {
    return this.host.info(vcpu)[UPCALL_MASK]!;
  }

  setUpcallMask(vcpu: number, value: number): void {
    const info = this.host.info(vcpu);
    if (info[UPCALL_MASK] === value) return;
    info[UPCALL_MASK] = value;
    this.host.touched();
  }

  /** Pending events that are not masked as a whole: an upcall is due. */
  due(vcpu: number): boolean {
    const info = this.host.info(vcpu);
    return info[UPCALL_PENDING] !== 0 && info[UPCALL_MASK] === 0;
  }

  private markPending(vcpu: number): void {
    const info = this.host.info(vcpu);
    if (info[UPCALL_PENDING]) return;
    info[UPCALL_PENDING] = 1;
    this.host.touched();
    this.host.kick(vcpu);
  }

  /** Marks every selector bit, as Xen does when a vcpu_info moves: nothing may be lost. */
  markAll(vcpu: number): void {
    const info = this.host.info(vcpu);
    info.fill(0xff, this.selectorAt, this.selectorAt + this.host.bits / 8);
    this.host.touched();
    this.markPending(vcpu);
  }

  /** For the state hash. */
  state(): unknown {
    return [
      this.ports.map(({ channel, vcpu, priority, lastVcpu, lastPriority, early }) =>
        channel.kind === 'free' && !early
          ? lastVcpu * 16 + lastPriority
          : [
              channel.kind,
              vcpu,
              'virq' in channel ? channel.virq : 0,
              'remotePort' in channel ? channel.remotePort : 0,
              priority,
              lastVcpu,
              lastPriority,
              early,
            ],
      ),
      [...this.remotePorts].map(([remote, { boundTo }]) => [remote, boundTo]),
      this.fifo()?.state() ?? null,
    ];
  }
}

const virqKey = (virq: number, vcpu: number): number => (PER_VCPU_VIRQS.has(virq) ? vcpu : 0) * 64 + virq;

/** The other end in words. */
export function peerOf(channel: Channel): string {
  return channel.kind === 'interdomain' ? (channel.backEnd?.name ?? `port ${channel.remotePort} of d${channel.remote}`) : channel.kind;
}
