// The one loop of the host-CPU oracles: makes cases of every form of a family, runs them natively and on engine variants, compares
// what both leave, and counts the comparisons of each form. For the tests and for scripts/fuzz.mjs.

import { seededRandom } from '../../x86/encode.ts';
import { ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import { describe, type EngineRunner, engineRunner } from './compare.ts';
import { type NativeResult, runNatively } from './host-cpu.ts';
import { TIER0, type Variant } from './variants.ts';

export interface FormRef {
  readonly row: number;
  readonly form: number;
}
export interface CaseSource {
  /** A case of this form; null: this attempt gave none (the form may not exist in the mode). */
  make(row: number, form: number, bits: 64 | 32): GeneratedCase | null;
  /** A few instructions in a row; null: this attempt gave none. */
  sequence?(bits: 64 | 32): GeneratedCase | null;
}
/** Instructions that are made and compared in the same way. */
export interface Family {
  readonly name: string;
  readonly model: 'amd' | 'intel';
  forms(bits: 64 | 32): readonly FormRef[];
  source(random: () => number): CaseSource;
  /** What differs, in words; empty when nothing does. */
  differences(c: GeneratedCase, native: NativeResult, ours: NativeResult): string[];
  /** What a report says of a case beside its registers. */
  describe?(c: GeneratedCase, native: NativeResult): string;
}

export interface Failure {
  readonly family: string;
  readonly variant: string;
  readonly case: GeneratedCase;
  readonly differences: readonly string[];
  /** All of it, for people. */
  readonly text: string;
}
export interface OracleReport {
  /** Cases, each compared on every variant. */
  readonly compared: number;
  /** Comparisons by form: mode, key and encoding. */
  readonly perForm: ReadonlyMap<string, number>;
  /** Forms that could not be generated. */
  readonly none: readonly string[];
  readonly failures: readonly Failure[];
}
export interface OracleRequest {
  readonly bits: 64 | 32;
  /** Cases of every form. */
  readonly perForm: number;
  /** Sequences, where the family has them. */
  readonly sequences?: number;
  readonly seed: number;
  /** Keys of rows to look at; all unless given. */
  readonly only?: RegExp;
  readonly variants?: readonly Variant[];
}

const BATCH = 4000;
/** Attempts for one case: many forms refuse some of the encodings that chance gives. */
const ATTEMPTS = 4;

export const formName = (bits: 64 | 32, { row, form }: FormRef): string => `${bits}-bit ${ROWS[row]!.key} '${ROWS[row]!.enc[form]}'`;

const runners = new Map<string, EngineRunner>();
/** One engine for each variant and model; a case leaves nothing behind that the next could see. */
export function runnerOf(variant: Variant, model: 'amd' | 'intel'): EngineRunner {
  const name = `${variant.name} ${model}`;
  const known = runners.get(name);
  if (known) return known;
  const made = engineRunner(model, variant);
  runners.set(name, made);
  return made;
}

/** What a batch left on a variant where it differs from the processor. */
function compareBatch(family: Family, batch: readonly GeneratedCase[], variant: Variant): Failure[] {
  const native = runNatively(batch);
  const failures: Failure[] = [];
  runnerOf(variant, family.model)
    .runAll(batch)
    .forEach((ours, i) => {
      const c = batch[i]!;
      const different = family.differences(c, native[i]!, ours);
      if (different.length === 0) return;
      const more = family.describe ? `\n    ${family.describe(c, native[i]!)}` : '';
      const text = `${variant.name}: ${describe(c)}${more}\n    ${different.join('; ')}`;
      failures.push({ family: family.name, variant: variant.name, case: c, differences: different, text });
    });
  return failures;
}

/** Compares cases with the processor; answers what differed. */
export function compareCases(family: Family, cases: readonly GeneratedCase[], variants: readonly Variant[] = [TIER0]): Failure[] {
  const failures: Failure[] = [];
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    for (const variant of variants) {
      const first = compareBatch(family, batch, variant);
      if (first.length === 0) continue;
      // An interrupt between two instructions of a case makes AMD's processors forget x87 pointers: what differs must differ again.
      const again = first.map((f) => f.case);
      failures.push(...compareBatch(family, again, variant));
    }
  }
  return failures;
}

/** Compares random cases of every form of a family, and random sequences, with the processor. */
export function runFamily(family: Family, request: OracleRequest): OracleReport {
  const { bits, perForm: wanted, sequences = 0, seed, only, variants } = request;
  const source = family.source(seededRandom(seed));
  const perForm = new Map<string, number>();
  const none: string[] = [];
  const cases: GeneratedCase[] = [];
  const take = (count: number, make: () => GeneratedCase | null): number => {
    let got = 0;
    for (let attempt = 0; attempt < ATTEMPTS * count && got < count; attempt++) {
      const c = make();
      if (!c) continue;
      cases.push(c);
      got++;
    }
    return got;
  };
  for (const ref of family.forms(bits)) {
    if (only && !only.test(ROWS[ref.row]!.key)) continue;
    const got = take(wanted, () => source.make(ref.row, ref.form, bits));
    perForm.set(formName(bits, ref), got);
    if (got === 0) none.push(formName(bits, ref));
  }
  if (source.sequence && sequences > 0) take(sequences, () => source.sequence!(bits));
  return { compared: cases.length, perForm, none, failures: compareCases(family, cases, variants) };
}
