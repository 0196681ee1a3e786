// Oracle: real Xen (Debian's 4.17) in QEMU, with the port as dom0 and, under a Linux dom0 with xl, as domU.
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { prebuilt } from '../../scripts/samples.mjs';
import { runOnSimulator } from '../oracle/simulator.ts';
import { runOnXen } from '../oracle/xen-dom0.ts';
import { type DomURun, runAsDomU } from '../oracle/xen-domu.ts';
import { echoLines, expectedLines, shellLines, typedAtEcho, typedAtShell, wrongEntryLines } from './expected.ts';

const elf = join(prebuilt, 'tinykernel-xen.elf');

test('as dom0 the port prints what the native kernel prints, and its power-off halts the machine', async () => {
  const { lines, end } = await runOnXen(elf);
  expect(lines).toEqual(expectedLines('Xen 4.17, dom0, 64 MB'));
  expect(end).toBe('shutdown');
});

test('as dom0 the port gets its wrong page-table entries refused and goes on', async () => {
  const { lines, end } = await runOnXen(elf, { cmdline: 'wrong-pte' });
  expect(lines.filter((line) => line.startsWith('wrong: '))).toEqual(wrongEntryLines);
  expect(lines.at(-1)).toBe('tinykernel: bye');
  expect(end).toBe('shutdown');
});

test('as dom0 the port reads what is typed at Xen’s console', async () => {
  const { lines } = await runOnXen(elf, { cmdline: 'echo', typing: typedAtEcho });
  expect(lines.slice(-echoLines.length)).toEqual(echoLines);
});

let runs: Record<string, DomURun>;

beforeAll(async () => {
  runs = await runAsDomU([
    { name: 'plain', elf },
    { name: 'wrong', elf, cmdline: 'wrong-pte' },
    { name: 'shell', elf, cmdline: 'interactive', typing: typedAtShell },
    { name: 'echo', elf, cmdline: 'echo', typing: typedAtEcho },
  ]);
}, 300_000);

test('as domU the port prints what the native kernel prints, and powers off', () => {
  expect(runs.plain?.lines).toEqual(expectedLines('Xen 4.17, domU, 64 MB'));
  expect(runs.plain?.end).toBe('shutdown');
});

test('as domU the port gets its wrong page-table entries refused and goes on', () => {
  expect(runs.wrong?.lines.filter((line) => line.startsWith('wrong: '))).toEqual(wrongEntryLines);
  expect(runs.wrong?.end).toBe('shutdown');
});

test('as domU the port takes commands from its console ring', () => {
  expect(runs.shell?.lines.slice(-shellLines.length)).toEqual(shellLines);
  expect(runs.echo?.lines.slice(-echoLines.length)).toEqual(echoLines);
});

test('on the simulator every byte of the domU’s console is the same, typed input included', () => {
  const sessions = {
    plain: {},
    wrong: { cmdline: 'wrong-pte' },
    shell: { cmdline: 'interactive', typing: typedAtShell },
    echo: { cmdline: 'echo', typing: typedAtEcho },
  };
  for (const [name, options] of Object.entries(sessions)) {
    expect({ name, console: runOnSimulator(elf, options).console }).toEqual({ name, console: runs[name]?.console });
  }
});
