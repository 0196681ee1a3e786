// Cases that differed from the processor once, replayed: `npm run fuzz` wrote them into fixtures/.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAMILIES } from './families.ts';
import { readFixtures, toCase, toFixture } from './fixtures.ts';
import { compareCases } from './oracle.ts';
import { VARIANTS } from './variants.ts';

const fixtures = readFixtures(join(import.meta.dirname, 'fixtures'));

test('there are fixtures', () => expect(fixtures.length).toBeGreaterThan(0));

for (const { name, fixture } of fixtures)
  test(`${name}: ${fixture.bits}-bit ${fixture.instruction} ${fixture.code} does what the host processor does`, () => {
    const family = FAMILIES.find((f) => f.name === fixture.family);
    expect(family, `no family ${fixture.family}`).toBeDefined();
    const failures = compareCases(family!, [toCase(fixture)], VARIANTS);
    expect(failures.map((f) => f.text).join('\n')).toBe('');
  });

test('a fixture holds the whole case', () => {
  for (const { fixture } of fixtures) {
    const failure = {
      family: fixture.family,
      variant: fixture.found.variant,
      case: toCase(fixture),
      differences: fixture.found.differences,
      text: '',
    };
    expect(toFixture(failure, fixture.found.on)).toEqual(fixture);
  }
});
