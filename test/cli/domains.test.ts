// `hyperport run A --domain B …`: whose option is whose, consoles side by side on stdout, how a machine of several domains ends.

import { describe, expect, it } from 'vitest';
import { UsageError } from '../../cli/io.ts';
import { DomainLines } from '../../cli/run/domain-lines.ts';
import { parseRunOptions } from '../../cli/run/options.ts';
import { buildGuest, hyperport, schedOp } from './guests.ts';

const PORT = 'samples/tinykernel/prebuilt/tinykernel-xen.elf';
const parse = (...argv: string[]) => parseRunOptions(argv, false)!;
const refusal = (...argv: string[]): string => {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'taken';
};

describe('hyperport run: options of several domains', () => {
  it('give what stands behind --domain to that domain alone', () => {
    const options = parse(
      'a',
      '--dom0',
      '--memory',
      '128',
      '--domain',
      'b',
      '--cmdline',
      'x y',
      '--name',
      'web',
      '--domain=c',
      '--cap',
      '25',
      '--weight',
      '512',
    );
    expect(options).toMatchObject({ kernel: 'a', dom0: true, memoryMib: 128, tsc: 'native', weight: 256, cap: 0, name: null });
    expect(options.domains).toEqual([
      {
        ...{ kernel: 'b', cmdline: 'x y', ramdisk: null, memoryMib: 64, vcpus: 1, dom0: false, tsc: 'emulate' },
        ...{ name: 'web', weight: 256, cap: 0 },
      },
      {
        ...{ kernel: 'c', cmdline: '', ramdisk: null, memoryMib: 64, vcpus: 1, dom0: false, tsc: 'emulate' },
        ...{ name: null, weight: 512, cap: 25 },
      },
    ]);
  });

  it('are refused with what to do', () => {
    expect(refusal('a', '--domain')).toMatch(/--domain takes the path of a kernel/);
    expect(refusal('a', '--domain', 'b', 'c')).toMatch(/--domain takes one kernel; 'c' is one too many/);
    expect(refusal('a', '--domain', 'b', '--until', 'x')).toMatch(/the machine's come before the first --domain/);
    expect(refusal('a', '--domain', 'b', '--name', 'a b')).toMatch(/--name takes letters, digits and dashes/);
    expect(refusal('a', '--domain', 'b', '--cap', '101')).toMatch(/--cap takes a whole number from 0 to 100/);
    expect(refusal('a', 'b')).toMatch(/a further domain: --domain KERNEL/);
  });
});

describe('consoles side by side', () => {
  it('come as whole lines with the name of the domain, in whatever pieces they were printed', () => {
    let out = '';
    const lines = new DomainLines(
      new Map([
        [1, 'guest'],
        [2, 'web'],
      ]),
      (bytes) => {
        out += new TextDecoder().decode(bytes);
      },
    );
    const say = (domain: number, text: string) => lines.push(domain, new TextEncoder().encode(text));
    say(1, 'he');
    say(2, 'one\ntwo\n$ ');
    say(1, 'llo\r\n');
    lines.flushAll();
    expect(out).toBe('web| one\nweb| two\nguest| hello\r\nweb| $ \n');
  });
});

describe('hyperport run: several domains', () => {
  it('prints both consoles and says how each domain ended', () => {
    const { status, stdout, stderr } = hyperport('run', PORT, '--memory', '8', '--domain', PORT, '--memory', '8', '--name', 'second');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^guest\| tinykernel: hello\r$/m);
    expect(stdout).toMatch(/^second\| tinykernel: bye\r$/m);
    expect(
      stdout
        .replaceAll(/^guest\| |^second\| /gm, '')
        .split('\n')
        .filter((line) => /bye/.test(line)),
    ).toHaveLength(2);
    expect(stderr).toMatch(/^hyperport run: Domain [12] \((guest|second)\) powered off\.\n$/);
  });

  it('3: one of them crashes while the other goes on to its end', () => {
    const { status, stderr } = hyperport('run', PORT, '--memory', '8', '--domain', buildGuest('ud2\n'));
    expect(status).toBe(3);
    expect(stderr).toMatch(/Domain 2 \(guest2\) crashed: /);
  });

  it('5: none can go on', () => {
    const { status, stderr } = hyperport('run', buildGuest(schedOp(1)), '--domain', buildGuest(schedOp(1)));
    expect(status).toBe(5);
    expect(stderr).toMatch(/d1v0: SCHEDOP_block[\s\S]*d2v0: SCHEDOP_block/);
  });

  it('typed input reaches the domain that --console names', () => {
    const args = ['--cmdline', 'interactive', '--input', 'quit\\n', '--input-after', 'tinykernel> ', '--console', 'second'];
    const { status, stdout } = hyperport(
      'run',
      PORT,
      '--memory',
      '8',
      ...args.slice(2),
      '--domain',
      PORT,
      '--memory',
      '8',
      '--name',
      'second',
      ...args.slice(0, 2),
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^second\| .*quit/m);
    expect(hyperport('run', PORT, '--console', 'x').stderr).toMatch(/--console takes guest \(1\), not 'x'/);
  });

  it('names the kernel that cannot be a domain', () => {
    const { status, stderr } = hyperport('run', PORT, '--domain', '/dev/null');
    expect(status).toBe(2);
    expect(stderr).toMatch(/\/dev\/null/);
  });
});
