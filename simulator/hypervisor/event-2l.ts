// The 2-level layout of event channels: pending and mask bits in shared_info, a selector word in each vcpu_info.
// Source: public/event_channel.h and xen.h; order of the bit operations as observed on Xen 4.17.

import { offsetOf } from '../../abi/layout.ts';
import type { EventHost, Port, PortLayout } from './event-port.ts';

export class TwoLevel implements PortLayout {
  readonly name = '2-level';
  readonly ports: number;
  private readonly host: EventHost;
  private readonly markPending: (vcpu: number) => void;
  private readonly pendingAt: number;
  private readonly maskAt: number;
  private readonly selectorAt: number;
  /** Log2 of the bits in one word. */
  private readonly shift: 5 | 6;

  constructor(host: EventHost, markPending: (vcpu: number) => void) {
    this.host = host;
    this.markPending = markPending;
    this.pendingAt = offsetOf('shared_info', host.bits, 'evtchn_pending');
    this.maskAt = offsetOf('shared_info', host.bits, 'evtchn_mask');
    this.selectorAt = offsetOf('vcpu_info', host.bits, 'evtchn_pending_sel');
    this.shift = host.bits === 64 ? 6 : 5;
    this.ports = host.bits * host.bits;
  }

  setPending({ port }: Port, vcpu: number): void {
    const shared = this.host.shared();
    const at = this.pendingAt + (port >> 3);
    const bit = 1 << (port & 7);
    if (shared[at]! & bit) return;
    shared[at]! |= bit;
    if (!(shared[this.maskAt + (port >> 3)]! & bit)) this.select(port, vcpu);
    this.host.touched();
    this.host.pollers(port);
  }

  clearPending({ port }: Port): void {
    this.host.shared()[this.pendingAt + (port >> 3)]! &= ~(1 << (port & 7));
    this.host.touched();
  }

  unmask({ port, vcpu }: Port): void {
    const shared = this.host.shared();
    const at = this.maskAt + (port >> 3);
    const bit = 1 << (port & 7);
    if (!(shared[at]! & bit)) return;
    shared[at]! &= ~bit;
    if (shared[this.pendingAt + (port >> 3)]! & bit) this.select(port, vcpu);
    this.host.touched();
  }

  pending({ port }: Port): boolean {
    return port < this.ports && (this.host.shared()[this.pendingAt + (port >> 3)]! & (1 << (port & 7))) !== 0;
  }

  masked({ port }: Port): boolean {
    return port >= this.ports || (this.host.shared()[this.maskAt + (port >> 3)]! & (1 << (port & 7))) !== 0;
  }

  busy(): boolean {
    return false;
  }

  /** Sets the selector bit and, when that is new, tells the vCPU. */
  private select(port: number, vcpu: number): void {
    const info = this.host.info(vcpu);
    const word = port >> this.shift;
    const at = this.selectorAt + (word >> 3);
    const bit = 1 << (word & 7);
    if (info[at]! & bit) return;
    info[at]! |= bit;
    this.markPending(vcpu);
  }
}
