// System instructions: what ends a run, what faults, what goes through the host's descriptor tables.

import { describe, expect, test } from 'vitest';
import { Segment, type SegmentLoad } from '../../simulator/cpu/engine-types.ts';
import { assemble } from './assemble.ts';
import { CODE, loadProgram, STACK } from './programs.ts';

const DATA_SEGMENT = { base: 0n, limit: 0xffffffff, attributes: 0xc0f3 };
const CODE_64 = { base: 0n, limit: 0xffffffff, attributes: 0xa0fb };
const CODE_32 = { base: 0n, limit: 0xffffffff, attributes: 0xc0fb };
/** Selectors of the test: 0x33 64-bit code, 0x23 32-bit code, 0x2b data, 0x43 data with a base; others are beyond the table. */
const loadSegment = (_vcpu: number, _segment: number, selector: number): SegmentLoad => {
  if (selector === 0x33) return { ok: true, cache: CODE_64 };
  if (selector === 0x23) return { ok: true, cache: CODE_32 };
  if (selector === 0x2b) return { ok: true, cache: DATA_SEGMENT };
  if (selector === 0x43) return { ok: true, cache: { ...DATA_SEGMENT, base: 0x10000000n } };
  return { ok: false, vector: 13, errorCode: selector & 0xfffc };
};
const program = (source: string, host = {}): ReturnType<typeof loadProgram> => {
  const m = loadProgram(source, { host: { loadSegment, ...host } });
  const vcpu = m.engine.vcpus[0]!;
  vcpu.setSegment(Segment.cs, 0x33, CODE_64);
  vcpu.setSegment(Segment.ss, 0x2b, DATA_SEGMENT);
  return m;
};

describe('a run ends with', () => {
  const ends: [string, object, bigint][] = [
    ['syscall', { kind: 'syscall', executed: 2 }, 3n],
    ['int 0x80', { kind: 'interrupt', vector: 0x80, executed: 2 }, 3n],
    ['int3', { kind: 'interrupt', vector: 3, executed: 2 }, 2n],
    ['ud2', { kind: 'exception', vector: 6, errorCode: -1, executed: 1, unsupported: null }, 1n],
  ];
  for (const [source, exit, rip] of ends)
    test(source, () => {
      const m = program(`nop\n${source}\nnop`);
      expect(m.engine.run(0, 10)).toMatchObject({ ...exit, instruction: CODE + 1n });
      expect(m.engine.vcpus[0]!.rip).toBe(CODE + rip);
    });
});

test('what a model does not have is #UD: rdtscp, xgetbv, sysexit on AMD, SVM on Intel', () => {
  const vector = (model: 'amd' | 'intel', source: string): number => loadProgram(source, { model }).engine.run(0, 5).vector;
  for (const model of ['amd', 'intel'] as const)
    for (const source of ['rdtscp', 'xgetbv', 'vmcall', 'vmmcall']) expect(vector(model, source), source).toBe(6);
  expect([vector('amd', '.byte 0x0f, 0x35'), vector('intel', '.byte 0x0f, 0x35')]).toEqual([6, 13]);
  expect([vector('amd', 'clgi'), vector('intel', 'clgi')]).toEqual([13, 6]);
});

test('sysenter belongs to Intel, syscall in 32-bit code to AMD', () => {
  const end = (model: 'amd' | 'intel', source: string, bits: 64 | 32): object => {
    const m = loadProgram(source, { host: { loadSegment }, model });
    m.engine.vcpus[0]!.setMode({ bits, cpl: 3, bank: 0 });
    const { kind, vector } = m.engine.run(0, 5);
    return kind === 'exception' ? { vector } : { kind };
  };
  expect(end('amd', 'sysenter', 64)).toEqual({ vector: 6 });
  expect(end('intel', 'sysenter', 64)).toEqual({ kind: 'sysenter' });
  expect(end('amd', 'syscall', 32)).toEqual({ kind: 'syscall' });
  expect(end('intel', 'syscall', 32)).toEqual({ vector: 6 });
});

describe('above CPL 0 it is #GP(0) with the state before:', () => {
  const faults = [
    'hlt',
    'cli',
    'sti',
    'in al, dx',
    'out 0x80, al',
    'insb',
    'rep outsb',
    'mov rax, cr0',
    'mov cr3, rax',
    'mov rax, dr7',
    'wrmsr',
    'rdmsr',
    'lgdt [rax]',
    'lidt [rax]',
    'lldt ax',
    'ltr ax',
    'lmsw ax',
    'clts',
    'invlpg [rax]',
    'swapgs',
    'wbinvd',
    'invd',
    'sysretq',
    'rdpmc',
  ];
  for (const source of faults)
    test(source, () => {
      const m = program(`nop\n${source}`);
      expect(m.engine.run(0, 10)).toMatchObject({ kind: 'exception', vector: 13, errorCode: 0, executed: 1 });
      expect(m.engine.vcpus[0]!.rip).toBe(CODE + 1n);
    });
});

