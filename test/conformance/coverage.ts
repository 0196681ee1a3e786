// Which operations real Xen was seen to answer, with what, and by which scenario: each line of a recording is the answer of the call that was made right
// before it was printed. Which call that was is taken from the simulator's trace of the same guest; the answer is real Xen's.
import { errnoName } from '../../abi/errno.ts';
import { hypercalls } from '../../abi/hypercalls.ts';
import type { SimulatorRun } from '../oracle/simulator.ts';
import { compare, type Role, valuesOf } from './compare.ts';
import type { Bits } from './images.ts';
import type { Recorded } from './recording.ts';

/** Hypercalls of a run and when they were made. */
export interface MarkedRun {
  readonly run: SimulatorRun;
  /** For each hypercall, how many characters of console output there were after it. */
  readonly consoleAt: readonly number[];
}

/** One answer of real Xen. */
export interface Proof {
  /** Row of the hypercall tables: 'mmuext_op.PIN_L4_TABLE'. */
  readonly operation: string;
  /** '0', 'a value', 'no return', or an errno with its sign. */
  readonly outcome: string;
  readonly scenario: string;
  readonly bits: Bits;
  readonly role: Role;
  /** different: the simulator answers otherwise, and it is not known why; a text: why it does. */
  readonly simulator: 'agrees' | 'different' | { readonly because: string };
}

type HypercallRecord = SimulatorRun['hypercalls'][number];

/** How the guest library prints a result, as a class; null for what is no result. */
function classOf(text: string): string | null {
  if (text === '0' || /^-E[A-Z0-9]+$/.test(text)) return text;
  return /^0x[0-9a-f]+$/.test(text) ? 'a value' : null;
}

function classOfResult(ret: number): string {
  if (ret === 0) return '0';
  return ret < 0 && ret > -4096 ? `-${errnoName(ret) ?? -ret}` : 'a value';
}

const nameOf = ({ name, operation }: HypercallRecord): string => (operation ? `${name}.${operation}` : name);
/** With these the guest prints, and waits until what it printed was taken. */
const OUTPUT = new Set(['console_io.write', 'event_channel_op.send', 'sched_op.yield']);

/** The proofs in one image. */
export function proofsOf(ours: MarkedRun, xen: Recorded, bits: Bits, role: Role): Proof[] {
  const text = ours.run.console;
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const lines = valuesOf(text.split('\n').map((line) => line.replace('\r', '')));
  const real = new Map(valuesOf(xen.lines).map((line) => [`${line.scenario}\0${line.name}`, line.value]));
  const differences = new Map(
    compare(xen.lines, ours.run.lines, role).differences.map((one) => [`${one.scenario}\0${one.name}`, one.reason]),
  );
  const proofs: Proof[] = [];
  let next = 0;
  for (const { scenario, name, value, index } of lines) {
    const made: HypercallRecord[] = [];
    for (; next < ours.consoleAt.length && ours.consoleAt[next]! < (starts[index + 1] ?? text.length + 1); next++) {
      if (ours.consoleAt[next]! >= starts[index]!) made.push(ours.run.hypercalls[next]!);
    }
    // The first is the one that printed the line before.
    const asked = made.filter((one, n) => n > 0 || !OUTPUT.has(nameOf(one)));
    // An event that the call lets in ends with an iret of its own.
    const call = asked.filter(({ ret }) => ret !== null).at(-1) ?? asked.at(-1);
    const key = `${scenario}\0${name}`;
    const answer = real.get(key);
    if (!call || answer === undefined) continue;
    const outcome = call.ret === null ? 'no return' : classOfResult(call.ret) === classOf(value) ? classOf(answer) : null;
    if (outcome === null) continue;
    const reason = differences.get(key);
    const simulator = reason === undefined ? 'agrees' : reason === null ? 'different' : { because: reason };
    proofs.push({ operation: nameOf(call), outcome, scenario, bits, role, simulator });
  }
  const last = ours.run.hypercalls.at(-1);
  if (last && ours.run.end === 'shutdown' && xen.end === 'shutdown') {
    proofs.push({ operation: nameOf(last), outcome: 'no return', scenario: lines.at(-1)!.scenario, bits, role, simulator: 'agrees' });
  }
  return proofs;
}

/** Every row of the hypercall tables: calls without operations, and each operation of the others. */
export const rows = (): string[] =>
  hypercalls().flatMap((call) =>
    call.operations ? call.operations.list.map((operation) => `${call.name}.${operation.name}`) : [call.name],
  );

export interface Figures {
  readonly rows: number;
  /** Rows with an answer to a domU, by width. */
  readonly called: Readonly<Record<Bits, number>>;
  readonly missing: Readonly<Record<Bits, readonly string[]>>;
  /** Pairs of row and outcome: of all, and of those in which the simulator differs and it is not known why. */
  readonly pairs: number;
  readonly failed: number;
}

export function figuresOf(proofs: readonly Proof[]): Figures {
  const all = new Set(rows());
  const mine = proofs.filter(({ operation }) => all.has(operation));
  const pair = ({ operation, outcome }: Proof) => `${operation} ${outcome}`;
  const missing = (bits: Bits) => {
    const called = new Set(mine.filter((one) => one.bits === bits && one.role === 'domU').map(({ operation }) => operation));
    return [...all].filter((row) => !called.has(row));
  };
  const absent = { 64: missing(64), 32: missing(32) };
  return {
    rows: all.size,
    called: { 64: all.size - absent[64].length, 32: all.size - absent[32].length },
    missing: absent,
    pairs: new Set(mine.map(pair)).size,
    failed: new Set(mine.filter(({ simulator }) => simulator === 'different').map(pair)).size,
  };
}
