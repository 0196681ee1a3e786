// Oracle: Debian's archive, through apt. The fetcher of the packages that other tests need.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/debian.mjs', import.meta.url));
let cache: string;
let pathWithoutApt: string;

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'hyperport-debian-'));
  pathWithoutApt = join(cache, 'bin');
  rmSync(pathWithoutApt, { recursive: true, force: true });
  symlinkSync('/nonexistent', pathWithoutApt);
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

async function debian(names: string[], path = process.env.PATH): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { env: { ...process.env, PATH: path, HYPERPORT_CACHE: cache } };
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [script, ...names], options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

test('several processes may ask for a package at once: it is fetched once, at the pinned version, and then without apt', async () => {
  // A lock whose owner is gone is no obstacle.
  mkdirSync(join(cache, 'debian'), { recursive: true });
  writeFileSync(join(cache, 'debian', 'lock'), '999999999');
  const runs = await Promise.all([debian(['xenstore-utils']), debian(['xenstore-utils']), debian(['xenstore-utils'])]);
  const root = join(cache, 'debian', 'root');
  expect(runs.map(({ code, stdout }) => ({ code, stdout }))).toEqual(runs.map(() => ({ code: 0, stdout: `${root}\n` })));
  const fetched = runs.flatMap(({ stderr }) => stderr.split('\n').filter((line) => line.startsWith('debian: ')));
  expect(fetched).toEqual(['debian: xenstore-utils 4.17.5+72-g01140da4e8-1']);
  expect(existsSync(join(root, 'usr/bin/xenstore-read'))).toBe(true);

  expect(await debian(['xenstore-utils'], pathWithoutApt)).toEqual({ code: 0, stdout: `${root}\n`, stderr: '' });
});

test('a package that Debian does not have, and a machine without apt, give a message that says what to do', async () => {
  const unknown = await debian(['no-such-package-anywhere']);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/no-such-package-anywhere/);
  expect(unknown.stderr).toMatch(/Debian 12/);

  const withoutApt = await debian(['libxen-dev'], pathWithoutApt);
  expect(withoutApt.code).toBe(1);
  expect(withoutApt.stderr).toMatch(/apt-get is not there.*Run the tests on Debian 12/);
  expect(`${unknown.stderr}${withoutApt.stderr}`).not.toMatch(/\n +at /);
});

test('without a name it says how it is used', async () => {
  const { code, stderr } = await debian([]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^usage: /);
});
