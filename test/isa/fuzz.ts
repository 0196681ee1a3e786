// The long run of the host-CPU oracles, for scripts/fuzz.mjs: rounds of all families until the time is up and every form has been
// compared often enough; differences become fixtures.

import { uncomparedForms } from './coverage.ts';
import { FAMILIES } from './families.ts';
import { writeFixture } from './fixtures.ts';
import { HOST } from './host-cpu.ts';
import { type Failure, runFamily } from './oracle.ts';
import { VARIANTS, type Variant } from './variants.ts';

export const processorName: string = HOST.name;

export interface FuzzRequest {
  readonly seconds: number;
  readonly seed: number;
  /** Comparisons that every form has at the end, whatever the time. */
  readonly least: number;
  /** Keys of rows to look at. */
  readonly only?: RegExp;
  /** Names of engine variants; all unless given. */
  readonly variants?: readonly string[];
  /** Where fixtures go. */
  readonly folder: string;
  log(line: string): void;
}
export interface FuzzReport {
  readonly compared: number;
  readonly rounds: number;
  readonly variants: readonly string[];
  readonly perForm: ReadonlyMap<string, number>;
  readonly failures: number;
  readonly fixtures: readonly string[];
  readonly lastSeed: number;
}

const PER_ROUND = 100;
const SEQUENCES = 4000;
/** More of one instruction say nothing new. */
const FIXTURES_PER_FORM = 2;
const MAX_FIXTURES = 40;

export function chosenVariants(names: readonly string[] | undefined): readonly Variant[] {
  if (!names) return VARIANTS;
  return names.map((name) => {
    const found = VARIANTS.find((v) => v.name.replace(' ', '') === name);
    if (!found) throw new RangeError(`no engine '${name}': there are ${VARIANTS.map((v) => v.name.replace(' ', '')).join(', ')}`);
    return found;
  });
}

function keepFixtures(failures: readonly Failure[], folder: string): string[] {
  const files = new Set<string>();
  const perForm = new Map<string, number>();
  for (const failure of failures) {
    const form = `${failure.case.bits} ${failure.case.row} ${failure.case.form}`;
    const n = (perForm.get(form) ?? 0) + 1;
    perForm.set(form, n);
    if (n <= FIXTURES_PER_FORM && files.size < MAX_FIXTURES) files.add(writeFixture(folder, failure, HOST.name));
  }
  return [...files];
}

/** Stops after the round in which something differed. */
export function fuzz(request: FuzzRequest): FuzzReport {
  const variants = chosenVariants(request.variants);
  const end = Date.now() + request.seconds * 1000;
  const perForm = new Map<string, number>();
  const failures: Failure[] = [];
  let { seed } = request;
  let compared = 0;
  let rounds = 0;
  const enough = (): boolean => [...perForm.values()].every((n) => n === 0 || n >= request.least);
  do {
    for (const family of FAMILIES)
      for (const bits of [64, 32] as const) {
        const { only } = request;
        const sequences = only ? 0 : SEQUENCES;
        const report = runFamily(family, { bits, perForm: PER_ROUND, sequences, seed, variants, ...(only ? { only } : {}) });
        compared += report.compared;
        failures.push(...report.failures);
        for (const [form, n] of report.perForm) perForm.set(form, (perForm.get(form) ?? 0) + n);
      }
    rounds++;
    request.log(`round ${rounds}, seed ${seed}: ${compared} comparisons so far, ${failures.length} differences`);
    seed = (seed + 1) % 2 ** 31;
  } while (failures.length === 0 && (Date.now() < end || !enough()));
  for (const failure of failures.slice(0, 20)) request.log(failure.text);
  return {
    compared,
    rounds,
    variants: variants.map((v) => v.name),
    perForm,
    failures: failures.length,
    fixtures: keepFixtures(failures, request.folder),
    lastSeed: seed - 1,
  };
}

/** What was counted, and what was not compared and why, as lines. */
export function fuzzSummary(report: FuzzReport): string[] {
  const counts = [...report.perForm].filter(([, n]) => n > 0);
  const least = Math.min(...counts.map(([, n]) => n));
  const none = [...report.perForm].filter(([, n]) => n === 0).map(([form]) => form);
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of uncomparedForms()) {
    const why = reason ?? 'no reason known';
    byReason.set(why, [...(byReason.get(why) ?? []), name]);
  }
  return [
    `${report.compared} cases in ${report.rounds} rounds, each compared on ${report.variants.join(' and ')}`,
    `${counts.length} forms, at least ${least} comparisons of each (fewest: ${counts
      .sort((a, b) => a[1] - b[1])
      .slice(0, 3)
      .map(([form, n]) => `${form} ${n}`)
      .join(', ')})`,
    ...none.map((form) => `no case of ${form}: the mode has no such encoding`),
    ...[...byReason].map(([reason, forms]) => `not compared, ${reason}: ${forms.join(', ')}`),
  ];
}
