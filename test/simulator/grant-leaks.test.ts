// The leak detector on a guest whose code runs: the grants that it never unmapped, where it gave them and where it mapped them.
import { expect, test } from 'vitest';
import { readKernelFile } from '../../cli/io.ts';
import { grantLeakLines } from '../../host/grant-words.ts';
import { GuestSymbols } from '../../host/symbols/guest-symbols.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import { buildImage } from '../conformance/build.ts';
import { images } from '../conformance/images.ts';
import { onSimulator } from '../conformance/run.ts';

test('names who granted, where and when, and who maps it', { timeout: 240_000 }, async () => {
  const image = images().find(({ name }) => name === 'grants')!;
  const elf = await buildImage(image);
  const machine = onSimulator(elf, 'domU', image).run.machine!;
  const symbols = new GuestSymbols(openKernel(readKernelFile(elf)), { program: elf, cwd: '/', sourceMap: {} }, () =>
    machine.hypercallPage(),
  );
  const left = machine.grants().filter(({ maps }) => maps.length > 0);
  expect(left.map(({ ref }) => ref)).toEqual([50, 100]);
  for (const { granted, maps } of left) expect(granted!.icount).toBeLessThan(maps[0]!.mapped.icount);
  const lines = grantLeakLines(machine, () => symbols);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /^Grant 50 of domain 1, frame 0x\w+: granted at instruction [\d,]+ by scenario_run\+\d+; mapped read only by domain 1 under handle \d+ at instruction [\d,]+ by (?!hypercall_page)\w+\+\d+, and never unmapped\.$/,
  );
});
