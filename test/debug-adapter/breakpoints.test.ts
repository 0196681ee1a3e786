// Breakpoints of every kind in the ported sample, over DAP.

import { afterEach, describe, expect, test } from 'vitest';
import { DapClient } from './client.ts';
import { lineOf, sample } from './sample.ts';
import { expectTranscript } from './transcript.ts';

let client: DapClient;
afterEach(async () => {
  if (client && !client.closed) await client.ask('disconnect');
});

const places = async (): Promise<string[]> => {
  const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
  // biome-ignore lint/suspicious/noExplicitAny: as it comes over the wire
  return stackFrames.map((f: any) => `${f.name} ${f.source ? `${f.source.name}:${f.line}` : '-'}`);
};
const goOn = async () => {
  await client.request('continue', { threadId: 1 });
  return client.event('stopped');
};

test('stop at entry, then at breakpoints in assembly and in C', async () => {
  client = new DapClient();
  await client.start({ stopOnEntry: true }, async () => {
    await client.request('setBreakpoints', {
      source: { path: sample('boot.S') },
      breakpoints: [{ line: lineOf('boot.S', 'call	kernel_main') }],
    });
    await client.request('setBreakpoints', {
      source: { path: sample('main.c') },
      breakpoints: [{ line: lineOf('main.c', 'show_heap();') }],
    });
  });
  expect((await client.event('stopped')).reason).toBe('entry');
  expect(await places()).toEqual([`_start boot.S:${lineOf('boot.S', 'cld')}`]);
  expect(await goOn()).toMatchObject({ reason: 'breakpoint', threadId: 1, allThreadsStopped: true, hitBreakpointIds: [1] });
  expect(await places()).toEqual([`_start boot.S:${lineOf('boot.S', 'call	kernel_main')}`]);
  expect(await goOn()).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [2] });
  expect(await places()).toEqual([
    `kernel_main main.c:${lineOf('main.c', 'show_heap();')}`,
    `_start boot.S:${lineOf('boot.S', 'call	kernel_main')}`,
  ]);
  await client.request('disconnect');
  expect(client.closed).toBe(true);
  expectTranscript(client, 'entry-and-source-breakpoints');
});

describe('a source breakpoint', () => {
  const set = async (path: string, breakpoints: object[]) =>
    (await client.request('setBreakpoints', { source: { path }, breakpoints })).breakpoints;

  test('on a line without code moves to the next that has some, and says so; past the end it stays pending with the reason', async () => {
    client = new DapClient();
    await client.start({ stopOnEntry: true }, async () => {
      const comment = lineOf('paging.c', '/* Two mistakes');
      const [moved, beyond, bad] = await set(sample('paging.c'), [{ line: comment }, { line: 99_999 }, { line: 1, condition: '1 +' }]);
      expect(moved).toMatchObject({
        verified: true,
        message: expect.stringContaining(`There is no code at line ${comment}; moved to line `),
      });
      expect(moved.line).toBeGreaterThan(comment);
      expect(beyond).toMatchObject({ verified: false, message: 'There is no code at line 99999 or after it.' });
      expect(bad).toMatchObject({ verified: false, message: expect.stringContaining('Expected a value but found the end') });
      const [foreign] = await set('/elsewhere/nothing.c', [{ line: 1 }]);
      expect(foreign).toMatchObject({ verified: false, message: 'No code of the kernel comes from this file.' });
    });
  });

  test('stops when its condition over C variables holds, and at the hit that was asked for', async () => {
    client = new DapClient();
    await client.start({}, async () => {
      const line = lineOf('paging.c', 'BUG_ON(HYPERVISOR_mmuext_op(&operation');
      await set(sample('paging.c'), [{ line, condition: 'operation.cmd == 4 && operation.arg1.mfn > 0' }]);
    });
    await client.event('stopped');
    const frames = (await client.request('stackTrace', { threadId: 1 })).stackFrames;
    expect((await client.request('evaluate', { expression: 'operation.cmd', frameId: frames[0].id })).result).toMatch(/^4\b/);
    expect(await places()).toContain(`paging_init paging.c:${lineOf('paging.c', 'table_operation(MMUEXT_UNPIN_TABLE')}`);
  });

  test('with a log message prints and goes on', async () => {
    client = new DapClient();
    await client.start({}, async () => {
      await set(sample('main.c'), [{ line: lineOf('main.c', '*word = 42;'), logMessage: 'word is {word}, {nothing}' }]);
    });
    await client.event('terminated');
    const printed = client.events.filter((e) => e.event === 'output').map((e) => e.body.output);
    expect(printed).toContain(`word is 0xffffffffc0003000, <There is no variable, symbol or register 'nothing' here.>\n`);
  });
});

