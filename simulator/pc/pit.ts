// The second channel of the interval timer and the speaker's gate, the parts that Xen leaves to dom0: ports 0x42, 0x43 for that channel, 0x61.
// Source: Intel 8254 data sheet; the port of the PC/AT's system board for the gate.

const FREQUENCY = 1_193_182;
const SECOND = 1_000_000_000;
const COUNTER = 0x42;
const MODE = 0x43;
const GATE = 0x61;

export class PitChannel2 {
  private readonly now: () => number;
  private mode = 0;
  /** 1 low byte, 2 high byte, 3 both, low first. */
  private access = 3;
  private reload = 0x1_0000;
  private startedAt = 0;
  private gate = 0;
  private writeHigh = false;
  private readHigh = false;
  private low = 0;
  private latched: number | null = null;

  constructor(now: () => number) {
    this.now = now;
  }

  private ticks(): number {
    return Math.floor(((this.now() - this.startedAt) * FREQUENCY) / SECOND);
  }

  private count(): number {
    const passed = this.gate & 1 ? this.ticks() : 0;
    const periodic = this.mode === 2 || this.mode === 3;
    return periodic ? this.reload - (passed % this.reload) : (this.reload - passed) & 0xffff;
  }

  /** The output pin: high once a one-shot count has ended, a square wave in mode 3. */
  private output(): boolean {
    const passed = this.gate & 1 ? this.ticks() : 0;
    if (this.mode === 3) return passed % this.reload < Math.ceil(this.reload / 2);
    return this.mode === 2 ? passed % this.reload !== this.reload - 1 : passed >= this.reload;
  }

  in(port: number): number {
    if (port === GATE) return (this.gate & 3) | (this.output() ? 0x20 : 0) | (Math.floor(this.now() / 15_085) % 2 ? 0x10 : 0);
    if (port !== COUNTER) return 0;
    const value = this.latched ?? this.count();
    if (this.access === 1) {
      this.latched = null;
      return value & 0xff;
    }
    if (this.access === 2) {
      this.latched = null;
      return (value >> 8) & 0xff;
    }
    this.readHigh = !this.readHigh;
    if (this.readHigh) return value & 0xff;
    this.latched = null;
    return (value >> 8) & 0xff;
  }

  out(port: number, value: number): void {
    if (port === GATE) {
      if (value & 1 && !(this.gate & 1)) this.startedAt = this.now();
      this.gate = value & 3;
    } else if (port === COUNTER) this.load(value);
    else if (port === MODE) this.command(value);
  }

  private command(value: number): void {
    if (value >> 6 === 3) {
      // Read back: a latch of the count, unless its bit says not to.
      if (value & 8 && !(value & 0x20)) this.latched ??= this.count();
      return;
    }
    if (value >> 6 !== 2) return;
    if (((value >> 4) & 3) === 0) {
      this.latched ??= this.count();
      return;
    }
    this.access = (value >> 4) & 3;
    this.mode = (value >> 1) & 7 & ((value >> 1) & 2 ? 3 : 7);
    this.writeHigh = false;
    this.readHigh = false;
    this.latched = null;
  }

  private load(value: number): void {
    if (this.access === 3 && !this.writeHigh) {
      this.low = value;
      this.writeHigh = true;
      return;
    }
    this.writeHigh = false;
    const count = this.access === 1 ? value : this.access === 2 ? value << 8 : this.low | (value << 8);
    this.reload = count || 0x1_0000;
    this.startedAt = this.now();
  }

  state(): unknown {
    return [this.mode, this.access, this.reload, this.startedAt, this.gate, this.writeHigh, this.readHigh, this.low, this.latched];
  }
}
