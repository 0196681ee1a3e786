// The XenStore back end: serves the domain's store ring with the daemon of xenstore/.

import { type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { BackEnd } from '../hypervisor/event-port.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { XenStore } from '../xenstore/responder.ts';
import { hasWork, type RingPage, serveRing } from '../xenstore/store-ring.ts';
import { BACK_END_LATENCY, backEndTimer } from './console.ts';

const MOST_MISSES = 32;

export class StoreRing implements BackEnd {
  readonly name = 'store';
  /** Nodes that the domain looked for in vain: how often, and at which instruction last. */
  readonly misses = new Map<string, { times: number; last: number }>();
  private readonly hv: Hypervisor;
  private readonly domain: Domain;
  private readonly timer: string;
  private readonly store: XenStore;
  private readonly mfn: Mfn;

  constructor(hv: Hypervisor, domain: Domain, store: XenStore, mfn: Mfn) {
    this.hv = hv;
    this.domain = domain;
    this.timer = backEndTimer(domain, this.name);
    this.store = store;
    this.mfn = mfn;
  }

  /** A request that found no node; the last ones are kept. */
  missed(path: string): void {
    const times = (this.misses.get(path)?.times ?? 0) + 1;
    this.misses.delete(path);
    this.misses.set(path, { times, last: this.hv.icount });
    if (this.misses.size > MOST_MISSES) this.misses.delete(this.misses.keys().next().value!);
  }

  /** The ring as it lies in memory. */
  page(): Uint8Array {
    return this.hv.memory.ram.page(this.mfn);
  }

  xenstore(): XenStore {
    return this.store;
  }

  notified(): void {
    if (!this.hv.timers.has(this.timer)) this.hv.timers.set(this.timer, this.hv.now() + BACK_END_LATENCY, () => this.work());
  }

  /** Its domain is gone. */
  stop(): void {
    this.hv.timers.cancel(this.timer);
  }

  work(): void {
    const page = this.hv.memory.ram.page(this.mfn);
    const ring: RingPage = {
      read: (offset, length) => page.slice(offset, offset + length),
      write: (offset, bytes) => page.set(bytes.subarray(0, PAGE_SIZE - offset), offset),
    };
    const moved = serveRing(this.store, this.domain.id, ring);
    this.hv.written(this.mfn);
    if (moved) this.domain.events.fromBackEnd(this);
    // A request of one domain may leave events of watches for others.
    for (const other of this.hv.domains.values()) {
      if (other !== this.domain && other.store && hasWork(this.store, other.id)) other.store.notified();
    }
  }
}
