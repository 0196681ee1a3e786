// Oracle: real Xen with xl. What GRUB says there is recorded for the tests that run it on the simulator.
import { expect, test } from 'vitest';
import { debianVersions } from '../../scripts/debian.mjs';
import { grubImage, grubRecording, grubRecording32, grubTyping, withoutProgress } from './grub.ts';
import { readRecording, recordingWanted, writeRecording } from './recording.ts';
import { runAsDomU } from './xen-domu.ts';

test.each([
  { bits: 64, recording: grubRecording, xen: 'debian' },
  { bits: 32, recording: grubRecording32, xen: 'pv32' },
] as const)(
  'GRUB ($bits bit) as domU of real Xen answers typed commands as recorded, and halt ends the domain',
  async ({ bits, recording, xen }) => {
    const { grub } = await runAsDomU([{ name: 'grub', elf: await grubImage(bits), typing: grubTyping }], { xen });
    expect(grub?.end).toBe('shutdown');
    const console = withoutProgress(grub?.console ?? '');
    if (recordingWanted) {
      const versions = await debianVersions();
      const comments = [
        `GRUB (${bits} bit) as domU with 64 MB on real Xen, console as xenconsoled logged it, without the progress indicator. Typed: echo hello, ls, lsmod, halt.`,
        `grub-xen-host ${versions['grub-xen-host']}, xen-hypervisor ${versions['xen-hypervisor-4.17-amd64']}${bits === 32 ? ', built with CONFIG_PV32=y' : ''}`,
        'Regenerate: HYPERPORT_RECORD=1 npx vitest run test/oracle/grub.test.ts',
      ];
      writeRecording(recording, comments, console);
    }
    expect(console).toBe(readRecording(recording));
  },
  300_000,
);
