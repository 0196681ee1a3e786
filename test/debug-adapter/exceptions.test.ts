// Exception filters: refused hypercalls with the reason in words, faults, upcalls, emulated instructions, crashes.

import { afterEach, describe, expect, test } from 'vitest';
import { DapClient } from './client.ts';
import { lineOf } from './sample.ts';
import { expectTranscript } from './transcript.ts';

let client: DapClient;
afterEach(async () => {
  if (client && !client.closed) await client.ask('disconnect');
});
const filters =
  (...chosen: string[]) =>
  () =>
    client.request('setExceptionBreakpoints', { filters: chosen });

test('a refused hypercall stops with the reason in words, at our source line', async () => {
  client = new DapClient();
  await client.start({ cmdline: 'wrong-pte' }, filters('refused-hypercall', 'domain-crash', 'unimplemented'));
  expect(await client.event('stopped')).toMatchObject({
    reason: 'exception',
    description: 'Refused Hypercall',
    text: expect.stringMatching(
      /^update_va_mapping returned -16: EBUSY .*would map frame .* writable, but it is in use as a top-level \(level 4\) page table/,
    ),
  });
  const info = await client.request('exceptionInfo', { threadId: 1 });
  expect(info).toMatchObject({ exceptionId: 'table-mapped-writable', breakMode: 'always' });
  expect(info.description).toMatch(/pinned since instruction [0-9,]+, by mmuext_op\.PIN_L4_TABLE/);
  expect(info.description).toContain('What to do: ');
  const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
  expect(stackFrames.find((f: { name: string }) => f.name === 'paging_wrong_entries')).toMatchObject({
    line: lineOf('paging.c', 'print("wrong: own page table'),
  });
  await client.request('continue', { threadId: 1 });
  expect((await client.event('stopped')).text).toMatch(/^mmu_update\.NORMAL_PT_UPDATE returned -22: EINVAL/);
  await client.request('disconnect');
  expectTranscript(client, 'refused-hypercall');
});

describe('filters', () => {
  test('take a condition', async () => {
    client = new DapClient();
    const filterOptions = [{ filterId: 'refused-hypercall', condition: 'ret == -EINVAL' }];
    await client.start({ cmdline: 'wrong-pte' }, () => client.request('setExceptionBreakpoints', { filters: [], filterOptions }));
    expect((await client.event('stopped')).text).toMatch(/^mmu_update/);
  });

  test('guest faults and upcalls stop in the handler, with what they interrupted below it', async () => {
    client = new DapClient();
    await client.start({}, filters('guest-fault'));
    expect(await client.event('stopped')).toMatchObject({ description: 'Guest Fault' });
    await filters('event-upcall')();
    await client.request('continue', { threadId: 1 });
    expect(await client.event('stopped')).toMatchObject({
      description: 'Event Upcall',
      text: expect.stringMatching(/^The event callback is entered: .*port [0-9]/),
    });
    expect((await client.request('stackTrace', { threadId: 1 })).stackFrames[0].name).toContain('event_entry');
  });

  test('emulated instructions stop', async () => {
    client = new DapClient();
    await client.start({}, filters('emulated-instruction'));
    expect((await client.event('stopped')).text).toMatch(/^The hypervisor emulated '/);
  });

  test('that do not exist or have an unreadable condition are pending with the reason', async () => {
    client = new DapClient();
    await client.start({ stopOnEntry: true }, async () => {
      const { breakpoints } = await client.request('setExceptionBreakpoints', {
        filters: ['nosuch'],
        filterOptions: [{ filterId: 'guest-fault', condition: 'vector ==' }],
      });
      expect(breakpoints).toMatchObject([
        { verified: false, message: "There is no exception filter 'nosuch'." },
        { verified: false, message: expect.stringContaining('Expected a value') },
      ]);
    });
  });
});

describe('a crash', () => {
  /** Jumps to where nothing is mapped with no stack: Xen cannot deliver the fault and ends the domain. */
  const crash = async () => {
    client = new DapClient();
    await client.start({ stopOnEntry: true });
    await client.event('stopped');
    const { stackFrames } = await client.request('stackTrace', { threadId: 1 });
    const { scopes } = await client.request('scopes', { frameId: stackFrames[0].id });
    const { variablesReference } = scopes.find((s: { name: string }) => s.name === 'Registers');
    await client.request('setVariable', { variablesReference, name: 'rip', value: '0x1000' });
  };

  test('stops where it happened, explained, and the dead guest can be looked into', async () => {
    await crash();
    await filters('domain-crash')();
    await client.request('continue', { threadId: 1 });
    const stopped = await client.event('stopped');
    expect(stopped).toMatchObject({
      reason: 'exception',
      description: 'Domain Crash',
      text: expect.stringContaining('The guest crashed: '),
    });
    expect((await client.request('evaluate', { expression: '$rip' })).result).toContain('0x1000');
    expect((await client.request('exceptionInfo', { threadId: 1 })).description).toContain('The guest crashed: ');
    await client.request('continue', { threadId: 1 });
    expect((await client.event('exited')).exitCode).toBe(3);
    await client.event('terminated');
  });

  test('stops a client too that never chose filters; with noDebug it does not', async () => {
    await crash();
    await client.request('continue', { threadId: 1 });
    expect(await client.event('stopped')).toMatchObject({ description: 'Domain Crash' });
    await client.request('disconnect');
    client = new DapClient();
    await client.start({ noDebug: true, stopOnEntry: true, cmdline: 'wrong-pte' });
    expect((await client.event('exited')).exitCode).toBe(0);
  });

  test('without the filter ends the session with exit code 3 and the explanation', async () => {
    await crash();
    await filters()();
    await client.request('continue', { threadId: 1 });
    expect((await client.event('exited')).exitCode).toBe(3);
    expect(client.events.some((e) => e.event === 'output' && String(e.body.output).includes('The guest crashed: '))).toBe(true);
  });
});
