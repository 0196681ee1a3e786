// The XenStore back end: serves the domain's store ring with the daemon of xenstore/.

import { type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import type { BackEnd } from '../hypervisor/event-port.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { XenStore } from '../xenstore/responder.ts';
import { type RingPage, serveRing } from '../xenstore/store-ring.ts';
import { BACK_END_LATENCY } from './console.ts';

export const STORE_TIMER = 'store back end';

export class StoreRing implements BackEnd {
  readonly name = 'store';
  private readonly hv: Hypervisor;
  private readonly store: XenStore;
  private readonly mfn: Mfn;

  constructor(hv: Hypervisor, store: XenStore, mfn: Mfn) {
    this.hv = hv;
    this.store = store;
    this.mfn = mfn;
    store.trace = (record) => {
      hv.trace.emit('xenstore', { ...record, vcpu: hv.current.id });
    };
  }

  notified(): void {
    if (!this.hv.timers.has(STORE_TIMER)) this.hv.timers.set(STORE_TIMER, this.hv.now() + BACK_END_LATENCY, () => this.work());
  }

  work(): void {
    const page = this.hv.memory.ram.page(this.mfn);
    const ring: RingPage = {
      read: (offset, length) => page.slice(offset, offset + length),
      write: (offset, bytes) => page.set(bytes.subarray(0, PAGE_SIZE - offset), offset),
    };
    const moved = serveRing(this.store, this.hv.domain.id, ring);
    this.hv.written(this.mfn);
    if (moved) this.hv.domain.events.fromBackEnd(this);
  }
}
