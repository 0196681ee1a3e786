// Reading speed of the analysis: kernel C and assembly of Debian's Linux source, whole `hyperport check` processes.
// The promise is for one core, so the processor's seconds count; the clock is shown beside them.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../debian.mjs';

const ROUNDS = 3;
const PACKAGE = 'linux-source-6.1';
const FOLDERS = ['arch/x86', 'kernel', 'mm', 'drivers/xen'];

/** The part of the kernel's source that is measured, unpacked once. */
async function kernelSource(root: string): Promise<string> {
  const folder = join(root, '.cache', 'bench', PACKAGE);
  if (existsSync(folder)) return folder;
  const archive = join(await ensureDebian([PACKAGE]), 'usr/src', `${PACKAGE}.tar.xz`);
  mkdirSync(`${folder}.new`, { recursive: true });
  const members = FOLDERS.map((name) => `${PACKAGE}/${name}/*`);
  execFileSync('tar', ['-xJf', archive, '-C', `${folder}.new`, '--strip-components=1', '--wildcards', ...members]);
  renameSync(`${folder}.new`, folder);
  return folder;
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[chsS]$/.test(entry.name))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

export async function run(root: string): Promise<{ rows: object[]; summary: string; raw: unknown }> {
  const folder = await kernelSource(root);
  const megabytes = bytesOf(folder) / 1e6;
  const raw: { ms: number; cpuMs: number; findings: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const command = `exec "$0" "$1" check "$2" --format json --fail-on never`;
    const timed = `TIMEFORMAT='cpu %U %S'; time bash -c '${command}' "$0" "$1" "$2"`;
    const started = performance.now();
    const result = spawnSync('bash', ['-c', timed, process.execPath, join(root, 'bin/hyperport'), folder], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    const ms = performance.now() - started;
    const cpu = /^cpu ([\d.]+) ([\d.]+)$/m.exec(result.stderr);
    if (result.status !== 0 || !cpu) throw new Error(`hyperport check ended with ${result.status}: ${result.stderr}`);
    raw.push({ ms, cpuMs: 1000 * (Number(cpu[1]) + Number(cpu[2])), findings: JSON.parse(result.stdout).summary.findings });
  }
  const median = (pick: (row: (typeof raw)[number]) => number): number => raw.map(pick).sort((a, b) => a - b)[ROUNDS >> 1]!;
  const speed = (ms: number): number => Number((megabytes / (ms / 1000)).toFixed(2));
  const cpu = speed(median(({ cpuMs }) => cpuMs));
  const rows = [
    {
      workload: `${PACKAGE}: ${FOLDERS.join(' ')}`,
      MB: Number(megabytes.toFixed(1)),
      findings: raw[0]!.findings,
      'MB per CPU second': cpu,
      'MB/s by the clock': speed(median(({ ms }) => ms)),
    },
  ];
  return {
    rows,
    raw: { megabytes, rounds: raw },
    summary: `${cpu} MB per second of one core, process start and report included (median of ${ROUNDS}; promise: at least 2)`,
  };
}