test('pushf shows IF, popf keeps IF and IOPL in silence', () => {
  const m = program('pushfq\nand qword ptr [rsp], ~0x3200\npopfq\npushfq\npop rax\nint3');
  m.engine.vcpus[0]!.rflags = 0x202;
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'interrupt', executed: 6 });
  expect(m.engine.vcpus[0]!.get('rax') & 0x3200n).toBe(0x200n);
});

test('segment loads go through the host, which may refuse', () => {
  const m = program('mov eax, 0x43\nmov fs, eax\nmov rbx, fs:[8]\nmov ecx, fs\nmov gs, [rip + selector]\nint3\nselector: .word 0x77');
  m.write(0x10000008n, Uint8Array.from([9, 0, 0, 0, 0, 0, 0, 0]));
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'exception', vector: 13, errorCode: 0x74, executed: 4 });
  const vcpu = m.engine.vcpus[0]!;
  expect([vcpu.get('rbx'), vcpu.get('rcx'), vcpu.base(Segment.fs)]).toEqual([9n, 0x43n, 0x10000000n]);
});

test('a far return to 32-bit code and back changes the mode', () => {
  const m = program(`
    mov rsp, 0x7ffefff0
    push 0x23
    lea rax, [rip + compat]
    push rax
    lretq
  .code32
  compat:
    mov eax, 0xffffffff
    inc eax
    dec eax               # 48 would be a prefix in 64-bit mode
    push 0x33
    push offset back
    lret
  .code64
  back:
    mov rbx, rax
    dec rbx
    int3`);
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'interrupt', executed: 14 });
  const vcpu = m.engine.vcpus[0]!;
  expect(vcpu.get('rbx')).toBe(0xfffffffen);
  expect(vcpu.mode().bits).toBe(64);
});

describe('in 32-bit code a segment that is not flat is checked:', () => {
  const segments: Record<number, { base: bigint; limit: number; attributes: number }> = {
    67: { base: 0x10000000n, limit: 0xff, attributes: 0x40f3 },
    75: { base: 0x10000000n, limit: 0xfff, attributes: 0x40f7 }, // expand-down
    83: { base: 0x10000000n, limit: 0xff, attributes: 0x40f1 }, // read-only
  };
  const load = (_v: number, _s: number, selector: number): SegmentLoad => {
    const cache = segments[selector];
    return cache ? { ok: true, cache } : { ok: false, vector: 13, errorCode: selector & 0xfffc };
  };
  const run32 = (selector: number, source: string): object => {
    const m = loadProgram('nop', { host: { loadSegment: load } });
    m.write(CODE, assemble(`mov eax, ${selector}\nmov gs, eax\n${source}\nint3`, CODE, 32));
    m.write(0x10000000n + 0x20n, Uint8Array.from([7, 0, 0, 0]));
    const vcpu = m.engine.vcpus[0]!;
    vcpu.setMode({ bits: 32, cpl: 3, bank: 1 });
    const { kind, vector, errorCode, executed } = m.engine.run(0, 20);
    return { kind, vector, errorCode, executed, eax: Number(vcpu.get('rax')) };
  };
  const done = (eax: number): object => ({ kind: 'interrupt', vector: 3, errorCode: -1, executed: 4, eax });
  const refused = (eax: number): object => ({ kind: 'exception', vector: 13, errorCode: 0, executed: 2, eax });
  const cases: [string, number, string, object][] = [
    ['inside the limit', 0x43, 'mov eax, gs:[0x20]', done(7)],
    ['the last bytes', 0x43, 'mov ecx, gs:[0xfc]', done(0x43)],
    ['one byte beyond', 0x43, 'mov ecx, gs:[0xfd]', refused(0x43)],
    ['expand-down, above the limit', 0x4b, 'mov ecx, gs:[0x1000]', done(0x4b)],
    ['expand-down, at the limit', 0x4b, 'mov ecx, gs:[0xfff]', refused(0x4b)],
    ['read-only, read', 0x53, 'mov eax, gs:[0x20]', done(7)],
    ['read-only, written', 0x53, 'mov gs:[0x20], eax', refused(0x53)],
    ['a null selector', 0, 'mov ecx, gs:[0x20]', refused(0)],
    ['an address alone', 0, 'lea ecx, gs:[0x20]', done(0)],
    ['16-bit addresses wrap', 0x43, 'mov ebx, eax\n.byte 0x65, 0x67, 0x8b, 0x87, 0xdd, 0xff', { ...done(7), executed: 5 }],
  ];
  for (const [name, selector, source, expected] of cases) test(name, () => expect(run32(selector, source)).toEqual(expected));

  test('a null ds refuses plain addresses', () => {
    const m = loadProgram('nop', { host: { loadSegment: load } });
    m.write(CODE, assemble('mov ds, eax\nmov ecx, [0x10000020]', CODE, 32));
    m.engine.vcpus[0]!.setMode({ bits: 32, cpl: 3, bank: 1 });
    expect(m.engine.run(0, 20)).toMatchObject({ kind: 'exception', vector: 13, errorCode: 0, executed: 1 });
  });
});

