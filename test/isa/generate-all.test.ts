// Every body in every form and width, generated for both modes: the builder's assertions (no fault after a write of guest state,
// no value used after the state it was read from has changed) hold for all, and catch planted mistakes.

import { describe, expect, test } from 'vitest';
import { RARE_BODIES } from '../../simulator/cpu/engine.ts';
import { DEFINITIONS } from '../../simulator/cpu/isa/all.ts';
import type { Body } from '../../simulator/cpu/isa/definitions.ts';
import { Tier0 } from '../../simulator/cpu/tier0/binding.ts';
import { type Case, caseName, listCases } from '../../simulator/cpu/tier0/cases.ts';
import { HELPER_INDEX } from '../../simulator/cpu/tier0/helpers.ts';
import { insnOf } from '../../simulator/cpu/tier0/instruction.ts';
import { buildTier0, emitCase } from '../../simulator/cpu/tier0/module.ts';
import { Tier1 } from '../../simulator/cpu/tier1/binding.ts';
import { ExitTable } from '../../simulator/cpu/tier1/exits.ts';
import { REGION_HELPERS } from '../../simulator/cpu/tier1/helpers.ts';
import { sampleOf } from '../../simulator/cpu/tier1/plans.ts';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';

const EXITS = ['top', 'raise', 'fault', 'lookup'];

function generate(c: Case, bits: 64 | 32 = 64): void {
  const b = new Tier0(bits, HELPER_INDEX);
  b.labels.push(...EXITS);
  emitCase(b, c);
}

test('every case generates in both modes, and the modules compile', () => {
  const list = listCases();
  expect(list.cases.length).toBeGreaterThan(900);
  for (const bits of [64, 32] as const) for (const c of list.cases) generate(c, bits);
  for (const mode of [0, 1]) expect(WebAssembly.validate(buildTier0(list, mode) as Uint8Array<ArrayBuffer>)).toBe(true);
});

test('every definition joins a row of the instruction table, every TypeScript body exists', () => {
  const strangers = [...DEFINITIONS.keys()].filter((key) => !ROW_BY_KEY.has(key));
  // The two pops differ in how the address is computed: one row, two bodies.
  expect(strangers).toEqual(['pop-memory']);
  const rare = [...DEFINITIONS.values()].flatMap((d) => (d.rare === null ? [] : [d.rare]));
  expect(rare.filter((name) => !RARE_BODIES[name])).toEqual([]);
});

test('every instruction that a processor model has is executed', () => {
  const features = new Set(['svm', 'popcnt']);
  const without = ROWS.filter((r) => !DEFINITIONS.has(r.key) && (r.feature === undefined || features.has(r.feature)));
  expect(without.map((r) => r.key)).toEqual([]);
});

/** The same case by tier 1, in a region of its own. */
function translate(b: Tier1, c: Case, registers: readonly number[]): void {
  const effects = { reads: true, writes: false, exits: true };
  const step = {
    d: sampleOf(c, b.bits, registers),
    plan: { c, insn: insnOf(c), flow: 'none' as const, effects },
    lo: 0,
    hi: 0,
    nextLo: 4,
    nextHi: 0,
    secondFrame: -1,
  };
  b.beginRegion();
  b.labels.push('exit');
  b.flow = { direct: () => {}, branch: () => {}, indirect: () => {}, expected: null };
  b.instruction(step, 1, false);
}

test('tier 1 generates every case in both modes, with the operands in all registers alike and different', () => {
  const list = listCases();
  const plain = list.cases.filter((c) => !c.baseOnly && !c.then);
  const failures: string[] = [];
  let count = 0;
  for (const bits of [64, 32] as const) {
    const b = new Tier1(bits, REGION_HELPERS, new ExitTable());
    for (const c of [...plain, ...list.vectorCases])
      for (const registers of [[1], [1, 2, 3], [2, 1, 0], [0, 0, 1], [4, 5, 6], [6, 7, 1]]) {
        count++;
        try {
          translate(b, c, registers);
        } catch (error) {
          failures.push(`${caseName(c)} ${bits} ${registers}: ${(error as Error).message}`);
        }
      }
  }
  expect(failures).toEqual([]);
  expect(count).toBeGreaterThan(10_000);
});

describe('a planted mistake is rejected:', () => {
  const plant = (key: string, form: string, body: Body): (() => void) => {
    const c = listCases().cases.find((x) => x.definition.key === key && x.form === form && (x.w === 8 || x.definition.sizes.length === 1))!;
    expect(c, key).toBeDefined();
    return () => generate({ ...c, definition: { ...c.definition, body } });
  };

  test('a push that writes the stack pointer before translating', () => {
    const bad = plant('push', 'r', (b) => {
      const sp = b.let(b.stackPlus(-8));
      b.setStackPointer(sp);
      b.store(b.translate(sp, 8, 'w', true), 8, b.k64(1));
    });
    expect(bad).toThrow(/translation after guest state was written/);
  });
  test('an exchange without private copies', () => {
    const bad = plant('xchg', 'rr', (b, i) => {
      const x = b.rd(i.d, i.w);
      b.wr(i.d, i.w, b.rd(i.s, i.w));
      b.wr(i.s, i.w, x);
    });
    expect(bad).toThrow(/registers\) was written before this load/);
  });
  for (const form of ['r', 'm'])
    test(`a neg that reads its operand for the flags after writing it (${form})`, () => {
      const bad = plant('neg', form, (b, i) => {
        const x = b.rd(i.d, i.w);
        b.wr(i.d, i.w, b.sub(b.k(i.w, 0), x));
        b.flags('sub', i.w, b.k(i.w, 0), x);
      });
      expect(bad).toThrow(/was written before this load/);
    });
  test('a call that pushes before its target is checked', () => {
    const bad = plant('call-ind', 'r', (b, i) => {
      const v = b.let(b.rd(i.d, 8));
      b.push(8, b.next());
      b.goIndirect(b.checkTarget(v));
    });
    expect(bad).toThrow(/target check after guest state was written/);
  });
  test('a divide error raised after the result was written', () => {
    const bad = plant('div', 'r', (b, i) => {
      b.setReg(0, 8, b.rd(i.d, 8));
      b.raiseIf(b.isZero(b.reg(2, 8)), 0);
    });
    expect(bad).toThrow(/exception after guest state was written/);
  });
  test('a condition evaluated from flags that were just replaced', () => {
    const bad = plant('setcc', 'r', (b, i) => {
      const v = b.and(b.wrap(b.loadAt(8, b.k32(0), 0x4a0, 3)), b.k32(1));
      b.setFlags(b.k32(0));
      b.wr(i.d, 1, v);
    });
    expect(bad).toThrow(/flags\) was written before this load/);
  });
});
