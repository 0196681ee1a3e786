// What `hyperport run` tells on stderr when it is asked to: refused calls, Xen's lines, start_info; and at a crash or a standstill without being asked.

import { describe, expect, test } from 'vitest';
import { UsageError } from '../../cli/io.ts';
import { run } from '../../cli/run/command.ts';
import { parseRunOptions } from '../../cli/run/options.ts';
import { buildGuest } from './build.ts';

async function told(guest: string, ...options: string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const io = { stdout: () => {}, stderr: (text: string) => (stderr += text), cwd: process.cwd(), assets: '' };
  // Input is given, so that nobody waits for a keyboard.
  const code = await run([await buildGuest(guest), '--memory', '16', '--input', '', ...options], io);
  return { code, stderr };
}

describe('hyperport run', () => {
  test('--refusals: where, why, which objects, what to do', async () => {
    const { code, stderr } = await told('pfn-for-mfn', '--refusals');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^update_va_mapping returned -16: EBUSY .*frame 0x111 belongs to domain 0/m);
    expect(stderr).toMatch(/run at .*pfn-for-mfn\.c:10/);
    expect(stderr).toMatch(/What to do: Check that a machine frame number was given/);
  });
  test('--xen-log: the lines of a debug build', async () =>
    expect((await told('pfn-for-mfn', '--xen-log')).stderr).toBe(
      '(XEN) d1v0 pg_owner d1 l1e_owner d1, but real_pg_owner d0\n(XEN) d1v0 Error getting mfn 00111 (pfn ffffffffffffffff) from L1 entry 0010000000111007 for l1e_owner d1, pg_owner d1\n',
    ));
  test('--start-info: field by field', async () =>
    expect((await told('pfn-for-mfn', '--start-info')).stderr).toMatch(
      /^start_info at 0x[0-9a-f]+ \(domU, 64 bit\):\n {2}\+0 +magic +"xen-3\.0-x86_64"/,
    ));
  test('--l1tf crash: the domain ends, and why', async () => {
    const { code, stderr } = await told('not-present-address', '--l1tf', 'crash');
    expect(code).toBe(3);
    expect(stderr).toMatch(/Real Xen logs: \(XEN\) d1 L1TF-vulnerable L1e 8010000013600066 - Crashing/);
  });
  test('a crash: the source line and the calls before it', async () => {
    const { code, stderr } = await told('early-crash');
    expect(code).toBe(3);
    expect(stderr).toMatch(/#0 pages_of_ram at .*early-crash\.c:12/);
    expect(stderr).toMatch(/Last hypercalls:/);
  });
  test('a deadlock: ports, and what XenStore shows', async () => {
    const store = [
      'device/vbd/51712/state=1',
      'device/vbd/51712/backend=/local/domain/0/backend/vbd/1/51712',
      '/local/domain/0/backend/vbd/1/51712/state=2',
    ];
    const { code, stderr } = await told('front-end-initialised', ...store.flatMap((node) => ['--xenstore', node]));
    expect(code).toBe(5);
    expect(stderr).toMatch(/deadlock: .*\n.*d1v0: SCHEDOP_block/);
    expect(stderr).toMatch(/local state 3 \(Initialised\), remote state 2 \(InitWait\)/);
  });
  test.each([
    ['--xenstore', 'no-value'],
    ['--xenstore', '=1'],
    ['--xenstore', 'bad path=1'],
    ['--l1tf', 'maybe'],
  ])('%s %s is a usage error', (...argv) => {
    expect(() => parseRunOptions(['kernel', ...argv], false)).toThrow(UsageError);
  });
});
