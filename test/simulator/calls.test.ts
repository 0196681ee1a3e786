// Hypercalls one by one: answers and refusals. Return values are those recorded on real Xen 4.17 where a line of the recorded self
// test guest covers the case.

import { describe, expect, test } from 'vitest';
import { offsetOf } from '../../abi/layout.ts';
import { findRule } from '../../abi/rules/catalogue.ts';
import { DOMID_SELF, Guest } from './guest.ts';
import { checkInvariants } from './invariants.ts';

const ENOSYS = -38;
const EINVAL = -22;
const ENOENT = -2;
const EFAULT = -14;
const EEXIST = -17;
const EPERM = -1;

const g = new Guest();
const u32 = (...values: number[]): bigint => {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, n) => {
    new DataView(bytes.buffer).setUint32(n * 4, value, true);
  });
  g.hv.guest.write(g.hv.current.root, g.scratch, bytes);
  return g.scratch;
};

describe('calls that Xen does not have', () => {
  test.each([11, 38, 63, 127])('hypercall %i is -ENOSYS as on real Xen', (nr) => {
    expect(g.call(nr)).toMatchObject({ ret: ENOSYS, unimplemented: false, refusal: { rule: 'no-such-operation' } });
  });

  test('unknown operations of known calls are -ENOSYS', () => {
    for (const [nr, ...args] of [
      [17, 99],
      [12, 63, g.scratch],
      [32, 77, g.scratch],
      [29, 55],
      [26, g.words(g.scratch, 99, 0, 0), 1, 0, DOMID_SELF],
    ] as const) {
      expect(g.call(nr, ...args)).toMatchObject({ ret: ENOSYS, unimplemented: false });
    }
  });

  test('what only the simulator lacks is -ENOSYS and says so', () => {
    const dom0 = new Guest({ dom0: true });
    const { ret, unimplemented, refusal } = dom0.call(37, 0, dom0.scratch);
    expect([ret, unimplemented, refusal?.rule]).toEqual([ENOSYS, true, 'not-implemented']);
    expect(dom0.records.at(-1)).toMatchObject({
      kind: 'hypercall',
      name: 'kexec_op',
      reason: 'not implemented by the simulator',
      unimplemented: true,
    });
  });

  test('calls for dom0 are -EPERM for a domU', () => {
    expect(g.call(18, 0, 5, g.scratch)).toMatchObject({ ret: EPERM });
  });
});

describe('xen_version', () => {
  test('says 4.17 with the features of the recorded host', () => {
    expect(g.call(17, 0).ret).toBe(0x40011);
    expect(g.call(17, 7).ret).toBe(4096);
    expect(g.call(17, 6, u32(0, 0)).ret).toBe(0);
    expect(g.bytes(g.scratch, 8).getUint32(4, true)).toBe(0x220e0);
    expect(g.call(17, 6, u32(1, 0)).ret).toBe(EINVAL);
  });

  test('a bad pointer is -EFAULT and named', () => {
    expect(g.call(17, 1, 0x10)).toMatchObject({ ret: EFAULT, refusal: { rule: 'argument-not-accessible', facts: { address: '0x10' } } });
    expect(g.call(17, 1, 0xffff800000000000n).ret).toBe(EFAULT);
  });
});

