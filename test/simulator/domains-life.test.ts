// A domain's life: paused and unpaused, shut down, destroyed; what others map of it stays until they let go, and its number with it.

import { expect, test } from 'vitest';
import { addDomain, addVcpu } from '../../simulator/hypervisor/create.ts';
import { destroyDomain, freeDomainId, pauseDomain, unpauseDomain } from '../../simulator/hypervisor/life.ts';
import { RunState } from '../../simulator/hypervisor/vcpu.ts';
import { type Member, Several } from './pair.ts';

const EVENT_CHANNEL_OP = 32;
const BIND_VIRQ = 1;
const UPDATE_VA_MAPPING_OTHER_DOMAIN = 22;
const VIRQ_DOM_EXC = 3;
const SCHED_OP = 29;
const SHUTDOWN = 2;

const machineOfTwo = () => {
  const machine = new Several({ domains: [{ dom0: true }, {}, { vcpus: 2 }] });
  const dom0 = machine.member(0);
  machine.hv.current = dom0.vcpu;
  return { machine, hv: machine.hv, dom0, one: machine.member(1), two: machine.member(2) };
};

const owned = ({ machine }: ReturnType<typeof machineOfTwo>, id: number): number =>
  machine.hv.memory.frames.owner.reduce((count, owner) => count + (owner === id ? 1 : 0), 0);

const map = (by: Member, entry: bigint, owner: number) =>
  by.call(UPDATE_VA_MAPPING_OTHER_DOMAIN, by.address(by.page(1)), entry, 2, owner).ret;

test('a paused domain does not run until it was unpaused as often; its vCPUs count as offline meanwhile', () => {
  const { hv, one } = machineOfTwo();
  expect(one.vcpu.runnable()).toBe(true);
  pauseDomain(hv, one.domain);
  pauseDomain(hv, one.domain);
  expect([one.vcpu.runnable(), one.vcpu.runState]).toEqual([false, RunState.offline]);
  unpauseDomain(hv, one.domain);
  expect(one.vcpu.runnable()).toBe(false);
  unpauseDomain(hv, one.domain);
  expect([one.vcpu.runnable(), one.vcpu.runState]).toEqual([true, RunState.runnable]);
  expect(unpauseDomain(hv, one.domain)).toMatchObject({ errno: 'EINVAL', rule: 'domain-not-paused' });
});

test('a domain that shuts down stops with its reason, and dom0 gets VIRQ_DOM_EXC', () => {
  const { hv, dom0, one, two } = machineOfTwo();
  expect(dom0.call(EVENT_CHANNEL_OP, BIND_VIRQ, dom0.put([VIRQ_DOM_EXC, 0, 0], 4)).ret).toBe(0);
  const port = dom0.view(12).getUint32(8, true);
  one.call(SCHED_OP, SHUTDOWN, one.put([1], 4));
  expect(one.domain.ending).toEqual({ kind: 'reboot' });
  expect([one.vcpu.runnable(), two.vcpu.runnable()]).toEqual([false, true]);
  expect(dom0.domain.events.pending(port)).toBe(true);
  expect(hv.domainById(1)).toBe(one.domain);
});

test('destroying gives every frame, port and vCPU back, and the number can be used again', () => {
  const setting = machineOfTwo();
  const { hv, machine, dom0, two } = setting;
  const free = hv.memory.freeFrames;
  const held = owned(setting, 2);
  expect(held).toBeGreaterThan(1024);
  expect(destroyDomain(hv, two.domain)).toBeNull();
  expect([hv.domainById(2), owned(setting, 2), two.domain.dying]).toEqual([null, 0, 'dead']);
  // All but shared_info and the grant frame, which are Xen's own.
  expect(hv.memory.freeFrames - free).toBe(1024);
  expect(freeDomainId(hv)).toBe(2);
  expect(hv.vcpus.filter((vcpu) => vcpu !== undefined).map((vcpu) => vcpu.domain.id)).toEqual([0, 1]);
  expect(machine.hv.checker!.sweep()).toEqual([]);
  const shared = hv.memory.allocateShared(2);
  const { policy, tsc } = dom0.domain;
  const again = addDomain(hv, {
    ...{ id: 2, name: 'again', isDom0: false, bits: 64 as const, tsc, policy, sharedInfo: shared, startedAt: 0, maxPages: 10 },
  });
  const vcpu = addVcpu(hv, again, two.domain.sharedInfo)!;
  expect([vcpu.cpu.id, vcpu.cpu.rip, vcpu.cpu.reg(4), vcpu.initialised]).toEqual([2, 0n, 0n, false]);
});

