// Complaints about guests that die without a word or stand still: each as a guest that makes the mistake (guests/), and the answer that it gets.

import { describe, expect, test } from 'vitest';
import { startInfoFields, startInfoLines } from '../../explain/state/start-info.ts';
import { complain } from './complaint.ts';

const BACK = '/local/domain/0/backend/vbd/1/51712';
/** Nodes of a disk as the toolstack writes them, with the states given. */
const disk = (front: number, back: number): Readonly<Record<string, string>> => ({
  'device/vbd/51712/backend': BACK,
  'device/vbd/51712/backend-id': '0',
  'device/vbd/51712/state': `${front}`,
  [`${BACK}/state`]: `${back}`,
});

describe('1: the domain crashes before it has said anything', () => {
  test('the first fault with its source line, the calls before it, which check of Xen’s ended it, and that the console is not up', async () => {
    const { told } = await complain('early-crash');
    expect(told).toMatch(/exception 14 \(#PF\) for address 0x20.*the guest has no handler for it/);
    expect(told).toMatch(/the field at offset 0x20 of a structure through one/);
    expect(told).toMatch(/#0 pages_of_ram at .*early-crash\.c:12\n.*#1 guest_main at .*early-crash\.c:20/);
    expect(told).toMatch(/Last hypercalls:\n.*xen_version\.version returned 262161\.\n.*vm_assist\.enable returned 0\./);
    expect(told).toMatch(/\(XEN\) d1v0 Unhandled: vec 14, #PF\[0000\]/);
    expect(told).toMatch(/has not printed anything; its console was not initialised yet/);
  });
  test('an emergency console: what is given to console_io is shown, although Xen refuses it', async () => {
    const { advice, told, refusals } = await complain('early-message');
    expect(advice).toEqual([
      'the guest gave this to console_io, which Xen refuses to a domU (only debug builds log it): "before paging\\n"',
    ]);
    expect(told).toMatch(/Console: the guest gave "before paging\\n" to console_io/);
    expect(refusals[0]).toMatch(/EPERM/);
  });
  test('text that lies in the ring, not sent', async () => {
    const { told } = await complain('console-not-sent');
    expect(told).toMatch(/Console: in the ring lies "panic: out of memory", not sent: .*send the event channel/);
  });
});

describe('9: an event that never arrives', () => {
  const port3 = (told: string): string => told.split('\n').find((line) => line.startsWith('  port 3:'))!;
  test('masked, and since when', async () => {
    const line = port3((await complain('masked-port')).told);
    expect(line).toMatch(
      /ipi, its own; vCPU 0; pending, masked, selector bit 0; bound at instruction [\d,]+; last sent at instruction [\d,]+; last event at instruction [\d,]+; last upcall never/,
    );
    expect(line).toMatch(/pending and masked \(masked when the event came at instruction [\d,]+, and never unmasked since\)/);
  });
  test('the selector bit was cleared without looking at the port', async () => {
    expect(port3((await complain('cleared-selector')).told)).toMatch(
      /pending, not masked, selector bit 0;.*its selector bit \(evtchn_pending_sel\) is clear/,
    );
  });
  test('upcalls are masked, and the vCPU polls something else', async () => {
    const { told } = await complain('polls-with-upcalls-masked');
    expect(told).toMatch(/^SCHEDOP_poll on port 3 since instruction/);
    expect(told).toMatch(/port 4: .*pending, not masked, selector bit 1;.*evtchn_upcall_mask of vCPU 0 is 1/);
  });
  test('the other end never bound the port', async () =>
    expect(port3((await complain('waits-for-peer')).told)).toMatch(/unbound, for domain 0;.*the other end has not bound it/));
});

describe('10: devices that do not connect', () => {
  test('local state 3, remote state 2: who waits for which node, and the order of states', async () => {
    const { told } = await complain('front-end-initialised', { store: disk(1, 2) });
    expect(told).toMatch(/XenStore device\/vbd\/51712: local state 3 \(Initialised\), remote state 2 \(InitWait\)\./);
    expect(told).toMatch(
      /The back end waits for event-channel, which the front end has not written below \/local\/domain\/1\/device\/vbd\/51712/,
    );
    expect(told).toMatch(/The order of states:\n.*back end 1 Initialising/);
  });
  test('a front end that goes to Connected at once; backend-id of a device that is not there', async () => {
    const { told } = await complain('connected-too-early', { store: disk(1, 1) });
    expect(told).toMatch(/local state 4 \(Connected\), remote state 1 \(Initialising\)/);
    expect(told).toMatch(/went to Connected before the back end had offered anything/);
    expect(told).toMatch(/without having written ring-ref, event-channel/);
    expect(told).toMatch(/device\/vif\/0\/backend-id was looked for once, last at instruction [\d,]+, and is not there \(ENOENT\)/);
  });
  test('the closing dance', async () => {
    const { told } = await complain('back-end-closes', { store: disk(4, 5) });
    expect(told).toMatch(
      /The back end closes and waits for the front end: stop using the ring.*write state 5 \(Closing\).*state 6 \(Closed\)/,
    );
  });
  test('a back end whose directory is gone', async () => {
    const { told } = await complain('back-end-closes', {
      store: {
        'device/vbd/51712/state': '4',
        'device/vbd/51712/backend': '/local/domain/0/backend/vbd/1/0',
        'device/vbd/51712/backend-id': '0',
      },
    });
    expect(told).toMatch(/remote state none: there is no back end directory/);
    expect(told).toMatch(/it was removed, or the toolstack never made it/);
  });
  test('a request in the ring of which xenstored was not told', async () =>
    expect((await complain('store-not-notified')).told).toMatch(/22 bytes of a request lie in the ring, and xenstored was not told/));
});

test('11: a watch fires once when it is registered: the table says so', async () => {
  const { told } = await complain('first-watch-event');
  expect(told).toMatch(
    /control\/shutdown \(token "shutdown"\): fired once, which is the event that every watch gives when it is registered/,
  );
});

describe('14: start_info, field by field', () => {
  test('of a domU: values, what they are for, and only the member of the union that counts', async () => {
    const { machine } = await complain('null-field');
    const state = machine.report()!.startInfo!;
    const fields = new Map(startInfoFields(state).map((field) => [field.name, field]));
    expect(fields.get('magic')).toMatchObject({ offset: 0, value: '"xen-3.0-x86_64"' });
    expect(fields.get('magic')!.means).toMatch(/ask XENVER_version/);
    expect(fields.get('nr_pages')).toMatchObject({ value: '4096', means: expect.stringMatching(/\(16 MiB\)/) });
    expect(fields.get('console.domU.evtchn')).toMatchObject({ value: '2' });
    expect(fields.has('console.dom0.info_off')).toBe(false);
    for (const { name, means } of fields.values()) expect(means.length, name).toBeGreaterThan(10);
    expect(startInfoLines(state)[0]).toMatch(/^start_info at 0xffffffff8[0-9a-f]+ \(domU, 64 bit\):$/);
  });
  test('of dom0: the other member', async () => {
    const { machine } = await complain('console-union', { dom0: true });
    const fields = startInfoFields(machine.report()!.startInfo!);
    expect(fields.map(({ name }) => name)).toContain('console.dom0.info_off');
    expect(fields.map(({ name }) => name)).not.toContain('console.domU.mfn');
    expect(fields.find(({ name }) => name === 'flags')!.means).toMatch(/SIF_PRIVILEGED, SIF_INITDOMAIN/);
  });
});
