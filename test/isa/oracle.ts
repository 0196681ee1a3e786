// A run of the host-CPU oracle over all comparable forms of one mode, for the test and for scripts/fuzz.mjs.

import { seededRandom } from '../../x86/encode.ts';
import { ROWS } from '../../x86/rows.ts';
import { CaseMaker, comparableForms, type GeneratedCase } from './cases.ts';
import { describe, differences, engineRunner } from './compare.ts';
import { runNatively } from './host-cpu.ts';
import { SequenceMaker } from './sequences.ts';

export interface OracleReport {
  readonly compared: number;
  /** Comparisons per form: key and encoding. */
  readonly perForm: ReadonlyMap<string, number>;
  /** Forms that could not be generated. */
  readonly none: readonly string[];
  /** Cases that differ, in words. */
  readonly failures: readonly string[];
}

const BATCH = 4000;

export interface OracleOptions {
  /** Instead of all forms that every x86-64 has. */
  readonly forms?: readonly { row: number; form: number }[];
  readonly model?: 'amd' | 'intel';
}

/** Compares about `perForm` random cases of every form with the processor. */
export function runOracle(bits: 64 | 32, perForm: number, seed: number, options: OracleOptions = {}): OracleReport {
  const maker = new CaseMaker(seededRandom(seed));
  const counts = new Map<string, number>();
  const none: string[] = [];
  const cases: GeneratedCase[] = [];
  for (const { row, form } of options.forms ?? comparableForms(bits)) {
    const name = `${ROWS[row]!.key} '${ROWS[row]!.enc[form]}'`;
    let got = 0;
    for (let attempt = 0; attempt < 4 * perForm && got < perForm; attempt++) {
      const c = maker.make(row, form, bits);
      if (!c) continue;
      cases.push(c);
      got++;
    }
    counts.set(name, got);
    if (got === 0) none.push(name);
  }
  const engine = engineRunner(options.model);
  const failures: string[] = [];
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    runNatively(batch).forEach((native, i) => {
      const c = batch[i]!;
      const different = differences(c, native, engine.run(c));
      if (different.length > 0) failures.push(`${describe(c)}\n    ${different.join('; ')}`);
    });
  }
  return { compared: cases.length, perForm: counts, none, failures };
}

/** Compares sequences of a few instructions with the processor. */
export function runSequences(bits: 64 | 32, count: number, seed: number): { compared: number; failures: string[] } {
  const maker = new SequenceMaker(seededRandom(seed));
  const engine = engineRunner();
  const failures: string[] = [];
  let compared = 0;
  while (compared < count) {
    const cases: GeneratedCase[] = [];
    for (let attempt = 0; attempt < 40 * BATCH && cases.length < Math.min(BATCH, count - compared); attempt++) {
      const c = maker.make(bits);
      if (c) cases.push(c);
    }
    if (cases.length === 0) throw new Error('no sequence could be generated');
    runNatively(cases).forEach((native, i) => {
      const c = cases[i]!;
      const different = differences(c, native, engine.run(c));
      if (different.length > 0) failures.push(`${describe(c)}\n    ${different.join('; ')}`);
    });
    compared += cases.length;
  }
  return { compared, failures };
}
