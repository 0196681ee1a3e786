// Stepping, pausing, the console, restart and the end, in the ported sample over DAP.

import { afterEach, describe, expect, test } from 'vitest';
import { DapClient } from './client.ts';
import { lineOf, sample } from './sample.ts';
import { expectTranscript } from './transcript.ts';

let client: DapClient;
afterEach(async () => {
  if (client && !client.closed) await client.ask('disconnect');
});

const top = async (): Promise<string> => {
  const { stackFrames } = await client.request('stackTrace', { threadId: 1, levels: 1 });
  return `${stackFrames[0].name} ${stackFrames[0].source?.name}:${stackFrames[0].line}`;
};
const step = async (command: string, more: object = {}): Promise<string> => {
  await client.request(command, { threadId: 1, ...more });
  await client.event('stopped');
  return top();
};
const at = (file: string, text: string): string => `${file}:${lineOf(file, text)}`;
const stopAt = (file: string, text: string) =>
  client.request('setBreakpoints', { source: { path: sample(file) }, breakpoints: [{ line: lineOf(file, text) }] });

describe('steps', () => {
  test('over, into and out of functions of the kernel', async () => {
    client = new DapClient();
    await client.start({}, () => stopAt('main.c', 'serial_init();'));
    await client.event('stopped');
    expect(await step('next')).toBe(`kernel_main ${at('main.c', 'print("tinykernel: hello')}`);
    expect(await step('next')).toBe(`kernel_main ${at('main.c', 'platform_describe();')}`);
    expect(await step('next')).toBe(`kernel_main ${at('main.c', 'paging_init();')}`);
    expect(await step('stepIn')).toMatch(/^(paging_init|map_kernel).* paging\.c:/);
    expect(await step('stepOut')).toMatch(/^kernel_main main\.c:/);
    expect(await step('next')).toMatch(/^kernel_main main\.c:/);
    await client.request('disconnect');
    expectTranscript(client, 'steps');
  });

  test('by instruction go one instruction; over a call they come back behind it', async () => {
    client = new DapClient();
    await client.start({}, () => stopAt('boot.S', 'call	kernel_main'));
    await client.event('stopped');
    expect(await step('stepIn', { granularity: 'instruction' })).toMatch(/^kernel_main main\.c:/);
    await client.request('restart');
    await client.event('stopped');
    await client.request('next', { threadId: 1, granularity: 'instruction' });
    await client.event('terminated');
    expect(client.console).toContain('tinykernel: bye');
  });

  test('over a line that faults run through the handler', async () => {
    client = new DapClient();
    await client.start({}, () => stopAt('main.c', '*word = 42;'));
    await client.event('stopped');
    expect(await step('next')).toBe(`show_heap ${at('main.c', 'print("heap: wrote')}`);
    const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
    expect((await client.request('evaluate', { expression: '*word', frameId: stackFrames[0].id })).result).toBe('42 (0x2a)');
  });

  test('from a hypercall stop are steps of the line that made the call', async () => {
    client = new DapClient();
    await client.start({}, () => client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'hypercall:mmuext_op.PIN_L4_TABLE' }] }));
    await client.event('stopped');
    await client.request('setFunctionBreakpoints', { breakpoints: [] });
    const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
    expect(stackFrames.find((f: { presentationHint?: string }) => f.presentationHint !== 'subtle')).toMatchObject({
      name: 'table_operation',
    });
    expect(await step('next')).toMatch(/^paging_init paging\.c:/);
  });

  test('at a line with an inlined call: the line is shown until the inlined function has begun; in enters it, over passes it', async () => {
    client = new DapClient();
    const line = at('paging.c', 'BUG_ON(HYPERVISOR_mmuext_op(&operation');
    await client.start({}, () => stopAt('paging.c', 'BUG_ON(HYPERVISOR_mmuext_op(&operation'));
    await client.event('stopped');
    expect(await top()).toBe(`table_operation ${line}`);
    expect(await step('stepIn')).toMatch(/^(hypercall|HYPERVISOR_mmuext_op) \(inlined\) hypercall\.h:/);
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    expect(await top()).toBe(`table_operation ${line}`);
    expect(await step('next')).toMatch(/^paging_init paging\.c:/);
  });

  test('out of the outermost function are refused: there is no caller', async () => {
    client = new DapClient();
    await client.start({ stopOnEntry: true });
    await client.event('stopped');
    expect((await client.ask('stepOut', { threadId: 1 })).message).toContain('The caller of this frame is unknown');
  });
});

