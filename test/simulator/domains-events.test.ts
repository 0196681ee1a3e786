// Event channels between domains: who may allocate, bind, close and look, and what the other end sees.

import { expect, test } from 'vitest';
import { type Member, Several } from './pair.ts';

const EVENT_CHANNEL_OP = 32;
const BIND_INTERDOMAIN = 0;
const CLOSE = 3;
const SEND = 4;
const STATUS = 5;
const ALLOC_UNBOUND = 6;
const RESET = 10;
const SELF = 0x7ff0;
const EPERM = -1;
const ESRCH = -3;
const EINVAL = -22;

function allocUnbound(by: Member, dom: number, remote: number) {
  const result = by.call(EVENT_CHANNEL_OP, ALLOC_UNBOUND, by.put([dom, remote, 0, 0], 2));
  return { ...result, port: by.view(8).getUint32(4, true) };
}

function bindInterdomain(by: Member, remote: number, port: number) {
  const result = by.call(EVENT_CHANNEL_OP, BIND_INTERDOMAIN, by.put([remote, port, 0], 4));
  return { ...result, port: by.view(12).getUint32(8, true) };
}

const close = (by: Member, port: number) => by.call(EVENT_CHANNEL_OP, CLOSE, by.put([port], 4));
const send = (by: Member, port: number) => by.call(EVENT_CHANNEL_OP, SEND, by.put([port], 4));

function status(by: Member, dom: number, port: number) {
  const result = by.call(EVENT_CHANNEL_OP, STATUS, by.put([dom | 0, port, 0, 0, 0, 0], 4));
  const view = by.view(24);
  return {
    ...result,
    status: view.getUint32(8, true),
    vcpu: view.getUint32(12, true),
    remote: view.getUint16(16, true),
    remotePort: view.getUint32(20, true),
  };
}

/** A bound pair: ports of the first and of the second domain. */
function pair(a: Member, b: Member): [number, number] {
  const { port } = allocUnbound(a, SELF, b.id);
  const bound = bindInterdomain(b, a.id, port);
  expect(bound.ret).toBe(0);
  return [port, bound.port];
}

test('a port that one domain allocates for another is bound by it, and both ends name each other', () => {
  const machine = new Several();
  const [one, two] = [machine.member(1), machine.member(2)];
  const { ret, port } = allocUnbound(one, SELF, 2);
  expect(ret).toBe(0);
  expect(status(one, SELF, port)).toMatchObject({ ret: 0, status: 1, remote: 2 });
  const bound = bindInterdomain(two, 1, port);
  expect(bound.ret).toBe(0);
  expect(status(one, SELF, port)).toMatchObject({ status: 2, remote: 2, remotePort: bound.port });
  expect(status(two, SELF, bound.port)).toMatchObject({ status: 2, remote: 1, remotePort: port });
});

test('binding marks the local end pending at once; sending marks the other end, in its domain alone', () => {
  const machine = new Several();
  const [one, two] = [machine.member(1), machine.member(2)];
  const [port, other] = pair(one, two);
  expect([one.domain.events.pending(port), two.domain.events.pending(other)]).toEqual([false, true]);
  expect(send(two, other).ret).toBe(0);
  expect(one.domain.events.pending(port)).toBe(true);
  const sent = machine.records.filter((record) => record.kind === 'event').slice(-2);
  expect(sent).toMatchObject([
    { action: 'send', domain: 2, port: other, peer: `port ${port} of d1` },
    { action: 'pending', domain: 1, port, peer: `port ${other} of d2` },
  ]);
});

test('an event wakes the blocked vCPU of the other domain', () => {
  const machine = new Several();
  const [one, two] = [machine.member(1), machine.member(2)];
  const [port, other] = pair(one, two);
  one.domain.events.unmask(port);
  one.call(29, 1);
  expect(one.vcpu.wait?.kind).toBe('block');
  send(two, other);
  expect(one.vcpu.wait).toBeNull();
  expect(one.domain.events.upcallPending(0)).toBe(true);
});