describe('a hypercall breakpoint', () => {
  test('with a condition over decoded arguments stops before the call, at our source line', async () => {
    client = new DapClient();
    await client.start({}, async () => {
      const breakpoints = [{ name: 'hypercall:mmuext_op', condition: 'uops[0].cmd == MMUEXT_NEW_BASEPTR || operation == "UNPIN_TABLE"' }];
      await client.request('setFunctionBreakpoints', { breakpoints });
    });
    expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint', description: 'Hypercall mmuext_op.NEW_BASEPTR' });
    expect(await places()).toEqual(
      expect.arrayContaining([
        'hypercall_page: mmuext_op -',
        `paging_init paging.c:${lineOf('paging.c', 'write_cr3(physical(kernel_l4));')}`,
      ]),
    );
    expect(await goOn()).toMatchObject({ description: 'Hypercall mmuext_op.UNPIN_TABLE' });
    await client.request('disconnect');
    expectTranscript(client, 'hypercall-breakpoint');
  });

  test('with a condition over ret stops when the call is done', async () => {
    client = new DapClient();
    await client.start({ cmdline: 'wrong-pte' }, () =>
      client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'hypercall:*', condition: 'ret == -EBUSY' }] }),
    );
    expect((await client.event('stopped')).text).toMatch(/^update_va_mapping returned -16: EBUSY/);
    const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
    expect(
      BigInt.asIntN(
        64,
        BigInt((await client.request('evaluate', { expression: '$rax', frameId: stackFrames[0].id })).result.split(' ')[0]),
      ),
    ).toBe(-16n);
  });

  test('with an unknown name is pending and names the nearest', async () => {
    client = new DapClient();
    await client.start({ stopOnEntry: true }, async () => {
      const asked = ['hypercall:mmuext_op.PIN_L5_TABLE', 'event:VIRQ_TIMRE', 'no_such_function', 'hypercall:mmuext_op'].map((name) => ({
        name,
      }));
      const { breakpoints } = await client.request('setFunctionBreakpoints', { breakpoints: asked });
      expect(breakpoints.map((b: { verified: boolean }) => b.verified)).toEqual([false, false, false, true]);
      expect(breakpoints[0].message).toMatch(/did you mean 'PIN_L[1-4]_TABLE'/);
      expect(breakpoints[2].message).toContain("The kernel has no function 'no_such_function'");
    });
  });

  test('whose condition names a field that the call does not have says so once and does not stop', async () => {
    client = new DapClient();
    await client.start({}, () =>
      client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'hypercall:sched_op', condition: 'args.nonsense == 1' }] }),
    );
    await client.event('terminated');
    const told = client.events.filter((e) => e.event === 'output' && String(e.body.output).includes('nonsense'));
    expect(told).toHaveLength(1);
  });
});

test('events, exceptions, functions and instructions stop too, with what was interrupted on the stack', async () => {
  client = new DapClient();
  await client.start({}, () =>
    client.request('setFunctionBreakpoints', {
      breakpoints: [{ name: 'event:VIRQ_TIMER', hitCondition: '== 3' }, { name: 'exception:#PF' }, { name: 'page_fault' }],
    }),
  );
  expect(await client.event('stopped')).toMatchObject({ description: 'Event VIRQ_TIMER', hitBreakpointIds: [1] });
  expect((await places())[0]).toMatch(/^event_entry .*entry\.S:/);
  expect(await goOn()).toMatchObject({ description: 'Exception #PF', hitBreakpointIds: [2] });
  const heap = [
    `show_heap (interrupted) main.c:${lineOf('main.c', '*word = 42;')}`,
    `kernel_main main.c:${lineOf('main.c', 'show_heap();')}`,
  ];
  expect((await places()).slice(1, 3)).toEqual(heap);
  expect(await goOn()).toMatchObject({ reason: 'function breakpoint', hitBreakpointIds: [3] });
  const stack = await places();
  expect(stack[0]).toMatch(/^page_fault trap\.c:/);
  expect(stack.slice(3, 5)).toEqual(heap);
  await client.request('setFunctionBreakpoints', { breakpoints: [] });
  const { breakpoints } = await client.request('setInstructionBreakpoints', {
    breakpoints: [{ instructionReference: 'heap_unmap' }, { instructionReference: 'x y' }],
  });
  expect(breakpoints).toMatchObject([{ verified: true }, { verified: false }]);
  expect(await goOn()).toMatchObject({ reason: 'instruction breakpoint' });
  expect((await places())[0]).toMatch(/^heap_unmap /);
});

test('the lines that can have breakpoints are those with code', async () => {
  client = new DapClient();
  await client.start({ stopOnEntry: true });
  const from = lineOf('main.c', 'static void show_heap');
  const { breakpoints } = await client.request('breakpointLocations', {
    source: { path: sample('main.c') },
    line: from,
    endLine: from + 8,
  });
  expect(breakpoints.map((b: { line: number }) => b.line)).toEqual(
    expect.arrayContaining([lineOf('main.c', '*word = 42;'), lineOf('main.c', 'heap_unmap(')]),
  );
  expect(breakpoints.map((b: { line: number }) => b.line)).not.toContain(from + 3);
});
