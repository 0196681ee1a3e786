// Wall time and the event loop, behind an interface so that run control can be tested with a clock of its own.

export interface HostClock {
  /** Monotonic wall time in ms. */
  now(): number;
  /** Lets every pending message be handled, then goes on. */
  turn(): Promise<void>;
  /** Waits `ms`, or less when `wake` is called. */
  sleep(ms: number): { readonly done: Promise<void>; wake(): void };
}

export const hostClock: HostClock = {
  now: () => performance.now(),
  turn: () => new Promise((resolve) => (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve, 0))),
  sleep(ms) {
    let wake = (): void => {};
    const done = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return { done, wake };
  },
};
