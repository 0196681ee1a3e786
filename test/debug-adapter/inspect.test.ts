// Registers, variables, memory and expressions of a stopped guest. Oracle for layouts and addresses: the sample's own symbol
// table and debug information as nm and readelf show them, and the start_info that the domain builder filled in.

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DapClient, tinykernel } from './client.ts';
import { lineOf, sample } from './sample.ts';

let client: DapClient;
// biome-ignore lint/suspicious/noExplicitAny: bodies as they come over the wire
let frames: any[];

const symbols = new Map(
  execFileSync('nm', [tinykernel], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([address, , name]) => [name!, BigInt(`0x${address}`)]),
);
const address = (name: string): string => `0x${symbols.get(name)!.toString(16)}`;

beforeAll(async () => {
  client = new DapClient();
  await client.start({ memory: 32 }, () =>
    client.request('setBreakpoints', { source: { path: sample('main.c') }, breakpoints: [{ line: lineOf('main.c', '*word = 42;') }] }),
  );
  await client.event('stopped');
  frames = (await client.request('stackTrace', { threadId: 1 })).stackFrames;
});
afterAll(() => client.ask('disconnect'));

const evaluate = async (expression: string, frame = 0): Promise<string> =>
  (await client.request('evaluate', { expression, frameId: frames[frame].id, context: 'watch' })).result;
const refused = async (expression: string): Promise<string> =>
  (await client.ask('evaluate', { expression, frameId: frames[0].id, context: 'watch' })).message!;
// biome-ignore lint/suspicious/noExplicitAny: bodies as they come over the wire
const scope = async (name: string, frame = 0): Promise<any[]> => {
  const { scopes } = await client.request('scopes', { frameId: frames[frame].id });
  return (
    await client.request('variables', { variablesReference: scopes.find((s: { name: string }) => s.name === name).variablesReference })
  ).variables;
};

describe('expressions', () => {
  test('read variables, members, elements and pointers', async () => {
    expect(await evaluate('word')).toBe('0xffffffffc0003000');
    expect(await evaluate('xen_start_info->nr_pages')).toBe('8192 (0x2000)');
    expect(await evaluate('(*xen_start_info).nr_pages == 8192')).toBe('1');
    expect(await evaluate('xen_start_info->magic')).toContain('xen-3.0-x86_64');
    expect(await evaluate("xen_start_info.magic[4] == '3'")).toBe('1');
    expect(await evaluate('&kernel_l4[2]')).toBe(`0x${(symbols.get('kernel_l4')! + 16n).toString(16)} <kernel_l4+16>`);
    expect(await evaluate('kernel_l4[511] & 1')).toBe('1');
    expect(await evaluate('sizeof(struct start_info)')).toMatch(/^0x[0-9a-f]+ \([0-9]+\)$/);
    expect(await evaluate('word + 1')).toBe('0xffffffffc0003008');
  });

  test('read registers, symbols and memory', async () => {
    expect(await evaluate('$rip')).toMatch(new RegExp(`^${frames[0].instructionPointerReference} `));
    expect(await evaluate('rsp & 7')).toBe('0');
    expect(await evaluate('$eflags & 2')).toBe('2');
    expect(await evaluate('kernel_main')).toMatch(new RegExp(`^${address('kernel_main')} .*<kernel_main>$`));
    expect(await evaluate('*(unsigned char *)_start')).toBe("252 '\\xfc'");
    expect(await evaluate('(unsigned char)0x1ff')).toBe('0xff (255)');
    expect(await evaluate('(signed char)0xff')).toBe('-1');
    expect(await evaluate('1 + 2 * 3 == 7 && !(4 > 5)')).toBe('1');
  });

  test("in a caller's frame see the caller's variables and registers", async () => {
    expect(await evaluate('command_line', 1)).toMatch(/^0x[0-9a-f]+ .*""$|^0x[0-9a-f]+/);
    expect(BigInt(await evaluate('$rsp', 1).then((r) => r.split(' ')[0]!))).toBeGreaterThan(
      BigInt((await evaluate('$rsp')).split(' ')[0]!),
    );
    expect(await evaluate('$rip', 1)).toContain(frames[1].instructionPointerReference);
  });

  test('that cannot be evaluated say why', async () => {
    expect(await refused('nosuch')).toContain("There is no variable, symbol or register 'nosuch'");
    expect(await refused('xen_start_info->nosuch')).toMatch(/has no member 'nosuch'; it has: .*nr_pages/);
    expect(await refused('*(struct nosuch *)0')).toContain("has no type 'struct nosuch'");
    expect(await refused('$nosuch')).toContain("There is no register 'nosuch'");
    expect(await refused('1 / 0')).toContain('divides by zero');
    expect(await refused('1 +')).toContain('Expected a value');
    expect(await evaluate('*(int *)0')).toContain('not mapped');
  });

  test('x shows memory as debuggers do', async () => {
    const [first] = (await evaluate('x/2gx _start')).split('\n');
    expect(first).toMatch(new RegExp(`^${address('_start')} <_start>:  0x[0-9a-f]{16}  0x[0-9a-f]{16}$`));
    expect(await evaluate('x/3i _start')).toMatch(/<_start>: {2}cld\n.*lea.*\n.*xor %ebp, %ebp/);
    expect(await evaluate('x/s xen_start_info->magic')).toContain('"xen-3.0-x86_64"');
    expect(await evaluate('x/2wx 0x10')).toContain('(not mapped)');
    expect(await refused('x/9999999gx 0')).toContain('At most 4096 items');
  });
});

