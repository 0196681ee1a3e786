// The launch configuration: wrong values are refused with the name of the field and what to write.

import { describe, expect, test } from 'vitest';
import { parseLaunchArguments } from '../../debug-adapter/launch-arguments.ts';

const parse = (given: unknown, warnings: string[] = []) => parseLaunchArguments(given, '/work', (text) => warnings.push(text));
const withField = (name: string, value: unknown) => () => parse({ program: 'kernel.elf', [name]: value });

test('defaults are those of a domU', () => {
  expect(parse({ program: 'kernel.elf' })).toEqual({
    ...{
      program: 'kernel.elf',
      cmdline: '',
      ramdisk: null,
      memoryMib: 64,
      vcpus: 1,
      dom0: false,
      cpu: 'amd',
      tsc: 'emulate',
      tier1: true,
      pace: 'real',
    },
    ...{ stopOnEntry: false, noDebug: false, sourceMap: {}, cwd: '/work', disassembly: 'att' },
  });
  expect(parse({ program: 'k', dom0: true }).tsc).toBe('native');
});

test('the checks of the simulator itself are taken over', () => {
  const all = { preemption: 'every-step', l1tf: 'warn', check: 100 };
  expect(parse({ program: 'k', ...all })).toMatchObject(all);
});

describe('a wrong value names its field and says what to write', () => {
  test.each([
    ['program', 5, 'write the path of a file, as a string'],
    ['program', '', 'write the path of a file, as a string'],
    ['cmdline', ['console=hvc0'], 'write a string'],
    ['ramdisk', true, 'write the path of a file, as a string'],
    ['memory', '64', 'write MiB as a whole number from 1 to 3072'],
    ['memory', 0, 'write MiB as a whole number from 1 to 3072'],
    ['memory', 64.5, 'write MiB as a whole number from 1 to 3072'],
    ['memory', Number.NaN, 'write MiB as a whole number from 1 to 3072'],
    ['vcpus', 33, 'write virtual CPUs as a whole number from 1 to 32'],
    ['dom0', 'yes', 'write true or false'],
    ['cpu', 'arm', 'write "amd" or "intel"'],
    ['tsc', 1, 'write "emulate" or "native"'],
    ['preemption', 'sometimes', 'write "off" or "normal" or "every-step"'],
    ['l1tf', true, 'write "off" or "warn" or "crash"'],
    ['check', 0, 'write hypercalls as a whole number from 1 to 1000000000'],
    ['pace', 'slow', 'write "real" or "fast"'],
    ['stopOnEntry', 1, 'write true or false'],
    ['noDebug', 'true', 'write true or false'],
    ['sourceMap', ['/a', '/b'], 'write an object from path prefixes to path prefixes'],
    ['sourceMap', { '/a': 1 }, 'write an object from path prefixes to path prefixes'],
    ['cwd', {}, 'write the path of a file, as a string'],
    ['disassembly', 'nasm', 'write "att" or "intel"'],
  ])('%s: %j', (name, value, message) => {
    expect(withField(name, value)).toThrow(`"${name}" in the launch configuration is `);
    expect(withField(name, value)).toThrow(message);
  });

  test('a missing program is told, and what is no object', () => {
    expect(() => parse({})).toThrow('"program" is missing');
    expect(() => parse({ program: null })).toThrow('"program" is missing');
    expect(() => parse(null)).toThrow('must be an object');
    expect(() => parse([])).toThrow('must be an object');
  });
});

test('an unknown field is a warning with the nearest name; what editors add is none', () => {
  const warnings: string[] = [];
  parse({ program: 'k', cmdLine: 'x', type: 'hyperport', request: 'launch', name: 'n', __sessionId: '1', preLaunchTask: 'make' }, warnings);
  expect(warnings).toEqual([`The launch configuration has a field "cmdLine" that Hyperport does not know; did you mean 'cmdline'?`]);
});
