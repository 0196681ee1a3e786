// From raw times to rows, to the promises kept or not, and to what limits each figure.

import type { Raw } from '../cpu.ts';
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
    below('resident memory of a machine with 64 MB, MB', memory.peakMb, 300),
    below('resident memory for 1 GiB of untouched RAM, MB', micro.emptyGibMb, 64),
  ];
  return list
    .filter(({ value }) => value !== undefined)
    .map(({ text, value, kept }) => `${kept ? 'kept  ' : 'MISSED'} ${text}: ${round(value!, 3)}`);
}

/** What each of our figures spends its time on, as far as the engine counts it. */
export function limits(raw: Raw): string[] {
  return [...raw.measured, ...raw.cold].flatMap(({ workload, engines }) =>
    engines
      .filter(({ engine }) => engine.startsWith('hyperport'))
      .map((measured) => {
        const statistics = measured.runs.at(-1)!.detail.statistics as Record<string, number> | undefined;
        const shown = Object.entries(statistics ?? {}).map(([name, value]) => `${name} ${round(value, 1)}`);
        return `${workload} ${measured.engine}: ${round(bestNs(measured) / 1e6, 1)} ms; ${shown.join(', ')}`;
      }),
  );
}