describe('scopes', () => {
  test('locals and globals have the types of the source', async () => {
    expect(await scope('Locals')).toMatchObject([{ name: 'word', type: 'volatile uint64_t *', value: '0xffffffffc0003000' }]);
    const other = frames.findIndex((f) => f.name === 'kernel_main');
    expect((await scope('Locals', other)).map((v) => v.name)).toEqual(expect.arrayContaining(['information', 'command_line']));
  });

  test('registers are decoded', async () => {
    const registers = new Map((await scope('Registers')).map((v) => [v.name, v.value]));
    expect(registers.get('rip')).toBe(frames[0].instructionPointerReference);
    expect(registers.get('rflags')).toMatch(/^0x[0-9a-f]+ \[.*IF.*\]$/);
    expect(registers.get('cs')).toBe('0xe033 [index 7174, GDT, RPL 3]');
    expect(registers.get('cr0')).toContain('PG');
  });

  test('the Xen scope knows the last hypercall, the event mask and the callbacks', async () => {
    const xen = new Map((await scope('Xen')).map((v) => [v.name, v.value]));
    expect(xen.get('last hypercall')).toMatch(/ returned |does not return/);
    expect(xen.get('evtchn_upcall_mask')).toBe('0');
    expect(xen.get('event callback')).toBe(`${address('event_entry')} <event_entry>`);
  });

  test('a register can be set, with an expression, and a refused value says why', async () => {
    const { scopes } = await client.request('scopes', { frameId: frames[0].id });
    const { variablesReference } = scopes.find((s: { name: string }) => s.name === 'Registers');
    expect((await client.request('setVariable', { variablesReference, name: 'r15', value: '0x10 * 2 + 1' })).value).toBe('0x21');
    expect(await evaluate('$r15d')).toBe('0x21 (33)');
    expect((await client.ask('setVariable', { variablesReference, name: 'r15', value: 'nosuch' })).message).toContain('nosuch');
    expect((await client.ask('setVariable', { variablesReference, name: 'cr3', value: '1' })).success).toBe(false);
    expect((await client.ask('setVariable', { variablesReference, name: 'bogus', value: '1' })).message).toContain(
      "There is no register 'bogus'",
    );
  });

  test('a register takes no value that is too wide for it, and rip no address that is not canonical', async () => {
    const { scopes } = await client.request('scopes', { frameId: frames[0].id });
    const { variablesReference } = scopes.find((s: { name: string }) => s.name === 'Registers');
    const set = async (name: string, value: string) => client.ask('setVariable', { variablesReference, name, value });
    expect((await set('r15', '0x1ffffffffffffffff')).message).toContain('does not fit into r15, which has 64 bits');
    expect((await set('rip', '0x8000000000000000')).message).toContain('not canonical');
    expect((await client.ask('setExpression', { expression: '$eax', value: '1' })).message).toContain('set a register as a whole');
    expect(await evaluate('$r15')).toContain('0x21');
  });

  test('a variable in memory can be set, and what the client holds stays good', async () => {
    const { variablesReference } = await client.request('evaluate', { expression: '*xen_start_info', frameId: frames[0].id });
    const members = { variablesReference };
    const before = (await client.request('variables', members)).variables.find((v: { name: string }) => v.name === 'nr_pages').value;
    expect((await client.request('setVariable', { ...members, name: 'nr_pages', value: '0x1234' })).value).toContain('0x1234');
    expect(await evaluate('xen_start_info->nr_pages')).toContain('0x1234');
    expect((await client.request('setExpression', { expression: 'xen_start_info->nr_pages', value: '8192' })).value).toBe(before);
    expect((await client.ask('setExpression', { expression: 'xen_start_info->nr_pages', value: '1 << 64' })).message).toContain(
      'does not fit into 64 bits',
    );
    expect((await client.ask('setExpression', { expression: 'kernel_l4[0]', value: '0' })).message).toContain('page table');
    expect((await client.request('scopes', { frameId: frames[0].id })).scopes.length).toBeGreaterThan(2);
  });

  test('of an earlier stop are refused', async () => {
    expect((await client.ask('scopes', { frameId: 99_999 })).message).toContain('The machine has gone on');
    expect((await client.ask('variables', { variablesReference: 99_999 })).message).toContain('The machine has gone on');
  });
});

