// Data breakpoints in the ported sample, over DAP. Oracle: the source, and objdump's instruction before the place of the stop.

import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DapClient, tinykernel } from './client.ts';
import { lineOf, sample } from './sample.ts';

let client: DapClient;
beforeEach(async () => {
  client = new DapClient();
  await client.start({ stopOnEntry: true }, async () => {});
  await client.event('stopped');
});
afterEach(() => client.ask('disconnect'));

const info = (name: string, more: object = {}) => client.request('dataBreakpointInfo', { name, ...more });
const set = async (...breakpoints: object[]) => (await client.request('setDataBreakpoints', { breakpoints })).breakpoints;
const goOn = async () => {
  await client.request('continue', { threadId: 1 });
  return client.event('stopped');
};
const top = async () => (await client.request('stackTrace', { threadId: 1 })).stackFrames[0];
const instructionBefore = (address: string): string => {
  const lines = execFileSync('objdump', ['-d', '--no-show-raw-insn', tinykernel], { encoding: 'utf8' }).split('\n');
  return lines[lines.findIndex((line) => line.trim().startsWith(`${address.slice(2)}:`)) - 1]!;
};

test('stop behind the instruction that writes the variable, and say what became what', async () => {
  const { dataId, description, accessTypes } = await info('heap_frames_used');
  expect(description).toMatch(/^heap_frames_used \(4 bytes at 0x[0-9a-f]+\)$/);
  expect(accessTypes).toEqual(['write', 'read', 'readWrite']);
  const [{ id, verified }] = await set({ dataId, accessType: 'write' });
  expect(verified).toBe(true);
  for (const text of ['0x0 became 0x1', '0x1 became 0x2']) {
    const stop = await goOn();
    expect(stop).toMatchObject({ reason: 'data breakpoint', hitBreakpointIds: [id] });
    expect(stop.text).toContain(`<heap_frames_used> were written: ${text}.`);
    const frame = await top();
    expect(frame.source.name).toBe('paging.c');
    expect(instructionBefore(frame.instructionPointerReference)).toContain('heap_frames_used');
  }
});

test('conditions, hit counts and log points work on them as on others', async () => {
  const { dataId } = await info('heap_frames_used');
  await set({ dataId, condition: 'heap_frames_used == 2' });
  expect((await goOn()).text).toContain('0x1 became 0x2');
  await set();
  await client.request('setBreakpoints', {
    source: { path: sample('main.c') },
    breakpoints: [{ line: lineOf('main.c', 'user_task();') }],
  });
  expect((await goOn()).reason).toBe('breakpoint');
});

test('a range of addresses can be watched, reading too', async () => {
  const { dataId } = await info('&trap_table[0]', { bytes: 64 });
  await set({ dataId, accessType: 'readWrite' });
  const stop = await goOn();
  expect(stop.text).toMatch(/<trap_table.*> (was|were) (written|read)/);
});

test('what cannot be watched says why', async () => {
  expect(await info('kernel_l1')).toMatchObject({ dataId: null, description: expect.stringContaining('at most 4096') });
  expect((await client.ask('dataBreakpointInfo', { name: 'nosuch' })).message).toContain('nosuch');
  const [bad] = await set({ dataId: 'nonsense' });
  expect(bad).toMatchObject({ verified: false, message: expect.stringContaining("'nonsense' is not the id") });
  expect((await client.ask('dataBreakpointInfo', { name: '0x1000', asAddress: true, bytes: -1 })).message).toContain('"bytes"');
});
