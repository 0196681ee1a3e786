// A PCI device that copies memory by itself and raises an interrupt, for code that learns to drive one: QEMU's "edu", register for register. It
// has a buffer of its own that can be filled from memory and copied back.
// Source: QEMU's description of the device (docs/specs/edu).

import type { MemoryDevice, PcHost } from './device.ts';
import { barOf, busMaster, type PciFunction, pciFunction } from './pci.ts';

const IDENTIFICATION = 0x0100_00ed;
const BYTES = 0x10_0000;
const BUFFER_AT = 0x4_0000;
const BUFFER_BYTES = 4096;
/** Addresses beyond 32 bits the device cannot reach (QEMU's has 28 unless it is given a wider dma_mask). */
const REACH = 2 ** 32;
const FACTORIAL_DONE = 1;
const DMA_DONE = 0x100;
const RAISE_AFTER_FACTORIAL = 0x80;
const START = 1;
const TO_MEMORY = 2;
const RAISE_AFTER_DMA = 4;
/** A transfer takes so long. */
const DMA_NS = 100_000_000;
const TIMER = 'edu transfer';

export interface Transfer {
  readonly direction: 'to memory' | 'from memory';
  readonly address: number;
  readonly bytes: number;
}

export class Edu implements MemoryDevice {
  readonly function: PciFunction;
  /** Told of every transfer when it is started. */
  onTransfer: (transfer: Transfer) => void = () => {};
  private readonly host: PcHost;
  private readonly line: number;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private liveness = 0;
  private factorial = 0;
  private status = 0;
  private interrupts = 0;
  private source = 0n;
  private destination = 0n;
  private count = 0n;
  private command = 0;

  constructor(host: PcHost, devfn: number, at: number, line: number) {
    this.host = host;
    this.line = line;
    this.function = pciFunction({
      devfn,
      ...{ vendor: 0x1234, device: 0x11e8, revision: 0x10, classCode: 0x00_ff00, command: 0x103, status: 0 },
      subsystem: { vendor: 0x1af4, device: 0x1100 },
      bar: { bytes: BYTES, at },
      interrupt: { pin: 1, line },
    });
  }

  get start(): number {
    return barOf(this.function) ?? 0;
  }
  get bytes(): number {
    return barOf(this.function) === null ? 0 : BYTES;
  }

  page(offset: number): Uint8Array {
    const page = new Uint8Array(4096);
    // Registers end at 0x80 for 4-byte ones, the transfer's follow; all else of the range reads as ones.
    page.fill(0xff);
    if (offset !== 0) return page;
    const view = new DataView(page.buffer);
    view.setUint32(0x00, IDENTIFICATION, true);
    view.setUint32(0x04, this.liveness, true);
    view.setUint32(0x08, this.factorial, true);
    view.setUint32(0x20, this.status, true);
    view.setUint32(0x24, this.interrupts, true);
    view.setBigUint64(0x80, this.source, true);
    view.setBigUint64(0x88, this.destination, true);
    view.setBigUint64(0x90, this.count, true);
    view.setBigUint64(0x98, BigInt(this.command), true);
    return page;
  }

  store(offset: number, bytes: Uint8Array): void {
    const wide = bytes.length === 8;
    if (offset < 0x80 ? bytes.length !== 4 : bytes.length !== 4 && !wide) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const value = wide ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
    const word = Number(value & 0xffff_ffffn);
    switch (offset) {
      case 0x04:
        this.liveness = ~word >>> 0;
        break;
      case 0x08:
        this.compute(word);
        break;
      case 0x20:
        this.status = (this.status & ~RAISE_AFTER_FACTORIAL) | (word & RAISE_AFTER_FACTORIAL);
        break;
      case 0x60:
        this.raise(word);
        break;
      case 0x64:
        this.interrupts = (this.interrupts & ~word) >>> 0;
        if (this.interrupts === 0) this.host.line(this.line, false);
        break;
      case 0x80:
        this.source = value;
        break;
      case 0x88:
        this.destination = value;
        break;
      case 0x90:
        this.count = value;
        break;
      case 0x98:
        if (!(this.command & START)) this.begin(word);
        break;
    }
  }

  private compute(of: number): void {
    let product = 1;
    for (let n = of; n > 0 && product !== 0; n--) product = Math.imul(product, n);
    this.factorial = product >>> 0;
    if (this.status & RAISE_AFTER_FACTORIAL) this.raise(FACTORIAL_DONE);
  }

  private raise(bits: number): void {
    this.interrupts = (this.interrupts | bits) >>> 0;
    if (this.interrupts !== 0) this.host.line(this.line, true);
  }

  private begin(command: number): void {
    this.command = command & (START | TO_MEMORY | RAISE_AFTER_DMA);
    if (!(command & START)) return;
    const toMemory = (command & TO_MEMORY) !== 0;
    const address = Number((toMemory ? this.destination : this.source) & BigInt(REACH - 1));
    if (busMaster(this.function))
      this.onTransfer({ direction: toMemory ? 'to memory' : 'from memory', address, bytes: Number(this.count) });
    this.host.at(TIMER, this.host.now() + DMA_NS, () => this.transfer(toMemory, address));
  }

  private transfer(toMemory: boolean, address: number): void {
    const inside = Number(toMemory ? this.source : this.destination) - BUFFER_AT;
    const count = Number(this.count);
    const fits = inside >= 0 && count <= BUFFER_BYTES && inside + count <= BUFFER_BYTES;
    if (fits && busMaster(this.function)) {
      if (toMemory) this.host.dma.write(address, this.buffer.subarray(inside, inside + count));
      else this.buffer.set(this.host.dma.read(address, count), inside);
    }
    const raise = this.command & RAISE_AFTER_DMA;
    this.command &= ~START;
    if (raise) this.raise(DMA_DONE);
  }

  state(): unknown {
    return [
      [...this.buffer],
      [...this.function.config],
      ...[this.liveness, this.factorial, this.status, this.interrupts, this.command],
      ...[this.source, this.destination, this.count].map(String),
    ];
  }
}