describe('memory', () => {
  const bytes = (data: string): Buffer => Buffer.from(data, 'base64');

  test('reads what the ELF file has there', async () => {
    const { data, address: at } = await client.request('readMemory', { memoryReference: '_start', offset: 0, count: 16 });
    expect(at).toBe(address('_start'));
    const objdump = execFileSync(
      'objdump',
      ['-s', `--start-address=${at}`, `--stop-address=0x${(BigInt(at) + 16n).toString(16)}`, tinykernel],
      { encoding: 'utf8' },
    );
    expect(objdump.replace(/ /g, '')).toContain(bytes(data).toString('hex'));
  });

  test('stops at unmapped pages and counts what cannot be read', async () => {
    expect(await client.request('readMemory', { memoryReference: '0x1000', count: 64 })).toMatchObject({ data: '', unreadableBytes: 64 });
    const end = symbols.get('page_tables_end')! & ~0xfffn;
    expect((await client.request('readMemory', { memoryReference: `0x${end.toString(16)}`, count: 16 })).data).toHaveLength(24);
    expect((await client.ask('readMemory', { memoryReference: '0', count: 1e9 })).message).toContain('At most');
  });

  test('writes, but never into page tables', async () => {
    const { bytesWritten } = await client.request('writeMemory', {
      memoryReference: 'user_data',
      data: Buffer.from('abc').toString('base64'),
    });
    expect(bytesWritten).toBe(3);
    expect(bytes((await client.request('readMemory', { memoryReference: 'user_data', count: 3 })).data).toString()).toBe('abc');
    frames = (await client.request('stackTrace', { threadId: 1 })).stackFrames;
    const answer = await client.ask('writeMemory', { memoryReference: 'kernel_l4', data: 'AAAA' });
    expect(answer.message).toContain('page table, which only hypercalls may change');
  });
});

test('sources are found on this machine and can be read', async () => {
  const { sources } = await client.request('loadedSources');
  expect(sources.map((s: { path: string }) => s.path)).toEqual(expect.arrayContaining([sample('main.c'), sample('entry.S')]));
  expect((await client.request('source', { source: { path: sample('main.c') }, sourceReference: 0 })).content).toContain(
    'void kernel_main',
  );
  expect((await client.ask('source', { source: { path: '/nowhere/x.c' }, sourceReference: 0 })).message).toContain('"sourceMap"');
});
