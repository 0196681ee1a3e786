// When a long hypercall is interrupted and continued. Real Xen asks whether an interrupt or event is due; here that is a matter of
// work done, so that a run repeats: one unit for each entry of a table that is looked at, and for each element of a list.

/** 'off': never. 'normal': when a call has done as much as Xen does in some ten microseconds. 'every-step': wherever Xen asks. */
export type PreemptionMode = 'off' | 'normal' | 'every-step';

/** Entries that a call may look at before it lets others run ('normal'). */
export const UNITS_BEFORE_A_BREAK = 8192;

export class Preemption {
  mode: PreemptionMode;
  private spent = 0;
  /** Only hypercalls are continued: what Xen does on its own behalf runs to its end. */
  private calls = 0;

  constructor(mode: PreemptionMode) {
    this.mode = mode;
  }

  /** A call is entered, for the first time or again. */
  begin(): void {
    this.spent = 0;
    this.calls++;
  }

  end(): void {
    this.calls--;
  }

  work(units: number): void {
    this.spent += units;
  }

  /** Is it time for a break? Asked only where at least one step was made since the call was entered. */
  due(): boolean {
    if (this.calls === 0 || this.mode === 'off') return false;
    return this.mode === 'every-step' || this.spent >= UNITS_BEFORE_A_BREAK;
  }

  /** Does something that cannot be continued. */
  without<T>(act: () => T): T {
    const { calls } = this;
    this.calls = 0;
    try {
      return act();
    } finally {
      this.calls = calls;
    }
  }
}
