// Oracle: real Xen, watched through QEMU's gdbstub. Which hypercalls guests make there, with what arguments and results, is recorded; the
// same test compares a new run with the recording, and the simulator's trace with it too.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { debianVersions } from '../../scripts/debian.mjs';
import { prebuilt } from '../../scripts/samples.mjs';
import { grubImage, grubTyping } from './grub.ts';
import { comparableCalls, ownSites, pageSites, type TracedHypercall, traceHypercalls } from './hypercall-trace.ts';
import { readRecording, recordingWanted, writeRecording } from './recording.ts';
import { runOnSimulator } from './simulator.ts';
import { runOnXen } from './xen-dom0.ts';
import { runAsDomU } from './xen-domu.ts';

/** A Linux dom0 has to boot first. */
const domuTimeout = 300_000;

/** Bytes of GRUB's own code, before what it loads. */
const GRUB_CODE = 0xeaef;

const port = join(prebuilt, 'tinykernel-xen.elf');
/** All but sched_op, set_timer_op and iret: what the port does in each tick. */
const watched = [0, 1, 2, 3, 4, 5, 14, 17, 18, 25, 26, 32];

function portSites() {
  const symbols = execFileSync('nm', [port], { encoding: 'utf8' });
  return pageSites(BigInt(`0x${/^([0-9a-f]+) . hypercall_page$/m.exec(symbols)?.[1]}`), watched);
}

async function recordedAs(name: string, what: string, calls: readonly TracedHypercall[]): Promise<void> {
  const lines = comparableCalls(calls);
  if (recordingWanted) {
    const versions = await debianVersions();
    const comments = [
      `${what} on real Xen (xen-hypervisor ${versions['xen-hypervisor-4.17-amd64']}): hypercalls in order, without those that only wait, tick or print.`,
      'Regenerate: HYPERPORT_RECORD=1 npx vitest run test/oracle/hypercalls.test.ts',
    ];
    writeRecording(name, comments, lines.join('\n'));
  }
  expect(lines).toEqual(readRecording(name).split('\n'));
}

test('the port as dom0 makes the recorded hypercalls on real Xen', async () => {
  let calls: TracedHypercall[] = [];
  const { end } = await runOnXen(port, {
    cmdline: 'wrong-pte',
    debug: async (remote) => {
      calls = await traceHypercalls(remote, portSites());
    },
  });
  expect(end).toBe('shutdown');
  await recordedAs('tinykernel-dom0-hypercalls', 'tinykernel (wrong-pte) as dom0', calls);
});

test(
  'the port as domU makes the recorded hypercalls on real Xen',
  async () => {
    let calls: TracedHypercall[] = [];
    const { port: run } = await runAsDomU([{ name: 'port', elf: port, cmdline: 'wrong-pte' }], {
      debug: async (remote) => {
        calls = await traceHypercalls(remote, portSites());
      },
    });
    expect(run?.end).toBe('shutdown');
    await recordedAs('tinykernel-domu-hypercalls', 'tinykernel (wrong-pte) as domU', calls);
  },
  domuTimeout,
);

test.each([
  { bits: 64, xen: 'debian' },
  { bits: 32, xen: 'pv32' },
] as const)(
  'GRUB ($bits bit) as domU makes the recorded hypercalls on real Xen',
  async ({ bits, xen }) => {
    let calls: TracedHypercall[] = [];
    const elf = await grubImage(bits);
    const { grub } = await runAsDomU([{ name: 'grub', elf, typing: grubTyping }], {
      xen,
      debug: async (remote) => {
        calls = await traceHypercalls(remote, ownSites(elf, GRUB_CODE));
      },
    });
    expect(grub?.end).toBe('shutdown');
    await recordedAs(`grub${bits}-domu-hypercalls`, 'GRUB as domU', calls);
  },
  domuTimeout,
);

test.each([
  { dom0: true, recording: 'tinykernel-dom0-hypercalls' },
  { dom0: false, recording: 'tinykernel-domu-hypercalls' },
])('the port makes the recorded hypercalls on the simulator, with the same arguments and results (dom0: $dom0)', ({ dom0, recording }) => {
  const { hypercalls } = runOnSimulator(port, { dom0, cmdline: 'wrong-pte' });
  expect(comparableCalls(hypercalls)).toEqual(readRecording(recording).split('\n'));
});

test.each([64, 32] as const)(
  'GRUB (%i bit) makes the recorded hypercalls on the simulator, with the same arguments and results',
  async (bits) => {
    const { hypercalls, end } = runOnSimulator(await grubImage(bits), { typing: grubTyping });
    expect(end).toBe('shutdown');
    expect(comparableCalls(hypercalls)).toEqual(readRecording(`grub${bits}-domu-hypercalls`).split('\n'));
  },
);
