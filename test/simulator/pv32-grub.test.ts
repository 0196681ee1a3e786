// GRUB of Debian for 32-bit (PAE) Xen guests on the simulated machine. Oracle: the same image on real Xen 4.17 built with PV32
// (console text and hypercalls recorded by test/oracle).

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { grubImage, grubRecording32, grubTyping, withoutProgress } from '../oracle/grub.ts';
import { readRecording } from '../oracle/recording.ts';
import { configOf, runSession, type Session } from './run.ts';

/** Calls until the prompt on real Xen: name, and how often in a row; what depends on time is left out. */
const SEQUENCE: readonly [string, number][] = [
  ['vm_assist.enable', 1],
  ['grant_table_op.set_version', 1],
  ['grant_table_op.setup_table', 1],
  ['mmu_update.MACHPHYS_UPDATE', 1],
  ['update_va_mapping', 39],
  ['mmuext_op.PIN_L3_TABLE+NEW_BASEPTR+UNPIN_TABLE', 1],
  ['update_va_mapping', 9],
];
const WAITING = new Set(['sched_op.yield', 'event_channel_op.send']);

describe('GRUB (32 bit) as a domU with 64 MB', () => {
  let session: Session;
  let image: Uint8Array;
  beforeAll(async () => {
    image = readFileSync(await grubImage(32));
    session = runSession(configOf(image), {
      typing: grubTyping,
      kinds: ['hypercall', 'domain', 'xenstore', 'exception', 'undecoded'],
      limit: 400_000_000,
    });
  });

  test('prints its banner, shows its prompt and answers echo, ls and lsmod byte for byte as on real Xen', () => {
    expect(withoutProgress(session.console)).toBe(readRecording(grubRecording32));
  });

  test('ends with power-off when halt is typed', () => {
    expect(session.result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
  });

  test('makes the hypercalls that it makes on real Xen, in the same order', () => {
    const sequence: [string, number][] = [];
    for (const record of session.records) {
      if (record.kind !== 'hypercall' || record.icount > session.typedAt[0]!) continue;
      const name = record.operation ? `${record.name}.${record.operation}` : record.name;
      if (WAITING.has(name)) continue;
      const last = sequence.at(-1);
      if (last?.[0] === name) last[1]++;
      else sequence.push([name, 1]);
    }
    expect(sequence).toEqual(SEQUENCE);
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
