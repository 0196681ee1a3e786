// The tests that every family of the host-CPU oracle has: one fixed and one new, printed seed, both modes, the interpreter at length and
// the translator on fewer cases, since it translates each of them anew.

import { expect, test } from 'vitest';
import { type Family, runFamily } from './oracle.ts';
import { TIER0, TIER1, type Variant } from './variants.ts';

const FIXED_SEED = 20261122;

export interface OracleTestPlan {
  /** Cases of every form with one seed on tier 0, by mode; tier 1 gets a quarter. */
  readonly perForm: Readonly<Record<64 | 32, number>>;
  readonly sequences: number;
  /** Forms that the modes have at least. */
  readonly forms: number;
  /** Forms that a mode has not. */
  readonly absent?: Readonly<Record<64 | 32, readonly string[]>>;
  /** Comparisons of all tests together, at least. */
  readonly atLeast: number;
}

export function oracleTests(family: Family, plan: OracleTestPlan): void {
  const randomSeed = Math.floor(Math.random() * 2 ** 31);
  let compared = 0;
  const runs: readonly (readonly [string, number, Variant, number])[] = [
    ['a fixed seed', FIXED_SEED, TIER0, 1],
    ['a new seed', randomSeed, TIER0, 1],
    ['a new seed', randomSeed, TIER1, 4],
  ];
  for (const bits of [64, 32] as const)
    for (const [name, seed, variant, share] of runs)
      test(`${bits}-bit ${family.name} instructions and sequences do what the host processor does on ${variant.name} (${name})`, {
        timeout: 240_000,
      }, () => {
        const perForm = Math.ceil(plan.perForm[bits] / share);
        const report = runFamily(family, { bits, perForm, sequences: Math.ceil(plan.sequences / share), seed, variants: [variant] });
        compared += report.compared;
        const least = Math.min(...[...report.perForm.values()].filter((n) => n > 0));
        console.log(
          `${family.name}, ${bits}-bit, ${variant.name}, seed ${seed}: ${report.compared} comparisons of ${report.perForm.size} forms, at least ${least} of each`,
        );
        const first = report.failures.slice(0, 5).map((f) => f.text);
        expect(first.join('\n'), `${report.failures.length} differences with seed ${seed}; npm run fuzz writes fixtures of them`).toBe('');
        expect(report.none).toEqual(plan.absent?.[bits] ?? []);
        expect(report.perForm.size).toBeGreaterThan(plan.forms);
      });

  test(`at least ${plan.atLeast} cases were compared`, () => {
    expect(compared).toBeGreaterThanOrEqual(plan.atLeast);
  });
}
