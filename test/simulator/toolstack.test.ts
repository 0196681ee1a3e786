// What a toolstack in dom0 asks of other domains by sysctl and domctl, with two domains beside it.

import { beforeEach, expect, test } from 'vitest';
import { type Member, Several } from './pair.ts';

const SYSCTL = 35;
const DOMCTL = 36;
const VERSION = 0x15n;
const INFO_BYTES = 112;
let machine: Several;
let dom0: Member;

beforeEach(() => {
  machine = new Several({ domains: [{ dom0: true }, {}, {}] });
  dom0 = machine.member(0);
});

const sysctl = (command: number, ...args: (bigint | number)[]) =>
  dom0.call(SYSCTL, dom0.put([(VERSION << 32n) | BigInt(command), ...args]));
const domctl = (command: number, domain: number, ...args: (bigint | number)[]) =>
  dom0.call(DOMCTL, dom0.put([(VERSION << 32n) | BigInt(command), domain, ...args]));

test('the list of domains: each with its flags, pages and vCPUs', () => {
  const list = dom0.address(dom0.page());
  expect(sysctl(6, 8n << 32n, list).ret).toBe(0);
  expect(dom0.view(4, dom0.scratch + 24n).getUint32(0, true)).toBe(3);
  const infos = [0, 1, 2].map((n) => dom0.view(INFO_BYTES, list + BigInt(n * INFO_BYTES)));
  expect(infos.map((info) => [info.getUint16(0, true), info.getBigUint64(8, true), info.getUint32(64, true)])).toEqual(
    [0, 1, 2].map((id) => [id, BigInt(machine.member(id).domain.pages), 1]),
  );
});

test('a domain is paused as often as it is unpaused, and says so', () => {
  const paused = (): boolean => {
    expect(domctl(5, 1).ret).toBe(0);
    return (dom0.view(INFO_BYTES, dom0.scratch + 16n).getUint32(4, true) & 8) !== 0;
  };
  expect(paused()).toBe(false);
  expect([domctl(3, 1).ret, domctl(3, 1).ret, domctl(4, 1).ret]).toEqual([0, 0, 0]);
  expect(paused()).toBe(true);
  expect(domctl(4, 1).ret).toBe(0);
  expect(paused()).toBe(false);
  expect(domctl(4, 1)).toMatchObject({ ret: -22, refusal: { rule: 'domain-not-paused' } });
});

test('the number after a domain that is gone means the next one; dom0 cannot be destroyed by itself', () => {
  expect(domctl(2, 0)).toMatchObject({ ret: -22, refusal: { rule: 'own-domain-meant' } });
  expect(domctl(2, 1).ret).toBe(0);
  expect(domctl(3, 1)).toMatchObject({ ret: -3, refusal: { rule: 'no-such-domain' } });
  expect(domctl(5, 1).ret).toBe(0);
  expect(dom0.view(2, dom0.scratch + 8n).getUint16(0, true)).toBe(2);
});

test('a toolstack of another release is refused before anything else, and a domU always', () => {
  const other = dom0.put([(0x14n << 32n) | 5n, 1]);
  expect(dom0.call(DOMCTL, other)).toMatchObject({ ret: -13, refusal: { rule: 'interface-version' } });
  const guest = machine.member(1);
  expect(guest.call(SYSCTL, guest.put([(VERSION << 32n) | 6n, 8n << 32n, guest.address(guest.page())])).ret).toBe(-1);
});
