// Breakpoints in code that is decoded and translated already: they stop exactly, and only what holds their address is made anew.

import { expect, test } from 'vitest';
import { createEngine } from '../../simulator/cpu/engine.ts';
import type { Exit, Tier1Options } from '../../simulator/cpu/engine-types.ts';
import type { TestMachine } from './machine.ts';
import { CODE, loadProgram } from './programs.ts';

/** Ten functions, some over a page border, each with a loop, called in turn for ever. */
const FUNCTIONS = 10;
const startOf = (n: number): number => 0x400 * (n + 1) - 8;
const calls = Array.from({ length: FUNCTIONS }, (_, n) => `call f${n}`).join('\n');
const bodies = Array.from(
  { length: FUNCTIONS },
  (_, n) => `.org ${startOf(n)}\nf${n}: mov ecx, 5\n1: add eax, ecx\nxor eax, ${n}\ndec ecx\njnz 1b\nret`,
).join('\n');
const SOURCE = `again: ${calls}\njmp again\n${bodies}`;
/** `add eax, ecx` of function n, which the loop comes back to. */
const loopOf = (n: number): bigint => CODE + BigInt(startOf(n) + 5);
const ROUND = 1 + FUNCTIONS * 23;

const AT_ONCE: Tier1Options = { threshold: 1, batch: 1 };

function machine(tier1: Tier1Options | null): TestMachine {
  const m = loadProgram(SOURCE, {
    create: (c) => createEngine({ ...c, tier1: tier1 !== null, ...(tier1 ? { tier1Options: tier1 } : {}) }),
  });
  m.engine.run(0, 200 * ROUND);
  return m;
}

for (const [name, tier1] of [
  ['interpreted', null],
  ['translated', AT_ONCE],
] as const) {
  test(`${name} code: a breakpoint set and taken away leaves everything decoded but what holds its address`, () => {
    const m = machine(tier1);
    const { engine } = m;
    const before = engine.statistics;
    const at = loopOf(3);
    engine.setBreakpoints([at]);
    // All rounds that this budget allows meet it five times each, at the same distance from each other.
    const met: number[] = [];
    for (let n = 0; n < 12; n++) met.push(engine.run(0, 10 * ROUND, n > 0).executed);
    expect(engine.vcpus[0]!.rip).toBe(at);
    const [, ...rest] = met;
    expect(rest.filter((n) => n === 4).length).toBeGreaterThanOrEqual(8);
    expect(new Set(rest.filter((n) => n !== 4))).toEqual(new Set([ROUND - 16]));
    engine.setBreakpoints([]);
    const exit = engine.run(0, 200 * ROUND);
    expect(exit).toMatchObject({ kind: 'budget', executed: 200 * ROUND });
    const after = engine.statistics;
    expect(after.decoded - before.decoded).toBeLessThan(40);
    if (tier1) {
      const [was, is] = [before.tier1!, after.tier1!];
      expect(is.resets).toBe(was.resets);
      expect(is.dropped - was.dropped).toBeLessThan(8);
      // The loop is translated whole again.
      const ran = engine.statistics.tier1!.executed;
      engine.run(0, 100 * ROUND);
      expect(engine.statistics.tier1!.executed - ran).toBeGreaterThan(95 * ROUND);
    }
  });

  test(`${name} code: a debug register's breakpoint does the same`, () => {
    const m = machine(tier1);
    const vcpu = m.engine.vcpus[0]!;
    const before = m.engine.statistics.decoded;
    vcpu.setDebugRegister(0, loopOf(7));
    vcpu.setDebugRegister(7, 0x401n);
    expect(m.engine.run(0, 10 * ROUND)).toMatchObject({ kind: 'exception', vector: 1, dr6: 1 });
    expect(vcpu.rip).toBe(loopOf(7));
    vcpu.setDebugRegister(7, 0x400n);
    expect(m.engine.run(0, 10 * ROUND)).toMatchObject({ kind: 'budget' });
    expect(m.engine.statistics.decoded - before).toBeLessThan(40);
  });

  test(`${name} code: watchpoints drop nothing`, () => {
    const m = machine(tier1);
    const before = m.engine.statistics;
    m.engine.setWatchpoints([{ address: CODE + 0x100n, length: 8, access: 'write' }]);
    m.engine.run(0, 10 * ROUND);
    m.engine.setWatchpoints([]);
    m.engine.run(0, 10 * ROUND);
    expect(m.engine.statistics.decoded).toBe(before.decoded);
    expect(m.engine.statistics.tier1?.dropped).toBe(before.tier1?.dropped);
  });
}

test('random breakpoints stop both tiers at the same instructions', () => {
  const [a, b] = [machine(null), machine(AT_ONCE)];
  let s = 7;
  const random = (n: number): number => {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    return (s >>> 8) % n;
  };
  let resume = false;
  let hits = 0;
  for (let n = 0; n < 400; n++) {
    if (n % 3 === 0) {
      // Most lie within functions, some in the middle of an instruction, some in the calls.
      const points = Array.from({ length: random(4) }, () => {
        const start = random(5) ? startOf(random(FUNCTIONS)) : 0;
        return CODE + BigInt(start + random(start ? 18 : 50));
      });
      for (const m of [a, b]) m.engine.setBreakpoints(points);
    }
    const budget = 1 + random(3 * ROUND);
    const x: Exit = { ...a.engine.run(0, budget, resume) };
    expect({ ...b.engine.run(0, budget, resume) }, `stop ${n}`).toEqual(x);
    expect(Buffer.compare(b.engine.vcpus[0]!.save(), a.engine.vcpus[0]!.save()), `state at stop ${n}`).toBe(0);
    resume = x.kind === 'breakpoint';
    hits += resume ? 1 : 0;
  }
  expect(hits).toBeGreaterThan(100);
});
