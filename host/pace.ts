// Ties guest time to wall time. With `real`, guest time never runs ahead of wall time: that is how a guest's one-second
// timer takes a second. The trace is the same with either pace.

import type { HostClock } from './clock.ts';
import type { Pace } from './protocol.ts';

/** A guest that fell behind by more (slow host, laptop asleep) does not catch up the rest. */
const mostBehindMs = 1000;

export class PaceKeeper {
  private pace: Pace;
  private readonly clock: HostClock;
  /** Wall time in ms at guest time 0. */
  private base = 0;

  constructor(pace: Pace, clock: HostClock) {
    this.pace = pace;
    this.clock = clock;
  }

  get current(): Pace {
    return this.pace;
  }

  /** The machine goes on at this guest time (ns) now: time spent stopped does not count. */
  resume(guestTime: number, pace = this.pace): void {
    this.pace = pace;
    this.base = this.clock.now() - guestTime / 1e6;
  }

  /** Guest time in ns that must not be passed yet; undefined: none. */
  limit(guestTime: number): number | undefined {
    if (this.pace === 'fast') return undefined;
    const now = this.clock.now();
    if (now - this.base - guestTime / 1e6 > mostBehindMs) this.base = now - guestTime / 1e6 - mostBehindMs;
    return Math.floor((now - this.base) * 1e6);
  }
}
