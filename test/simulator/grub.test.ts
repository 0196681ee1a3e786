// Debian's GRUB for Xen on the simulated machine. Oracle: the same image on real Xen 4.17 (console text recorded by
// test/oracle, hypercall sequence recorded with QEMU).

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { grubImage, grubRecording, grubTyping, withoutProgress } from '../oracle/grub.ts';
import { readRecording } from '../oracle/recording.ts';
import { configOf, runSession, type Session } from './run.ts';

/** Calls until the prompt on real Xen: name, and how often in a row; 0 for polling, whose count depends on time. */
const SEQUENCE: readonly [string, number][] = [
  ['grant_table_op.set_version', 1],
  ['grant_table_op.setup_table', 1],
  ['mmu_update.MACHPHYS_UPDATE', 1],
  ['update_va_mapping', 37],
  ['mmuext_op.PIN_L4_TABLE+NEW_BASEPTR+UNPIN_TABLE', 1],
  ['update_va_mapping', 7],
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
  ['event_channel_op.send', 1],
  ['sched_op.yield', 0],
  ['event_channel_op.send', 1],
];

describe('GRUB as a domU with 64 MB', () => {
  let session: Session;
  let image: Uint8Array;
  beforeAll(async () => {
    image = readFileSync(await grubImage());
    session = runSession(configOf(image), {
      typing: grubTyping,
      kinds: ['hypercall', 'domain', 'xenstore', 'exception', 'undecoded'],
      limit: 400_000_000,
    });
  });

  test('prints its banner, shows its prompt and answers echo, ls and lsmod byte for byte as on real Xen', () => {
    expect(withoutProgress(session.console)).toBe(readRecording(grubRecording));
  });

  test('ends with power-off when halt is typed', () => {
    expect(session.result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
  });

  test('makes the hypercalls that it makes on real Xen, in the same order', () => {
    const sequence: [string, number][] = [];
    for (const record of session.records) {
      if (record.kind !== 'hypercall' || record.icount > session.typedAt[0]!) continue;
      const name = record.operation ? `${record.name}.${record.operation}` : record.name;
      const last = sequence.at(-1);
      if (last?.[0] === name) last[1]++;
      else sequence.push([name, 1]);
    }
    const untilPrompt = sequence.map(([name, count]) => [name, name === 'sched_op.yield' ? 0 : count]);
    expect(untilPrompt).toEqual(SEQUENCE);
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
