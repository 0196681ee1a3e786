// Grants between domains, by hand: what both tables show, what the frames count, what is refused and how it is told. What a domain
// answers to itself is compared with real Xen in test/conformance.

import { describe, expect, test } from 'vitest';
import { grantFlags as F, grantMapFlags as M, grantStatuses as S } from '../../abi/constants/grant.table.ts';
import { type StructureName, StructView, sizeOf } from '../../abi/layout.ts';
import { explainRefusal } from '../../explain/refusal.ts';
import { activeGrants, releaseMappings } from '../../simulator/hypervisor/grants/release.ts';
import { grantViews } from '../../simulator/hypervisor/grants/report.ts';
import { type Member, Several } from './pair.ts';

const GRANT_TABLE_OP = 20;
type Fields = Readonly<Record<string, bigint | number>>;

/** Makes one operation of a list of one, or several; returns its structures afterwards. */
function operations(member: Member, number: number, name: StructureName, list: readonly Fields[]) {
  const size = sizeOf(name, 64);
  const bytes = new Uint8Array(list.length * size);
  for (const [n, fields] of list.entries()) {
    const view = new StructView(name, 64, bytes, n * size);
    for (const [path, value] of Object.entries(fields)) view.set(path, value);
  }
  member.put([...bytes].length ? Array.from(new BigUint64Array(bytes.buffer)) : [0n]);
  const result = member.call(GRANT_TABLE_OP, number, member.scratch, list.length);
  const after = new Uint8Array(member.view(bytes.length).buffer);
  return { ...result, ops: list.map((_, n) => new StructView(name, 64, after, n * size)) };
}

const map = (member: Member, fields: Fields) => {
  const { ops, ...result } = operations(member, 0, 'gnttab_map_grant_ref', [{ flags: M.GNTMAP_host_map, ...fields }]);
  return { ...result, status: ops[0]!.number('status'), handle: ops[0]!.number('handle') };
};
const unmap = (member: Member, host_addr: bigint, handle: number) => {
  const { ops, ...result } = operations(member, 1, 'gnttab_unmap_grant_ref', [{ host_addr, handle }]);
  return { ...result, status: ops[0]!.number('status') };
};

/** The guest writes an entry of its table (version 1). */
function grant({ domain }: Member, machine: Several, ref: number, to: number, mfn: number, flags: number = F.GTF_permit_access): void {
  const { ram } = machine.hv.memory;
  ram.setEntry(domain.grants.frames[0]!, ref, BigInt(flags) | (BigInt(to) << 16n) | (BigInt(mfn) << 32n));
}

const pair = () => {
  const machine = new Several();
  return { machine, one: machine.member(1), two: machine.member(2), frames: machine.hv.memory.frames };
};

