// Everything that happens by itself at a moment of guest time: named, so that setting one again replaces it.

interface Timer {
  readonly name: string;
  readonly at: number;
  readonly fire: () => void;
}

const LATEST = 2 ** 52;

export class Timers {
  private readonly timers = new Map<string, Timer>();
  private earliest = Number.POSITIVE_INFINITY;

  /** `at`: guest time in ns. What lies beyond the range of exact times (52 days) never comes. */
  set(name: string, at: number, fire: () => void): void {
    if (at > LATEST) {
      this.cancel(name);
      return;
    }
    this.timers.set(name, { name, at, fire });
    this.recompute();
  }

  cancel(name: string): void {
    if (this.timers.delete(name)) this.recompute();
  }

  has(name: string): boolean {
    return this.timers.has(name);
  }

  /** When the next one is due; Infinity for none. */
  next(): number {
    return this.earliest;
  }

  /** Fires what is due, in order of time, then of name. */
  runDue(now: number): void {
    while (this.earliest <= now) {
      const due = this.ordered()[0]!;
      this.timers.delete(due.name);
      this.recompute();
      due.fire();
    }
  }

  /** Fires one early (a back end that works while the guest waits). */
  fireNow(name: string): void {
    const timer = this.timers.get(name);
    if (!timer) return;
    this.cancel(name);
    timer.fire();
  }

  /** Names and times, in order: for the state hash and for 'what does it wait for'. */
  ordered(): readonly Timer[] {
    return [...this.timers.values()].sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  }

  private recompute(): void {
    this.earliest = Number.POSITIVE_INFINITY;
    for (const timer of this.timers.values()) this.earliest = Math.min(this.earliest, timer.at);
  }
}