describe('event channels', () => {
  test('bind, status, close, and close again', () => {
    const bind = g.call(32, 1, u32(0, 0, 0));
    const port = g.bytes(g.scratch, 12).getUint32(8, true);
    expect([bind.ret, port]).toEqual([0, 3]);
    expect(g.call(32, 1, u32(0, 0, 0))).toMatchObject({ ret: EEXIST, refusal: { facts: { virq: 'VIRQ_TIMER', port: 3 } } });
    expect(g.call(32, 5, u32(0x7ff0, port, 0, 0, 0, 0)).ret).toBe(0);
    expect(g.bytes(g.scratch, 12).getUint32(8, true)).toBe(4);
    expect(g.call(32, 3, u32(port)).ret).toBe(0);
    expect(g.call(32, 3, u32(port)).ret).toBe(EINVAL);
    expect(g.call(32, 3, u32(99999)).ret).toBe(EINVAL);
  });

  test('an event to oneself through an interdomain pair sets pending, selector and upcall bits', () => {
    g.call(32, 6, u32(0x7ff0 | (0x7ff0 << 16), 0));
    const unbound = g.bytes(g.scratch, 8).getUint32(4, true);
    expect(g.call(32, 0, u32(0x7ff0, unbound, 0)).ret).toBe(0);
    const local = g.bytes(g.scratch, 12).getUint32(8, true);
    const { events } = g.hv.domain;
    const info = g.hv.vcpuInfo(g.hv.current);
    info.fill(0, 0, 1);
    info.fill(0, 8, 16);
    expect(g.call(32, 4, u32(local)).ret).toBe(0);
    expect([events.pending(unbound), events.upcallPending(0), info[8]]).toEqual([true, true, 1]);
  });

  test('a masked event stays pending and is delivered by unmask', () => {
    g.call(32, 7, u32(0, 0));
    const port = g.bytes(g.scratch, 8).getUint32(4, true);
    const shared = g.hv.memory.ram.page(g.hv.domain.sharedInfo);
    shared[0xa00 + (port >> 3)]! |= 1 << (port & 7);
    const info = g.hv.vcpuInfo(g.hv.current);
    info.fill(0, 0, 1);
    info.fill(0, 8, 16);
    g.call(32, 4, u32(port));
    expect(g.hv.domain.events.upcallPending(0)).toBe(false);
    expect(g.records.some((r) => r.kind === 'event' && r.action === 'masked' && r.port === port)).toBe(true);
    expect(g.call(32, 9, u32(port)).ret).toBe(0);
    expect(g.hv.domain.events.upcallPending(0)).toBe(true);
  });
});

describe('vcpu_op', () => {
  test('knows which vCPUs exist and are up', () => {
    expect(g.call(24, 3, 0).ret).toBe(1);
    expect(g.call(24, 3, 7)).toMatchObject({ ret: ENOENT, refusal: { rule: 'no-such-vcpu' } });
    expect(g.call(24, 7, 0).ret).toBe(0);
  });

  test('moves vcpu_info once, into a page that must stay writable', () => {
    const two = new Guest({ vcpus: 2 });
    const page = two.page();
    const address = two.words(two.scratch, two.mfn(page), 64n);
    expect(two.call(24, 10, 0, address).ret).toBe(0);
    expect(two.hv.current.info).toMatchObject({ mfn: two.mfn(page), offset: 64 });
    expect(two.bytes(two.address(page) + 64n, 2).getUint8(0)).toBe(1);
    expect(two.call(24, 10, 0, address)).toMatchObject({ ret: EINVAL, refusal: { rule: 'vcpu-info-moved-already' } });
    expect(checkInvariants(two.hv)).toEqual([]);
  });

  test('a second vCPU needs a context before it can be brought up', () => {
    const two = new Guest({ vcpus: 2 });
    expect(two.call(24, 1, 1).refusal?.rule).toBe('vcpu-not-initialised');
    const context = two.address(two.page(10));
    const root = BigInt(two.hv.domain.built.root) << 12n;
    const put = (path: string, value: bigint) => two.words(context + BigInt(offsetOf('vcpu_guest_context', 64, path)), value);
    for (let page = 0; page < 2; page++) two.words(context + BigInt(page * 4096), ...new Array(512).fill(0));
    put('user_regs.rip', 0xffffffff80001000n);
    put('ctrlreg[3]', root);
    put('user_regs.rflags', 0x200n);
    expect(two.call(24, 0, 1, context).ret).toBe(0);
    expect(two.call(24, 0, 1, context).ret).toBe(EEXIST);
    expect(two.call(24, 1, 1).ret).toBe(0);
    expect(two.call(24, 3, 1).ret).toBe(1);
    expect(two.hv.domain.vcpus[1]!.cpu.rip).toBe(0xffffffff80001000n);
    expect(two.hv.memory.frames.fact(two.hv.domain.built.root)).toMatchObject({ typeCount: 3 });
    expect(checkInvariants(two.hv)).toEqual([]);
  });
});

