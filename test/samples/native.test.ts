// Oracle: Debian's QEMU, a PC with a serial port, booting the native sample by multiboot.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prebuilt } from '../../scripts/samples.mjs';
import { runNative } from '../oracle/native.ts';
import { echoLines, expectedLines, shellLines, typedAtEcho, typedAtShell } from './expected.ts';

const kernel = join(prebuilt, 'tinykernel-native-multiboot.elf');

test('the native kernel boots, shows its parts at work and switches the machine off', async () => {
  const { lines, run } = await runNative(kernel);
  expect(lines).toEqual(expectedLines('multiboot, 63 MB'));
  expect(run.reason).toBe('exit');
});

test('the native kernel takes commands from the serial port', async () => {
  const { lines } = await runNative(kernel, { cmdline: 'interactive', typing: typedAtShell });
  expect(lines.slice(-shellLines.length)).toEqual(shellLines);
});

test('the native kernel sends typed bytes back', async () => {
  const { lines } = await runNative(kernel, { cmdline: 'echo', typing: typedAtEcho });
  expect(lines.slice(-echoLines.length)).toEqual(echoLines);
});
