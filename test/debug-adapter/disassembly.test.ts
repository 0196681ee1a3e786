// Disassembly: the same instructions as objdump where code is mapped, rows that say so where nothing is, always as many rows as
// asked for.

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DapClient, tinykernel } from './client.ts';
import { lineOf } from './sample.ts';

let client: DapClient;
beforeAll(async () => {
  client = new DapClient();
  await client.start({ stopOnEntry: true });
  await client.event('stopped');
});
afterAll(() => client.ask('disconnect'));

interface Row {
  readonly address: string;
  readonly instruction: string;
  readonly instructionBytes?: string;
  readonly presentationHint?: string;
  readonly symbol?: string;
  readonly line?: number;
  readonly location?: { readonly name: string };
}
const disassemble = async (memoryReference: string, instructionOffset: number, instructionCount: number): Promise<Row[]> => {
  const { instructions } = await client.request('disassemble', { memoryReference, instructionOffset, instructionCount });
  expect(instructions).toHaveLength(instructionCount);
  return instructions;
};

/** Address and bytes of every instruction of a function, as objdump has them. */
function objdump(name: string): { address: string; bytes: string }[] {
  const text = execFileSync('objdump', ['-d', '--no-show-raw-insn', `--disassemble=${name}`, tinykernel], { encoding: 'utf8' });
  const addresses = [...text.matchAll(/^([0-9a-f]{16}):/gm)].map((m) => `0x${m[1]}`);
  return addresses.map((address, i) => ({
    address,
    bytes: addresses[i + 1] ? `${Number(BigInt(addresses[i + 1]!) - BigInt(address))}` : '',
  }));
}

describe('where code is mapped', () => {
  test.each(['kernel_main', 'trap', 'heap_map'])('the rows of %s are those of objdump', async (name) => {
    const expected = objdump(name);
    expect(expected.length).toBeGreaterThan(5);
    const rows = await disassemble(name, 0, expected.length);
    expect(rows.map((r) => r.address)).toEqual(expected.map((e) => e.address));
  });

  test('rows before an address meet it, as objdump counts them from the start of the function', async () => {
    const expected = objdump('kernel_main');
    for (const back of [1, 7, 20]) {
      const rows = await disassemble(expected[25]!.address, -back, back + 2);
      expect(rows.map((r) => r.address)).toEqual(expected.slice(25 - back, 27).map((e) => e.address));
    }
  });

  test('rows carry symbols, source lines and bytes', async () => {
    const [first, second] = await disassemble('_start', 0, 2);
    expect(first).toMatchObject({
      symbol: '_start',
      instruction: 'cld',
      instructionBytes: 'fc',
      location: { name: 'boot.S' },
      line: lineOf('boot.S', 'cld'),
    });
    expect(second!.instruction).toMatch(/^lea .*%rip.*%rsp.*# <[a-z_]+>$/);
  });

  test('the hypercall page is resynchronised at its stubs', async () => {
    const rows = await disassemble('hypercall_page + 32 * 2 + 8', -4, 6);
    expect(rows.map((r) => r.instruction)).toEqual(['int3', 'push %rcx', 'push %r11', 'mov $0x2, %eax', 'syscall', 'pop %r11']);
    expect(rows[1]!.symbol).toBe('hypercall_page: set_gdt');
  });
});

describe('where nothing is mapped', () => {
  test('every row says so and addresses go on', async () => {
    const rows = await disassemble('0x2000', -3, 6);
    expect(rows.map((r) => r.address)).toEqual(['0x1ffd', '0x1ffe', '0x1fff', '0x2000', '0x2001', '0x2002']);
    for (const row of rows)
      expect(row).toMatchObject({ presentationHint: 'invalid', instruction: '(not mapped in the current page tables)' });
  });

  test.each(['0', '0xffffffffffffffff', '0x8000000000000000'])('around %s too', async (at) => {
    const rows = await disassemble(at, -50, 100);
    expect(new Set(rows.map((r) => r.address)).size).toBe(100);
    expect(rows[50]!.address).toBe(`0x${BigInt(at).toString(16)}`);
  });

  test('at the edge of mapped memory the rows change over', async () => {
    const start = BigInt(`0x${execFileSync('nm', [tinykernel], { encoding: 'utf8' }).match(/^([0-9a-f]+) . _start$/m)![1]}`) & ~0xfffffn;
    const rows = await disassemble(`0x${start.toString(16)}`, -2, 4);
    expect(
      rows
        .map((r) => r.presentationHint === 'invalid')
        .slice(2)
        .includes(false) || rows.every((r) => r.presentationHint === 'invalid'),
    ).toBe(true);
  });
});

test('what asks for too much is refused, not tried', async () => {
  expect((await client.ask('disassemble', { memoryReference: '0', instructionCount: 1e9 })).message).toContain('At most');
  expect((await client.ask('disassemble', { memoryReference: '0', instructionOffset: -1e9, instructionCount: 1 })).message).toContain(
    'at most',
  );
  expect((await client.ask('disassemble', { memoryReference: 'no such', instructionCount: 1 })).success).toBe(false);
});
