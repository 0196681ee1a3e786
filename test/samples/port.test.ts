// Oracle: the lines that the port prints on real Xen (real-xen.test.ts compares the same ones there). Here it runs on the simulator.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prebuilt } from '../../scripts/samples.mjs';
import { runOnSimulator } from '../oracle/simulator.ts';
import { echoLines, expectedLines, shellLines, typedAtEcho, typedAtShell, wrongEntryLines } from './expected.ts';

const elf = join(prebuilt, 'tinykernel-xen.elf');

test.each([
  { dom0: false, platform: 'Xen 4.17, domU, 64 MB' },
  { dom0: true, platform: 'Xen 4.17, dom0, 64 MB' },
])('on the simulator the port prints what it prints on real Xen ($platform), and powers off', ({ dom0, platform }) => {
  const { lines, end, ending } = runOnSimulator(elf, { dom0 });
  expect({ lines, ending }).toEqual({ lines: expectedLines(platform), ending: { kind: 'poweroff' } });
  expect(end).toBe('shutdown');
});

test.each([false, true])('on the simulator the wrong page-table entries are refused as on real Xen (dom0: %s)', (dom0) => {
  const { lines, end } = runOnSimulator(elf, { dom0, cmdline: 'wrong-pte' });
  expect(lines.filter((line) => line.startsWith('wrong: '))).toEqual(wrongEntryLines);
  expect(lines.at(-1)).toBe('tinykernel: bye');
  expect(end).toBe('shutdown');
});

test.each([false, true])('on the simulator the port takes typed commands and bytes (dom0: %s)', (dom0) => {
  expect(runOnSimulator(elf, { dom0, cmdline: 'interactive', typing: typedAtShell }).lines.slice(-shellLines.length)).toEqual(shellLines);
  expect(runOnSimulator(elf, { dom0, cmdline: 'echo', typing: typedAtEcho }).lines.slice(-echoLines.length)).toEqual(echoLines);
});
