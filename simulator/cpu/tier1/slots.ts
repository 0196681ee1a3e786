// The table of region functions: a slot for every address of a frame that regions begin at or lead to, filled with a stub until
// there is a region.

import type { Core } from '../core.ts';
import * as L from '../layout.ts';
import { compiledDispatcher } from './dispatcher.ts';
import { Status } from './status.ts';

const FIRST_LENGTH = 1024;

export interface Dispatcher {
  run(tlb: number, mode: number): number;
  stub: WebAssembly.ExportValue;
}

/** Key of a page in the tables that the dispatcher reads. */
export const pageKey = (frame: number, mode: number): number => frame | (mode << L.REGION_KEY_MODE);
/** An address as an exact number, without the sign that goes on above 48 bits. */
export const addressKey = (lo: number, hi: number): number => (hi & 0xffff) * 2 ** 32 + (lo >>> 0);

export class Slots {
  private readonly core: Core;
  private readonly memory: WebAssembly.Memory;
  private table!: WebAssembly.Table;
  dispatcher!: Dispatcher;
  private next = Status.firstSlot as number;
  /** Slots by page key and address. */
  private byPage = new Map<number, Map<number, number>>();

  constructor(core: Core, memory: WebAssembly.Memory) {
    this.core = core;
    this.memory = memory;
    this.clear();
  }

  /** Forgets all slots and lets go of all functions. */
  clear(): void {
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: FIRST_LENGTH, maximum: L.SLOT_LIMIT });
    const instance = new WebAssembly.Instance(compiledDispatcher(), { e: { memory: this.memory, table: this.table } });
    this.dispatcher = instance.exports as unknown as Dispatcher;
    this.next = Status.firstSlot;
    this.byPage = new Map();
    this.core.i32.fill(0, L.REGION_TABLE >> 2, L.SLOT_KEYS >> 2);
  }

  get nearlyFull(): boolean {
    return this.next > L.SLOT_LIMIT - 4096;
  }

  /** Slot for an address, made when there is none; -1 when the table is full. */
  of(lo: number, hi: number, frame: number, mode: number): number {
    const page = pageKey(frame, mode);
    let slots = this.byPage.get(page);
    if (!slots) {
      slots = new Map();
      this.byPage.set(page, slots);
    }
    const key = addressKey(lo, hi);
    let slot = slots.get(key);
    if (slot === undefined) {
      if (this.next === L.SLOT_LIMIT) return -1;
      if (this.next === this.table.length) this.table.grow(Math.min(this.table.length, L.SLOT_LIMIT - this.table.length));
      slot = this.next++;
      slots.set(key, slot);
      this.table.set(slot, this.dispatcher.stub);
      this.core.i32[(L.SLOT_KEYS >> 2) + slot] = page;
    }
    return slot;
  }
  /** Slot for an address, -1 when there is none. */
  find(lo: number, hi: number, frame: number, mode: number): number {
    return this.byPage.get(pageKey(frame, mode))?.get(addressKey(lo, hi)) ?? -1;
  }

  /** `call`: the region's function, null: the stub; `entry`: the region's number in it. */
  set(slot: number, call: WebAssembly.ExportValue | null, entry = 0): void {
    this.table.set(slot, call ?? this.dispatcher.stub);
    this.core.u8[L.SLOT_ENTRIES + slot] = entry;
  }

  // The region table: where the dispatcher finds regions by address.
  private entry(lo: number): number {
    return (L.REGION_TABLE + ((lo ^ (lo >>> 16)) & (L.REGION_TABLE_ENTRIES - 1)) * 16) >> 2;
  }
  publish(lo: number, hi: number, frame: number, mode: number, slot: number): void {
    const { i32 } = this.core;
    const e = this.entry(lo);
    i32[e] = lo;
    i32[e + 1] = hi;
    i32[e + 2] = pageKey(frame, mode);
    i32[e + 3] = slot;
  }
  withdraw(lo: number, slot: number): void {
    const e = this.entry(lo);
    if (this.core.i32[e + 3] === slot) this.core.i32.fill(0, e, e + 4);
  }
  /** A region that begins there is published. */
  isPublished(lo: number, hi: number, frame: number, mode: number): boolean {
    const { i32 } = this.core;
    const e = this.entry(lo);
    return i32[e] === lo && i32[e + 1] === hi && i32[e + 2] === pageKey(frame, mode) && i32[e + 3] !== 0;
  }
}
