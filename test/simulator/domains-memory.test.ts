// Memory of other domains: frames belong to one, and only dom0 may map, change or look at those of others.

import { expect, test } from 'vitest';
import { type Member, Several } from './pair.ts';

const MMU_UPDATE = 1;
const UPDATE_VA_MAPPING = 14;
const UPDATE_VA_MAPPING_OTHER_DOMAIN = 22;
const MMUEXT_OP = 26;
const PIN_L1 = 0;
const CLEAR_PAGE = 16;
const SELF = 0x7ff0;
const IO = 0x7ff1;
const XEN = 0x7ff2;
const COW = 0x7ff3;
const EPERM = -1;
const ESRCH = -3;
const EBUSY = -16;
const EINVAL = -22;
const WRITABLE = 0x67;
const READABLE = 0x65;

/** Maps a frame at the address of an unused page of the caller. */
const map = (by: Member, entry: bigint, owner: number) => by.call(UPDATE_VA_MAPPING_OTHER_DOMAIN, by.address(by.page(1)), entry, 2, owner);

const dom0AndTwo = () => {
  const machine = new Several({ domains: [{ dom0: true }, {}, {}] });
  return { machine, dom0: machine.member(0), one: machine.member(1), two: machine.member(2) };
};

test('a domain cannot map a frame of another, neither as its own nor by naming the other', () => {
  const { one, two } = dom0AndTwo();
  const plain = one.call(UPDATE_VA_MAPPING, one.address(one.page(1)), two.entry(two.page(), READABLE), 2);
  expect(plain).toMatchObject({ ret: EBUSY, refusal: { rule: 'frame-not-yours', facts: { domain: 1, frame: { owner: 2 } } } });
  const named = map(one, two.entry(two.page(), READABLE), 2);
  expect(named.ret).toBe(EPERM);
  expect(named.refusal!.facts.what).toBe('frames of domain 2 by domain 1');
});

test('dom0 maps a frame of another domain by naming it, and sees what its owner writes', () => {
  const { machine, dom0, one } = dom0AndTwo();
  expect(map(dom0, one.entry(one.page(), WRITABLE), SELF).ret).toBe(EBUSY);
  expect(map(dom0, one.entry(one.page(), WRITABLE), 1).ret).toBe(0);
  one.put([0x1122334455667788n], 8, one.address(one.page()));
  expect(dom0.view(8, dom0.address(dom0.page(1))).getBigUint64(0, true)).toBe(0x1122334455667788n);
  const { frames, ram } = machine.hv.memory;
  const index = ram.index(one.mfn(one.page()));
  expect([frames.owner[index], frames.references[index], frames.typeCount[index]]).toEqual([1, 3, 2]);
  expect(map(dom0, 0n, 1).ret).toBe(0);
  expect([frames.references[index], frames.typeCount[index]]).toEqual([2, 1]);
});

test('a page table of another domain can be mapped read only, never writable; while dom0 has a page writable it becomes no table', () => {
  const { dom0, one } = dom0AndTwo();
  const table = one.domain.built.root;
  const entry = (flags: number): bigint => (BigInt(table) << 12n) | BigInt(flags);
  expect(map(dom0, entry(WRITABLE), 1).ret).toBe(EBUSY);
  expect(map(dom0, entry(READABLE), 1).ret).toBe(0);
  const page = one.page(2);
  expect(one.call(UPDATE_VA_MAPPING, one.address(page), one.entry(page, READABLE), 2).ret).toBe(0);
  expect(map(dom0, one.entry(page, WRITABLE), 1).ret).toBe(0);
  const pin = () => one.call(MMUEXT_OP, one.put([PIN_L1, one.mfn(page), 0]), 1, 0, SELF);
  expect(pin()).toMatchObject({ ret: EINVAL, refusal: { rule: 'frame-has-other-type' } });
  expect(map(dom0, 0n, 1).ret).toBe(0);
  expect(pin().ret).toBe(0);
});

test('dom0 changes page tables of another domain with mmu_update, and they may name frames of that domain alone', () => {
  const { machine, dom0, one, two } = dom0AndTwo();
  const target = one.address(one.page(3));
  const step = machine.hv.memory.walker.steps(one.vcpu.root, target).find(({ level }) => level === 1)!;
  const slot = (BigInt(step.mfn) << 12n) + BigInt(step.index * 8);
  const update = (by: Member, value: bigint, tables: number, pages: number) =>
    by.call(MMU_UPDATE, by.put([slot, value]), 1, 0, ((tables + 1) << 16) | pages);
  expect(update(dom0, one.entry(one.page(4), READABLE), 1, 1).ret).toBe(0);
  expect(machine.hv.memory.walker.peek(one.vcpu.root, target)).toBe(one.mfn(one.page(4)) * 4096);
  expect(update(dom0, two.entry(two.page(), READABLE), 1, 1).ret).toBe(EBUSY);
  expect(update(two, one.entry(one.page(4), READABLE), 1, SELF).ret).toBe(EPERM);
  expect(update(dom0, 0n, 9, SELF).ret).toBe(ESRCH);
});

