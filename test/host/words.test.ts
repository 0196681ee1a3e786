// What a person is told: when every vCPU waits for ever, when a guest crashed, at stops of every class.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recordFilters } from '../../host/breakpoints/filters.ts';
import { describeEnding } from '../../host/endings.ts';
import { MachineHost } from '../../host/machine-host.ts';
import { describeRecord } from '../../host/stop-words.ts';
import { GuestSymbols } from '../../host/symbols/guest-symbols.ts';
import { explainCrash } from '../../host/words.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { repository, tinykernel } from '../debug-adapter/client.ts';
import { ScriptedMachine } from './scripted-machine.ts';

const base = { n: 1, icount: 1, domain: 1, vcpu: 0 };
const call = { ...base, kind: 'hypercall' as const, nr: 29, name: 'sched_op', operation: 'poll', args: {}, reason: null };

function hostOf(machine: ScriptedMachine): { host: MachineHost; said: string[] } {
  const symbols = new GuestSymbols(
    openKernel(readFileSync(tinykernel)),
    { program: tinykernel, cwd: repository, sourceMap: {} },
    () => null,
  );
  const launch = {
    program: tinykernel,
    cmdline: '',
    ramdisk: null,
    memoryMib: 1,
    vcpus: 1,
    dom0: false,
    cpu: 'amd',
    tsc: 'emulate',
    tier1: true,
    pace: 'fast',
  } as const;
  const host = new MachineHost(launch, machine, [symbols]);
  const said: string[] = [];
  host.observe({ message: (_, text) => said.push(text) });
  return { host, said };
}

test('a guest that only input can wake is said to wait, with what each vCPU waits for, and input wakes it', async () => {
  const { host, said } = hostOf(new ScriptedMachine({ 4096: [{ op: 'wait-input' }, { op: 'end', ending: { kind: 'poweroff' } }] }));
  const ended = new Promise((resolve) => host.observe({ ended: resolve }));
  host.continue();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(said).toEqual([
    'Every vCPU is blocked and no timer is pending: only console input can make the guest go on.\n  domain 1 vCPU 0: waits for input',
  ]);
  expect(host.run.state).toBe('running');
  host.input(Uint8Array.of(13));
  expect(await ended).toMatchObject({ kind: 'poweroff', exitCode: 0 });
});

test('what needs a stopped machine says so', async () => {
  const { host } = hostOf(new ScriptedMachine({ 4096: [{ op: 'jump', to: 0x1000 }] }));
  host.continue();
  expect(() => host.continue()).toThrow('The machine is running; pause it first.');
  expect(() => host.setRegister(0, 'rax', 1n)).toThrow('The machine is running');
  const stopped = new Promise((resolve) => host.observe({ stopped: resolve }));
  host.run.pause();
  await stopped;
  expect(() => host.checkVcpu(1)).toThrow('There is no vCPU 1; the machine has 1, numbered from 0.');
  host.run.end();
  expect(() => host.continue()).toThrow('The machine has ended: The machine was ended from outside.');
});

test('the filters take what they say and nothing else', () => {
  const records: Record<string, TraceRecord> = {
    refused: { ...call, ret: -22, reason: 'no' },
    done: { ...call, ret: 0 },
    missing: { ...call, ret: -38, reason: 'not implemented by the simulator', unimplemented: true },
    undecoded: { ...base, kind: 'undecoded', bytes: '0f01f9', instruction: 'rdtscp' },
    fault: { ...base, kind: 'exception', vector: 13, name: '#GP', error: '0x0', address: null, reason: null },
    upcall: { ...base, kind: 'upcall', ports: [3], virqs: [] },
    emulate: { ...base, kind: 'emulate', instruction: 'cpuid', rule: 'cpuid', detail: null },
  };
  const taken = Object.fromEntries(
    recordFilters.map((f) => [
      f.id,
      Object.keys(records).filter((name) => f.kinds.includes(records[name]!.kind) && f.matches(records[name]!)),
    ]),
  );
  expect(taken).toEqual({
    unimplemented: ['missing', 'undecoded'],
    'refused-hypercall': ['refused'],
    'guest-fault': ['fault'],
    'event-upcall': ['upcall'],
    'emulated-instruction': ['emulate'],
  });
  expect(recordFilters.filter((f) => f.byDefault).map((f) => f.id)).toEqual(['unimplemented']);
  expect(describeRecord(records.missing!)).toBe(
    'sched_op.poll is not implemented by the simulator: it returned -38. A real Xen would carry it out.',
  );
  expect(describeRecord(records.undecoded!)).toBe(
    'The simulator does not know this instruction: rdtscp. A real processor may carry it out.',
  );
  expect(describeRecord(records.fault!)).toBe('#GP is delivered to the guest, error code 0x0.');
  expect(describeRecord(records.upcall!)).toBe('The event callback is entered: port 3.');
});

test('endings have the exit codes of the command line', () => {
  const codes = (['poweroff', 'reboot', 'suspend', 'soft-reset', 'watchdog', 'terminated'] as const).map(
    (kind) => describeEnding({ kind }, explainCrash).exitCode,
  );
  expect(codes).toEqual([0, 6, 6, 6, 3, 130]);
  const crash = describeEnding({ kind: 'crash', reason: 'double fault', vcpu: 0 }, explainCrash);
  expect(crash).toEqual({ kind: 'crash', text: 'The guest crashed: double fault', exitCode: 3 });
});
