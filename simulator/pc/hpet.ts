// The registers of the high precision event timer, which Xen itself uses as its clock: dom0 can map and read them. Its comparators belong to Xen,
// so stores do nothing.
// Source: IA-PC HPET specification 1.0a, 2.3.

import type { MemoryDevice } from './device.ts';
import { HPET } from './memory-map.ts';

/** Femtoseconds of a tick: 100 MHz. */
const PERIOD = 10_000_000n;
const TICK_NS = 10;
/** Three comparators, 64 bits, Intel's number, revision 1. */
const CAPABILITIES = 0x8086_a201n;
const ENABLED = 1n;

export class Hpet implements MemoryDevice {
  readonly start = HPET;
  readonly bytes = 4096;
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  page(): Uint8Array {
    const page = new Uint8Array(4096);
    const view = new DataView(page.buffer);
    view.setBigUint64(0, (PERIOD << 32n) | CAPABILITIES, true);
    view.setBigUint64(0x10, ENABLED, true);
    view.setBigUint64(0xf0, BigInt(Math.floor(this.now() / TICK_NS)), true);
    return page;
  }

  store(): void {}
}