describe('the console', () => {
  test('comes as events, takes input, and the guest ends with exit code 0', async () => {
    client = new DapClient();
    await client.start({ cmdline: 'interactive' });
    await client.consoleShows('tinykernel> ');
    const type = (text: string) => client.request('hyperport.input', { domain: 1, bytes: Buffer.from(text).toString('base64') });
    await type('help\r');
    await client.consoleShows('quit: power off');
    await type('quit\r');
    expect((await client.event('exited')).exitCode).toBe(0);
    await client.event('terminated');
    expect(client.console).toContain('tinykernel: bye');
    expect((await client.ask('hyperport.input', { domain: 7, bytes: '' })).message).toContain('There is no domain 7');
  });

  test('a pause stops a guest that waits for input, terminate ends it', async () => {
    client = new DapClient();
    await client.start({ cmdline: 'interactive', pace: 'real' });
    await client.consoleShows('tinykernel> ');
    const names = async (): Promise<string[]> => {
      await client.request('pause', { threadId: 1 });
      expect((await client.event('stopped')).reason).toBe('pause');
      const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
      return stackFrames.map((f: { name: string }) => f.name);
    };
    let found = await names();
    // A pause may come while the way out of a timer interrupt pops registers, where the sample's unwind information names no caller.
    for (let again = 0; again < 10 && found[0] === 'trap_common'; again++) {
      await client.request('continue', { threadId: 1 });
      found = await names();
    }
    expect(found).toEqual(expect.arrayContaining(['shell', 'kernel_main', '_start']));
    await client.request('continue', { threadId: 1 });
    expect((await client.ask('stackTrace', { threadId: 1 })).message).toContain('The machine is running; pause it first.');
    await client.request('terminate');
    expect((await client.event('exited')).exitCode).toBe(130);
    await client.event('terminated');
  });
});

test('with pace real five timer ticks take their time', async () => {
  client = new DapClient();
  await client.start({ pace: 'real' }, () => stopAt('main.c', 'show_timer();'));
  await client.event('stopped');
  const start = performance.now();
  await step('next');
  const { icount } = await client.request('hyperport.info');
  expect(icount).toBeGreaterThan(0);
  // 100 ticks a second, from the first to the fifth.
  expect(performance.now() - start).toBeGreaterThan(39);
});

test('a dom0 boots, is debugged and powers off too', async () => {
  client = new DapClient();
  await client.start({ dom0: true }, () =>
    client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'hypercall:console_io.write' }] }),
  );
  expect(await client.event('stopped')).toMatchObject({ description: 'Hypercall console_io.write' });
  expect((await client.request('threads')).threads[0].name).toBe('dom0 vCPU 0');
  await client.request('setFunctionBreakpoints', { breakpoints: [] });
  await client.request('continue', { threadId: 1 });
  expect((await client.event('exited')).exitCode).toBe(0);
  expect(client.console).toContain('platform: Xen 4.17, dom0');
});

test('a guest with more vCPUs than it starts shows the others as down', async () => {
  client = new DapClient();
  await client.start({ vcpus: 2 }, () => stopAt('main.c', 'show_heap();'));
  await client.event('stopped');
  const { threads } = await client.request('threads');
  expect(threads).toMatchObject([{ id: 1 }, { id: 2, name: expect.stringContaining('(down)') }]);
  expect((await client.request('stackTrace', { threadId: 2 })).stackFrames.length).toBeLessThan(3);
  expect(await step('next')).toMatch(/^kernel_main main\.c:/);
});

test('a restart boots again with the same breakpoints', async () => {
  client = new DapClient();
  await client.start({}, () => stopAt('main.c', 'show_heap();'));
  await client.event('stopped');
  const first = (await client.request('hyperport.info')).icount;
  await client.request('restart');
  expect(await client.event('stopped')).toMatchObject({ hitBreakpointIds: [1] });
  expect((await client.request('hyperport.info')).icount).toBe(first);
  expect(await top()).toBe(`kernel_main ${at('main.c', 'show_heap();')}`);
});

test('hypercall records come in batches with the source line that made the call', async () => {
  client = new DapClient();
  await client.start({}, () => client.request('hyperport.subscribe', { kinds: ['hypercall'], batch: 10_000 }));
  await client.event('terminated');
  // biome-ignore lint/suspicious/noExplicitAny: as it comes over the wire
  const records: any[] = client.events.filter((e) => e.event === 'hyperport.trace').flatMap((e) => e.body.records as any[]);
  const pins = records.filter((r) => r.operation === 'PIN_L4_TABLE');
  expect(pins.map((r) => r.source)).toEqual(
    [0, 1].map(() =>
      expect.objectContaining({
        path: sample('paging.c'),
        line: lineOf('paging.c', 'BUG_ON(HYPERVISOR_mmuext_op(&operation'),
        name: 'table_operation',
      }),
    ),
  );
  expect((await client.ask('hyperport.subscribe', { kinds: ['nonsense'] })).message).toContain('"kinds" must be');
});

test('the machine protocol is tunnelled', async () => {
  client = new DapClient();
  await client.start({ stopOnEntry: true });
  await client.event('stopped');
  const ask = (method: string, params: object = {}) => client.request('hyperport.machine', { method, params });
  const registers = await ask('registers');
  expect((await ask('locate', { address: registers.rip })).function).toBe('_start');
  const walk = await ask('walk', { address: registers.rip });
  expect(walk.steps.map((s: { level: number }) => s.level)).toEqual([4, 3, 2, 1]);
  expect(walk.machine).toMatch(/^0x[0-9a-f]+$/);
  expect(Buffer.from((await ask('readMemory', { address: registers.rip, length: 1 })).bytes, 'base64')[0]).toBe(0xfc);
  expect((await client.ask('hyperport.machine', { method: 'dance' })).message).toContain("has no request 'dance'; there is: info,");
});
