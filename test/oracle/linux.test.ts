// Debian's Linux 6.1 as a domU on the simulator, from its start to a shell in its initramfs and to power-off. Oracle: the same kernel's
// hypercalls on real Xen, counted (linux-calls.table.ts).

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { runSession, type Session } from '../simulator/run.ts';
import { linuxGuest, PROMPT } from './linux.ts';
import { LINUX_CALLS } from './linux-calls.table.ts';

const LIMIT = 6_000_000_000;
let session: Session;
const calls = new Map<string, { times: number; returned: Set<number | null> }>();

async function boot(tier1: boolean): Promise<Session> {
  const { vmlinux, initramfs } = await linuxGuest();
  return runSession(
    {
      ...{ kernel: readFileSync(vmlinux), ramdisk: readFileSync(initramfs), cmdline: 'console=hvc0', memoryMib: 256 },
      ...{ vcpus: 1, dom0: false, cpu: 'amd', tsc: 'emulate', tier1 },
    },
    {
      typing: [
        { after: PROMPT, text: 'echo $((6 * 7)) on $(uname -r), $(cat /sys/hypervisor/type)\n' },
        { after: ', xen', text: 'poweroff -f\n' },
      ],
      kinds: ['hypercall', 'exception', 'upcall'],
      limit: LIMIT,
      slice: 2_000_000,
    },
  );
}

/** All that the guest did at the machine's border: each record with its instruction count, what the console showed, where it ended. */
function digest({ records, console, machine }: Session): string {
  const hash = createHash('sha256').update(console).update(String(machine.icount()));
  for (const record of records) hash.update(JSON.stringify(record, (_key, value) => (typeof value === 'bigint' ? String(value) : value)));
  return hash.digest('hex');
}

beforeAll(async () => {
  session = await boot(true);
  for (const record of session.records) {
    if (record.kind !== 'hypercall' || record.continued) continue;
    // What the performance counters are asked for differs by name only.
    const call = record.operation && record.name !== 'xenpmu_op' ? `${record.name}.${record.operation}` : record.name;
    const known = calls.get(call) ?? { times: 0, returned: new Set() };
    known.times++;
    known.returned.add(record.ret);
    calls.set(call, known);
  }
}, 600_000);

test('Linux boots to its shell, runs what is typed, and powers off', async () => {
  const { release } = await linuxGuest();
  expect(session.console).toContain('Hypervisor detected: Xen PV');
  expect(session.console).toContain(`42 on ${release}, xen`);
  expect(session.result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
});

test('Linux makes the hypercalls that it makes on real Xen, and no other', () => {
  expect([...calls.keys()].sort()).toEqual(LINUX_CALLS.map(({ call }) => call).sort());
});

test('where neither time nor programs play a part, each as often as on real Xen', () => {
  for (const { call, times, how } of LINUX_CALLS) {
    const here = calls.get(call)!.times;
    if (how === 'same') expect(`${call} ${here}`).toBe(`${call} ${times}`);
    if (how === 'near') expect(Math.abs(here - times) / times, `${call}: ${here} times, ${times} on real Xen`).toBeLessThan(0.15);
  }
});

test('what real Xen refuses is refused, and nothing else', () => {
  const refused = [...calls].flatMap(([call, { returned }]) => {
    const errors = [...returned].filter((ret) => ret !== null && ret < 0);
    return errors.map((ret) => `${call} ${ret}`);
  });
  expect(refused.sort()).toEqual(['console_io.write -1', 'vcpu_op.is_up -2', 'xenpmu_op -95']);
});

test('nothing of it differs when hot code is not translated: every call, exception and upcall at the same instruction', async () => {
  const interpreted = await boot(false);
  expect(interpreted.machine.icount()).toBe(session.machine.icount());
  expect(digest(interpreted)).toBe(digest(session));
}, 600_000);
