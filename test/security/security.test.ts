// What security advisories tried is denied, by the simulator as by real Xen 4.17 (the lines are compared in test/conformance).
import { beforeAll, describe, expect, test } from 'vitest';
import { buildImage } from '../conformance/build.ts';
import { compare, valuesOf } from '../conformance/compare.ts';
import { readRecording } from '../conformance/recording.ts';
import { onSimulator } from '../conformance/run.ts';
import { images, scenarios } from './images.ts';

const elfs = new Map<string, string>();

beforeAll(async () => {
  for (const image of images()) elfs.set(image.name, await buildImage(image));
}, 120_000);

/** Scenarios with the last line of each: was the attack denied? */
const verdicts = (lines: readonly string[]): Map<string, string> =>
  new Map(
    valuesOf(lines)
      .filter(({ name }) => name === 'denied')
      .map(({ scenario, value }) => [scenario, value]),
  );

test('each folder names its advisory and what is expected', () => {
  const all = scenarios();
  expect(all.length).toBeGreaterThanOrEqual(30);
  for (const { folder, advisories, expected } of all) {
    for (const advisory of advisories) expect(advisory, folder).toMatch(/^XSA-\d+$/);
    expect(folder).toMatch(new RegExp(`^${advisories[0]!.toLowerCase()}-`));
    expect(expected.length, folder).toBeGreaterThan(5);
  }
});

describe.each(['domU', 'dom0'] as const)('as %s', (role) => {
  test.each(images())('$name: every attack is denied, as on real Xen', (image) => {
    const { name, scenarios: folders } = image;
    const wanted = folders.map((folder) => [folder.split('/').at(-1)!, '0x1'] as const);
    const real = readRecording(name, role);
    expect([...verdicts(real!.lines)].sort()).toEqual([...wanted].sort());
    const { lines, end } = onSimulator(elfs.get(name)!, role, image);
    expect([...verdicts(lines)].sort()).toEqual([...wanted].sort());
    expect(end).toBe('shutdown');
    expect(compare(real!.lines, lines, role).differences.filter(({ reason }) => reason === null)).toEqual([]);
  });
});
