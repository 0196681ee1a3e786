// The console back end of a domU: takes output from the ring when the guest sends its event, and puts input into the ring as
// there is room. It works a moment after it was notified, at an exact time, or when the guest yields.

import type { Mfn } from '../../abi/address.ts';
import { offsetOf } from '../../abi/layout.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { BackEnd } from '../hypervisor/event-port.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';

const IN = offsetOf('xencons_interface', 64, 'in');
const OUT = offsetOf('xencons_interface', 64, 'out');
const IN_CONS = offsetOf('xencons_interface', 64, 'in_cons');
const IN_PROD = offsetOf('xencons_interface', 64, 'in_prod');
const OUT_CONS = offsetOf('xencons_interface', 64, 'out_cons');
const OUT_PROD = offsetOf('xencons_interface', 64, 'out_prod');
const IN_SIZE = 1024;
const OUT_SIZE = 2048;

/** Guest time from an event to the back end's work, in ns. */
export const BACK_END_LATENCY = 20_000;
export const backEndTimer = ({ id }: Domain, name: string): string => `d${id} ${name} back end`;

export class ConsoleRing implements BackEnd {
  readonly name = 'console';
  private readonly hv: Hypervisor;
  private readonly domain: Domain;
  private readonly timer: string;
  private readonly mfn: Mfn;
  /** Input that did not fit yet: the bytes from `taken` on. */
  private queue: Uint8Array = new Uint8Array();
  private taken = 0;
  /** Output up to this index has been handed on; the guest sees it consumed when the back end works. */
  private shown = 0;

  constructor(hv: Hypervisor, domain: Domain, mfn: Mfn) {
    this.hv = hv;
    this.domain = domain;
    this.timer = backEndTimer(domain, this.name);
    this.mfn = mfn;
  }

  /** Hands output on at once, so that the console of a stopped guest is complete. */
  notified(): void {
    const page = this.hv.memory.ram.page(this.mfn);
    this.show(page, new DataView(page.buffer, page.byteOffset, page.length).getUint32(OUT_PROD, true));
    if (!this.hv.timers.has(this.timer)) this.hv.timers.set(this.timer, this.hv.now() + BACK_END_LATENCY, () => this.work());
  }

  /** Its domain is gone. */
  stop(): void {
    this.hv.timers.cancel(this.timer);
  }

  /** What lies in the ring and was not handed on: the guest has not sent its event. */
  unsent(): Uint8Array {
    const page = this.hv.memory.ram.page(this.mfn);
    const producer = new DataView(page.buffer, page.byteOffset, page.length).getUint32(OUT_PROD, true);
    const count = (producer - this.shown) >>> 0;
    if (count > OUT_SIZE) return new Uint8Array();
    return Uint8Array.from({ length: count }, (_, n) => page[OUT + ((this.shown + n) & (OUT_SIZE - 1))]!);
  }

  handedOn(): number {
    return this.shown;
  }

  /** Input that waits for room in the ring. */
  waiting(): Uint8Array {
    return this.queue.subarray(this.taken);
  }

  input(bytes: Uint8Array): void {
    const rest = this.waiting();
    const joined = new Uint8Array(rest.length + bytes.length);
    joined.set(rest);
    joined.set(bytes, rest.length);
    this.queue = joined;
    this.taken = 0;
    this.notified();
  }

  /** Moves what can be moved; the guest gets an event when anything was. */
  work(): void {
    const page = this.hv.memory.ram.page(this.mfn);
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    const took = this.takeOutput(page, view);
    const gave = this.giveInput(page, view);
    if (gave) this.hv.written(this.mfn);
    if (took || gave) this.domain.events.fromBackEnd(this);
  }

  private show(page: Uint8Array, producer: number): void {
    const count = (producer - this.shown) >>> 0;
    // A guest that runs over the ring's end loses what it overwrote; it is not followed further.
    if (count > 0 && count <= OUT_SIZE) {
      const bytes = new Uint8Array(count);
      for (let n = 0; n < count; n++) bytes[n] = page[OUT + ((this.shown + n) & (OUT_SIZE - 1))]!;
      this.hv.consoleOut(this.domain, bytes);
    }
    this.shown = producer;
  }

  private takeOutput(page: Uint8Array, view: DataView): boolean {
    const producer = view.getUint32(OUT_PROD, true);
    this.show(page, producer);
    if (view.getUint32(OUT_CONS, true) === producer) return false;
    view.setUint32(OUT_CONS, producer, true);
    this.hv.written(this.mfn);
    return true;
  }

  private giveInput(page: Uint8Array, view: DataView): boolean {
    const consumer = view.getUint32(IN_CONS, true);
    let producer = view.getUint32(IN_PROD, true);
    const before = producer;
    while (this.taken < this.queue.length && (producer - consumer) >>> 0 < IN_SIZE) {
      page[IN + (producer & (IN_SIZE - 1))] = this.queue[this.taken++]!;
      producer = (producer + 1) >>> 0;
    }
    view.setUint32(IN_PROD, producer, true);
    return producer !== before;
  }
}
