// docs/instructions.md is what the instruction table, the bodies and the counts of the last long run make of it. UPDATE_INSTRUCTIONS=1
// writes it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAMILIES } from '../isa/families.ts';
import { formName } from '../isa/oracle.ts';
import { VARIANTS } from '../isa/variants.ts';
import { type Comparisons, instructionsPage } from './instructions-page.ts';

const page = join(import.meta.dirname, '../../docs/instructions.md');
const counts = JSON.parse(readFileSync(join(import.meta.dirname, '../isa/comparisons.json'), 'utf8')) as Comparisons;

it('the page is up to date', () => {
  const text = instructionsPage(counts);
  if (process.env.UPDATE_INSTRUCTIONS) writeFileSync(page, text);
  expect(readFileSync(page, 'utf8')).toBe(text);
});

it('the recorded run compared every form that a family has at least 200 times, on both tiers, and made 1,000,000 comparisons', () => {
  const few: string[] = [];
  for (const family of FAMILIES)
    for (const bits of [64, 32] as const)
      for (const ref of family.forms(bits)) {
        const name = formName(bits, ref);
        // An exchange with r8 needs a REX prefix.
        if ((counts.perForm[name] ?? 0) < 200 && name !== "32-bit xchg 'b1 90 Zv,rAX'") few.push(name);
      }
  expect(few).toEqual([]);
  expect(counts.variants).toEqual(VARIANTS.map((v) => v.name));
  expect(counts.compared * counts.variants.length).toBeGreaterThanOrEqual(1_000_000);
});
