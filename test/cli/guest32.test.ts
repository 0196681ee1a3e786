// `hyperport run` and `hyperport notes` with a 32-bit (PAE) kernel.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { buildGuest32 } from '../debug-adapter/guest32/build.ts';
import { hyperport, scratch } from './guests.ts';

const { folder, elf } = buildGuest32();
afterAll(() => rmSync(folder, { recursive: true }));

it('run: the guest says hello and powers off; its trace shows 32-bit calls', () => {
  const trace = join(scratch(), 'trace.jsonl');
  const { status, stdout, stderr } = hyperport('run', elf, '--dom0', '--memory', '16', '--trace', trace);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'hello from 32 bits\ndone\n', stderr: '' });
  const records = readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const table = records.find((r) => r.name === 'set_trap_table');
  expect(table).toMatchObject({ kind: 'hypercall', args: { traps: [{ vector: '#BP', cs: '0xe019' }] }, ret: 0 });
});

it('run: a domU that writes to console_io is told why it may not', () => {
  const { status, stdout } = hyperport('run', elf, '--memory', '16');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

it('notes: says what the builder makes of it', () => {
  const { status, stdout } = hyperport('notes', elf);
  expect(status).toBe(0);
  expect(stdout).toContain('Builds a 32-bit PV domain with PAE');
  expect(stdout).toContain('0xc0000000');
});