test('closing one end leaves the other unbound for the closer, and it can be bound again', () => {
  const machine = new Several();
  const [one, two] = [machine.member(1), machine.member(2)];
  const [port, other] = pair(one, two);
  expect(close(one, port).ret).toBe(0);
  expect(status(two, SELF, other)).toMatchObject({ status: 1, remote: 1 });
  expect(send(two, other).ret).toBe(0);
  const again = bindInterdomain(one, 2, other);
  expect(again.ret).toBe(0);
  expect(status(two, SELF, other)).toMatchObject({ status: 2, remote: 1, remotePort: again.port });
});

test('only the domain that a port waits for may bind it, and the refusal names both', () => {
  const machine = new Several({ domains: [{}, {}, {}] });
  const { port } = allocUnbound(machine.member(1), SELF, 2);
  const refused = bindInterdomain(machine.member(3), 1, port);
  expect(refused).toMatchObject({ ret: EINVAL, refusal: { rule: 'port-not-unbound' } });
  expect(refused.refusal!.facts).toMatchObject({ domain: 1, caller: 3, state: 'unbound, for domain 2' });
  expect(refused.refusal!.xenLine).toMatchObject({ args: { domain: '1', error: '-22' } });
});

test('a port that is bound already, one beyond the table and a domain that is not there are refused', () => {
  const machine = new Several();
  const [one, two] = [machine.member(1), machine.member(2)];
  const [port, other] = pair(one, two);
  const again = bindInterdomain(two, 1, port);
  expect(again.ret).toBe(EINVAL);
  expect(again.refusal!.facts.state).toBe(`bound to port ${other} of domain 2`);
  expect(bindInterdomain(two, 1, 4000).ret).toBe(EINVAL);
  expect(bindInterdomain(two, 9, 1).ret).toBe(ESRCH);
  expect(allocUnbound(two, 9, 1).ret).toBe(ESRCH);
});

test('ports of another domain are allocated, seen and reset by dom0 alone; a reset needs the domain paused', () => {
  const machine = new Several({ domains: [{ dom0: true }, {}, {}] });
  const [dom0, one, two] = [machine.member(0), machine.member(1), machine.member(2)];
  expect(allocUnbound(one, 2, 1).ret).toBe(EPERM);
  expect(allocUnbound(one, 0, 1).ret).toBe(EPERM);
  const { ret, port } = allocUnbound(dom0, 1, 2);
  expect(ret).toBe(0);
  expect(status(dom0, 1, port)).toMatchObject({ ret: 0, status: 1, remote: 2 });
  expect(status(two, 1, port).ret).toBe(EPERM);
  expect(status(two, 1, 4000).ret).toBe(EINVAL);
  expect(bindInterdomain(two, 1, port).ret).toBe(0);
  const reset = (by: Member, dom: number) => by.call(EVENT_CHANNEL_OP, RESET, by.put([dom], 2)).ret;
  expect(reset(two, 1)).toBe(EPERM);
  expect(reset(dom0, 1)).toBe(EINVAL);
  one.domain.paused++;
  expect(reset(dom0, 1)).toBe(0);
  expect(one.domain.events.ports.filter((entry) => entry.usable())).toEqual([]);
});

test("dom0's ports and those of the simulator's back ends do not get in each other's way", () => {
  const machine = new Several({ domains: [{ dom0: true }, {}] });
  const [dom0, one] = [machine.member(0), machine.member(1)];
  const { port } = allocUnbound(dom0, SELF, 1);
  expect(port).toBe(1);
  expect(status(one, SELF, 1)).toMatchObject({ status: 2, remote: 0, remotePort: 1 });
  const bound = bindInterdomain(one, 0, port);
  expect(bound.ret).toBe(0);
  dom0.domain.events.unmask(port);
  send(one, bound.port);
  expect(dom0.domain.events.pending(port)).toBe(true);
});
