// The machine protocol over its transports, with the ported sample: requests, events, trace batches, wrong parameters.

import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { fromBase64, parseInteger, toBase64 } from '../../host/numbers.ts';
import type { MachineEvent } from '../../host/protocol.ts';
import { openMachine, runOn, runTo } from '../../host/scripted-run.ts';
import { TraceFeed } from '../../host/trace-feed.ts';
import { connectInProcess, connectToPort, type MachineConnection, type Port, serveOnPort } from '../../host/transport/machine-client.ts';
import { repository, tinykernel } from '../debug-adapter/client.ts';
import { TestClock } from './run-harness.ts';
import { ScriptedMachine } from './scripted-machine.ts';

const open = (cmdline = '') => openMachine({ program: tinykernel, cmdline, memoryMib: 32 }, { cwd: repository });
const end: (() => void)[] = [];
afterEach(() => {
  for (const each of end.splice(0)) each();
});

async function converse(connect: (onEvent: (event: MachineEvent) => void) => MachineConnection): Promise<void> {
  const events: MachineEvent[] = [];
  let ended = (): void => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const machine = connect((event) => {
    events.push(event);
    if (event.event === 'ended') ended();
  });
  expect(await machine.request('info', {})).toMatchObject({ domain: 1, bits: 64, memoryMib: 32, state: 'stopped', instructions: 0 });
  const [vcpu] = await machine.request('vcpus', {});
  expect(vcpu).toMatchObject({ vcpu: 0, inKernel: true, location: { function: '_start' } });
  const { rip } = await machine.request('registers', {});
  expect((await machine.request('locate', { address: rip! })).file).toBe(`${repository}/samples/tinykernel/xen/boot.S`);
  await expect(machine.request('locate', { address: 'here' })).rejects.toThrow('"address" must be a number written as a string');
  await expect(machine.request('registers', { vcpu: 3 })).rejects.toThrow('There is no vCPU 3');
  await expect(machine.request('setRegister', { name: 'nope', value: '0x1' })).rejects.toThrow("There is no register 'nope'");
  await expect(machine.request('readMemory', { address: '0x0', length: -1 })).rejects.toThrow('"length" must be a whole number');
  await machine.request('subscribe', { kinds: ['hypercall'], batch: 10_000 });
  await machine.request('continue', {});
  await over;
  const records = events.flatMap((e) => (e.event === 'trace' ? e.records : []));
  expect(records.length).toBeGreaterThan(20);
  expect(records.every((r) => r.kind === 'hypercall')).toBe(true);
  const console = events.flatMap((e) => (e.event === 'console' ? [Buffer.from(fromBase64(e.bytes)).toString()] : [])).join('');
  expect(console).toContain('tinykernel: bye');
  expect(events.at(-1)).toMatchObject({ event: 'ended', ending: { kind: 'poweroff', exitCode: 0 } });
  await expect(machine.request('continue', {})).rejects.toThrow('The machine has ended: The guest powered off.');
}

test('in process', async () => {
  const host = open();
  await converse((onEvent) => connectInProcess(host, onEvent));
});

test('over a MessagePort', async () => {
  const host = open();
  const { port1, port2 } = new MessageChannel();
  end.push(() => port1.close(), serveOnPort(host, port1 as unknown as Port));
  await converse((onEvent) => connectToPort(port2 as unknown as Port, onEvent));
});

describe('a run by program', () => {
  test('stops at a named breakpoint with the stack, then at the explained refusal, then ends', async () => {
    const host = open('wrong-pte');
    const pin = await runTo(host, 'hypercall:mmuext_op.PIN_L4_TABLE');
    if (pin.kind !== 'stopped') throw new Error('it did not stop');
    expect(pin.stack.map((f) => f.name)).toEqual(expect.arrayContaining(['table_operation', 'paging_init', 'kernel_main', '_start']));
    const refusal = await runTo(host, 'hypercall:*', { condition: 'ret < 0 && reason != null' });
    if (refusal.kind !== 'stopped') throw new Error('it did not stop');
    expect(refusal.words?.full).toMatch(/^update_va_mapping returned -16\.\nEBUSY/);
    expect(await runTo(host, 'paging.c:99999').catch((e: Error) => e.message)).toContain("no code at 'paging.c:99999'");
    const last = await runOn(host);
    expect(last).toMatchObject({ kind: 'ended', ending: { kind: 'poweroff' } });
  });

  test('takes the same number of instructions whatever the pace and the slices', async () => {
    const counts = [];
    for (const pace of ['fast', 'real'] as const) {
      const host = openMachine({ program: tinykernel, pace }, { cwd: repository });
      const at = await runTo(host, 'user_task');
      expect(at.kind).toBe('stopped');
      counts.push([host.machine.icount(), host.machine.clock(), host.machine.stateHash()]);
      host.run.end();
    }
    expect(counts[0]).toEqual(counts[1]);
  });
});

test('a trace feed counts what does not fit and sends the rest at once on flush', () => {
  const machine = new ScriptedMachine({ 4096: Array.from({ length: 8 }, () => ({ op: 'hypercall', name: 'x', ret: 0 }) as const) });
  const batches: { records: readonly unknown[]; dropped: number }[] = [];
  const feed = new TraceFeed(
    machine,
    new TestClock(),
    (r) => r,
    (batch) => batches.push(batch),
  );
  feed.subscribe(['hypercall'], 3);
  machine.run({ instructions: 8 });
  feed.flush();
  expect(batches.map((b) => [b.records.length, b.dropped])).toEqual([[3, 5]]);
  feed.end();
  expect(batches).toHaveLength(1);
});

test('numbers as the protocol writes them', () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
  expect(['0x10', '010', '0b11', '0o17', '12ul', '-3', 'x', '', '08'].map(parseInteger)).toEqual([
    16n,
    8n,
    3n,
    15n,
    12n,
    -3n,
    null,
    null,
    null,
  ]);
});
