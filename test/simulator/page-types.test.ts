// Page types: what a frame may be while it is in use as something else. Oracle: the rules of Xen 4.17 (return values as recorded on
// real Xen where they are known).

import { beforeEach, describe, expect, test } from 'vitest';
import { Guest, NEW_BASEPTR, PIN_L1, PIN_L2, PIN_L4, UNPIN } from './guest.ts';
import { checkInvariants } from './invariants.ts';

const EINVAL = -22;
const EBUSY = -16;
const EPERM = -1;
const READ_ONLY = 1n;
const READ_WRITE = 3n;

describe('page types', () => {
  let g: Guest;
  let page: number;
  beforeEach(() => {
    g = new Guest();
    page = g.page();
  });
  const unmap = (pfn: number) => g.updateVa(g.address(pfn), 0n);

  test('a page that is mapped writable cannot be pinned as a level 1 table, and the refusal says where it is mapped', () => {
    const { ret, refusal } = g.mmuext(PIN_L1, g.mfn(page));
    expect(ret).toBe(EINVAL);
    expect(refusal).toMatchObject({
      rule: 'frame-has-other-type',
      facts: { wanted: 'l1', mappedAt: [`0x${g.address(page).toString(16)}`] },
    });
    expect(refusal!.xenLine?.template).toBe('bad-type');
  });

  test('a pinned level 1 table cannot be mapped writable', () => {
    expect(g.updateVa(g.address(page), g.entry(page, READ_ONLY)).ret).toBe(0);
    expect(g.mmuext(PIN_L1, g.mfn(page)).ret).toBe(0);
    const { ret, refusal } = g.updateVa(g.address(page), g.entry(page, READ_WRITE));
    expect(ret).toBe(EBUSY);
    expect(refusal).toMatchObject({
      rule: 'table-mapped-writable',
      facts: { frame: { type: 'l1', pinned: true, heldSince: { by: 'mmuext_op.PIN_L1_TABLE' } } },
    });
    expect(g.fact(page)).toMatchObject({ type: 'l1', typeCount: 1, pinned: true });
  });

  test('unpinning gives the page back: it can be mapped writable again', () => {
    g.updateVa(g.address(page), g.entry(page, READ_ONLY));
    g.mmuext(PIN_L1, g.mfn(page));
    expect(g.mmuext(UNPIN, g.mfn(page)).ret).toBe(0);
    expect(g.updateVa(g.address(page), g.entry(page, READ_WRITE)).ret).toBe(0);
    expect(g.fact(page)).toMatchObject({ type: 'writable', typeCount: 1 });
  });

  test('a table can be pinned once, and only a pinned one unpinned', () => {
    unmap(page);
    expect(g.mmuext(UNPIN, g.mfn(page)).refusal?.rule).toBe('table-not-pinned');
    expect(g.mmuext(PIN_L1, g.mfn(page)).ret).toBe(0);
    expect(g.mmuext(PIN_L1, g.mfn(page))).toMatchObject({ ret: EINVAL, refusal: { rule: 'table-pinned-already' } });
    expect(g.fact(page)).toMatchObject({ typeCount: 1, references: 2 });
  });

  test('pinning audits every entry: one that maps a page table writable is refused, and nothing is held afterwards', () => {
    const data = g.page(1);
    const root = g.hv.domain.built.root;
    const before = g.fact(data);
    g.words(g.address(page), g.entry(data, READ_WRITE), (BigInt(root) << 12n) | READ_WRITE);
    unmap(page);
    const { ret, refusal } = g.mmuext(PIN_L1, g.mfn(page));
    expect(ret).toBe(EBUSY);
    expect(refusal).toMatchObject({ rule: 'table-mapped-writable', facts: { path: [`l1 table 0x${g.mfn(page).toString(16)} slot 1`] } });
    expect(g.fact(page)).toMatchObject({ type: 'none', typeCount: 0 });
    expect(g.fact(data)).toEqual(before);
  });

  test('a level 2 table takes its level 1 tables with it, recursively, and lets them go again', () => {
    const l1 = g.page(1);
    const data = g.page(2);
    g.words(g.address(l1), g.entry(data, READ_WRITE));
    g.words(g.address(page), g.entry(l1, 0x67));
    unmap(page);
    unmap(l1);
    expect(g.mmuext(PIN_L2, g.mfn(page)).ret).toBe(0);
    expect(g.fact(l1)).toMatchObject({ type: 'l1', typeCount: 1 });
    expect(g.fact(data)).toMatchObject({ type: 'writable', typeCount: 2 });
    expect(g.mmuext(UNPIN, g.mfn(page)).ret).toBe(0);
    expect(g.fact(l1)).toMatchObject({ type: 'none', typeCount: 0 });
    expect(g.fact(data)).toMatchObject({ type: 'writable', typeCount: 1 });
  });

  test('entries get the bits that Xen sets: user everywhere, bit 52 on kernel pages, global on user pages', () => {
    const { mfn, slot } = g.tableFor(g.address(page));
    g.updateVa(g.address(page), g.entry(page, 0x1n));
    expect(g.hv.memory.ram.entry(mfn, slot)).toBe(g.entry(page, 0x5n) | (1n << 52n));
    g.updateVa(g.address(page), g.entry(page, 0x5n));
    expect(g.hv.memory.ram.entry(mfn, slot)).toBe(g.entry(page, 0x105n));
  });

  test('a level 1 entry for a frame that is no RAM is -EPERM, for a free frame -EBUSY', () => {
    expect(g.updateVa(g.address(page), 0xfffff000003n)).toMatchObject({ ret: EPERM, refusal: { rule: 'frame-is-no-ram' } });
    const free = BigInt(g.hv.memory.ram.base + g.hv.memory.ram.frames - 1);
    expect(g.updateVa(g.address(page), (free << 12n) | READ_ONLY)).toMatchObject({ ret: EBUSY, refusal: { rule: 'frame-not-yours' } });
  });

  test('superpages, caching bits and the global bit of upper levels are refused by name', () => {
    expect(g.updateVa(g.address(page), g.entry(page, 0x13)).refusal).toMatchObject({ rule: 'entry-flags', facts: { flags: '0x10' } });
    const root = BigInt(g.hv.domain.built.root) << 12n;
    expect(g.mmuUpdate(root | (8n * 300n), g.entry(page, 0x83)).refusal).toMatchObject({
      rule: 'entry-flags',
      facts: { level: 4, flags: '0x80' },
    });
  });

  test('the slots of Xen in a top-level table cannot be changed', () => {
    const root = BigInt(g.hv.domain.built.root) << 12n;
    expect(g.mmuUpdate(root | (8n * 258n), 0n)).toMatchObject({ ret: EINVAL, refusal: { rule: 'l4-slot-of-xen' } });
  });

  test('a table may name itself read only (linear page table), but not writable', () => {
    const root = g.hv.domain.built.root;
    const at = (BigInt(root) << 12n) | (8n * 280n);
    expect(g.mmuUpdate(at, (BigInt(root) << 12n) | 0x67n).ret).toBe(EINVAL);
    const before = g.hv.memory.frames.fact(root);
    expect(g.mmuUpdate(at, (BigInt(root) << 12n) | 0x65n).ret).toBe(0);
    expect(g.hv.memory.frames.fact(root)).toEqual(before);
    expect(g.mmuUpdate(at, 0n).ret).toBe(0);
  });

  test('another top-level table may be used linearly only while it is a validated one', () => {
    const l4 = g.page(1);
    g.words(g.address(l4), 0);
    unmap(l4);
    const at = (BigInt(g.hv.domain.built.root) << 12n) | (8n * 280n);
    const linear = (BigInt(g.mfn(l4)) << 12n) | 0x65n;
    expect(g.mmuext(PIN_L4, g.mfn(l4)).ret).toBe(0);
    expect(g.mmuUpdate(at, linear).ret).toBe(0);
    expect(g.fact(l4)).toMatchObject({ type: 'l4', typeCount: 2 });
    expect(g.mmuUpdate(at, 0n).ret).toBe(0);
    expect(g.fact(l4)).toMatchObject({ typeCount: 1 });
    expect(checkInvariants(g.hv)).toEqual([]);
  });

  test('a store by mmu_update into a page that is no table is an ordinary store', () => {
    expect(g.mmuUpdate((BigInt(g.mfn(page)) << 12n) | 16n, 0x1234n).ret).toBe(0);
    expect(g.bytes(g.address(page), 24).getBigUint64(16, true)).toBe(0x1234n);
  });

  test('a base pointer must be a valid top-level table; the old one is let go', () => {
    expect(g.mmuext(NEW_BASEPTR, g.mfn(page)).ret).toBe(EINVAL);
    const old = g.hv.domain.built.root;
    const copy = g.page(1);
    const kernel = g.hv.memory.ram.entry(old, 511);
    g.words(g.address(copy) + 511n * 8n, kernel);
    g.updateVa(g.address(copy), g.entry(copy, READ_ONLY));
    expect(g.mmuext(PIN_L4, g.mfn(copy)).ret).toBe(0);
    expect(g.mmuext(NEW_BASEPTR, g.mfn(copy)).ret).toBe(0);
    expect(g.hv.memory.frames.fact(old)).toMatchObject({ type: 'l4', typeCount: 1, pinned: true });
    expect(g.mmuext(UNPIN, old).ret).toBe(0);
    expect(g.hv.memory.frames.fact(old)).toMatchObject({ type: 'none', typeCount: 0 });
    expect(checkInvariants(g.hv)).toEqual([]);
  });

  test('a GDT page must be free of system descriptors and is not writable while it is in use', () => {
    g.words(g.address(page), 0, 0x00cf9b000000ffffn, 0x0000890000000067n);
    g.updateVa(g.address(page), g.entry(page, READ_ONLY));
    expect(g.call(2, g.words(g.scratch, g.mfn(page)), 512).refusal?.rule).toBe('descriptor-not-allowed');
    g.updateVa(g.address(page), g.entry(page, READ_WRITE));
    g.words(g.address(page) + 16n, 0);
    g.updateVa(g.address(page), g.entry(page, READ_ONLY));
    expect(g.call(2, g.words(g.scratch, g.mfn(page)), 512).ret).toBe(0);
    // Privilege of the code segment became 3.
    expect(g.bytes(g.address(page), 16).getBigUint64(8, true)).toBe(0x00cffb000000ffffn);
    expect(g.updateVa(g.address(page), g.entry(page, READ_WRITE))).toMatchObject({
      ret: EBUSY,
      refusal: { facts: { frame: { type: 'seg_desc' } } },
    });
    expect(g.call(10, (BigInt(g.mfn(page)) << 12n) | 16n, 0x00cff3000000ffffn).ret).toBe(0);
  });
});