describe('a page that one domain grants to another', () => {
  test('is the same memory in both, counted for each, until it is unmapped', () => {
    const { machine, one, two, frames } = pair();
    const { hv } = machine;
    const page = one.page();
    const at = two.address(two.page());
    const before = frames.fact(one.mfn(page));
    grant(one, machine, 9, two.id, one.mfn(page));
    const mapped = map(two, { dom: one.id, ref: 9, host_addr: at });
    expect([mapped.ret, mapped.status]).toEqual([0, S.GNTST_okay]);
    one.put([0x1234], 8, one.address(page));
    expect(two.view(8, at).getBigUint64(0, true)).toBe(0x1234n);
    expect(one.domain.grants.read(9).flags).toBe(F.GTF_permit_access | F.GTF_reading | F.GTF_writing);
    expect(frames.fact(one.mfn(page))).toMatchObject({ typeCount: before.typeCount + 1, references: before.references + 1, owner: one.id });
    expect(unmap(two, at, mapped.handle).status).toBe(S.GNTST_okay);
    expect(one.domain.grants.read(9).flags).toBe(F.GTF_permit_access);
    expect(frames.fact(one.mfn(page))).toMatchObject({ typeCount: before.typeCount, references: before.references });
    expect(hv.checker!.sweep()).toEqual([]);
  });

  test('stays mapped when the access is taken back, and is told of as a leak', () => {
    const { machine, one, two } = pair();
    grant(one, machine, 9, two.id, one.mfn(one.page()));
    const { handle } = map(two, { dom: one.id, ref: 9, host_addr: two.address(two.page()) });
    grant(one, machine, 9, 0, 0, 0);
    expect(grantViews(machine.hv).find(({ granting, ref }) => granting === 1 && ref === 9)).toMatchObject({
      to: 2,
      state: 'mapped',
      takenBack: true,
      maps: [{ domain: 2, handle, writable: true, kinds: ['host'] }],
    });
    expect(unmap(two, two.address(two.page()), handle).status).toBe(S.GNTST_okay);
    expect(machine.hv.checker!.sweep()).toEqual([]);
  });

  test('cannot become a page table of its owner meanwhile', () => {
    const { machine, one, two } = pair();
    grant(one, machine, 9, two.id, one.mfn(one.page()));
    const { handle } = map(two, { dom: one.id, ref: 9, host_addr: two.address(two.page()) });
    one.call(14, one.address(one.page()), 0n, 2);
    const pin = () => one.call(26, one.put([0, one.mfn(one.page()), 0]), 1, 0, 0x7ff0).ret;
    expect(pin()).toBe(-22);
    unmap(two, two.address(two.page()), handle);
    expect(pin()).toBe(0);
    expect(map(two, { dom: one.id, ref: 9, host_addr: two.address(two.page()) }).refusal?.rule).toBe('grant-frame-in-use');
    expect(machine.hv.checker!.sweep()).toEqual([]);
  });
});

