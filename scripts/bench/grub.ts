// GRUB from launch to its prompt on the simulator (a whole process, 24 M guest instructions) against real Xen in QEMU from its start to the
// first line of a small dom0 guest. In turns, so that the machine's other work hits both.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { grubImage } from '../../test/oracle/grub.ts';
import { runOnXen } from '../../test/oracle/xen-dom0.ts';

const ROUNDS = 5;

export async function run(root: string): Promise<{ rows: object[]; summary: string; raw: unknown }> {
  const grub = await grubImage();
  const guest = join(root, 'samples/tinykernel/prebuilt/tinykernel-xen.elf');
  const raw: { hyperportMs: number; xenMs: number; mips: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const result = spawnSync(process.execPath, [join(root, 'bin/hyperport'), 'run', grub, '--input', '', '--until', 'grub> ', '--stats'], {
      encoding: 'utf8',
    });
    const hyperportMs = performance.now() - started;
    if (result.status !== 0) throw new Error(`GRUB did not reach its prompt (exit ${result.status}): ${result.stderr}`);
    const { mips } = JSON.parse(result.stderr.trim().split('\n').at(-1)!);
    const real = await runOnXen(guest);
    if (real.firstLineMs === null) throw new Error('real Xen showed no line of the guest');
    raw.push({ hyperportMs, xenMs: real.firstLineMs, mips });
  }
  const median = (pick: (row: (typeof raw)[number]) => number) => raw.map(pick).sort((a, b) => a - b)[ROUNDS >> 1]!;
  const ratio = median((row) => row.hyperportMs / row.xenMs);
  const rows = [
    {
      workload: 'GRUB, launch to prompt',
      engine: 'hyperport',
      ms: Math.round(median((row) => row.hyperportMs)),
      mips: median((row) => row.mips),
    },
    { workload: 'Xen, start to first line of dom0', engine: 'qemu', ms: Math.round(median((row) => row.xenMs)), mips: null },
  ];
  return { rows, raw, summary: `${ratio.toFixed(2)} of real Xen's time (median of ${ROUNDS} pairs; promise: below 1)` };
}
