// Debug traps where QEMU is no oracle: what a watchpoint and a debug trap do to each other, the shadow of mov ss, masks of DR0 to DR3,
// RF over the iterations of a rep, breakpoints of the debugger within a rep.

import { expect, test } from 'vitest';
import { Segment } from '../../simulator/cpu/engine-types.ts';
import type { TestMachine } from './machine.ts';
import { CODE, DATA, loadProgram } from './programs.ts';

const TF = 0x100;
const RF = 0x10000;
const DATA_SEGMENT = { base: 0n, limit: 0xffffffff, attributes: 0xc0f3 };
/** DR7: register n on for `kind` (0 execute, 1 write, 3 access) and length code. */
const dr7 = (n: number, kind: number, length = 0): bigint =>
  BigInt((0x400 | (1 << (2 * n)) | ((kind | (length << 2)) << (16 + 4 * n))) >>> 0);

function program(source: string, flags = 2): TestMachine {
  const m = loadProgram(source, { host: { loadSegment: () => ({ ok: true, cache: DATA_SEGMENT }) } });
  const vcpu = m.engine.vcpus[0]!;
  vcpu.set('rbx', DATA);
  vcpu.rflags = flags;
  vcpu.setSegment(Segment.ss, 0x2b, DATA_SEGMENT);
  return m;
}

test('a watchpoint stops first, the debug trap of the same instruction comes before anything else runs', () => {
  const m = program('mov [rbx], eax\nnop\nint3', TF | 2);
  const vcpu = m.engine.vcpus[0]!;
  vcpu.setDebugRegister(0, DATA);
  vcpu.setDebugRegister(7, dr7(0, 1));
  m.engine.setWatchpoints([{ address: DATA, length: 1, access: 'write' }]);
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'watch', executed: 1 });
  const saved = vcpu.save();
  const trap = { kind: 'exception', vector: 1, errorCode: -1, executed: 0, dr6: 0x4001 };
  expect(m.engine.run(0, 10)).toMatchObject(trap);
  // The trap that is due is part of the state.
  vcpu.restore(saved);
  expect(m.engine.run(0, 10)).toMatchObject(trap);
});

test('one access that meets two data breakpoints sets both bits; addresses count from their length’s border', () => {
  const m = program('mov [rbx+4], eax\nint3');
  const vcpu = m.engine.vcpus[0]!;
  vcpu.setDebugRegister(0, DATA + 3n);
  vcpu.setDebugRegister(2, DATA + 5n);
  vcpu.setDebugRegister(7, dr7(0, 1, 2) | dr7(2, 3, 1));
  expect(m.engine.run(0, 10)).toMatchObject({ vector: 1, dr6: 0b101, executed: 1 });
});

test('mov ss and pop ss hold back the single step and data breakpoints for one instruction, lss does not', () => {
  const run = (source: string, flags: number, control: bigint): object[] => {
    const m = program(`mov word ptr [rbx], 0x2b\n${source}\nnop\nnop\nint3`);
    const vcpu = m.engine.vcpus[0]!;
    m.write(DATA + 0x14n, Uint8Array.of(0x2b, 0));
    m.engine.run(0, 1);
    vcpu.rflags = flags;
    vcpu.setDebugRegister(0, DATA);
    vcpu.setDebugRegister(7, control);
    const { kind, vector, executed, dr6 } = m.engine.run(0, 10);
    return [{ kind, vector, executed, dr6 }];
  };
  expect(run('mov ss, [rbx]', TF | 2, 0x400n)).toEqual([{ kind: 'exception', vector: 1, executed: 2, dr6: 0x4000 }]);
  expect(run('mov ss, [rbx]', 2, dr7(0, 3))).toEqual([{ kind: 'exception', vector: 1, executed: 2, dr6: 1 }]);
  expect(run('mov ss, [rbx]', TF | 2, dr7(0, 3))).toEqual([{ kind: 'exception', vector: 1, executed: 2, dr6: 0x4001 }]);
  expect(run('lss eax, [rbx+0x10]', TF | 2, 0x400n)).toEqual([{ kind: 'exception', vector: 1, executed: 1, dr6: 0x4000 }]);
});

test('behind mov ss an instruction breakpoint does not match, and the host sees that no event may come', () => {
  const m = program('mov eax, 0x2b\nmov ss, eax\nnop\nnop\nint3');
  const vcpu = m.engine.vcpus[0]!;
  vcpu.setDebugRegister(3, CODE + 7n);
  vcpu.setDebugRegister(7, dr7(3, 0));
  expect(m.engine.run(0, 2)).toMatchObject({ kind: 'budget', executed: 2 });
  expect([vcpu.rip, vcpu.interruptShadow]).toEqual([CODE + 7n, true]);
  expect(m.engine.run(0, 1)).toMatchObject({ kind: 'budget', executed: 1 });
  expect(vcpu.interruptShadow).toBe(false);
  vcpu.rip = CODE + 7n;
  expect(m.engine.run(0, 1)).toMatchObject({ kind: 'exception', vector: 1, executed: 0, dr6: 8 });
});

test('RF holds through all iterations of a rep and ends with it; a fault keeps it', () => {
  const m = program('rep stosb\nmov al, [0]\nint3', RF | 2);
  const vcpu = m.engine.vcpus[0]!;
  vcpu.set('rdi', DATA);
  vcpu.set('rcx', 5n);
  vcpu.setDebugRegister(0, CODE);
  vcpu.setDebugRegister(7, dr7(0, 0));
  expect(m.engine.run(0, 3)).toMatchObject({ kind: 'budget', executed: 3 });
  expect(vcpu.rflags & RF).toBe(RF);
  expect(m.engine.run(0, 2)).toMatchObject({ kind: 'budget', executed: 2 });
  expect(vcpu.rflags & RF).toBe(0);
  vcpu.rflags |= RF;
  expect(m.engine.run(0, 2)).toMatchObject({ kind: 'exception', vector: 14 });
  expect(vcpu.rflags & RF).toBe(RF);
});

test("the debugger's breakpoint on a rep stops before its first iteration only, whatever the slices", () => {
  const m = program('nop\nrep stosb\nint3');
  const vcpu = m.engine.vcpus[0]!;
  vcpu.set('rdi', DATA);
  vcpu.set('rcx', 50n);
  m.engine.setBreakpoints([CODE + 1n]);
  const kinds: string[] = [];
  for (let n = 0; n < 20; n++) {
    const exit = m.engine.run(0, 7, kinds.at(-1) === 'breakpoint');
    kinds.push(exit.kind);
    if (exit.kind === 'interrupt') break;
  }
  expect(kinds.filter((kind) => kind === 'breakpoint')).toHaveLength(1);
  expect(vcpu.get('rcx')).toBe(0n);
});
