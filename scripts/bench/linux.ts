// Debian's Linux as a domU from launch to its shell: a whole `hyperport run` against `xl create` on real Xen in QEMU until the same text,
// by the clock, in turns. What real Xen and its dom0 need before that is shown beside it.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { linuxGuest, PROMPT } from '../../test/oracle/linux.ts';
import { runAsDomU } from '../../test/oracle/xen-domu.ts';

const ROUNDS = 2;
const MEMORY = 256;
const CMDLINE = 'console=hvc0';

interface Round {
  readonly hyperportMs: number;
  readonly mips: number;
  /** From `xl create` to the shell, in the time of the machine that QEMU shows, which follows the clock. */
  readonly xenMs: number;
  /** From QEMU's start to the end, Xen's and dom0's boot included. */
  readonly xenWholeMs: number;
}

export async function run(root: string): Promise<{ rows: object[]; summary: string; raw: unknown }> {
  const { bzImage, vmlinux, initramfs, release } = await linuxGuest();
  const raw: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const options = ['--memory', String(MEMORY), '--ramdisk', initramfs, '--cmdline', CMDLINE, '--until', PROMPT, '--input', '', '--stats'];
    const result = spawnSync(process.execPath, [join(root, 'bin/hyperport'), 'run', vmlinux, ...options], { encoding: 'utf8' });
    const hyperportMs = performance.now() - started;
    if (result.status !== 0) throw new Error(`Linux did not reach its shell (exit ${result.status}): ${result.stderr}`);
    const { mips } = JSON.parse(result.stderr.trim().split('\n').at(-1)!);

    const began = performance.now();
    const guest = { name: 'linux', elf: bzImage, ramdisk: initramfs, cmdline: CMDLINE, mem: MEMORY, until: PROMPT, timeoutS: 600 };
    const { linux } = await runAsDomU([guest]);
    if (!linux?.console.includes(PROMPT))
      throw new Error(`Linux did not reach its shell on real Xen (${linux?.end}): ${linux?.console.slice(-500)}`);
    raw.push({ hyperportMs, mips, xenMs: 1000 * (linux.endedS - linux.startedS), xenWholeMs: performance.now() - began });
  }
  const best = (pick: (row: Round) => number): number => Math.min(...raw.map(pick));
  const ratio = best((row) => row.hyperportMs / row.xenMs);
  const rows = [
    {
      workload: `Linux ${release}, launch to shell`,
      engine: 'hyperport',
      seconds: Number((best((row) => row.hyperportMs) / 1000).toFixed(1)),
      mips: Math.max(...raw.map(({ mips }) => mips)),
    },
    { workload: 'the same, from xl create', engine: 'qemu', seconds: Number((best((row) => row.xenMs) / 1000).toFixed(1)), mips: null },
    {
      workload: 'the same with Xen and dom0',
      engine: 'qemu',
      seconds: Number((best((row) => row.xenWholeMs) / 1000).toFixed(1)),
      mips: null,
    },
  ];
  return {
    rows,
    raw,
    summary: `${ratio.toFixed(2)} of the time from xl create to the shell on real Xen (better of ${ROUNDS} pairs; promise: below 1)`,
  };
}