describe('refusals say what both tables hold', () => {
  test('granted to the wrong domain', () => {
    const { machine, one, two } = pair();
    grant(one, machine, 9, 5, one.mfn(one.page()));
    const { ret, status, refusal } = map(two, { dom: one.id, ref: 9, host_addr: two.address(two.page()) });
    expect([ret, status]).toEqual([0, S.GNTST_general_error]);
    const { summary, details, hint, xenLine } = explainRefusal(refusal!);
    expect(summary).toMatch(
      /^map_grant_ref: status GNTST_general_error \(-1\): grant 9 of domain 1 permits access to domain 5, frame 0x\w+ .*; domain 2 asks\.$/,
    );
    expect(details.join(' ')).toMatch(/table of domain 1 has version 1, 1 frame of at most 64, references 0 to 511, 2 in use/);
    expect(details.join(' ')).toMatch(/Domain 2 maps 0 grants, with handles for at most 262144\./);
    expect(hint).toMatch(/domain id/);
    expect(xenLine).toBe('(XEN) Bad flags (1) or dom (5); expected d2');
  });

  test('beyond the table, of a domain that does not exist, and of a page that is not the granting domain’s', () => {
    const { machine, one, two } = pair();
    const at = two.address(two.page());
    expect(map(two, { dom: 1, ref: 512, host_addr: at })).toMatchObject({
      status: S.GNTST_bad_gntref,
      refusal: { rule: 'grant-reference' },
    });
    expect(map(two, { dom: 77, ref: 0, host_addr: at })).toMatchObject({ status: S.GNTST_bad_domain, refusal: { rule: 'no-such-domain' } });
    grant(one, machine, 9, two.id, two.mfn(two.page()));
    const { status, refusal } = map(two, { dom: 1, ref: 9, host_addr: at });
    expect([status, refusal!.rule]).toEqual([S.GNTST_bad_page, 'grant-frame']);
    expect(explainRefusal(refusal!).summary).toMatch(/grant 9 of domain 1 names frame 0x\w+.*, which is domain 2’s\.$/);
    expect(grantViews(machine.hv).filter(({ maps }) => maps.length > 0)).toEqual([]);
  });

  test('an unmap of an entry that was overwritten names the code that did it', () => {
    const { machine, one, two } = pair();
    const at = two.address(two.page());
    grant(one, machine, 9, two.id, one.mfn(one.page()));
    const { handle } = map(two, { dom: 1, ref: 9, host_addr: at });
    two.call(14, at, two.entry(two.page(), 3), 2);
    expect(
      machine.records.some(
        (record) =>
          record.kind === 'log' && /is overwritten without an unmap.*Attempt to implicitly unmap d2's grant PTE/.test(record.text),
      ),
    ).toBe(true);
    const { status, refusal } = unmap(two, at, handle);
    expect([status, refusal!.rule]).toEqual([S.GNTST_general_error, 'grant-entry-changed']);
    expect(explainRefusal(refusal!).summary).toMatch(/that the map with handle \d+ made \(overwritten at instruction 0/);
    expect(explainRefusal(refusal!).xenLine).toMatch(/^\(XEN\) PTE \w{16} for \w+ doesn't match grant \(\w{16}\)$/);
    expect(machine.hv.checker!.sweep()).toEqual([]);
  });
});

describe('between three domains', () => {
  const three = () => {
    const machine = new Several({ domains: [{}, {}, {}] });
    const members = [1, 2, 3].map((id) => machine.member(id)) as [Member, Member, Member];
    return { machine, members };
  };

  test('a grant is handed on once, for copies, and no further', () => {
    const { machine, members } = three();
    const [one, two, other] = members;
    const { ram } = machine.hv.memory;
    for (const member of members) expect(member.call(GRANT_TABLE_OP, 8, member.put([2], 4), 1).ret).toBe(0);
    const entry = (member: Member, ref: number, head: bigint, rest: bigint): void => {
      ram.setEntry(member.domain.grants.frames[0]!, 2 * ref, head);
      ram.setEntry(member.domain.grants.frames[0]!, 2 * ref + 1, rest);
    };
    const transitive = (to: Member, of: Member): bigint => BigInt(F.GTF_transitive) | (BigInt(to.id) << 16n) | (BigInt(of.id) << 32n);
    one.put([0x77], 8, one.address(one.page()));
    entry(one, 9, BigInt(F.GTF_permit_access) | (BigInt(two.id) << 16n), BigInt(one.mfn(one.page())));
    entry(two, 10, transitive(other, one), 9n);
    entry(other, 11, transitive(one, two), 10n);
    const copy = (member: Member, from: Member, ref: number): number =>
      operations(member, 5, 'gnttab_copy', [
        { 'source.u.ref': ref, 'source.domid': from.id, 'dest.u.gmfn': member.mfn(member.page(3)), 'dest.domid': 0x7ff0, len: 8, flags: 1 },
      ]).ops[0]!.number('status');
    expect(copy(other, two, 10)).toBe(S.GNTST_okay);
    expect(other.view(8, other.address(other.page(3))).getBigUint64(0, true)).toBe(0x77n);
    expect(copy(one, other, 11)).toBe(S.GNTST_general_error);
    expect([one.domain.grants.status(9), two.domain.grants.status(10), other.domain.grants.status(11)]).toEqual([0, 0, 0]);
    expect(machine.hv.checker!.sweep()).toEqual([]);
  });

  test('a frame is transferred with what is in it', () => {
    const { machine, members } = three();
    const [one, two] = members;
    const page = one.page();
    const mfn = one.mfn(page);
    one.put([0x55], 8, one.address(page));
    one.call(14, one.address(page), 0n, 2);
    grant(two, machine, 9, one.id, 700, F.GTF_accept_transfer);
    const pages = [one.domain.pages, two.domain.pages];
    expect(operations(one, 4, 'gnttab_transfer', [{ mfn, domid: two.id, ref: 9 }]).ops[0]!.number('status')).toBe(S.GNTST_okay);
    expect([one.domain.pages, two.domain.pages]).toEqual([pages[0]! - 1, pages[1]! + 1]);
    expect(two.domain.grants.read(9)).toMatchObject({ flags: 0xe, frame: BigInt(mfn) });
    expect(machine.hv.memory.frames.fact(mfn)).toMatchObject({ owner: two.id, pfn: '0x2bc' });
    expect(machine.hv.memory.ram.entry(mfn, 0)).toBe(0x55n);
    expect(machine.hv.checker!.sweep()).toEqual([]);
  });
});

test('a domain that is destroyed lets go of what it maps, and stays a zombie while others map its pages', () => {
  const { machine, one, two } = pair();
  grant(one, machine, 9, two.id, one.mfn(one.page()));
  expect(map(two, { dom: 1, ref: 9, host_addr: 0n, flags: M.GNTMAP_device_map }).status).toBe(S.GNTST_okay);
  expect(activeGrants(one.domain).filter(({ ref }) => ref === 9)).toEqual([{ ref: 9, mfn: one.mfn(one.page()), by: 2 }]);
  two.domain.dying = 'dying';
  expect(releaseMappings(machine.hv, two.domain)).toBe(1);
  expect(activeGrants(one.domain).filter(({ ref }) => ref === 9)).toEqual([]);
  expect(one.domain.grants.read(9).flags).toBe(F.GTF_permit_access);
  expect(machine.hv.memory.frames.fact(one.mfn(one.page()))).toMatchObject({ typeCount: 1 });
});

test('a list that is interrupted after every element ends as one that is not', () => {
  const outcomes = (['off', 'every-step'] as const).map((preemption) => {
    const machine = new Several({ more: { preemption } });
    const [one, two] = [machine.member(1), machine.member(2)];
    for (let n = 0; n < 40; n++) grant(one, machine, 10 + n, n % 5 === 4 ? 7 : two.id, one.mfn(one.page(n % 8)));
    const maps = operations(
      two,
      0,
      'gnttab_map_grant_ref',
      Array.from({ length: 40 }, (_, n) => ({ dom: 1, ref: 10 + n, flags: M.GNTMAP_device_map | M.GNTMAP_readonly })),
    );
    const mapped = maps.ops.map((op) => op.number('status'));
    const gone = operations(
      two,
      1,
      'gnttab_unmap_grant_ref',
      maps.ops.map((op) => ({ dev_bus_addr: op.big('dev_bus_addr'), handle: op.number('handle') })),
    );
    expect(machine.hv.checker!.sweep()).toEqual([]);
    return { mapped, left: gone.ops.map((op) => op.number('status')), rule: maps.refusal?.rule };
  });
  expect(outcomes[1]).toEqual(outcomes[0]);
  expect(outcomes[0]!.mapped.filter((status) => status !== 0)).toHaveLength(8);
});

describe('the checker sees', () => {
  test('a grant that counts a use that nobody has', () => {
    const { machine, one, two } = pair();
    grant(one, machine, 9, two.id, one.mfn(one.page()));
    map(two, { dom: 1, ref: 9, host_addr: two.address(two.page()) });
    one.domain.grants.active.get(9)!.pins.hostRead++;
    expect(machine.hv.checker!.sweep().join()).toMatch(/grant 9 of domain 1 counts 1 uses \(hostRead\), there are 0 maps/);
  });

  test('an entry of another domain’s frame that no grant made', () => {
    const { machine, one, two } = pair();
    grant(one, machine, 9, two.id, one.mfn(one.page()));
    map(two, { dom: 1, ref: 9, host_addr: two.address(two.page()) });
    const step = machine.hv.memory.walker.steps(two.vcpu.root, two.address(two.page())).at(-1)!;
    machine.hv.grantEntries.remove({ table: step.mfn, slot: step.index });
    expect(machine.hv.checker!.sweep().join()).toMatch(/names frame .* of d1, to which it has no right/);
  });
});
