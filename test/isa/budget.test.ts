// The instruction count is exact and the size of the slices never shows.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestMachine } from './machine.ts';
import { CODE, loadProgram, MIXED } from './programs.ts';

function digest(m: TestMachine): string {
  const hash = createHash('sha256');
  m.engine.hashState((bytes) => hash.update(bytes));
  hash.update(m.engine.ram);
  return hash.digest('hex');
}

function runInSlices(slice: () => number, total: number): TestMachine {
  const m = loadProgram(MIXED, { ramMib: 1 });
  let left = total;
  while (left > 0) {
    const n = Math.min(left, slice());
    const exit = m.engine.run(0, n);
    if (exit.kind !== 'budget' || exit.executed !== n) throw new Error(`a slice of ${n} ended as ${exit.kind} after ${exit.executed}`);
    left -= n;
  }
  return m;
}

test('slices of 1 to 1,000,000 instructions leave the same state', () => {
  const total = 60_000;
  const whole = digest(runInSlices(() => total, total));
  for (const n of [1, 2, 3, 7, 64, 65, 1000, 4096]) expect(digest(runInSlices(() => n, total)), `slices of ${n}`).toBe(whole);
  let seed = 7;
  const random = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return 1 + ((seed >> 8) % 300);
  };
  expect(digest(runInSlices(random, total)), 'random slices').toBe(whole);
  const million = digest(runInSlices(() => 1_000_000, 1_000_000));
  expect(digest(runInSlices(() => 9973, 1_000_000))).toBe(million);
});

test('each iteration of a rep counts 1, a rep with count 0 counts 1, a faulting instruction 0', () => {
  const count = (source: string): number => {
    const m = loadProgram(`${source}\nint3`);
    const exit = m.engine.run(0, 100_000);
    return exit.executed;
  };
  expect(count('mov ecx, 10\nmov edi, 0x10000000\nrep stosb')).toBe(2 + 10 + 1);
  expect(count('xor ecx, ecx\nmov edi, 0x10000000\nrep stosb')).toBe(2 + 1 + 1);
  expect(count('mov edi, 0x10000000\nstosb')).toBe(1 + 1 + 1);
  // The fifth comparison ends it.
  expect(count('mov edi, 0x10000000\nmov byte ptr [rdi + 4], 1\nmov ecx, 99\nxor eax, eax\nrepe scasb')).toBe(4 + 5 + 1);
  expect(count('nop\nnop\nmov eax, [0]')).toBe(2);
  // Three elements fit before the unmapped page.
  expect(count('mov edi, 0x1000ffe8\nmov ecx, 9\nrep stosq')).toBe(2 + 3);
});

test('a rep stops at an iteration border when the budget ends', () => {
  const m = loadProgram('mov ecx, 100\nmov edi, 0x10000000\nmov al, 7\nrep stosb\nint3');
  expect(m.engine.run(0, 3 + 40)).toMatchObject({ kind: 'budget', executed: 43 });
  const vcpu = m.engine.vcpus[0]!;
  expect(vcpu.get('rcx')).toBe(60n);
  expect(vcpu.get('rdi')).toBe(0x10000028n);
  expect(vcpu.rip).toBe(CODE + 12n);
  expect(m.engine.run(0, 1000)).toMatchObject({ kind: 'interrupt', vector: 3, executed: 61 });
});

test('the trap flag stops after every instruction', () => {
  const m = loadProgram('nop\nadd eax, 1\nnop\nint3');
  const vcpu = m.engine.vcpus[0]!;
  vcpu.rflags = 0x102;
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'exception', vector: 1, executed: 1 });
  expect(vcpu.rip).toBe(CODE + 1n);
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'exception', vector: 1, executed: 1 });
  expect(vcpu.get('rax')).toBe(1n);
});

test('the time stamp counter shows the instructions of the run so far, stepped or not, in blocks of any length', () => {
  const source = 'nop\nnop\nrdtsc\nmov ebx, eax\n1: dec ecx\njnz 1b\nrdtsc\nmov esi, eax\nint3';
  const run = (flags: number): bigint[] => {
    const m = loadProgram(source);
    const vcpu = m.engine.vcpus[0]!;
    vcpu.set('rcx', 100n);
    vcpu.rflags = flags;
    let executed = 0;
    // A step ends its run, so the counter starts anew: what came before is added.
    for (let n = 0; n < 1000; n++) {
      const exit = m.engine.run(0, 1000);
      if (vcpu.rip === CODE + 4n || vcpu.rip === CODE + 12n) vcpu.set('rax', vcpu.get('rax') + BigInt(executed));
      executed += exit.executed;
      if (exit.kind === 'interrupt') break;
    }
    return [vcpu.get('rbx'), vcpu.get('rsi')];
  };
  expect(run(2)).toEqual([2n, 204n]);
  expect(run(0x102)).toEqual([2n, 204n]);
});
