// Debian's GRUB for Xen, 64-bit and 32-bit (PAE), on the simulated machine. Oracle: the same images on real Xen 4.17, for 32 bit one built
// with PV32 (console text recorded by test/oracle, hypercall sequence recorded with QEMU).

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { grubImage, grubRecording, grubRecording32, grubTyping, withoutProgress } from '../oracle/grub.ts';
import { readRecording } from '../oracle/recording.ts';
import { configOf, runSession, type Session } from './run.ts';

const FIRST_SENDS = Array.from({ length: 7 }, (): [string, number][] => [
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
]);
interface Guest {
  readonly bits: 64 | 32;
  readonly recording: string;
  /** Calls until the prompt on real Xen: name, and how often in a row; 0 for polling, whose count depends on time. */
  readonly calls: readonly (readonly [string, number])[];
  readonly polling: readonly string[];
  /** Calls whose place between the others depends on time. */
  readonly leftOut: readonly string[];
}
const GUESTS: readonly Guest[] = [
  {
    bits: 64,
    recording: grubRecording,
    calls: [
      ['grant_table_op.set_version', 1],
      ['grant_table_op.setup_table', 1],
      ['mmu_update.MACHPHYS_UPDATE', 1],
      ['update_va_mapping', 37],
      ['mmuext_op.PIN_L4_TABLE+NEW_BASEPTR+UNPIN_TABLE', 1],
      ['update_va_mapping', 7],
      ...FIRST_SENDS.flat().slice(0, -1),
    ],
    polling: ['sched_op.yield'],
    leftOut: [],
  },
  {
    bits: 32,
    recording: grubRecording32,
    calls: [
      ['vm_assist.enable', 1],
      ['grant_table_op.set_version', 1],
      ['grant_table_op.setup_table', 1],
      ['mmu_update.MACHPHYS_UPDATE', 1],
      ['update_va_mapping', 39],
      ['mmuext_op.PIN_L3_TABLE+NEW_BASEPTR+UNPIN_TABLE', 1],
      ['update_va_mapping', 9],
    ],
    polling: [],
    leftOut: ['sched_op.yield', 'event_channel_op.send'],
  },
];

describe.each(GUESTS)('GRUB ($bits bit) as a domU with 64 MB', ({ bits, recording, calls, polling, leftOut }) => {
  let session: Session;
  let image: Uint8Array;
  beforeAll(async () => {
    image = readFileSync(await grubImage(bits));
    session = runSession(configOf(image), {
      typing: grubTyping,
      kinds: ['hypercall', 'domain', 'xenstore', 'exception', 'undecoded'],
      limit: 400_000_000,
    });
  });

  test('prints its banner, shows its prompt and answers echo, ls and lsmod byte for byte as on real Xen', () => {
    expect(withoutProgress(session.console)).toBe(readRecording(recording));
  });

  test('ends with power-off when halt is typed', () => {
    expect(session.result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
  });

  test('makes the hypercalls that it makes on real Xen, in the same order', () => {
    const sequence: [string, number][] = [];
    for (const record of session.records) {
      if (record.kind !== 'hypercall' || record.icount > session.typedAt[0]!) continue;
      const name = record.operation ? `${record.name}.${record.operation}` : record.name;
      if (leftOut.includes(name)) continue;
      const last = sequence.at(-1);
      if (last?.[0] === name) last[1]++;
      else sequence.push([name, 1]);
    }
    expect(sequence.map(([name, count]) => [name, polling.includes(name) ? 0 : count])).toEqual(calls);
  });

  test('has no call refused, no exception and nothing that the simulator lacks', () => {
    expect(
      session.records.filter(
        (r) => (r.kind === 'hypercall' && (r.refusal || r.unimplemented)) || r.kind === 'exception' || r.kind === 'undecoded',
      ),
    ).toEqual([]);
  });

  test('repeats to the instruction and to the state, whatever the slices', () => {
    const states = [100_000, 777_777].map((slice) => {
      const { machine, console } = runSession(configOf(image), { slice, limit: 3_000_000, until: 'never' });
      machine.run({ instructions: 4_000_000 - machine.icount() });
      return [machine.icount(), machine.stateHash(), console];
    });
    expect(states[0]).toEqual(states[1]);
  });
});
