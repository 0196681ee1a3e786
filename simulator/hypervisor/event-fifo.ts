// The FIFO layout of event channels: one word for each port in pages that the guest gives, and sixteen queues by priority for each
// vCPU whose heads lie in its control block. Xen appends at the tail, the guest takes from the head.
// Source: public/event_channel.h (word and control block) and the event-channel FIFO design document; behaviour of Xen 4.17.

import { offsetOf, sizeOf } from '../../abi/layout.ts';
import type { EventHost, Port, PortLayout } from './event-port.ts';

const PENDING = 0x8000_0000;
const MASKED = 0x4000_0000;
const LINKED = 0x2000_0000;
const BUSY = 0x1000_0000;
const LINK = 0x1ffff;
export const LINK_BITS = 17;
export const WORDS_PER_PAGE = 1024;
const MOST_PAGES = (1 << LINK_BITS) / WORDS_PER_PAGE;
export const LOWEST_PRIORITY = 15;
export const DEFAULT_PRIORITY = 7;
export const CONTROL_BLOCK_BYTES = sizeOf('evtchn_fifo_control_block', 64);
const READY = offsetOf('evtchn_fifo_control_block', 64, 'ready');
const HEADS = offsetOf('evtchn_fifo_control_block', 64, 'head');

interface ControlBlock {
  readonly mfn: number;
  readonly offset: number;
  readonly bytes: DataView;
}

/** Little-endian words of a guest page, changed in place. */
const viewOf = (page: Uint8Array): DataView => new DataView(page.buffer, page.byteOffset, page.length);

export class Fifo implements PortLayout {
  readonly name = 'FIFO';
  readonly ports = 1 << LINK_BITS;
  private readonly host: EventHost;
  private readonly markPending: (vcpu: number) => void;
  private readonly blocks = new Map<number, ControlBlock>();
  /** Last port of each queue, by vCPU and priority; 0: the queue is empty. */
  private readonly tails = new Map<number, number[]>();
  private readonly array: { readonly mfn: number; readonly words: DataView }[] = [];

  constructor(host: EventHost, markPending: (vcpu: number) => void) {
    this.host = host;
    this.markPending = markPending;
  }

  hasControlBlock(vcpu: number): boolean {
    return this.blocks.has(vcpu);
  }

  setControlBlock(vcpu: number, mfn: number, offset: number): void {
    this.blocks.set(vcpu, { mfn, offset, bytes: viewOf(this.host.page(mfn).subarray(offset, offset + CONTROL_BLOCK_BYTES)) });
  }

  full(): boolean {
    return this.array.length >= MOST_PAGES;
  }

  /** Adds a page of event words. `ports`: all that exist, so that events that came before their word existed are raised now. */
  addPage(mfn: number, ports: readonly Port[]): void {
    const first = this.array.length * WORDS_PER_PAGE;
    this.array.push({ mfn, words: viewOf(this.host.page(mfn)) });
    for (let port = first; port < Math.min(ports.length, first + WORDS_PER_PAGE); port++) {
      const entry = ports[port]!;
      if (entry.early) this.setPending(entry, entry.vcpu);
    }
  }

  /** Frames that the guest gave and Xen holds. */
  frames(): number[] {
    return [...[...this.blocks.values()].map(({ mfn }) => mfn), ...this.array.map(({ mfn }) => mfn)];
  }

  /** For the state hash. */
  state(): unknown {
    return [[...this.blocks].map(([vcpu, { mfn, offset }]) => [vcpu, mfn, offset]), [...this.tails], this.array.map(({ mfn }) => mfn)];
  }

  setPending(entry: Port, vcpu: number): void {
    const { port } = entry;
    const word = this.word(port);
    if (word === null) {
      entry.early = true;
      return;
    }
    const block = this.blocks.get(vcpu);
    if (!block) {
      this.host.log(vcpu, 'has no FIFO event channel control block');
      return;
    }
    const before = word;
    let now = word | PENDING;
    let becameHead = false;
    if (!(now & MASKED) && !(now & LINKED)) {
      now |= LINKED;
      this.store(port, now);
      becameHead = this.append(entry, vcpu, block);
    } else this.store(port, now);
    if (becameHead) {
      const ready = block.bytes.getUint32(READY, true);
      const bit = 1 << entry.lastPriority;
      if (!(ready & bit)) {
        block.bytes.setUint32(READY, (ready | bit) >>> 0, true);
        this.host.wrotePage(block.mfn);
        this.markPending(vcpu);
      }
    }
    if (!(before & PENDING)) this.host.pollers(port);
  }

  clearPending({ port }: Port): void {
    const word = this.word(port);
    if (word !== null) this.store(port, word & ~PENDING);
  }

  unmask(entry: Port): void {
    const word = this.word(entry.port);
    if (word === null) return;
    this.store(entry.port, word & ~MASKED);
    if (word & PENDING) this.setPending(entry, entry.vcpu);
  }

  pending({ port }: Port): boolean {
    return ((this.word(port) ?? 0) & PENDING) !== 0;
  }

  masked({ port }: Port): boolean {
    return ((this.word(port) ?? MASKED) & MASKED) !== 0;
  }

  busy({ port }: Port): boolean {
    return ((this.word(port) ?? 0) & LINKED) !== 0;
  }

  /** Puts a port, already marked linked, at the end of its queue. True when it became the head. */
  private append(entry: Port, vcpu: number, block: ControlBlock): boolean {
    const { port } = entry;
    const old = this.queuesOf(entry.lastVcpu);
    // It was the last one of the queue that it was in: that queue is empty, and nothing may be linked behind it any more.
    if (old[entry.lastPriority] === port) old[entry.lastPriority] = 0;
    entry.lastVcpu = vcpu;
    entry.lastPriority = entry.priority;
    const queues = this.queuesOf(vcpu);
    const tail = queues[entry.priority]!;
    const linked = tail !== 0 && this.link(tail, port);
    if (!linked) {
      block.bytes.setUint32(HEADS + entry.priority * 4, port, true);
      this.host.wrotePage(block.mfn);
    }
    queues[entry.priority] = port;
    return !linked;
  }

  /** Links `port` behind `tail`, unless the guest has taken `tail` out of its queue meanwhile. */
  private link(tail: number, port: number): boolean {
    const word = this.word(tail);
    if (word === null || !(word & LINKED)) return false;
    this.store(tail, (word & ~(BUSY | LINK)) | port);
    return true;
  }

  private queuesOf(vcpu: number): number[] {
    let queues = this.tails.get(vcpu);
    if (!queues) {
      queues = new Array<number>(LOWEST_PRIORITY + 1).fill(0);
      this.tails.set(vcpu, queues);
    }
    return queues;
  }

  private word(port: number): number | null {
    const page = this.array[Math.floor(port / WORDS_PER_PAGE)];
    return page ? page.words.getUint32((port % WORDS_PER_PAGE) * 4, true) : null;
  }

  private store(port: number, word: number): void {
    const page = this.array[Math.floor(port / WORDS_PER_PAGE)]!;
    page.words.setUint32((port % WORDS_PER_PAGE) * 4, word >>> 0, true);
    this.host.wrotePage(page.mfn);
  }
}
