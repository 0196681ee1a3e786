// A machine of several domains, over DAP: a thread for each vCPU of each, breakpoints in every kernel, memory of the one that is looked at.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DapClient, tinykernel } from './client.ts';
import { lineOf, sample } from './sample.ts';

const second = { program: tinykernel, name: 'second', memory: 8, vcpus: 2 };
const launch = { memory: 8, stopOnEntry: true, domains: [second] };
let client: DapClient;
beforeEach(() => {
  client = new DapClient();
});
afterEach(() => client.ask('disconnect'));

const goOn = async (threadId: number) => {
  await client.request('continue', { threadId });
  return client.event('stopped');
};
const top = async (threadId: number) => (await client.request('stackTrace', { threadId })).stackFrames[0];
const value = async (threadId: number, expression: string): Promise<string> =>
  (await client.request('evaluate', { expression, frameId: (await top(threadId)).id })).result;

describe('two domains', () => {
  beforeEach(async () => {
    await client.start(launch);
    await client.event('stopped');
  });

  test('are threads with the domain and the vCPU in their names', async () => {
    expect((await client.request('threads')).threads).toEqual([
      { id: 1, name: 'domain 1 vCPU 0' },
      { id: 2, name: 'domain 2 vCPU 0' },
      { id: 3, name: 'domain 2 vCPU 1 (down)' },
    ]);
    expect((await client.ask('stackTrace', { threadId: 4 })).message).toMatch(/There is no thread 4; the machine has 3/);
  });

  test('stop at a line of both kernels, each in its own thread', async () => {
    const line = lineOf('main.c', 'show_heap();');
    const { breakpoints } = await client.request('setBreakpoints', { source: { path: sample('main.c') }, breakpoints: [{ line }] });
    expect(breakpoints[0]).toMatchObject({ verified: true, line });
    const threads: number[] = [];
    for (let n = 0; n < 2; n++) {
      const { reason, threadId } = await goOn(threads[0] ?? 1);
      expect(reason).toBe('breakpoint');
      expect(await top(threadId)).toMatchObject({ line, source: { name: 'main.c' } });
      threads.push(threadId);
    }
    expect(threads.sort()).toEqual([1, 2]);
  });

  test('a step in one of them ends in that one', async () => {
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'show_timer' }] });
    const { threadId } = await goOn(1);
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const before = await top(threadId);
    await client.request('next', { threadId });
    const stop = await client.event('stopped');
    expect(stop).toMatchObject({ reason: 'step', threadId });
    const after = await top(threadId);
    expect([after.name, after.line > before.line]).toEqual([before.name, true]);
  });

  test('memory is that of the domain whose stack was asked for, and a variable is watched there alone', async () => {
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'show_heap' }] });
    const first = (await goOn(1)).threadId;
    const other = first === 1 ? 2 : 1;
    expect(await value(first, 'xen_start_info->nr_pages')).toBe(await value(other, 'xen_start_info->nr_pages'));
    const reference = (await client.request('evaluate', { expression: 'xen_start_info->shared_info', frameId: (await top(first)).id }))
      .result;
    expect(await value(other, 'xen_start_info->shared_info')).not.toBe(reference);
    await top(other);
    const { dataId } = await client.request('dataBreakpointInfo', { name: 'heap_frames_used', frameId: (await top(other)).id });
    expect(dataId).toMatch(new RegExp(`^d${other}/0x`));
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const [{ verified }] = (await client.request('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] })).breakpoints;
    expect(verified).toBe(true);
    expect(await goOn(first)).toMatchObject({ reason: 'data breakpoint', threadId: other });
  });

  test('print on consoles of their own, and each end is told', async () => {
    await client.request('continue', { threadId: 1 });
    await client.event('terminated');
    const consoles = client.events.filter(({ event }) => event === 'hyperport.console').map(({ body }) => body.domain);
    expect(new Set(consoles)).toEqual(new Set([1, 2]));
    expect(client.transcript.join('\n')).toMatch(/Domain [12] \((guest|second)\) powered off\./);
  });
});

describe('a list of domains that cannot be', () => {
  test.each([
    [{ domains: 'two' }, /"domains" in the launch configuration is "two"; write a list of further domains/],
    [{ domains: ['x'] }, /"domains"\[0\] of the launch configuration must be an object/],
    [{ domains: [{}] }, /"program" is missing in "domains"\[0\] of the launch configuration/],
    [
      { domains: [{ program: tinykernel, cap: 101 }] },
      /"cap" in "domains"\[0\].* is 101; write per cent of the processor as a whole number from 0 to 100/,
    ],
    [{ dom0: true, domains: [{ program: tinykernel, dom0: true }] }, /Only one of the domains can be dom0/],
  ])('%j says what to write', async (more, message) => {
    await client.request('initialize', { adapterID: 'hyperport' });
    expect((await client.ask('launch', { program: tinykernel, ...more })).message).toMatch(message);
  });
});
