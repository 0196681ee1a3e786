// Tier 1 against tier 0, step by step: the same programs with the same random budgets, TLB flushes, changes of mappings and of code
// leave the same registers, flags, counts, faults, memory and TLBs at every stop. Everything is translated the first time it runs.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createEngine } from '../../simulator/cpu/engine.ts';
import type { EngineConfig, Exit, Tier1Options } from '../../simulator/cpu/engine-types.ts';
import { assemble } from './assemble.ts';
import { REGIONS_32, REGIONS_64, TABLES_32, TABLES_64 } from './lockstep-programs.ts';
import { type TestMachine, testMachine } from './machine.ts';
import { MIXED } from './programs.ts';

const CODE = 0x400000n;
const STACK = 0x7fff0000n;
const DATA = 0x10000000n;
const DATA_PAGES = 33;
const AT_ONCE: Tier1Options = { threshold: 1, batch: 1, eager: true };

interface Program {
  readonly source: string;
  readonly bits: 64 | 32;
}

function machine(p: Program, tier1: Tier1Options | null): TestMachine {
  const create = (c: EngineConfig) => createEngine({ ...c, tier1: tier1 !== null, ...(tier1 ? { tier1Options: tier1 } : {}) });
  const m = testMachine({ ramMib: 2, vcpus: 1, create });
  m.map(CODE, 4);
  m.map(STACK - 0x4000n, 4);
  m.map(DATA, DATA_PAGES);
  m.write(CODE, assemble(p.source, CODE, p.bits));
  const vcpu = m.engine.vcpus[0]!;
  vcpu.setMode({ bits: p.bits, cpl: 3, bank: 1 });
  vcpu.rip = CODE;
  vcpu.set('rsp', STACK);
  return m;
}

function randomOf(seed: number): (n: number) => number {
  let s = seed;
  return (n) => {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    return (s >>> 8) % n;
  };
}

const registersOf = (m: TestMachine): string => {
  const vcpu = m.engine.vcpus[0]!;
  const names = Array.from({ length: 16 }, (_, n) => vcpu.reg(n).toString(16));
  return `${names.join(' ')} rip ${vcpu.rip.toString(16)} flags ${vcpu.rflags.toString(16)}`;
};
function digest(m: TestMachine): string {
  const hash = createHash('sha256');
  m.engine.hashState((bytes) => hash.update(bytes));
  hash.update(m.engine.ram);
  return hash.digest('hex');
}

/** What happens between two runs, to both machines. */
type Event = (m: TestMachine) => void;

/** The program asked for the host: it goes on behind the instruction. */
const isTrap = ({ kind, vector }: Exit): boolean => kind === 'syscall' || (kind === 'interrupt' && vector >= 0x80);

/** A missing page comes back; a program that lost its way in changed code begins again. */
function resolve(m: TestMachine, page: bigint | null): void {
  const vcpu = m.engine.vcpus[0]!;
  if (page !== null && page >= DATA && page < DATA + BigInt(DATA_PAGES) * 4096n) {
    m.setEntry(page, m.entry(page) | 3n);
    vcpu.flushPage(page);
  } else {
    vcpu.rip = CODE;
    vcpu.set('rsp', STACK);
  }
}

function events(random: (n: number) => number): Event {
  const page = DATA + BigInt(random(DATA_PAGES)) * 4096n;
  switch (random(12)) {
    case 0:
      return (m) => m.engine.vcpus[0]!.flushAll();
    case 1:
      return (m) => m.engine.vcpus[0]!.flushPage(page);
    case 2: {
      const code = CODE + BigInt(random(3)) * 4096n;
      return (m) => m.engine.vcpus[0]!.flushPage(code);
    }
    case 3:
      // Gone, as the guest finds out when its TLB entry is gone too.
      return (m) => m.setEntry(page, m.entry(page) & ~1n);
    case 4:
      return (m) => m.setEntry(page, m.entry(page) & ~2n);
    case 5:
      return (m) => m.engine.writeProtectFrame(m.frame(page));
    case 6:
      return (m) => m.engine.flushFrame(m.frame(page));
    case 7: {
      // The same code elsewhere.
      const code = CODE + BigInt(random(3)) * 4096n;
      return (m) => {
        const spare = CODE + 0x3000n;
        const [here, there] = [m.frame(code), m.frame(spare)];
        m.engine.ram.copyWithin(there * 4096, here * 4096, here * 4096 + 4096);
        m.engine.written(there * 4096, 4096);
        m.mapFrame(code, there);
        m.mapFrame(spare, here);
        if (random(2)) m.engine.vcpus[0]!.flushPage(code);
      };
    }
    case 8:
      // Somebody else writes the byte that the program patches.
      return (m) => m.engine.written(m.frame(CODE) * 4096 + 0x100, 8);
    default:
      return () => {};
  }
}

function lockstep(p: Program, seed: number, total: number, tier1: Tier1Options, largest: number): { stops: number; executed: number } {
  const a = machine(p, null);
  const b = machine(p, tier1);
  const random = randomOf(seed);
  let done = 0;
  let stops = 0;
  for (; done < total; stops++) {
    const budget = 1 + random(random(4) ? 300 : largest);
    const x = { ...a.engine.run(0, budget) };
    const y = { ...b.engine.run(0, budget) };
    const where = `seed ${seed}, stop ${stops}, after ${done} instructions, budget ${budget}`;
    expect({ ...y, registers: registersOf(b) }, where).toEqual({ ...x, registers: registersOf(a) });
    done += x.executed;
    if (x.kind !== 'budget' && !isTrap(x))
      for (const m of [a, b]) resolve(m, x.kind === 'exception' && x.vector === 14 ? x.cr2 & ~4095n : null);
    const before = random(1 << 20);
    // Both machines see the same event, drawn from the same numbers.
    for (const m of [a, b]) events(randomOf(before))(m);
    if (stops % 64 === 0) expect(digest(b), where).toBe(digest(a));
  }
  expect(digest(b), `seed ${seed}`).toBe(digest(a));
  const statistics = b.engine.statistics.tier1!;
  return { stops, executed: statistics.executed / done };
}

const PROGRAMS: Record<string, Program> = {
  'mixed 64-bit code': { source: MIXED, bits: 64 },
  'regions over pages': { source: REGIONS_64, bits: 64 },
  'regions in 32-bit code': { source: REGIONS_32, bits: 32 },
  'jump tables and traps': { source: TABLES_64, bits: 64 },
  'jump tables and traps in 32-bit code': { source: TABLES_32, bits: 32 },
};
const fresh = 1 + (Date.now() % 1_000_000);
for (const [name, program] of Object.entries(PROGRAMS))
  for (const seed of [1, 2, fresh])
    test(`${name}: tier 1 stops where tier 0 stops, with the same state (seed ${seed})`, () => {
      const { executed } = lockstep(program, seed, 60_000, AT_ONCE, 20_000);
      expect(executed, 'share of tier 1').toBeGreaterThan(0.3);
    });

for (const [name, program] of Object.entries(PROGRAMS))
  test(`${name}: the same with hot code only, in batches and with functions of several regions`, () => {
    const { executed } = lockstep(program, fresh, 200_000, { threshold: 20, batch: 4, group: 3 }, 100_000);
    // These programs change their code all the time.
    expect(executed, 'share of tier 1').toBeGreaterThan(0);
  });
