// Oracle: gcc. The committed kernels are what their sources build.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSamples, describeBuild, prebuilt, sampleFiles, toolVersions } from '../../scripts/samples.mjs';

const recorded = JSON.parse(readFileSync(join(prebuilt, 'build.json'), 'utf8'));
const sameTools = JSON.stringify(toolVersions()) === JSON.stringify({ gcc: recorded.gcc, ld: recorded.ld });
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hyperport-prebuilt-'));
  buildSamples(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('build.json names the hashes of the committed kernels', () => {
  expect(describeBuild(prebuilt).sha256).toEqual(recorded.sha256);
});

test('building the sources again gives the committed kernels', () => {
  for (const file of sampleFiles) {
    if (sameTools) expect(readFileSync(join(folder, file)).equals(readFileSync(join(prebuilt, file))), file).toBe(true);
    else expect(content(join(folder, file)), `${file}, by another compiler than the recorded one`).toEqual(content(join(prebuilt, file)));
  }
});

test('debug information names sources relative to the repository', () => {
  for (const file of ['tinykernel-native.elf', 'tinykernel-xen.elf']) {
    const { sources } = content(join(prebuilt, file));
    expect(sources.length).toBeGreaterThan(15);
    for (const source of sources) expect(source).toMatch(/^samples\/tinykernel\/(native|xen)\/[a-z0-9]+\.[cS]$/);
  }
});

/** What does not depend on the compiler's version: functions and global objects by name, and the source files. */
function content(elf: string): { symbols: string[]; sources: string[] } {
  const run = (...command: string[]) =>
    execFileSync(command[0] as string, command.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const symbols = [...run('nm', '--defined-only', '--extern-only', elf).matchAll(/^\S+ \S (\S+)$/gm)].map(([, name]) => name as string);
  const sources = [...run('readelf', '--debug-dump=info', elf).matchAll(/DW_AT_name +: (?:\(.*?\): )?(samples\/\S+\.[cS])$/gm)];
  return { symbols: symbols.sort(), sources: sources.map(([, name]) => name as string).sort() };
}
