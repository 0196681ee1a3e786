// What MMX and SSE instructions do beside computing: faults in their order, exceptions of MXCSR, code they overwrite, what the
// processor model has not. Expected values are those of the host processor, as the oracle test compares them.

import { describe, expect, test } from 'vitest';
import type { TestMachine } from './machine.ts';
import { CODE, DATA, loadProgram } from './programs.ts';

const MXCSR_DEFAULT = 0x1f80;

interface Start {
  readonly mxcsr?: number;
  readonly xmm?: Readonly<Record<number, bigint>>;
}
function machine(source: string, { mxcsr = MXCSR_DEFAULT, xmm = {} }: Start = {}): TestMachine {
  const m = loadProgram(`${source}\nint3`);
  const vcpu = m.engine.vcpus[0]!;
  const image = vcpu.fpuImage();
  const view = new DataView(image.buffer);
  view.setUint32(24, mxcsr, true);
  for (const [n, v] of Object.entries(xmm)) {
    view.setBigUint64(160 + 16 * Number(n), BigInt.asUintN(64, v), true);
    view.setBigUint64(168 + 16 * Number(n), v >> 64n, true);
  }
  vcpu.setFpuImage(image);
  return m;
}
const view = (m: TestMachine): DataView => new DataView(m.engine.vcpus[0]!.fpuImage().buffer);
const mxcsr = (m: TestMachine): number => view(m).getUint32(24, true);
const low = (m: TestMachine, n: number): bigint => view(m).getBigUint64(160 + 16 * n, true);
const run = (m: TestMachine): ReturnType<TestMachine['engine']['run']> => m.engine.run(0, 100);

describe('exceptions of MXCSR', () => {
  const ONE = 0x3ff0000000000000n;
  const DENORMAL = 1n;
  test('a denormal divided by zero raises division by zero alone', () => {
    const m = machine('divsd xmm0, xmm1', { xmm: { 0: DENORMAL, 1: 0n } });
    expect(run(m).kind).toBe('interrupt');
    expect(low(m, 0)).toBe(0x7ff0000000000000n);
    expect(mxcsr(m)).toBe(MXCSR_DEFAULT | 4);
  });
  test('the minimum with a NaN is the second operand, a zero when that is a denormal and denormals are zeros', () => {
    const m = machine('minsd xmm0, xmm1', { mxcsr: MXCSR_DEFAULT | 0x40, xmm: { 0: 0x7ff8000000000000n, 1: DENORMAL } });
    run(m);
    expect(low(m, 0)).toBe(0n);
    expect(mxcsr(m)).toBe(MXCSR_DEFAULT | 0x41);
  });
  test('an unmasked exception is #XM: flags are set, nothing else is written', () => {
    const m = machine('addsd xmm0, xmm1', { mxcsr: MXCSR_DEFAULT & ~0x1000, xmm: { 0: ONE, 1: 0x3ca0000000000001n } });
    expect(run(m)).toMatchObject({ kind: 'exception', vector: 19, errorCode: -1, executed: 0 });
    expect(m.engine.vcpus[0]!.rip).toBe(CODE);
    expect(low(m, 0)).toBe(ONE);
    expect(mxcsr(m)).toBe((MXCSR_DEFAULT & ~0x1000) | 0x20);
  });
  test('an unmasked exception of one operand hides what other elements would raise', () => {
    const m = machine('divps xmm0, xmm1', { mxcsr: MXCSR_DEFAULT & ~0x200, xmm: { 0: 0x3f8000003f800000n, 1: 0x4040000000000000n } });
    expect(run(m)).toMatchObject({ vector: 19 });
    // Division by zero and the invalid 0 / 0 of the upper elements, but not the inexact third.
    expect(mxcsr(m) & 0x3f).toBe(5);
  });
  for (const [name, a, b, product, flags] of [
    ['rounds up to the least normal number from below underflows', 0x1fffffffffffffffn, 0x2000000000000000n, 0x10000000000000n, 0x30],
    [
      'is the least normal number after rounding with any exponent does not',
      0x1ffffffffffffffen,
      0x2000000000000001n,
      0x10000000000000n,
      0x20,
    ],
    ['needs 53 bits is exact', 0x3ff0000004000000n, 0x3ff0000004000000n, 0x3ff0000008000001n, 0],
    ['needs 54 bits is not', 0x3ff0000004000000n, 0x3ff0000002000000n, 0x3ff0000006000000n, 0x20],
  ] as const)
    test(`a product that ${name}`, () => {
      for (const already of [0, 0x20]) {
        const m = machine('mulsd xmm0, xmm1', { mxcsr: MXCSR_DEFAULT | already, xmm: { 0: a, 1: b } });
        run(m);
        expect(low(m, 0)).toBe(product);
        expect(mxcsr(m)).toBe(MXCSR_DEFAULT | already | flags);
      }
    });
  test('a number that rounds to 2 ** 31 does not fit', () => {
    const m = machine('cvtsd2si eax, xmm0\ncvttsd2si ebx, xmm0', { mxcsr: MXCSR_DEFAULT | 0x20, xmm: { 0: 0x41dfffffffe00000n } });
    run(m);
    expect(m.engine.vcpus[0]!.get('rax')).toBe(0x80000000n);
    expect(m.engine.vcpus[0]!.get('rbx')).toBe(0x7fffffffn);
    expect(mxcsr(m)).toBe(MXCSR_DEFAULT | 0x21);
  });
  test('the inexact flag is set once and the processor’s own arithmetic takes over after it', () => {
    const m = machine('divsd xmm0, xmm1\ndivsd xmm0, xmm1\ndivsd xmm0, xmm1', { xmm: { 0: ONE, 1: 0x4008000000000000n } });
    run(m);
    expect(low(m, 0)).toBe(0x3fa2f684bda12f68n);
    expect(mxcsr(m)).toBe(MXCSR_DEFAULT | 0x20);
  });
});

