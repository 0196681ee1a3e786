// The clock of ISA and its CMOS memory behind ports 0x70 and 0x71, and its interrupt. Xen keeps the index register for each domain, so only
// the data register is here. The clock shows guest time: the wall clock of the start plus what has passed.
// Source: Motorola MC146818A data sheet; PC/AT conventions for the memory (century at 0x32).

import type { PcHost } from './device.ts';

const REGISTERS = 128;
const A = 10;
const B = 11;
const C = 12;
const D = 13;
const CENTURY = 0x32;
const SECOND = 1_000_000_000;
/** In register A: an update is under way. It takes 1984 us at the most before the seconds change; 244 us before it the bit is set. */
const UPDATING = 0x80;
const UPDATE_NS = 244_000;
/** In B: 24 hours (2), binary (4), interrupts of update (0x10), alarm (0x20) and period (0x40), no update (0x80). In C the same interrupts' flags. */
const HOURS24 = 2;
const BINARY = 4;
const UPDATE = 0x10;
const ALARM = 0x20;
const PERIOD = 0x40;
const HALT = 0x80;
const REQUEST = 0x80;
export const RTC_IRQ = 8;
const TIMER = 'cmos clock';

export class Cmos {
  private readonly memory = new Uint8Array(REGISTERS);
  private readonly host: PcHost;
  /** What the guest added to the clock by setting it, ns. */
  private offset = 0;
  /** Second and period up to which flags are set. */
  private seen: number;
  private seenPeriod = 0;

  constructor(host: PcHost) {
    this.host = host;
    this.memory[A] = 0x26;
    this.memory[B] = HOURS24;
    this.memory[D] = 0x80;
    this.seen = Math.floor(this.time() / SECOND);
  }

  private time(): number {
    return this.host.wallclockAtStart + this.offset + this.host.now();
  }

  read(index: number): number {
    const at = index % REGISTERS;
    if (at <= 9 || at === CENTURY) return this.field(at);
    if (at === A) {
      const left = SECOND - (this.time() % SECOND);
      return this.memory[A]! | (left <= UPDATE_NS && !(this.memory[B]! & HALT) ? UPDATING : 0);
    }
    if (at === C) {
      this.advance();
      const flags = this.memory[C]!;
      this.memory[C] = 0;
      this.host.line(RTC_IRQ, false);
      this.schedule();
      return flags;
    }
    return this.memory[at]!;
  }

  write(index: number, value: number): void {
    const at = index % REGISTERS;
    if (at === C || at === D) return;
    if (at === A || at === B) {
      this.advance();
      this.memory[at] = at === A ? value & 0x7f : value;
      this.interrupt();
      this.schedule();
      return;
    }
    const isTime = at <= 9 && at !== 1 && at !== 3 && at !== 5;
    if (!isTime && at !== CENTURY) {
      this.memory[at] = value;
      return;
    }
    const date = new Date(this.time() / 1e6);
    const fields = [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1];
    const year = date.getUTCFullYear();
    const number = this.memory[B]! & BINARY ? value : (value >> 4) * 10 + (value & 15);
    const set = (which: number): number => (at === which ? number : fields[[0, 2, 4, 7, 8].indexOf(which)]!);
    const years = at === CENTURY ? number * 100 + (year % 100) : at === 9 ? Math.floor(year / 100) * 100 + number : year;
    const then = Date.UTC(years, set(8) - 1, set(7), set(4), set(2), set(0)) * 1e6;
    this.offset += then - Math.floor(this.time() / SECOND) * SECOND;
    this.seen = Math.floor(this.time() / SECOND);
  }

  private field(at: number): number {
    if (at === 1 || at === 3 || at === 5) return this.memory[at]!;
    const date = new Date(this.time() / 1e6);
    const year = date.getUTCFullYear();
    const values: Readonly<Record<number, number>> = {
      0: date.getUTCSeconds(),
      2: date.getUTCMinutes(),
      4: date.getUTCHours(),
      6: date.getUTCDay() + 1,
      7: date.getUTCDate(),
      8: date.getUTCMonth() + 1,
      9: year % 100,
      [CENTURY]: Math.floor(year / 100),
    };
    const value = values[at]!;
    return this.memory[B]! & BINARY && at !== CENTURY ? value : Math.floor(value / 10) * 16 + (value % 10);
  }

  private period(): number {
    const rate = this.memory[A]! & 15;
    return rate === 0 ? 0 : (SECOND * 2 ** ((rate <= 2 ? rate + 7 : rate) - 1)) / 32768;
  }

  private alarmAt(second: number): boolean {
    const date = new Date(second * 1000);
    const now = [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours()];
    return [1, 3, 5].every((at, n) => {
      const value = this.memory[at]!;
      if (value >= 0xc0) return true;
      return (this.memory[B]! & BINARY ? value : (value >> 4) * 10 + (value & 15)) === now[n];
    });
  }

  /** Sets the flags of what has happened since the last look. */
  private advance(): void {
    const second = Math.floor(this.time() / SECOND);
    if (second > this.seen && !(this.memory[B]! & HALT)) {
      this.memory[C]! |= UPDATE;
      // A day's seconds are enough: the alarm comes once a day at least.
      for (let s = Math.max(this.seen + 1, second - 86_400); s <= second; s++) if (this.alarmAt(s)) this.memory[C]! |= ALARM;
    }
    this.seen = Math.max(this.seen, second);
    const period = this.period();
    const count = period ? Math.floor(this.host.now() / period) : 0;
    if (count > this.seenPeriod) this.memory[C]! |= PERIOD;
    this.seenPeriod = count;
  }

  private interrupt(): void {
    if (!(this.memory[C]! & this.memory[B]! & (UPDATE | ALARM | PERIOD))) return;
    this.memory[C]! |= REQUEST;
    this.host.line(RTC_IRQ, true);
  }

  /** Waits for the next moment at which an interrupt that is switched on can come. */
  private schedule(): void {
    const enabled = this.memory[B]! & (UPDATE | ALARM | PERIOD);
    const now = this.host.now();
    let next = Number.POSITIVE_INFINITY;
    if (enabled & (UPDATE | ALARM)) next = now + SECOND - (this.time() % SECOND);
    if (enabled & PERIOD && this.period()) next = Math.min(next, (Math.floor(now / this.period()) + 1) * this.period());
    if (next === Number.POSITIVE_INFINITY) this.host.cancel(TIMER);
    else
      this.host.at(TIMER, Math.ceil(next), () => {
        this.advance();
        this.interrupt();
        this.schedule();
      });
  }

  state(): unknown {
    return [[...this.memory], this.offset, this.seen, this.seenPeriod];
  }
}
