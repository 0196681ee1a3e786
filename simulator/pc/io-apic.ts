// The I/O APIC: its registers as Xen programs them and dom0 reads them (physdev_op.apic_read, or the page that it may map read only).
// Source: Intel 82093AA data sheet.

import type { MemoryDevice } from './device.ts';
import { IO_APIC } from './memory-map.ts';

export const GSIS = 24;
/** Of the reference machine: 0x20, with the number of the last input. */
const VERSION = 0x20 | ((GSIS - 1) << 16);
const MASKED = 0x1_0000;
export const LEVEL = 0x8000;
const ACTIVE_LOW = 0x2000;

export class IoApic implements MemoryDevice {
  readonly start = IO_APIC;
  readonly bytes = 4096;
  /** Low halves of the redirection entries. */
  readonly entries = new Uint32Array(GSIS).fill(MASKED);
  /** State of the inputs' lines, and inputs that were set up. */
  readonly asserted = new Uint8Array(GSIS);
  readonly programmed = new Set<number>();
  /** Lines of which was said that nobody listens. */
  readonly told = new Set<number>();
  private readonly destinations = new Uint32Array(GSIS);
  index = 0;

  read(register: number): number {
    if (register === 0) return 0;
    if (register === 1) return VERSION;
    if (register === 2) return 0;
    const input = (register - 0x10) >> 1;
    if (register < 0x10 || input >= GSIS) return 0;
    return register & 1 ? this.destinations[input]! : this.entries[input]!;
  }

  /** Xen sets up an input. */
  program(input: number, how: { vector: number; level: boolean; low: boolean; masked: boolean }): void {
    this.entries[input] = how.vector | 0x0800 | (how.level ? LEVEL : 0) | (how.low ? ACTIVE_LOW : 0) | (how.masked ? MASKED : 0);
    this.destinations[input] = 0x0100_0000;
  }

  mask(input: number, masked: boolean): void {
    this.entries[input] = masked ? this.entries[input]! | MASKED : this.entries[input]! & ~MASKED;
  }

  isMasked(input: number): boolean {
    return (this.entries[input]! & MASKED) !== 0;
  }

  isLevel(input: number): boolean {
    return (this.entries[input]! & LEVEL) !== 0;
  }

  page(): Uint8Array {
    const page = new Uint8Array(4096);
    const view = new DataView(page.buffer);
    view.setUint32(0, this.index, true);
    view.setUint32(0x10, this.read(this.index), true);
    return page;
  }

  /** Xen maps the page read only for dom0: no store comes here. */
  store(): void {}

  state(): unknown {
    return [[...this.entries], [...this.destinations], this.index, [...this.asserted], [...this.programmed]];
  }
}
