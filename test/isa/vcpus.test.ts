// Several vCPUs on one engine: preempted at exact counts, each with registers, TLB and debug registers of its own, over one memory.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Engine } from '../../simulator/cpu/engine-types.ts';
import type { TestMachine } from './machine.ts';
import { CODE, DATA, loadProgram, MIXED, STACK } from './programs.ts';

const state = (engine: Engine): string => {
  const hash = createHash('sha256');
  engine.hashState((b) => hash.update(b));
  return hash.update(engine.ram).digest('hex');
};

function machine(source: string, vcpus: number): TestMachine {
  const m = loadProgram(source, { vcpus });
  for (const vcpu of m.engine.vcpus) {
    vcpu.rip = CODE;
    vcpu.set('rsp', STACK - BigInt(0x400 * vcpu.id));
    vcpu.set('r12', BigInt(vcpu.id));
  }
  return m;
}

/** Gives every vCPU `quantum` instructions in turn, in runs of at most `slice`. */
function roundRobin(m: TestMachine, turns: number, quantum: number, slice: number): void {
  for (let turn = 0; turn < turns; turn++)
    for (const { id } of m.engine.vcpus)
      for (let left = quantum; left > 0; ) {
        const exit = m.engine.run(id, Math.min(left, slice));
        expect(exit.kind).toBe('budget');
        left -= exit.executed;
      }
}

test('the same turns end in the same state, in whatever slices they are given', () => {
  const end = (slice: number): string => {
    const m = machine(MIXED, 3);
    roundRobin(m, 60, 137, slice);
    return state(m.engine);
  };
  const whole = end(1_000_000);
  for (const slice of [1, 7, 100]) expect(end(slice)).toBe(whole);
}, 30_000);

test('a lost update and a locked one: preempted between load and store, never within an instruction', () => {
  const source = `
    mov ebx, 0x10000000
  1:mov rax, [rbx]
    inc rax
    mov [rbx], rax
    lock inc qword ptr [rbx+8]
    jmp 1b`;
  const counts = (quantum: number): bigint[] => {
    const m = machine(source, 2);
    roundRobin(m, 5000 / quantum, quantum, 1_000_000);
    const view = new DataView(m.read(DATA, 16).buffer);
    return [view.getBigUint64(0, true), view.getBigUint64(8, true)];
  };
  // Each vCPU: one instruction before the loop, five in a turn of it, the last one without its jump.
  const [alone, locked] = counts(5000);
  expect([alone, locked]).toEqual([2000n, 2000n]);
  const [lost, still] = counts(1);
  expect(still).toBe(2000n);
  expect(lost).toBeLessThan(1100n);
});

test('a page that one vCPU forgets is still in the other one’s TLB', () => {
  const m = machine('mov rax, [0x10000000]\nmov rax, [0x10000000]\nint3', 2);
  for (const id of [0, 1]) m.engine.run(id, 1);
  m.unmap(DATA);
  m.engine.vcpus[0]!.flushPage(DATA);
  expect(m.engine.run(0, 1)).toMatchObject({ kind: 'exception', vector: 14 });
  expect(m.engine.run(1, 1)).toMatchObject({ kind: 'budget', executed: 1 });
});

test('code that one vCPU changes is new to the other at its next instruction', () => {
  const source = `
    test r12, r12
    jnz 2f
    nop
    mov byte ptr [rip + there + 1], 7
    int3
  2:
  there: mov al, 1
    jmp 2b`;
  const m = machine(source, 2);
  m.engine.run(1, 1000);
  expect(m.engine.vcpus[1]!.get('rax')).toBe(1n);
  expect(m.engine.run(0, 100).kind).toBe('interrupt');
  m.engine.run(1, 2);
  expect(m.engine.vcpus[1]!.get('rax')).toBe(7n);
});

test('debug registers are each vCPU’s own, watchpoints everybody’s', () => {
  const m = machine('mov ebx, 0x10000000\n1: mov [rbx], rax\ninc rax\njmp 1b', 2);
  const [a, b] = m.engine.vcpus as [TestMachine['engine']['vcpus'][0], TestMachine['engine']['vcpus'][0]];
  a.setDebugRegister(0, DATA);
  a.setDebugRegister(7, 0xd0402n);
  b.setDebugRegister(1, CODE + 8n);
  b.setDebugRegister(7, 0x404n);
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'exception', vector: 1, dr6: 1, executed: 2 });
  expect(m.engine.run(1, 100)).toMatchObject({ kind: 'exception', vector: 1, dr6: 2, executed: 2 });
  expect(b.rip).toBe(CODE + 8n);
  b.rflags |= 0x10000;
  expect(m.engine.run(1, 100)).toMatchObject({ kind: 'exception', vector: 1, dr6: 2, executed: 3 });
  // Saved and restored they are there again.
  const saved = a.save();
  a.setDebugRegister(7, 0x400n);
  expect(m.engine.run(0, 30).kind).toBe('budget');
  a.restore(saved);
  expect(m.engine.run(0, 30)).toMatchObject({ kind: 'exception', vector: 1, dr6: 1 });
  b.setDebugRegister(7, 0x400n);
  a.setDebugRegister(7, 0x400n);
  m.engine.setWatchpoints([{ address: DATA + 3n, length: 1, access: 'write' }]);
  for (const id of [0, 1]) expect(m.engine.run(id, 100)).toMatchObject({ kind: 'watch' });
});