describe('memory_op', () => {
  test('tells reservations, and takes frames back that the guest can ask for again', () => {
    const domid = () => u32(0x7ff0);
    expect(g.call(12, 3, domid()).ret).toBe(8 * 256);
    expect(g.call(12, 4, domid()).ret).toBe(8 * 256 + 256);
    const page = g.page(20);
    g.updateVa(g.address(page), 0n);
    const list = g.words(g.scratch + 512n, g.mfn(page));
    const reservation = () => g.words(g.scratch, list, 1, 0, 0x7ff0);
    expect(g.call(12, 1, reservation()).ret).toBe(1);
    expect(g.call(12, 3, domid()).ret).toBe(8 * 256 - 1);
    expect(g.fact(page)).toMatchObject({ references: 0 });
    g.words(list, page);
    expect(g.call(12, 6, reservation()).ret).toBe(1);
    const mfn = g.bytes(list, 8).getBigUint64(0, true);
    expect(g.hv.memory.frames.m2p[Number(mfn) - g.hv.memory.ram.base]).toBe(page);
    expect(checkInvariants(g.hv)).toEqual([]);
  });

  test('stops at a frame that is not the guest’s and says how far it came', () => {
    const list = g.words(g.scratch + 512n, 0x10, 0x11);
    expect(g.call(12, 1, g.words(g.scratch, list, 2, 0, 0x7ff0))).toMatchObject({
      ret: 0,
      refusal: { rule: 'fewer-extents', facts: { done: 0, asked: 2 } },
    });
  });

  test('a frame still mapped is gone only when the last mapping goes', () => {
    const page = g.page(21);
    const mfn = g.mfn(page);
    const list = g.words(g.scratch + 512n, mfn);
    expect(g.call(12, 1, g.words(g.scratch, list, 1, 0, 0x7ff0)).ret).toBe(1);
    expect(g.hv.memory.frames.fact(mfn)).toMatchObject({ owner: 1, references: 1, type: 'writable' });
    g.updateVa(g.address(page), 0n);
    expect(g.hv.memory.frames.fact(mfn).owner).toBeUndefined();
    expect(checkInvariants(g.hv)).toEqual([]);
  });
});

describe('other calls', () => {
  test('debug registers have the values and limits of the processor', () => {
    expect(g.call(9, 7).ret).toBe(0x400);
    expect(g.call(8, 0, 0x1000).ret).toBe(0);
    expect(g.call(8, 4, 0).ret).toBe(0);
    expect(g.call(8, 0, 0xffff800000000000n).ret).toBe(EPERM);
    expect(g.call(8, 7, 0x2000).ret).toBe(EPERM);
    expect(g.call(9, 9).ret).toBe(-19);
  });

  test('the grant table has one frame and may have 64', () => {
    expect(g.call(20, 6, u32(0x7ff0, 0, 0, 0), 1).ret).toBe(0);
    expect([g.bytes(g.scratch, 16).getUint32(4, true), g.bytes(g.scratch, 16).getUint32(8, true)]).toEqual([1, 64]);
    expect(g.call(20, 8, u32(1), 1).ret).toBe(0);
    expect(g.call(20, 8, u32(2), 1).ret).toBe(0);
    expect(g.call(20, 8, u32(1), 1).ret).toBe(0);
    expect(g.call(20, 8, u32(7), 1).ret).toBe(EINVAL);
  });

  test('a multicall carries all entries out and keeps each result', () => {
    const entries: number[] = [];
    for (const [op, a, b] of [
      [17, 0, 0],
      [24, 3, 7],
      [17, 7, 0],
    ])
      entries.push(op!, 0, a!, b!, 0, 0, 0, 0);
    const list = g.words(g.scratch + 256n, ...entries);
    const { ret, refusal } = g.call(13, list, 3);
    expect(ret).toBe(0);
    expect(refusal).toMatchObject({ rule: 'no-such-vcpu', facts: { entry: 1, call: 'vcpu_op' } });
    const results = [0, 1, 2].map((n) => Number(BigInt.asIntN(64, g.bytes(list + BigInt(n * 64 + 8), 8).getBigUint64(0, true))));
    expect(results).toEqual([0x40011, ENOENT, 4096]);
  });

  test('a trap table with an address that is not canonical is refused at that entry', () => {
    g.words(g.scratch, 0xe033_0000n | 0n, 0xffffffff80001000n, 1n, 0x0000800000000000n, 0, 0);
    expect(g.call(0, g.scratch)).toMatchObject({ ret: EINVAL, refusal: { rule: 'address-not-canonical' } });
    expect(g.hv.current.traps[0]!.address).toBe(0xffffffff80001000n);
    expect(g.call(0, 0).ret).toBe(0);
    expect(g.hv.current.traps[0]!.address).toBe(0n);
  });

  test('every refusal so far has its rule in the catalogue, with the errno that it names', () => {
    const refused = g.records.flatMap((r) => (r.kind === 'hypercall' && r.refusal ? [r.refusal] : []));
    expect(refused.length).toBeGreaterThan(20);
    for (const { rule, errno } of refused) {
      const row = findRule(rule);
      expect(row, rule).not.toBeNull();
      expect(row && 'errnos' in row ? row.errnos : [], rule).toContain(errno);
    }
  });
});
