// What people who port to Xen PV complained of, about memory: each as a guest does it, and the answer that it gets here, with the
// lines that a debug build of real Xen prints for it (their wording and order as real Xen 4.17 printed them for the same calls).

import { describe, expect, test } from 'vitest';
import { explainRefusal } from '../../explain/refusal.ts';
import { Guest, PIN_L1, PIN_L2, type Result, UNPIN } from './guest.ts';

const linesOf = ({ refusal }: Result): readonly string[] => explainRefusal(refusal!).xenLines ?? [];
const frame = (g: Guest, pfn: number): string => g.mfn(pfn).toString(16);
const number = (pfn: number): string => pfn.toString(16).padStart(5, '0');

describe('complaints about memory', () => {
  test('an entry is changed through an address whose level 1 table is not there: the walk shows the level at which it ends', () => {
    const g = new Guest();
    const { ret, refusal } = g.updateVa(0xf8684000n, g.entry(g.page(), 3));
    expect(ret).toBe(-22);
    expect(refusal).toMatchObject({ rule: 'no-l1-table', facts: { address: '0xf8684000' } });
    const { details, hint } = explainRefusal(refusal!);
    expect(details.join(' ')).toMatch(/Walk: l4\[0\] in frame 0x[0-9a-f]+ = 0x0/);
    expect(hint).toMatch(/missing tables/);
  });

  test('a pseudo-physical number stands in an entry where the machine frame number belongs', () => {
    const g = new Guest();
    const { ret, refusal } = g.updateVa(g.address(g.page()), (0x942b1n << 12n) | 7n);
    expect(ret).toBe(-1);
    expect(explainRefusal(refusal!).hint).toMatch(/pseudo-physical/);
    const low = g.updateVa(g.address(g.page()), (0x2b1n << 12n) | 7n);
    expect(low).toMatchObject({ ret: -16, refusal: { rule: 'frame-not-yours', facts: { frame: { mfn: '0x2b1', owner: 0 } } } });
    expect(linesOf(low)).toEqual([
      '(XEN) pg_owner d1 l1e_owner d1, but real_pg_owner d0',
      '(XEN) Error getting mfn 002b1 (pfn ffffffffffffffff) from L1 entry 00000000002b1107 for l1e_owner d1, pg_owner d1',
    ]);
    expect(explainRefusal(low.refusal!).hint).toMatch(/pseudo-physical/);
  });

  test('a guest that is no driver domain maps device memory', () => {
    const g = new Guest();
    const result = g.updateVa(g.address(g.page()), (0xfee00n << 12n) | 3n);
    expect(result).toMatchObject({ ret: -1, refusal: { rule: 'frame-is-no-ram' } });
    expect(linesOf(result)).toEqual(['(XEN) d1 non-privileged attempt to map MMIO space fee00']);
  });

  test('address bits in a not-present entry, on a processor with the L1TF flaw: ended, or noted, or nothing', () => {
    const entry = 0x8010000013600066n;
    const crash = new Guest({ more: { l1tf: 'crash' } });
    crash.updateVa(crash.address(crash.page()), entry);
    expect(crash.hv.domain.ending).toMatchObject({ kind: 'crash', refusal: { rule: 'l1tf-entry', facts: { address: '0x13600000' } } });
    const ending = crash.hv.domain.ending!;
    const refusal = ending.kind === 'crash' ? ending.refusal! : null;
    expect(explainRefusal(refusal!).xenLine).toBe('(XEN) d1 L1TF-vulnerable L1e 8010000013600066 - Crashing');
    const warn = new Guest({ more: { l1tf: 'warn' } });
    expect(warn.updateVa(warn.address(warn.page()), entry).ret).toBe(0);
    expect(warn.hv.domain.shadowed).toBe(true);
    // All address bits set, as a kernel with the mitigation stores it, or none: safe.
    const safe = new Guest({ more: { l1tf: 'crash' } });
    expect(safe.updateVa(safe.address(safe.page()), 0xffff_ffff_f066n | (0xfn << 48n)).ret).toBe(0);
    expect(safe.updateVa(safe.address(safe.page()), 0x66n).ret).toBe(0);
    expect(safe.hv.domain.ending).toBeNull();
    const off = new Guest();
    expect(off.updateVa(off.address(off.page()), entry).ret).toBe(0);
  });

  test('a pin is refused deep in a tree: every level says where, as Xen does, and who holds the frame', () => {
    const g = new Guest();
    const [l2, l1, table] = [g.page(), g.page(1), g.page(2)];
    g.updateVa(g.address(table), g.entry(table, 1));
    expect(g.mmuext(PIN_L1, g.mfn(table)).ret).toBe(0);
    g.words(g.address(l1) + 40n, g.entry(table, 3));
    g.words(g.address(l2), g.entry(l1, 0x67));
    for (const page of [l1, l2]) g.updateVa(g.address(page), g.entry(page, 1));
    const result = g.mmuext(PIN_L2, g.mfn(l2));
    expect(result).toMatchObject({ ret: -16, refusal: { facts: { frame: { type: 'l1', pinned: true } } } });
    const saw = '2c00000000000001';
    expect(linesOf(result).map((line) => line.replace(/caf=\w+ taf=\w+/, ''))).toEqual([
      `(XEN) Bad type (saw ${saw} != exp e000000000000000) for mfn ${frame(g, table)} (pfn ${number(table)})`,
      '(XEN) Could not get page type PGT_writable_page',
      `(XEN) Error getting mfn ${frame(g, table)} (pfn ${number(table)}) from L1 entry ${g.entry(table, 3).toString(16).padStart(16, '0')} for l1e_owner d1, pg_owner d1`,
      '(XEN) Failure -16 in promote_l1_table: slot 0x5',
      `(XEN) Error while validating mfn ${frame(g, l1)} (pfn ${number(l1)}) for type 2000000000000000: `,
      '(XEN) Failure -16 in promote_l2_table: slot 0',
      `(XEN) Error while validating mfn ${frame(g, l2)} (pfn ${number(l2)}) for type 4000000000000000: `,
      `(XEN) Error -16 while pinning mfn ${frame(g, l2)}`,
    ]);
    expect(explainRefusal(result.refusal!).details.join(' ')).toMatch(/pinned since instruction [\d,]+, by mmuext_op.PIN_L1_TABLE/);
    expect(g.mmuext(UNPIN, g.mfn(l2)).refusal?.rule).toBe('table-not-pinned');
  });
});
