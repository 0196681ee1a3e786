// The bench's workloads compute the same everywhere, and its figures have the form that others read. Nothing here is timed.
// Oracles: the host's processor (the same C source), QEMU with its instruction counter (the same bytes).

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildWorkload, nativeChecksum, type Width, WORKLOADS, type WorkloadName } from '../../scripts/bench/cpu/build.ts';
import { guestMachine } from '../../scripts/bench/cpu/guest-machine.ts';
import { qemuCount } from '../../scripts/bench/cpu/qemu.ts';
import { run } from '../../scripts/bench/cpu.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const counts: Readonly<Record<WorkloadName, number>> = { compute: 40, memory: 6, branchy: 300, hypercall: 3000, wide: 12 };

const cases: [WorkloadName, Width][] = [...WORKLOADS.map((name): [WorkloadName, Width] => [name, 64])];
for (const name of WORKLOADS) if (name !== 'wide') cases.push([name, 32]);

// gcc takes half a minute for `wide`, once.
for (const [workload, width] of cases)
  test(`${workload}, ${width} bit: tier 0, translated code and QEMU end with one checksum after equally many instructions`, async () => {
    const { image, kernel } = buildWorkload(root, workload, width);
    const n = counts[workload];
    const [tier0, tier1] = [false, true].map((on) => guestMachine(readFileSync(image), width, { tier1: on }).run(n));
    expect(tier1).toEqual(tier0);
    const { checksum, instructions } = await qemuCount(kernel, n, tier0!.hypercalls);
    expect({ checksum: tier0!.checksum, instructions: tier0!.instructions }).toEqual({ checksum, instructions });
    if (width === 64) expect(tier0!.checksum).toBe(nativeChecksum(root, workload, n));
    expect(tier0!.hypercalls).toBe(workload === 'hypercall' ? n : 0);
  }, 400_000);

test('the bench names engines, MIPS and the ratio to QEMU in rows, and keeps raw times, the command line and hashes', async () => {
  const { rows, raw, summary } = await run(root, { workloads: ['hypercall', 'hypercall-32'], rounds: 1 });
  const names = (workload: string): string[] => rows.filter((row) => row.workload === workload).map(({ engine }) => engine);
  expect(names('hypercall')).toEqual(['qemu', 'hyperport', 'hyperport-node24', 'hyperport-tier0', 'hyperport-cold']);
  expect(names('hypercall-32')).toEqual(['qemu', 'hyperport', 'v86']);
  for (const row of rows) {
    expect(row.mips).toBeGreaterThan(1);
    expect(row.ratioToQemu).toBeGreaterThan(0);
    expect(row.engine !== 'qemu' || row.ratioToQemu === 1).toBe(true);
  }
  expect(rows.find(({ engine }) => engine === 'v86')!.ratioToV86).toBe(1);
  expect(raw.qemu).toMatch(/qemu-system-x86_64 .*-accel tcg,thread=single/);
  for (const { sha256 } of raw.binaries) for (const hash of [sha256.image, sha256.kernel]) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  const [measured] = raw.measured;
  expect(measured!.instructions).toBeGreaterThan(50e6);
  expect(measured!.engines.every(({ runs }) => runs.length === 1 && runs[0]!.cpuNs > 1e6)).toBe(true);
  expect(summary).toMatch(/(kept|MISSED) +hypercall, of QEMU: at least 0.5: [\d.]+/);
  expect(JSON.parse(JSON.stringify({ rows, raw }))).toEqual({ rows, raw });
});
