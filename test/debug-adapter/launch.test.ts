// What a launch refuses, over DAP: every message says what to do, nothing hangs, the session can try again.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DapClient, repository, tinykernel } from './client.ts';

let folder: string;
const file = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hyperport-launch-'));
  const kernel = readFileSync(tinykernel);
  writeFileSync(file('truncated.elf'), kernel.subarray(0, 5000));
  const arm = Buffer.from(kernel);
  arm.writeUInt16LE(183, 18);
  writeFileSync(file('arm.elf'), arm);
  writeFileSync(file('empty.elf'), '');
  writeFileSync(file('text.elf'), 'this is no kernel\n');
  writeFileSync(file('zeros.elf'), '');
  truncateSync(file('zeros.elf'), 1024 * 1024 * 1024);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const launch = async (args: object): Promise<string> => {
  const client = new DapClient();
  await client.request('initialize', { adapterID: 'hyperport' });
  const response = await client.ask('launch', args);
  expect(response.success).toBe(false);
  expect(response.message).not.toMatch(/\n\s+at |undefined|\[object/);
  expect(response.body.error).toMatchObject({ showUser: true });
  return response.message!;
};

describe('a kernel that cannot be booted', () => {
  test.each([
    ['missing.elf', 'There is no kernel'],
    ['empty.elf', 'is empty'],
    ['zeros.elf', 'starts like no ELF file, bzImage, gzip or xz file'],
    ['', 'is a directory'],
    ['truncated.elf', /truncated|ends|cut|past the end|longer/i],
    ['arm.elf', /machine|x86/i],
    ['text.elf', /ELF/],
  ])('%s', async (name, message) => expect(await launch({ program: file(name) })).toMatch(message));

  test('without Xen notes', async () => {
    expect(await launch({ program: `${repository}/samples/tinykernel/prebuilt/tinykernel-native.elf` })).toMatch(/note/i);
  });
  test('with a ramdisk that is missing', async () => {
    expect(await launch({ program: tinykernel, ramdisk: 'nowhere.img' })).toContain('There is no ramdisk');
  });
});

test.each([
  ['program', 1],
  ['cmdline', 1],
  ['ramdisk', 1],
  ['memory', 'much'],
  ['vcpus', 0],
  ['dom0', 'no'],
  ['cpu', 'z80'],
  ['tsc', true],
  ['pace', 2],
  ['stopOnEntry', 'yes'],
  ['sourceMap', 'x'],
])('a wrong %s names the field', async (name, value) => {
  expect(await launch({ program: tinykernel, [name]: value })).toContain(
    `"${name}" in the launch configuration is ${JSON.stringify(value)}; write `,
  );
});

test('requests before a launch and unknown requests are refused, and a second launch works', async () => {
  const client = new DapClient();
  await client.request('initialize', { adapterID: 'hyperport' });
  expect((await client.ask('stackTrace', { threadId: 1 })).message).toContain('There is no machine yet');
  expect((await client.request('threads')).threads).toEqual([]);
  expect((await client.ask('frobnicate')).message).toContain("has no request 'frobnicate'");
  expect((await client.ask('launch', { program: 'nowhere' })).success).toBe(false);
  expect((await client.ask('launch', { program: tinykernel, cmdLine: 'x' })).success).toBe(true);
  expect(client.events.find((e) => e.event === 'output')?.body.output).toContain("did you mean 'cmdline'?");
  expect((await client.request('threads')).threads).toMatchObject([{ id: 1, name: expect.stringContaining('vCPU 0') }]);
  expect((await client.ask('stackTrace', { threadId: 9 })).message).toContain('There is no thread 9');
  await client.request('disconnect');
});
