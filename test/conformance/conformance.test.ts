// The simulator answers as real Xen does: against what real Xen printed (recorded/), and one image against real Xen itself.
// Oracle: Debian's Xen 4.17 in QEMU; for 32-bit guests the same built with CONFIG_PV32.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { errnos } from '../../abi/errno.table.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { pagePath } from './all.ts';
import { buildImage } from './build.ts';
import { compare, type Role, valuesOf } from './compare.ts';
import { figuresOf, type Proof, proofsOf, rows } from './coverage.ts';
import { documented, otherHeaders } from './documented.table.ts';
import { images, runsAs, scenarioFolder, scenarios } from './images.ts';
import { knownDifferences } from './known-differences.table.ts';
import { documentedOf, hypercallPage, unexplained } from './page.ts';
import { readRecording } from './recording.ts';
import { onSimulator, onXen } from './run.ts';
import { unreachable } from './unreachable.table.ts';

const all = images();
const elfs = new Map<string, string>();
const proofs: Proof[] = [];

beforeAll(async () => {
  for (const image of all) elfs.set(image.name, await buildImage(image));
}, 240_000);

const unknownOf = (xen: readonly string[], simulator: readonly string[], role: Role) =>
  compare(xen, simulator, role).differences.filter((one) => one.reason === null);

describe.each(['dom0', 'domU'] as const)('as %s the simulator prints what real Xen printed', (role) => {
  test.each(all.filter((image) => runsAs(image, role)))('$name', ({ name, bits, ...image }) => {
    const xen = readRecording(name, role);
    expect(xen, 'no recording: npm run conformance -- --record').not.toBeNull();
    const ours = onSimulator(elfs.get(name)!, role, image);
    proofs.push(...proofsOf(ours, xen!, bits, role));
    expect(unknownOf(xen!.lines, ours.lines, role)).toEqual([]);
    // A domain that Xen's watchdog ends does not end the machine as the harness sees it.
    if (xen!.end !== 'none') expect(ours.end).toBe(xen!.end);
  });
});

describe('the hypercall tables are covered by what real Xen answered', () => {
  test('at least 95 of 100 rows are called by a domU of either kind; the others say why not', () => {
    const { rows, called, missing } = figuresOf(proofs);
    for (const bits of [64, 32] as const) {
      expect(called[bits]).toBeGreaterThanOrEqual(Math.ceil(rows * 0.95));
      expect(missing[bits].filter((row) => !unreachable[row]?.[bits])).toEqual([]);
    }
  });

  test('400 pairs of row and outcome and more', () => {
    expect(figuresOf(proofs).pairs).toBeGreaterThanOrEqual(400);
  });

  test('each row has a scenario that succeeds, or a reason why none can', () => {
    expect(unexplained(proofs, rows())).toEqual([]);
  });

  test('each errno that a public header names was seen on real Xen, or has a reason why not', () => {
    expect(documentedOf(proofs).filter(({ seen, unreachable: why }) => !seen && why === null)).toEqual([]);
  });

  test('docs/hypercalls.md says so (npm run conformance -- --offline --page writes it)', () => {
    expect(readFileSync(pagePath, 'utf8')).toBe(hypercallPage(proofs));
  });
});

test('real Xen prints today what was recorded of it', async () => {
  const xen = await onXen({ elf: elfs.get('tables')!, bits: 64, vcpus: 1, cpu: 'amd' });
  expect(valuesOf(xen.lines)).toEqual(valuesOf(readRecording('tables', 'dom0')!.lines));
  expect(unknownOf(xen.lines, onSimulator(elfs.get('tables')!, 'dom0', { vcpus: 1, cpu: 'amd' }).lines, 'dom0')).toEqual([]);
});

describe('the command line', () => {
  const script = fileURLToPath(new URL('../../scripts/conformance.mjs', import.meta.url));
  const run = (...args: string[]) => {
    try {
      return { code: 0, text: execFileSync(process.execPath, [script, ...args], { encoding: 'utf8', stdio: 'pipe' }) };
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      return { code: status, text: stderr };
    }
  };

  test('--new makes a scenario that is well formed', () => {
    const folder = join(scenarioFolder, `version-made-by-a-test-${process.pid}`);
    try {
      expect(run('--new', `version-made-by-a-test-${process.pid}`).code).toBe(0);
      expect(readFileSync(join(folder, 'scenario.c'), 'utf8')).toMatch(/^\/\*\n \* \S[\s\S]*?\n \* Read: [\s\S]*?\*\//);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each([
    { args: ['--new', 'Strange'], text: /FAMILY-TOPIC/ },
    { args: ['--new', 'strange-topic'], text: /'strange' is no family; there are .*version/ },
    { args: ['--new', 'version-facts'], text: /is there already/ },
    { args: ['--run', '/nonexistent'], text: /there is no file/ },
    { args: ['--nonsense'], text: /--offline/ },
  ])('says what is wrong with $args', ({ args, text }) => {
    const { code, text: said } = run(...args);
    expect(code).toBe(2);
    expect(said).toMatch(text);
  });
});

test('every errno in a comment of the public headers is in the table of documented ones', async () => {
  const folder = join(await ensureDebian(['libxen-dev']), 'usr/include/xen');
  const headers = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.h'));
  const names = new RegExp(`\\b(?:XEN_)?(?:${[...errnos.map(({ name }) => name), 'ERESTART'].join('|')})\\b`);
  const found = headers
    .filter((header) => !otherHeaders.some((other) => other.test(header)))
    .flatMap((header) =>
      readFileSync(join(folder, header), 'latin1')
        .split('\n')
        .filter((line) => names.test(line))
        .map((line) => ({ header, line })),
    );
  const matches = (row: { header: string; line: string }, one: { header: string; line: string }) =>
    row.header === one.header && one.line.includes(row.line);
  expect(found.filter((one) => !documented.some((row) => matches(row, one)))).toEqual([]);
  expect(documented.filter((row) => !found.some((one) => matches(row, one)))).toEqual([]);
  const known = new Set(rows());
  expect(documented.flatMap((row) => row.rows).filter((row) => !known.has(row))).toEqual([]);
});

test('a line that differs is found, with its scenario', () => {
  const differences = compare(['[one]', 'a = 0', 'b = -EINVAL'], ['[one]', 'a = 0', 'b = 0'], 'dom0').differences;
  expect(differences).toEqual([{ scenario: 'one', name: 'b', xen: '-EINVAL', simulator: '0', reason: null }]);
  expect(compare(['[one]', 'a = 0'], ['[one]'], 'dom0').differences).toHaveLength(1);
});

test('every scenario says what it is about, and is named as its folder', () => {
  for (const folder of scenarios()) {
    const text = readFileSync(join(scenarioFolder, folder, 'scenario.c'), 'utf8');
    expect(text).toMatch(/^\/\*\n \* \S[\s\S]*?\n \* Read: [\s\S]*?\*\//);
    expect(text).toContain(`SCENARIO("${folder}")`);
  }
});

test('every known difference has a reason and a scenario', () => {
  // Those of test/security are scenarios too.
  const folders = [...scenarios(), ...readdirSync(fileURLToPath(new URL('../security', import.meta.url)))];
  for (const row of knownDifferences) {
    expect(folders).toContain(row.scenario);
    expect(row.reason.length).toBeGreaterThan(20);
    expect(row.xen).not.toBe(row.simulator);
  }
});