test('a frame that dom0 maps outlives its domain, keeps its owner and its contents, and goes with the last mapping', () => {
  const setting = machineOfTwo();
  const { hv, machine, dom0, two } = setting;
  const page = two.page();
  const mfn = two.mfn(page);
  expect(map(dom0, two.entry(page, 0x67), 2)).toBe(0);
  two.put([42], 8, two.address(page));
  hv.current = dom0.vcpu;
  destroyDomain(hv, two.domain);
  expect([hv.domainById(2)?.dying, two.domain.framesLeft, owned(setting, 2)]).toEqual(['dead', 1, 1]);
  expect(machine.hv.checker!.sweep()).toEqual([]);
  expect(dom0.view(8, dom0.address(dom0.page(1))).getBigUint64(0, true)).toBe(42n);
  expect(freeDomainId(hv)).toBe(3);
  expect(hv.memory.frames.fact(mfn)).toMatchObject({ owner: 2, type: 'writable', references: 1 });
  expect(map(dom0, 0n, 2)).toBe(0);
  expect([hv.domainById(2), owned(setting, 2), freeDomainId(hv)]).toEqual([null, 0, 2]);
  expect(
    machine.records.filter((record) => record.kind === 'domain' && record.domain === 2).map((record) => 'state' in record && record.state),
  ).toEqual(['created', 'dying', 'destroyed']);
});

test('linear page tables that hold each other are taken apart', () => {
  const setting = machineOfTwo();
  const { hv, machine, two } = setting;
  const root = two.domain.built.root;
  // A second level 4 table, and each names the other read only.
  const page = two.page(2);
  const copy = two.mfn(page);
  machine.hv.memory.ram.page(copy).set(machine.hv.memory.ram.page(root));
  expect(two.call(14, two.address(page), two.entry(page, 0x65), 2).ret).toBe(0);
  const linear = (table: number, other: number) =>
    two.call(1, two.put([(BigInt(table) << 12n) + 8n * 4n, (BigInt(other) << 12n) | 0x65n]), 1, 0, 0x7ff0).ret;
  const pinned = two.call(26, two.put([3, copy, 0]), 1, 0, 0x7ff0);
  expect(pinned.ret).toBe(0);
  expect(linear(root, copy)).toBe(0);
  hv.current = machine.member(0).vcpu;
  destroyDomain(hv, two.domain);
  expect([hv.domainById(2), owned(setting, 2)]).toEqual([null, 0]);
});

test('closing of a dying domain leaves its peers unbound for it', () => {
  const { hv, dom0, one, two } = machineOfTwo();
  two.call(EVENT_CHANNEL_OP, 6, two.put([0x7ff0, 1, 0, 0], 2));
  const remote = two.view(8).getUint32(4, true);
  one.call(EVENT_CHANNEL_OP, 0, one.put([2, remote, 0], 4));
  const local = one.view(12).getUint32(8, true);
  expect(one.domain.events.port(local)!.channel).toMatchObject({ kind: 'interdomain', remote: 2 });
  hv.current = dom0.vcpu;
  destroyDomain(hv, two.domain);
  expect(one.domain.events.port(local)!.channel).toEqual({ kind: 'unbound', remote: 2 });
});
