// One run of a guest on the simulator with the console on stdin/stdout: slices, input, endings, exit code.

import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { hostClock } from '../../host/clock.ts';
import { PaceKeeper } from '../../host/pace.ts';
import type { Ending, Machine, RunResult, WaitReason } from '../../simulator/machine-types.ts';
import { TextWatch } from './text-watch.ts';

export const ExitCode = {
  done: 0,
  usage: 2,
  crash: 3,
  limit: 4,
  deadlock: 5,
  rebootOrSuspend: 6,
  withoutUntil: 7,
  bug: 70,
  interrupted: 130,
} as const;

export interface SessionOptions {
  readonly maxInstructions: number;
  readonly pace: 'fast' | 'real';
  readonly until: string | null;
  readonly input: Uint8Array | null;
  readonly inputAfter: string | null;
  /** The domain whose console has the input; the first one unless given. */
  readonly inputDomain?: number;
  /** One of several domains ended; the others go on. */
  readonly domainEnded?: (domain: number, ending: Ending) => void;
}

/** Where keys come from when --input is absent. */
export interface Keyboard {
  /** Bytes typed since the last call. */
  take(): Uint8Array | null;
  /** No more bytes will come. */
  ended(): boolean;
  /** Resolves when there are bytes, the end of input, or an interrupt. */
  wait(milliseconds?: number): Promise<void>;
  interrupted(): boolean;
}

/** Instructions between two looks at keys and signals. */
const SLICE = 2_000_000;
/** With --pace real guest time may run ahead of the wall clock by so much, in ms. */
const LEAD_MS = 4;

export interface SessionEnd {
  readonly code: number;
  /** What stderr says about it; empty for an ordinary end. */
  readonly message: string;
  /** Why it is over, where more can be told about it. */
  readonly crash?: Ending & { kind: 'crash' };
  readonly waits?: readonly WaitReason[];
}

export async function runSession(
  machine: Machine,
  options: SessionOptions,
  keyboard: Keyboard,
  output: (domain: number, bytes: Uint8Array) => void,
): Promise<SessionEnd> {
  const inputDomain = options.inputDomain ?? machine.domain;
  const until = options.until === null ? null : new DomainWatch(options.until);
  const inputGate = options.input !== null && options.inputAfter !== null ? new TextWatch(options.inputAfter) : null;
  let typed = options.input === null;
  machine.onConsole((domain, bytes) => {
    output(domain, bytes);
    const gateOpens = domain === inputDomain && inputGate !== null && !inputGate.seen && inputGate.push(bytes);
    // Here and not at the end of a slice: what follows from it happens at an instruction that the guest decides, whatever the pace.
    if (until?.push(domain, bytes) || gateOpens) machine.interrupt();
  });
  const feed = () => {
    if (!typed && (inputGate === null || inputGate.seen)) {
      typed = true;
      machine.inject({ kind: 'console', domain: inputDomain, bytes: options.input! });
    }
    const keys = options.input === null ? keyboard.take() : null;
    if (keys) machine.inject({ kind: 'console', domain: inputDomain, bytes: keys });
  };
  const pace = new PaceKeeper(options.pace, hostClock);
  pace.resume(machine.clock());
  for (;;) {
    feed();
    const left = options.maxInstructions - machine.icount();
    if (left <= 0) return { code: ExitCode.limit, message: `stopped after ${machine.icount()} instructions (--max-instructions).` };
    const slice = Math.min(left, SLICE);
    const limit = pace.limit(machine.clock());
    const result = machine.run(limit === undefined ? { instructions: slice } : { instructions: slice, untilTime: limit + LEAD_MS * 1e6 });
    if (until?.seen) return { code: ExitCode.done, message: '' };
    if (keyboard.interrupted()) return { code: ExitCode.interrupted, message: '' };
    if (result.kind === 'domain-ended') options.domainEnded?.(result.domain, result.ending);
    const end = ended(result, until);
    if (end) return end;
    if (result.kind === 'idle') {
      const willCome = options.input === null && !keyboard.ended();
      const nowPossible = !typed && inputGate?.seen;
      if (!willCome && !nowPossible) return deadlock(result.waits);
      if (willCome) await keyboard.wait();
    } else if (limit !== undefined) {
      const ahead = (machine.clock() - pace.limit(machine.clock())!) / 1e6;
      if (ahead > 1) await Promise.race([delay(ahead), keyboard.wait(ahead)]);
      else await turn();
    } else {
      await turn();
    }
    if (keyboard.interrupted()) return { code: ExitCode.interrupted, message: '' };
  }
}

/** A text on the console of any domain. */
class DomainWatch {
  private readonly text: string;
  private readonly watches = new Map<number, TextWatch>();
  seen: boolean;

  constructor(text: string) {
    this.text = text;
    this.seen = new TextWatch(text).seen;
  }

  push(domain: number, bytes: Uint8Array): boolean {
    const watch = this.watches.get(domain) ?? new TextWatch(this.text);
    this.watches.set(domain, watch);
    if (watch.push(bytes)) this.seen = true;
    return this.seen;
  }
}

function ended(result: RunResult, until: DomainWatch | null): SessionEnd | null {
  if (result.kind !== 'ended') return null;
  const end = endingCode(result.ending);
  if (until && !until.seen && end.code !== ExitCode.crash) {
    return { code: ExitCode.withoutUntil, message: `the guest ended (${result.ending.kind}) before it printed the text of --until.` };
  }
  return end;
}

function endingCode(ending: Ending): SessionEnd {
  switch (ending.kind) {
    case 'poweroff':
      return { code: ExitCode.done, message: '' };
    case 'crash':
      return { code: ExitCode.crash, message: `the guest crashed: ${ending.reason}`, crash: ending };
    case 'watchdog':
      return { code: ExitCode.crash, message: 'the guest was ended by its watchdog.' };
    default:
      return { code: ExitCode.rebootOrSuspend, message: `the guest asked for ${ending.kind}.` };
  }
}

function deadlock(waits: readonly WaitReason[]): SessionEnd {
  const lines = waits.map((wait) => `  d${wait.domain}v${wait.vcpu}: ${wait.text}`);
  return {
    code: ExitCode.deadlock,
    waits,
    message: ['deadlock: every vCPU is blocked, no timer is pending and no input can come.', ...lines].join('\n'),
  };
}
