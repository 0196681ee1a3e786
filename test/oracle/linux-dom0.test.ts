// Debian's Linux 6.1 as dom0 on the simulator, from its start to a shell in its initramfs and to power-off by ACPI. Oracle: the same kernel as
// dom0 on real Xen in QEMU, its console line by line and its hypercalls counted (linux-dom0.table.ts).

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { runSession, type Session } from '../simulator/run.ts';
import { linuxGuest, PROMPT } from './linux.ts';
import { DOM0_CALLS, DOM0_LINES, DOM0_REFUSALS } from './linux-dom0.table.ts';
import { runQemu } from './qemu.ts';
import { readRecording, recordingWanted, writeRecording } from './recording.ts';
import { xenImage } from './xen-dom0.ts';

const LIMIT = 6_000_000_000;
const MEMORY = 512;
const RECORDING = 'linux-dom0-console';
let session: Session;
let recorded: string[];
const calls = new Map<string, { times: number; returned: Set<number | null> }>();

/** What the kernel printed up to the shell, without time stamps and Xen's own lines. */
function kernelLines(console: string): string[] {
  const text = console.replaceAll('\r', '');
  const from = text.indexOf('mapping kernel into physical memory');
  return text
    .slice(Math.max(0, from), text.indexOf('BusyBox v1'))
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('(XEN)'))
    .map((line) => line.replace(/^\[ *[\d.]+\] /, ''));
}

async function record(): Promise<void> {
  const { bzImage, initramfs } = await linuxGuest();
  const { output } = await runQemu({
    args: [
      ...['-m', '2048', '-cpu', 'qemu64', '-kernel', await xenImage(), '-initrd', `${bzImage} console=hvc0,${initramfs}`],
      ...['-append', `com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot=0 dom0_mem=${MEMORY}M`],
    ],
    timeoutMs: 120_000,
    typing: [{ after: PROMPT, text: 'poweroff -f\n' }],
  });
  const comments = [
    "Debian's Linux as dom0 on real Xen 4.17 (Debian, pinned) in QEMU (pc, qemu64, 2 GiB): its console up to the shell, without time stamps",
    'Renewed by: HYPERPORT_RECORD=1 npx vitest run test/oracle/linux-dom0.test.ts',
  ];
  writeRecording(RECORDING, comments, kernelLines(output).join('\n'));
}

beforeAll(async () => {
  if (recordingWanted) await record();
  recorded = readRecording(RECORDING).split('\n');
  const { vmlinux, initramfs } = await linuxGuest();
  session = runSession(
    {
      ...{ kernel: readFileSync(vmlinux), ramdisk: readFileSync(initramfs), cmdline: 'console=hvc0', memoryMib: MEMORY },
      ...{ vcpus: 1, dom0: true, cpu: 'amd', tsc: 'native' },
    },
    {
      typing: [
        { after: PROMPT, text: 'cat /proc/iomem /proc/interrupts; echo $((6 * 7)) on $(cat /sys/hypervisor/type)\n' },
        { after: '42 on xen', text: 'poweroff -f\n' },
      ],
      kinds: ['hypercall'],
      limit: LIMIT,
      slice: 2_000_000,
    },
  );
  for (const each of session.records) {
    if (each.kind !== 'hypercall' || each.continued) continue;
    const call = each.operation && each.name !== 'xenpmu_op' ? `${each.name}.${each.operation}` : each.name;
    const known = calls.get(call) ?? { times: 0, returned: new Set() };
    known.times++;
    known.returned.add(each.ret);
    calls.set(call, known);
  }
}, 600_000);

test('Linux boots to its shell as dom0 and switches the machine off by ACPI', () => {
  expect(session.console).toContain('42 on xen');
  expect(session.console).toContain('ACPI: PM: Preparing to enter system sleep state S5');
  expect(session.result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
});

/** Lines of each list that the other has not, in order: what is left of both beside their longest common part. */
function differences(a: readonly string[], b: readonly string[]): { onlyA: string[]; onlyB: string[] } {
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let n = a.length - 1; n >= 0; n--)
    for (let k = b.length - 1; k >= 0; k--)
      common[n]![k] = a[n] === b[k] ? common[n + 1]![k + 1]! + 1 : Math.max(common[n + 1]![k]!, common[n]![k + 1]!);
  const onlyA: string[] = [];
  const onlyB: string[] = [];
  for (let n = 0, k = 0; n < a.length || k < b.length; ) {
    if (n < a.length && k < b.length && a[n] === b[k]) [n, k] = [n + 1, k + 1];
    else if (k >= b.length || (n < a.length && common[n + 1]![k]! >= common[n]![k + 1]!)) onlyA.push(a[n++]!);
    else onlyB.push(b[k++]!);
  }
  return { onlyA, onlyB };
}

test('its console shows what it shows on real Xen, but for the lines whose difference is explained', () => {
  const here = kernelLines(session.console);
  expect(here.length).toBeGreaterThan(250);
  const { onlyA, onlyB } = differences(recorded, here);
  expect(onlyA.filter((line) => !DOM0_LINES.some(({ real }) => real?.test(line)))).toEqual([]);
  expect(onlyB.filter((line) => !DOM0_LINES.some(({ here: pattern }) => pattern?.test(line)))).toEqual([]);
  const unused = DOM0_LINES.filter(
    ({ real, here: pattern }) => ![...onlyA].some((l) => real?.test(l)) && ![...onlyB].some((l) => pattern?.test(l)),
  );
  expect(unused.map(({ why }) => why)).toEqual([]);
});

test('it makes the hypercalls that it makes on real Xen, and no other', () => {
  expect([...calls.keys()].sort()).toEqual(DOM0_CALLS.map(({ call }) => call).sort());
});

test('where neither time, programs nor devices play a part, each as often as on real Xen', () => {
  for (const { call, times, how } of DOM0_CALLS) {
    const here = calls.get(call)!.times;
    if (how === 'same') expect(`${call} ${here}`).toBe(`${call} ${times}`);
    if (how === 'near') expect(Math.abs(here - times) / times, `${call}: ${here} times, ${times} on real Xen`).toBeLessThan(0.15);
    if (how === 'fewer') expect(here, call).toBeLessThan(times);
  }
});

test('what real Xen refuses is refused, and nothing else', () => {
  const refused = [...calls].flatMap(([call, { returned }]) => {
    const errors = [...returned].filter((ret) => ret !== null && ret < 0);
    return errors.map((ret) => `${call} ${ret}`);
  });
  expect(refused.sort()).toEqual(DOM0_REFUSALS);
});

test('it finds the devices where the reference machine has them, and the interrupts of ACPI and of the clock', () => {
  for (const line of [
    'fec00000-fec003ff : IOAPIC 0',
    'fed00000-fed003ff : HPET 0',
    '000f0000-000fffff : System ROM',
    '80000000-febfffff : PCI Bus 0000:00',
  ])
    expect(session.console).toContain(line);
  expect(session.console).toMatch(/ 8: +0 +xen-pirq +-ioapic-edge +rtc0/);
  expect(session.console).toMatch(/ 9: +0 +xen-pirq +-ioapic-level +acpi/);
});