test('mmuext_op acts on frames of another domain for dom0 only', () => {
  const { machine, dom0, one, two } = dom0AndTwo();
  const page = one.page(2);
  machine.hv.memory.ram.page(one.mfn(page)).fill(7);
  const clear = (by: Member, owner: number) => by.call(MMUEXT_OP, by.put([CLEAR_PAGE, one.mfn(page), 0]), 1, 0, owner);
  expect(clear(two, 1).ret).toBe(EPERM);
  expect(clear(dom0, 2).ret).toBe(EINVAL);
  expect(clear(dom0, 1).ret).toBe(0);
  expect(machine.hv.memory.ram.page(one.mfn(page)).every((byte) => byte === 0)).toBe(true);
});

test('DOMID_COW, a domain that is not there and the own number are no owners', () => {
  const { dom0, one } = dom0AndTwo();
  const entry = one.entry(one.page(), READABLE);
  expect(map(dom0, entry, COW).ret).toBe(ESRCH);
  expect(map(dom0, entry, 9).ret).toBe(ESRCH);
  const own = map(one, entry, 1);
  expect(own).toMatchObject({ ret: ESRCH, refusal: { rule: 'own-number-as-foreign' } });
  expect(map(one, entry, IO).ret).toBe(EPERM);
  expect(map(dom0, entry, IO).ret).toBe(EBUSY);
});

test("Xen's table of machine frames can be mapped by dom0, read only", () => {
  const { machine, dom0, one } = dom0AndTwo();
  const frame = BigInt(machine.hv.memory.m2p.frame(Number(one.mfn(0)) * 8)) << 12n;
  expect(map(dom0, frame | BigInt(WRITABLE), XEN).ret).toBe(EBUSY);
  expect(map(dom0, frame | BigInt(READABLE), XEN).ret).toBe(0);
  expect(map(one, frame | BigInt(READABLE), XEN).ret).toBe(EPERM);
});

const MEMORY_OP = 12;
const INCREASE = 0;
const DECREASE = 1;
const CURRENT = 3;
const ACQUIRE = 28;
const GRANT_TABLE = 1;
const VMTRACE = 2;

test('dom0 gives another domain frames and takes them away, and reads how many it has; others may not', () => {
  const { machine, dom0, one, two } = dom0AndTwo();
  const pages = one.domain.pages;
  const list = dom0.address(dom0.page(2));
  const change = (by: Member, command: number, domid: number): number => {
    // xen_memory_reservation: extents, their number and order, flags, domain.
    const address = by.put([by === dom0 ? list : by.address(by.page(2)), 4n, 0n, BigInt(domid)]);
    by.vcpu.cpu.setReg(0, 0n);
    return by.call(MEMORY_OP, command, address).ret;
  };
  const current = (by: Member, domid: number): number => by.call(MEMORY_OP, CURRENT, by.put([domid], 2)).ret;
  expect(change(dom0, INCREASE, 1)).toBe(4);
  expect([current(dom0, 1), one.domain.pages]).toEqual([pages + 4, pages + 4]);
  const frames = dom0.view(32, list);
  const owner = (n: number) => machine.hv.memory.frames.fact(Number(frames.getBigUint64(8 * n, true)) as never).owner;
  expect([0, 1, 2, 3].map(owner)).toEqual([1, 1, 1, 1]);
  expect(change(dom0, DECREASE, 2)).toBe(0);
  expect(change(dom0, DECREASE, 1)).toBe(4);
  expect(current(dom0, 1)).toBe(pages);
  expect([change(two, INCREASE, 1), current(two, 1), current(two, 2), current(dom0, 9)]).toEqual([0, EPERM, two.domain.pages, ESRCH]);
});

test("dom0 acquires the frames of another domain's grant table and maps them; vmtrace and the own table are refused", () => {
  const { dom0, one, two } = dom0AndTwo();
  const list = dom0.address(dom0.page(2));
  // xen_mem_acquire_resource: domid u16, type u16, id u32, nr_frames u32, pad u32, frame u64, list.
  const acquire = (by: Member, domid: number, type: number, count: number, into: bigint) => {
    const address = by.put([BigInt(domid) | (BigInt(type) << 16n), BigInt(count), 0n, into]);
    return { ret: by.call(MEMORY_OP, ACQUIRE, address).ret, count: by.view(16).getUint32(8, true) };
  };
  expect(acquire(dom0, 1, GRANT_TABLE, 0, 0n)).toEqual({ ret: 0, count: 64 });
  expect(acquire(dom0, 1, GRANT_TABLE, 2, list).ret).toBe(0);
  const frames = dom0.view(16, list);
  const mfn = frames.getBigUint64(0, true);
  expect([Number(mfn), Number(frames.getBigUint64(8, true))]).toEqual(one.domain.grants.frames.slice(0, 2));
  expect(map(dom0, (mfn << 12n) | BigInt(WRITABLE), 1).ret).toBe(0);
  expect(acquire(dom0, 1, VMTRACE, 0, 0n).ret).toBe(EINVAL);
  expect(acquire(dom0, 0, GRANT_TABLE, 1, list).ret).toBe(EPERM);
  expect(acquire(two, 1, GRANT_TABLE, 1, list).ret).toBe(EPERM);
  expect(acquire(dom0, 9, GRANT_TABLE, 1, list).ret).toBe(ESRCH);
});
