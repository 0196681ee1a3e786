// An engine in a process of its own, and the processor time of the one thread in it that executes the guest. The time is read from the
// scheduler's accounts while that thread sleeps, so it is exact to the microsecond, whatever else the machine does.

import { readFileSync } from 'node:fs';

export interface PeerRun {
  /** 16 hexadecimal digits. */
  readonly checksum: string;
  readonly cpuNs: number;
  /** Processor time of all threads of the process, compilers and garbage collection included. */
  readonly processNs: number;
  /** What the engine says of the run. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Peer {
  readonly name: string;
  /** Runs the workload with this count and waits until the engine's thread sleeps again. */
  run(n: number): Promise<PeerRun>;
  close(): Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Nanoseconds that a thread has been on a processor, user and system. */
function schedulerNs(path: string): number {
  const [ns] = readFileSync(path, 'utf8').split(' ');
  return Number(ns);
}

/** User and system time of a process with all its threads, in steps of 10 ms. */
function processNs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 1e7;
}

/** A clock over one thread. `settled` waits until the thread has not run for a few milliseconds. */
export class ThreadClock {
  private readonly pid: number;
  private readonly tid: number;
  constructor(pid: number, tid: number) {
    this.pid = pid;
    this.tid = tid;
  }
  async settled(): Promise<{ thread: number; process: number }> {
    const path = `/proc/${this.pid}/task/${this.tid}/schedstat`;
    let before = schedulerNs(path);
    // An engine that polls while it idles never rests quite: below 1 % of the interval counts as asleep.
    for (let tries = 0; tries < 400; tries++) {
      await pause(5);
      const now = schedulerNs(path);
      if (now - before < 200_000) return { thread: now, process: processNs(this.pid) };
      before = now;
    }
    throw new Error(`thread ${this.tid} of process ${this.pid} did not come to rest`);
  }
}

export async function measured(
  clock: ThreadClock,
  work: () => Promise<{ checksum: string; detail: Record<string, unknown> }>,
): Promise<PeerRun> {
  const before = await clock.settled();
  const { checksum, detail } = await work();
  const after = await clock.settled();
  return { checksum, cpuNs: after.thread - before.thread, processNs: after.process - before.process, detail };
}
