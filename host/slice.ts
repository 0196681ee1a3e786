// How many instructions to run before the event loop gets a turn: few enough that a pause is answered at once, many enough
// that the turns cost nothing. Also small while V8 still compiles the engine: one huge first slice would stay in slow code.

const first = 20_000;
const most = 2_000_000;
const least = 1000;
const targetMs = 8;

export class SliceSize {
  private size = first;

  get instructions(): number {
    return this.size;
  }

  /** What the last whole slice took. */
  took(instructions: number, ms: number): void {
    if (instructions < this.size / 2) return;
    const fitting = ms > 0 ? (instructions * targetMs) / ms : most;
    this.size = Math.round(Math.min(most, Math.max(least, Math.min(fitting, this.size * 2))));
  }
}
