// The measuring stick itself: what the sample's binary executes is found, and what was recorded of the large trees is consistent and is not shrunk
// unseen. The large trees are measured with `npm run truth`; see README.md.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { measure, type Report } from '../../scripts/truth/measure.ts';
import { isSensitive, stem } from '../../scripts/truth/sensitive.ts';
import { truthOf } from '../../scripts/truth/sites.ts';
import { SourceText } from '../../scripts/truth/source-text.ts';
import { tinykernel } from '../../scripts/truth/trees/tinykernel.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'test/truth/recorded');
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report);

const measured = async (): Promise<Report> => {
  const tree = await tinykernel.make(root, '', () => undefined);
  const source = new SourceText(tree.root, () => true);
  return measure(tree, source, await truthOf(tree, source));
};

it('every sensitive instruction of the native sample is found at its line, and every call of the function that holds it', async () => {
  const report = await measured();
  expect(report.missedSites).toEqual([]);
  expect(report.missedCalls).toEqual([]);
  expect(report.siteList.length).toBeGreaterThan(45);
  expect(report.callList.length).toBeGreaterThan(40);
}, 120_000);

it('a call that the analyser does not know is a miss with its line', async () => {
  const tree = await tinykernel.make(root, '', () => undefined);
  const source = new SourceText(tree.root, (file) => file !== 'power.c');
  const { missedCalls } = await measure(tree, source, await truthOf(tree, source));
  expect(missedCalls.map(({ at }) => at).every((at) => at.startsWith('power.c:'))).toBe(true);
  expect(missedCalls.length).toBeGreaterThan(2);
}, 120_000);

describe.each(recorded.map((report) => [report.name, report] as const))('recorded: %s', (_name, report) => {
  it('names its version, and its counts are those of its lists', () => {
    expect(report.version).not.toBe('');
    expect(report.sites - report.sitesFound).toBe(report.missedSites.length);
    expect(report.calls - report.callsFound).toBe(report.missedCalls.length);
    expect(report.callList.length).toBe(report.calls);
    for (const { cause } of [...report.missedSites, ...report.missedCalls]) expect(cause).not.toBe('');
  });
});

it('of the findings that were judged by reading, under 3 % are false', () => {
  const judged = readdirSync(join(root, 'test/truth/precision')).flatMap(
    (name) => JSON.parse(readFileSync(join(root, 'test/truth/precision', name), 'utf8')).sample as { verdict: string; reason: string }[],
  );
  expect(judged.length).toBeGreaterThanOrEqual(120);
  for (const { verdict, reason } of judged) {
    expect(['true', 'redirected', 'dead', 'false']).toContain(verdict);
    expect(reason).not.toBe('');
  }
  expect(judged.filter(({ verdict }) => verdict === 'false').length / judged.length).toBeLessThan(0.03);
});

it('instructions are told by their names and operands, spellings compare equal', () => {
  expect(isSensitive('mov', '%cr3,%rax')).toBe(true);
  expect(isSensitive('mov', '%rcx,%rax')).toBe(false);
  expect(isSensitive('push', '%es')).toBe(true);
  expect(stem('iretq')).toBe(stem('iretd'));
  expect(stem('movw')).toBe(stem('mov'));
});
