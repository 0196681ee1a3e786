import { describe, expect, it } from 'vitest';
import { UsageError } from '../../cli/io.ts';
import { decodeInput } from '../../cli/run/input-text.ts';
import { parseRunOptions } from '../../cli/run/options.ts';
import { TextWatch } from '../../cli/run/text-watch.ts';

const parse = (...argv: string[]) => parseRunOptions(argv, false)!;

describe('hyperport run: options', () => {
  it('has the defaults of the contract', () => {
    expect(parse('k.elf')).toEqual({
      kernel: 'k.elf',
      cmdline: '',
      ramdisk: null,
      memoryMib: 64,
      vcpus: 1,
      name: null,
      weight: 256,
      cap: 0,
      domains: [],
      console: null,
      cpu: 'amd',
      dom0: false,
      input: null,
      inputAfter: null,
      until: null,
      maxInstructions: 20e9,
      pace: 'fast',
      tsc: 'emulate',
      tier1: true,
      preemption: 'off',
      check: null,
      l1tf: 'off',
      store: {},
      refusals: false,
      xenLog: false,
      startInfo: false,
      trace: null,
      stats: false,
    });
  });

  it('on a terminal guest time follows the wall clock and no instruction limit is set', () => {
    const options = parseRunOptions(['k.elf'], true)!;
    expect(options.pace).toBe('real');
    expect(options.maxInstructions).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('the checks of the simulator itself are switches', () => {
    expect(parse('k.elf', '--preemption', 'every-step', '--check', '500')).toMatchObject({ preemption: 'every-step', check: 500 });
  });

  it('a dom0 sees the native time stamp counter unless told otherwise', () => {
    expect(parse('k.elf', '--dom0').tsc).toBe('native');
    expect(parse('k.elf', '--dom0', '--tsc', 'emulate').tsc).toBe('emulate');
  });

  it.each([
    [[], /which kernel/],
    [['a', 'b'], /one kernel at a time/],
    [['k', '--memory', '0'], /--memory takes a whole number from 1 to 3072, not '0'/],
    [['k', '--memory', '64MB'], /--memory/],
    [['k', '--vcpus', '-1'], /--vcpus/],
    [['k', '--cpu', 'arm'], /--cpu takes amd or intel, not 'arm'/],
    [['k', '--pace', 'slow'], /--pace/],
    [['k', '--preemption', 'always'], /--preemption takes off or normal or every-step, not 'always'/],
    [['k', '--check', '0'], /--check takes a whole number/],
    [['k', '--max-instructions', '1e9'], /--max-instructions/],
    [['k', '--frobnicate'], /frobnicate/],
    [['k', '--input', '\\q'], /no escape/],
    [['k', '--input', '\\x1'], /two hexadecimal digits/],
  ] as [string[], RegExp][])('%j is refused with what to do', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
    expect(() => parse(...argv)).toThrow(UsageError);
  });
});

describe('hyperport run: --input', () => {
  const text = (s: string) => [...decodeInput(s)];
  it('sends a newline as Enter does, decodes escapes, keeps UTF-8', () => {
    expect(text('ls\\n')).toEqual([0x6c, 0x73, 0x0d]);
    expect(text('a\nb')).toEqual([0x61, 0x0d, 0x62]);
    expect(text('\\x1b[A\\t\\\\')).toEqual([0x1b, 0x5b, 0x41, 0x09, 0x5c]);
    expect(text('é')).toEqual([0xc3, 0xa9]);
  });
});

describe('hyperport run: --until', () => {
  it('sees a text that comes in pieces, and only that text', () => {
    const bytes = (s: string) => new TextEncoder().encode(s);
    const watch = new TextWatch('grub> ');
    expect(watch.push(bytes('Welcome gr'))).toBe(false);
    expect(watch.push(bytes('ub>'))).toBe(false);
    expect(watch.push(bytes(' '))).toBe(true);
    const other = new TextWatch('aab');
    expect(other.push(bytes('aaa'))).toBe(false);
    expect(other.push(bytes('b'))).toBe(true);
  });
});
