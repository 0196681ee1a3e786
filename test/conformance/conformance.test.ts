// The simulator answers as real Xen does: against what real Xen printed (recorded/), and one image against real Xen itself.
// Oracle: Debian's Xen 4.17 in QEMU.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildImage } from './build.ts';
import { compare, type Role, valuesOf } from './compare.ts';
import { images, scenarioFolder } from './images.ts';
import { knownDifferences } from './known-differences.table.ts';
import { readRecording } from './recording.ts';
import { onSimulator, onXen } from './run.ts';

const all = images().filter(({ bits }) => bits === 64);
const elfs = new Map<string, string>();

beforeAll(async () => {
  for (const image of all) elfs.set(image.name, await buildImage(image));
}, 240_000);

const unknownOf = (xen: readonly string[], simulator: readonly string[], role: Role) =>
  compare(xen, simulator, role).differences.filter((one) => one.reason === null);

describe.each(['dom0', 'domU'] as const)('as %s the simulator prints what real Xen printed', (role) => {
  const shared = all.filter(({ name }) => role === 'dom0' || !name.startsWith('end-'));
  test.each(shared)('$name', ({ name }) => {
    const xen = readRecording(name, role);
    expect(xen, 'no recording: npm run conformance -- --record').not.toBeNull();
    const ours = onSimulator(elfs.get(name)!, role);
    expect(unknownOf(xen!.lines, ours.lines, role)).toEqual([]);
    // A domain that Xen's watchdog ends does not end the machine as the harness sees it.
    if (xen!.end !== 'none') expect(ours.end).toBe(xen!.end);
  });
});

test('real Xen prints today what was recorded of it', async () => {
  const xen = await onXen(elfs.get('tables')!, 64);
  expect(valuesOf(xen.lines)).toEqual(valuesOf(readRecording('tables', 'dom0')!.lines));
  expect(unknownOf(xen.lines, onSimulator(elfs.get('tables')!, 'dom0').lines, 'dom0')).toEqual([]);
});

test('a line that differs is found, with its scenario', () => {
  const differences = compare(['[one]', 'a = 0', 'b = -EINVAL'], ['[one]', 'a = 0', 'b = 0'], 'dom0').differences;
  expect(differences).toEqual([{ scenario: 'one', name: 'b', xen: '-EINVAL', simulator: '0', reason: null }]);
  expect(compare(['[one]', 'a = 0'], ['[one]'], 'dom0').differences).toHaveLength(1);
});

test('every scenario says what it is about, and is named as its folder', () => {
  for (const folder of readdirSync(scenarioFolder)) {
    const text = readFileSync(join(scenarioFolder, folder, 'scenario.c'), 'utf8');
    expect(text).toMatch(/^\/\*\n \* \S[\s\S]*?\n \* Read: [\s\S]*?\*\//);
    expect(text).toContain(`SCENARIO("${folder}")`);
  }
});

test('every known difference has a reason and a scenario', () => {
  const folders = readdirSync(scenarioFolder);
  for (const row of knownDifferences) {
    expect(folders).toContain(row.scenario);
    expect(row.reason.length).toBeGreaterThan(20);
    expect(row.xen).not.toBe(row.simulator);
  }
});
