// A 32-bit guest under the debugger: registers, stack, variables, steps, disassembly. Oracle: its own source, and objdump.

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DapClient } from './client.ts';
import { buildGuest32, source } from './guest32/build.ts';

const main = source('main.c');
const lineOf = (text: string): number =>
  readFileSync(main, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

const { folder, elf } = buildGuest32();
afterAll(() => rmSync(folder, { recursive: true }));

const symbols = new Map(
  execFileSync('nm', [elf], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([address, , name]) => [name!, Number.parseInt(address!, 16)]),
);

let client: DapClient;
// biome-ignore lint/suspicious/noExplicitAny: bodies as they come over the wire
const stack = async (): Promise<any[]> => (await client.request('stackTrace', { threadId: 1 })).stackFrames;
const names = async (): Promise<string[]> => (await stack()).map((frame) => frame.name);

async function launched(setup: () => Promise<unknown>): Promise<void> {
  client = new DapClient();
  await client.start({ program: elf, memory: 16, dom0: true }, setup);
}

describe('stopped in a function', () => {
  // biome-ignore lint/suspicious/noExplicitAny: bodies as they come over the wire
  let frames: any[];
  beforeAll(async () => {
    await launched(() => client.request('setBreakpoints', { source: { path: main }, breakpoints: [{ line: lineOf('last.second =') }] }));
    await client.event('stopped');
    frames = await stack();
  });
  afterAll(() => client.ask('disconnect'));

  // biome-ignore lint/suspicious/noExplicitAny: bodies as they come over the wire
  const scope = async (name: string, frame = 0): Promise<any[]> => {
    const { scopes } = await client.request('scopes', { frameId: frames[frame].id });
    const { variablesReference } = scopes.find((s: { name: string }) => s.name === name);
    return (await client.request('variables', { variablesReference })).variables;
  };
  const evaluate = async (expression: string, frame = 0): Promise<string> =>
    (await client.request('evaluate', { expression, frameId: frames[frame].id, context: 'watch' })).result;

  test('the stack is that of the source, by ELF32 call frame information', () => {
    expect(frames.map((frame) => frame.name)).toEqual(['leaf', 'sum', 'kernel_main', '_start']);
    expect(frames[0].source.path).toBe(main);
    expect(frames[1].line).toBe(lineOf('total += leaf(n);'));
    expect(frames[2].line).toBe(lineOf('total = sum(3);'));
  });

  test('general registers have their 32-bit names and no more than 32 bits', async () => {
    const registers = await scope('Registers');
    const shown = registers.map((r: { name: string }) => r.name);
    for (const name of ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp', 'eip', 'eflags']) expect(shown).toContain(name);
    expect(shown.filter((name: string) => /^r/.test(name))).toEqual([]);
    expect(await evaluate('$eip')).toMatch(/^0xc01[0-9a-f]{5} /);
    expect(BigInt((await evaluate('$esp', 1)).split(' ')[0]!)).toBeGreaterThan(BigInt((await evaluate('$esp')).split(' ')[0]!));
  });

  test('variables, structures and the sizes of types are those of i386', async () => {
    expect(await evaluate('n')).toMatch(/^1\b/);
    expect(await evaluate('count', 1)).toMatch(/^3\b/);
    expect(await evaluate('sizeof(struct pair)')).toMatch(/\(12\)$|^12$/);
    expect(await evaluate('sizeof(long)')).toMatch(/\(4\)$|^4$/);
    expect(await evaluate('&last')).toContain(`0x${symbols.get('last')!.toString(16)}`);
    expect(await evaluate('last.first')).toMatch(/^1\b/);
    expect(await evaluate('info->magic', 2)).toContain('xen-3.0-x86_32p');
  });

  test('disassembly is 32-bit code', async () => {
    const { instructions } = await client.request('disassemble', {
      memoryReference: `0x${symbols.get('breakpoint_entry')!.toString(16)}`,
      instructionCount: 8,
      instructionOffset: 0,
    });
    const text = instructions.map((i: { instruction: string }) => i.instruction.replace(/\s+/g, ' ').trim());
    expect(text.slice(0, 3)).toEqual(['push %eax', 'push %ecx', 'push %edx']);
    expect(text[3]).toMatch(/^calll? /);
    expect(text[7]).toMatch(/^iretl?$/);
  });

  test('stepping out, over and in follows the source', async () => {
    await client.request('stepOut', { threadId: 1 });
    await client.event('stopped');
    expect((await names())[0]).toBe('sum');
    await client.request('setBreakpoints', { source: { path: main }, breakpoints: [] });
    await client.request('stepOut', { threadId: 1 });
    await client.event('stopped');
    expect((await names())[0]).toBe('kernel_main');
    expect(await evaluateNow('$eax')).toMatch(/^0x12 /);
  });

  const evaluateNow = async (expression: string): Promise<string> =>
    (await client.request('evaluate', { expression, frameId: (await stack())[0].id, context: 'watch' })).result;
});

describe('a trap', () => {
  afterAll(() => client.ask('disconnect'));

  test('has on its stack what it interrupted, at the first instruction of its entry and inside its handler', async () => {
    await launched(async () => {
      await client.request('setInstructionBreakpoints', {
        breakpoints: [{ instructionReference: `0x${symbols.get('breakpoint_entry')!.toString(16)}` }],
      });
      await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'on_breakpoint' }] });
    });
    await client.event('stopped');
    expect(await names()).toEqual(['breakpoint_entry', 'kernel_main (interrupted)', '_start']);
    await client.request('continue', { threadId: 1 });
    await client.event('stopped');
    expect(await names()).toEqual(['on_breakpoint', 'breakpoint_entry', 'kernel_main (interrupted)', '_start']);
    await client.request('continue', { threadId: 1 });
    await client.event('terminated');
    expect(client.console).toContain('done');
  });
});

describe('a hypercall', () => {
  afterAll(() => client.ask('disconnect'));

  test('stops with its arguments, and its stack leads through the stub of the hypercall page', async () => {
    await launched(() => client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'hypercall:set_trap_table' }] }));
    await client.event('stopped');
    const found = await names();
    expect(found[0]).toContain('set_trap_table');
    expect(found.slice(1)).toEqual(['hypercall (inlined)', 'kernel_main', '_start']);
  });
});