test('iret takes rip, flags and stack; a fault on the way changes nothing', () => {
  const source = 'push 0x2b\npush 0x1000\npush 0xad7\npush 0x33\nlea rax, [rip + to]\npush rax\niretq\nto: int3';
  const m = program(source);
  expect(m.engine.run(0, 20)).toMatchObject({ kind: 'interrupt', executed: 8 });
  const vcpu = m.engine.vcpus[0]!;
  expect(vcpu.get('rsp')).toBe(0x1000n);
  expect(vcpu.rflags & 0xcd5).toBe(0x8d5);
  const bad = program(source.replace('push 0x33', 'push 0x53'));
  expect(bad.engine.run(0, 20)).toMatchObject({ kind: 'exception', vector: 13, errorCode: 0x50, executed: 6 });
  expect(bad.engine.vcpus[0]!.get('rsp')).toBe(STACK - 40n);
});

test('cpuid, rdtsc and the descriptor probes ask the host', () => {
  const cpuid = (_v: number, leaf: number, sub: number): { eax: number; ebx: number; ecx: number; edx: number } => ({
    eax: leaf + 1,
    ebx: -1,
    ecx: sub + 2,
    edx: 3,
  });
  // A 64-bit code descriptor of DPL 3 at selector 0x33.
  const readDescriptor = (_v: number, selector: number): bigint | null => (selector === 0x33 ? 0x00affb000000ffffn : null);
  const m = program(
    'mov eax, 6\nmov ecx, 4\ncpuid\nmov esi, ecx\nmov edi, 0x33\nlar r8d, edi\nlsl r9d, edi\nmov edi, 0x3b\nlar r10d, edi\nsetz r11b\nrdtsc\nint3',
    { cpuid, readDescriptor },
  );
  m.engine.run(0, 20);
  const vcpu = m.engine.vcpus[0]!;
  expect([vcpu.get('rsi'), vcpu.get('rbx'), vcpu.get('r8'), vcpu.get('r9'), vcpu.get('r11')]).toEqual([
    6n,
    0xffffffffn,
    0xaffb00n,
    0xffffffffn,
    0n,
  ]);
  // The host's clock here is the number of instructions before.
  expect(vcpu.get('rax')).toBe(10n);
  vcpu.trapTsc = true;
  vcpu.rip = CODE;
  expect(m.engine.run(0, 20)).toMatchObject({ kind: 'exception', vector: 13, executed: 10 });
});

test('a page fault leaves everything as before, and the instruction runs when the page is there', () => {
  for (const source of [
    'push qword ptr [rbx]',
    'add [rbx], rax',
    'xchg [rbx], rax',
    'call [rbx]',
    'pop qword ptr [rbx]',
    'cmpxchg [rbx], rcx',
    'movsq',
    'rep movsq',
    'stosq',
    'mov rax, [rbx]',
    'bts [rbx], rax',
    'mul qword ptr [rbx]',
    'shld [rbx], rax, 3',
    'xadd [rbx], rax',
    'inc qword ptr [rbx]',
    'fxsave [rbx]',
    'enter 16, 3',
  ]) {
    const m = program(`${source}\nint3`);
    const vcpu = m.engine.vcpus[0]!;
    const at = 0x20000000n;
    for (const name of ['rbx', 'rsi', 'rdi', 'rbp'] as const) vcpu.set(name, at + 0x100n);
    vcpu.set('rcx', 3n);
    vcpu.set('rsp', STACK - 0x800n);
    vcpu.set('rax', 5n);
    vcpu.rflags = 0x8d7;
    const names = ['rax', 'rbx', 'rcx', 'rdx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
    const before = names.map((n) => vcpu.get(n));
    const page = m.map(at, 1)[0]!;
    m.unmap(at);
    expect(m.engine.run(0, 100), source).toMatchObject({ kind: 'exception', vector: 14, executed: 0 });
    expect(m.engine.exit.cr2 >> 12n, source).toBe(at >> 12n);
    expect(
      names.map((n) => vcpu.get(n)),
      source,
    ).toEqual(before);
    expect([vcpu.rip, vcpu.rflags], source).toEqual([CODE, 0x8d7]);
    m.mapFrame(at, page);
    const exit = m.engine.run(0, 100);
    // call [rbx] goes to address 0, which is not mapped.
    expect([exit.kind, exit.executed > 0], source).toEqual([source.startsWith('call') ? 'exception' : 'interrupt', true]);
  }
});

test('the floating-point control state: fninit, fldcw, fxsave', () => {
  const m = program(
    'mov rbx, 0x10000000\nmov word ptr [rbx], 0x27f\nfldcw [rbx]\nfnstcw [rbx + 2]\nfxsave [rbx + 0x40]\nfninit\nfnstcw [rbx + 4]\nfxrstor [rbx + 0x40]\nfnstcw [rbx + 6]\nint3',
  );
  expect(m.engine.run(0, 20)).toMatchObject({ kind: 'interrupt' });
  expect([...new Uint16Array(m.read(0x10000000n, 8).buffer)]).toEqual([0x27f, 0x27f, 0x37f, 0x27f]);
  expect(new DataView(m.read(0x10000040n, 32).buffer).getUint32(24, true)).toBe(0x1f80);
});