describe('faults', () => {
  test('#NM comes before everything else', () => {
    for (const source of ['movaps xmm0, [1]', 'paddb mm0, [0]', 'maskmovdqu xmm0, xmm1', 'emms', 'addps xmm0, xmm1']) {
      const m = machine(source);
      m.engine.vcpus[0]!.fpuDisabled = true;
      expect(run(m), source).toMatchObject({ kind: 'exception', vector: 7, errorCode: -1, executed: 0 });
    }
  });
  test('a misaligned 16-byte operand is #GP(0), for the unaligned moves it is none', () => {
    expect(run(machine('movaps xmm0, [0x10000008]'))).toMatchObject({ vector: 13, errorCode: 0 });
    expect(run(machine('addps xmm0, [0x10000008]'))).toMatchObject({ vector: 13, errorCode: 0 });
    expect(run(machine('movups xmm0, [0x10000008]\nmovdqu xmm1, [0x10000001]\nlddqu xmm1, [0x10000001]'))).toMatchObject({
      kind: 'interrupt',
    });
  });
  test('a store over the border to an unmapped page leaves both pages as they were', () => {
    const m = machine('movups [0x1000fff8], xmm0', { xmm: { 0: -1n & ((1n << 128n) - 1n) } });
    expect(run(m)).toMatchObject({ vector: 14, cr2: DATA + 0x10000n });
    expect(m.read(DATA + 0xfff8n, 8)).toEqual(new Uint8Array(8));
  });
  test('an unmasked x87 exception that waits is #MF for MMX, not for SSE', () => {
    const pending = (source: string): TestMachine => {
      const m = machine(source);
      const image = m.engine.vcpus[0]!.fpuImage();
      image.set([0x7e, 3, 0x81, 0x80]);
      m.engine.vcpus[0]!.setFpuImage(image);
      return m;
    };
    expect(run(pending('paddb mm0, mm1'))).toMatchObject({ kind: 'exception', vector: 16 });
    expect(run(pending('emms'))).toMatchObject({ kind: 'exception', vector: 16 });
    expect(run(pending('paddb xmm0, xmm1'))).toMatchObject({ kind: 'interrupt' });
  });
});

describe('stores', () => {
  test('over a page border, in the order of the bytes', () => {
    const m = machine('movdqu [0x10000ff3], xmm0', { xmm: { 0: 0x0f0e0d0c0b0a09080706050403020100n } });
    expect(run(m)).toMatchObject({ kind: 'interrupt', executed: 2 });
    expect(m.read(DATA + 0xff3n, 16)).toEqual(Uint8Array.from({ length: 16 }, (_, i) => i));
  });
  test('into the next instruction take effect at once', () => {
    // nop (90) times 16 becomes inc eax (ff c0) times 8.
    const m = machine('lea rdi, [rip + there]\nmovdqa [rdi], xmm0\n.balign 16\nthere: .fill 16, 1, 0x90', {
      xmm: { 0: 0xc0ffc0ffc0ffc0ffc0ffc0ffc0ffc0ffn },
    });
    run(m);
    expect(m.engine.vcpus[0]!.get('rax')).toBe(8n);
  });
});

test('instructions that the processor models have not are #UD', () => {
  for (const source of [
    'pshufb xmm0, xmm1',
    'pabsb mm0, mm1',
    'pmulld xmm0, xmm1',
    'pextrw [0x10000000], xmm0, 1',
    'crc32 eax, ecx',
    'aesenc xmm0, xmm1',
    'vaddps xmm0, xmm1, xmm2',
  ])
    expect(run(machine(source)), source).toMatchObject({ kind: 'exception', vector: 6, unsupported: null });
});

test('fxsave and fxrstor carry the registers, and the state survives a save', () => {
  const m = machine('fxsave [0x10000000]\npxor xmm3, xmm3\npaddb mm1, mm1\nfxrstor [0x10000000]', {
    xmm: { 3: 0x123456789abcdefn, 15: 5n },
    mxcsr: 0x9fc1,
  });
  const vcpu = m.engine.vcpus[0]!;
  const before = vcpu.fpuImage();
  const saved = vcpu.save();
  run(m);
  expect(vcpu.fpuImage()).toEqual(before);
  expect(m.read(DATA + 24n, 8)).toEqual(Uint8Array.from([0xc1, 0x9f, 0, 0, 0xff, 0xff, 0, 0]));
  vcpu.setFpuImage(new Uint8Array(512));
  vcpu.restore(saved);
  expect(vcpu.fpuImage()).toEqual(before);
});
