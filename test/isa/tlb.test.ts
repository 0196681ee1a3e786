// The TLB is machine state: what it holds stays until a flush, and a flush drops exactly what it names.

import { expect, test } from 'vitest';
import { Bank } from '../../simulator/cpu/engine-types.ts';
import { CODE, DATA, loadProgram, STACK } from './programs.ts';

const READ = 'mov rax, [0x10000000]\nint3';
const again = (m: ReturnType<typeof loadProgram>, steps = 10): ReturnType<typeof m.engine.run> => {
  m.engine.vcpus[0]!.rip = CODE;
  return m.engine.run(0, steps);
};
const value = (n: number): Uint8Array => Uint8Array.from([n, 0, 0, 0, 0, 0, 0, 0]);

test('a missing INVLPG shows: the old page stays until it is flushed', () => {
  const m = loadProgram(READ);
  const rax = (): bigint => m.engine.vcpus[0]!.get('rax');
  m.write(DATA, value(1));
  again(m);
  expect(rax()).toBe(1n);
  const old = m.entry(DATA);
  m.setEntry(DATA, (BigInt(m.frame(DATA + 0x1000n)) << 12n) | 7n);
  m.write(DATA, value(2));
  again(m);
  expect(rax()).toBe(1n);
  m.engine.vcpus[0]!.flushPage(DATA + 0x1000n);
  again(m);
  expect(rax()).toBe(1n);
  m.engine.vcpus[0]!.flushPage(DATA + 8n);
  again(m);
  expect(rax()).toBe(2n);
  m.setEntry(DATA, old);
  again(m);
  expect(rax()).toBe(2n);
  m.engine.vcpus[0]!.flushAll();
  again(m);
  expect(rax()).toBe(1n);
});

test('a frame can be dropped from every TLB, or only the right to store into it', () => {
  const m = loadProgram('mov rax, [0x10000000]\nmov [0x10000000], rax\nint3');
  again(m);
  const before = m.walks();
  again(m);
  expect(m.walks()).toBe(before);
  m.engine.writeProtectFrame(m.frame(DATA));
  again(m);
  expect(m.walks()).toBe(before + 1);
  m.engine.flushFrame(m.frame(DATA));
  again(m);
  // D is set by now: the walk for the load serves the store as well.
  expect(m.walks()).toBe(before + 2);
});

test('kernel and user pages are cached apart', () => {
  const m = loadProgram(READ);
  const vcpu = m.engine.vcpus[0]!;
  m.setEntry(DATA, m.entry(DATA) & ~4n);
  expect(again(m)).toMatchObject({ kind: 'interrupt' });
  vcpu.setMode({ bits: 64, cpl: 3, bank: Bank.user });
  expect(again(m)).toMatchObject({ kind: 'exception', vector: 14, errorCode: 5, cr2: DATA });
  vcpu.setMode({ bits: 64, cpl: 3, bank: Bank.kernel });
  expect(again(m)).toMatchObject({ kind: 'interrupt' });
});

test('a store to a page that was only read asks again, for D and for the permission', () => {
  const m = loadProgram('mov rax, [0x10000000]\nmov [0x10000000], rax\nint3');
  m.setEntry(DATA, m.entry(DATA) & ~2n);
  expect(again(m)).toMatchObject({ kind: 'exception', vector: 14, errorCode: 3, executed: 1 });
  // Made writable without a flush: processors look again before they fault.
  m.setEntry(DATA, m.entry(DATA) | 2n);
  expect(again(m)).toMatchObject({ kind: 'interrupt' });
  expect(m.entry(DATA) & 0x60n).toBe(0x60n);
});

test('instruction fetch has a TLB of its own', () => {
  const m = loadProgram('call far_away\nint3\n.org 0x1000\nfar_away: mov eax, 1\nret\n.org 0x2000\nmov eax, 2\nret\n');
  again(m);
  expect(m.engine.vcpus[0]!.get('rax')).toBe(1n);
  m.setEntry(CODE + 0x1000n, m.entry(CODE + 0x2000n));
  again(m);
  expect(m.engine.vcpus[0]!.get('rax')).toBe(1n);
  m.engine.vcpus[0]!.flushPage(CODE + 0x1000n);
  again(m);
  expect(m.engine.vcpus[0]!.get('rax')).toBe(2n);
});

test('saved state brings registers and stale translations back', () => {
  const m = loadProgram(READ);
  const vcpu = m.engine.vcpus[0]!;
  m.write(DATA, value(1));
  again(m);
  const saved = vcpu.save();
  m.setEntry(DATA, (BigInt(m.frame(DATA + 0x1000n)) << 12n) | 7n);
  vcpu.flushAll();
  again(m);
  expect(vcpu.get('rax')).toBe(0n);
  vcpu.restore(saved);
  expect(Buffer.compare(vcpu.save(), saved)).toBe(0);
  expect(vcpu.get('rax')).toBe(1n);
  vcpu.set('rax', 0n);
  again(m);
  expect(vcpu.get('rax')).toBe(1n);
});

test('vCPUs have their own registers and TLBs', () => {
  const m = loadProgram(READ, { vcpus: 2 });
  const [a, b] = m.engine.vcpus as [(typeof m.engine.vcpus)[0], (typeof m.engine.vcpus)[0]];
  m.write(DATA, value(1));
  m.engine.run(0, 1);
  b.rip = CODE;
  b.set('rsp', STACK);
  m.setEntry(DATA, (BigInt(m.frame(DATA + 0x1000n)) << 12n) | 7n);
  m.write(DATA, value(2));
  m.engine.run(1, 1);
  expect([a.get('rax'), b.get('rax')]).toEqual([1n, 2n]);
  again(m);
  expect(a.get('rax')).toBe(1n);
  a.set('rbx', 5n);
  b.set('rbx', 6n);
  expect([a.get('rbx'), b.get('rbx')]).toEqual([5n, 6n]);
});
