// From raw times to rows, to the promises kept or not, and to what limits each figure.

import type { Raw } from '../cpu.ts';
import type { PeerRun } from './peer.ts';
import { bestNs, type Measured } from './rounds.ts';

export interface CpuRow {
  readonly workload: string;
  readonly engine: string;
  readonly mips: number;
  readonly ratioToQemu: number;
  /** 32-bit rows only. */
  readonly ratioToV86?: number;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function rows(group: Raw['measured'][number], engines: readonly Measured[]): CpuRow[] {
  const time = (name: string): number | undefined => {
    const found = engines.find(({ engine }) => engine === name);
    return found && bestNs(found);
  };
  const qemu = time('qemu')!;
  const v86 = time('v86');
  return engines.map((measured) => {
    const ns = bestNs(measured);
    return {
      workload: group.workload,
      engine: measured.engine,
      mips: round((group.instructions * 1000) / ns, 1),
      ratioToQemu: round(qemu / ns, 3),
      ...(v86 === undefined ? {} : { ratioToV86: round(v86 / ns, 3) }),
    };
  });
}

/** For each workload QEMU first, then ours. A cold row's ratio is to QEMU's first execution of the same code. */
export function rowsOf(raw: Raw): CpuRow[] {
  return raw.measured.flatMap((group) => {
    const cold = raw.cold.find(({ workload }) => workload === group.workload);
    const coldRows = cold ? rows(cold, cold.engines).filter(({ engine }) => engine === 'hyperport-cold') : [];
    return [...rows(group, group.engines), ...coldRows];
  });
}

interface Target {
  readonly text: string;
  readonly value: number | undefined;
  readonly kept: boolean;
}

/** The promises of the engine, each with the figure of this run. */
export function targets(raw: Raw, all: readonly CpuRow[]): string[] {
  const row = (workload: string, engine: string): CpuRow | undefined =>
    all.find((one) => one.workload === workload && one.engine === engine);
  const atLeast = (text: string, value: number | undefined, limit: number): Target => ({
    text: `${text}: at least ${limit}`,
    value,
    kept: value !== undefined && value >= limit,
  });
  const below = (text: string, value: number | undefined, limit: number): Target => ({
    text: `${text}: below ${limit}`,
    value,
    kept: value !== undefined && value < limit,
  });
  const { micro, memory } = raw;
  const steady = ['compute', 'memory', 'branchy', 'wide'].map((name) =>
    atLeast(`${name}, of QEMU`, row(name, 'hyperport')?.ratioToQemu, 1),
  );
  const wide = row('wide', 'hyperport-cold')?.ratioToQemu;
  const list = [
    ...steady,
    atLeast('hypercall, of QEMU', row('hypercall', 'hyperport')?.ratioToQemu, 0.5),
    atLeast('compute on tier 0, of QEMU', row('compute', 'hyperport-tier0')?.ratioToQemu, 0.12),
    below("wide, first execution, in QEMU's times", wide === undefined ? undefined : round(1 / wide, 2), 3),
    ...raw.measured
      .filter(({ workload }) => workload.endsWith('-32'))
      .map(({ workload }) => atLeast(`${workload}, of v86`, row(workload, 'hyperport')?.ratioToV86, 1.5)),
    below('single step, ns', micro.stepNs, 100),
    below('hypercall round trip, ns', micro.hypercallNs, 150),
    below('decode and record, ns for each instruction', micro.decodeNs, 200),
    below('translation, us for each instruction', translationUs(raw), 1.2),
    below('resident memory of a machine with 64 MB, MB', memory.peakMb, 300),
    below('resident memory for 1 GiB of untouched RAM, MB', micro.emptyGibMb, 64),
  ];
  return list
    .filter(({ value }) => value !== undefined)
    .map(({ text, value, kept }) => `${kept ? 'kept  ' : 'MISSED'} ${text}: ${round(value!, 3)}`);
}

type Statistics = PeerRun['detail'];

/** Counts and times of the engine since its process began, flat: those of tier 1 beside the others. */
function countsOf(run: PeerRun | undefined): Record<string, number> {
  const { tier1, ...common } = (run?.detail.statistics ?? {}) as Statistics & { tier1?: Record<string, number> | null };
  return { ...(common as Record<string, number>), ...(tier1 ?? {}) };
}

/** What each of our figures spends its time on, in words: what the engine counted in the round shown, less what it had counted before. */
export function limits(raw: Raw): string[] {
  return [...raw.measured, ...raw.cold].flatMap(({ workload, engines }) =>
    engines.filter(({ engine }) => engine.startsWith('hyperport')).map((measured) => limitsOf(workload, measured)),
  );
}

function limitsOf(workload: string, { engine, runs }: Measured): string {
  const at = runs.findIndex(({ cpuNs }) => cpuNs === bestNs({ engine, n: 0, runs }));
  const before = engine === 'hyperport-cold' ? {} : countsOf(runs[at - 1]);
  const now = countsOf(runs[at]);
  const count = (name: string): number => (now[name] ?? 0) - (before[name] ?? 0);
  const ms = (microseconds: number): string => `${round(microseconds / 1000, 1)} ms`;
  const parts = [`${count('tlbMisses')} TLB misses`, `${count('fetchMisses')} fetch misses`, `${count('decoded')} decoded`];
  if ('executed' in now) {
    const instructions = Number(runs[at]!.detail.instructions);
    parts.push(
      `${round((100 * (instructions - count('executed'))) / instructions, 2)} % in tier 0`,
      `${count('entries')} entries, ${count('sideExits')} side exits`,
      `${count('regions')} regions of ${count('instructions')} instructions in ${count('modules')} modules`,
      `emit ${ms(count('emitTime'))}, build ${ms(count('moduleTime'))}, instantiate ${ms(count('instanceTime'))}`,
    );
  }
  return `${workload} ${engine}: ${ms(bestNs({ engine, n: 0, runs }) / 1000)}: ${parts.join('; ')}`;
}

/** Microseconds that one translated instruction takes: emitting, building the module, instantiating. From the cold runs of the widest code. */
export function translationUs(raw: Raw): number | undefined {
  const cold = raw.cold.find(({ workload }) => workload === 'wide')?.engines.find(({ engine }) => engine === 'hyperport-cold');
  const steady = raw.measured.find(({ workload }) => workload === 'wide')?.engines.find(({ engine }) => engine === 'hyperport');
  const { emitTime, moduleTime, instanceTime, instructions } = countsOf((steady ?? cold)?.runs.at(-1));
  return instructions ? ((emitTime ?? 0) + (moduleTime ?? 0) + (instanceTime ?? 0)) / instructions : undefined;
}
