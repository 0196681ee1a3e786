// Oracle: real Xen with xl. What GRUB says there is recorded for the tests that run it on the simulator.
import { expect, test } from 'vitest';
import { debianVersions } from '../../scripts/debian.mjs';
import { grubImage, grubRecording, grubTyping, withoutProgress } from './grub.ts';
import { readRecording, recordingWanted, writeRecording } from './recording.ts';
import { runAsDomU } from './xen-domu.ts';

test('GRUB as domU of real Xen answers typed commands as recorded, and halt ends the domain', async () => {
  const { grub } = await runAsDomU([{ name: 'grub', elf: await grubImage(), typing: grubTyping }]);
  expect(grub?.end).toBe('shutdown');
  const console = withoutProgress(grub?.console ?? '');
  if (recordingWanted) {
    const versions = await debianVersions();
    const comments = [
      'GRUB as domU with 64 MB on real Xen, console as xenconsoled logged it, without the progress indicator. Typed: echo hello, ls, lsmod, halt.',
      `grub-xen-host ${versions['grub-xen-host']}, xen-hypervisor ${versions['xen-hypervisor-4.17-amd64']}`,
      'Regenerate: HYPERPORT_RECORD=1 npx vitest run test/oracle/grub.test.ts',
    ];
    writeRecording(grubRecording, comments, console);
  }
  expect(console).toBe(readRecording(grubRecording));
}, 300_000);
