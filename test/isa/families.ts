// The families of instructions that the host-CPU oracles compare: how cases of each are made and what is compared.

import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import { CaseMaker, comparableForms } from './cases.ts';
import { differences } from './compare.ts';
import { describeImage, imageDifferences } from './compare-image.ts';
import { HOST } from './host-cpu.ts';
import type { Family } from './oracle.ts';
import { SequenceMaker } from './sequences.ts';
import { VectorCaseMaker, vectorForms } from './sse-cases.ts';
import { TRANSCENDENTAL, X87CaseMaker, x87Forms } from './x87-cases.ts';

/** The bits of these are each vendor's own; the engine gives AMD's. */
const APPROXIMATIONS = /^(rcp|rsqrt)[ps]s$/;

/** General registers: everything outside MMX, SSE and x87. */
export const INTEGER: Family = {
  name: 'integer',
  model: 'amd',
  forms: comparableForms,
  source: (random) => {
    const single = new CaseMaker(random);
    const several = new SequenceMaker(random);
    return { make: (...form) => single.make(...form), sequence: (bits) => several.make(bits) };
  },
  differences,
};

/** What Intel's model has and AMD's has not. */
export const INTEL: Family = {
  name: 'intel',
  model: 'intel',
  forms: () => [{ row: ROW_BY_KEY.get('popcnt')!, form: 0 }],
  source: (random) => new CaseMaker(random),
  differences,
};

export const VECTOR: Family = {
  name: 'vector',
  model: 'amd',
  forms: (bits) => vectorForms(bits).filter(({ row }) => HOST.amd || !APPROXIMATIONS.test(ROWS[row]!.key)),
  source: (random) => new VectorCaseMaker(random),
  differences: (c, native, ours) => [
    ...differences(c, native, ours),
    ...imageDifferences(native.image, ours.image, { pointers: false, loose: false }),
  ],
  describe: describeImage,
};

export const X87: Family = {
  name: 'x87',
  model: 'amd',
  forms: x87Forms,
  source: (random) => new X87CaseMaker(random),
  differences: (c, native, ours) => [
    ...differences(c, native, ours),
    ...imageDifferences(native.image, ours.image, { pointers: true, loose: TRANSCENDENTAL.has(ROWS[c.row]!.key) }),
  ],
  describe: describeImage,
};

export const FAMILIES: readonly Family[] = [INTEGER, INTEL, VECTOR, X87];
