// Code that changes, and breakpoints.

import { expect, test } from 'vitest';
import { assemble } from './assemble.ts';
import { CODE, loadProgram } from './programs.ts';

test('a store into the next instruction takes effect at once', () => {
  const m = loadProgram('mov byte ptr [there + 1], 42\nthere: mov al, 1\nint3');
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'interrupt', executed: 3 });
  expect(m.engine.vcpus[0]!.get('rax')).toBe(42n);
});

test('a string store into its own block counts what ran and no more', () => {
  const m = loadProgram('lea rdi, [rip + there + 1]\nmov al, 42\nstosb\nnop\nthere: mov bl, 1\nnop\nint3');
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'interrupt', executed: 7 });
  expect(m.engine.vcpus[0]!.get('rbx')).toBe(42n);
});

test('a store into code that ran before is seen, also through another mapping', () => {
  const m = loadProgram('again: call f\ninc byte ptr [0x10000000 + f - again + 1]\ncmp al, 5\njne again\nint3\nf: mov al, 1\nret');
  m.mapFrame(0x10000000n, m.frame(CODE));
  const exit = m.engine.run(0, 1000);
  expect(exit).toMatchObject({ kind: 'interrupt', vector: 3 });
  expect(m.engine.vcpus[0]!.get('rax')).toBe(5n);
});

test('string stores and stores over a page border change code too', () => {
  const m = loadProgram('call f\nlea rdi, [rip + f]\nmov eax, 0xc3c3b0b0\nstosd\ncall f\nint3\n.org 0xffd\nf: mov al, 1\nret\nnop\nnop');
  // mov al,1 at 0xffd, ret at 0xfff: the new bytes b0 b0 c3 c3 reach into the second page.
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'interrupt' });
  expect(m.engine.vcpus[0]!.get('rax') & 0xffn).toBe(0xb0n);
  const other = loadProgram(
    'call f\nmov dword ptr [rip + f + 1], 0x00c30290\nsub al, al\ncall f\nint3\n.org 0xffe\nf: mov al, 1\nret\n.byte 0,0',
  );
  other.engine.run(0, 100);
  expect(other.engine.vcpus[0]!.get('rax') & 0xffn).toBe(0x90n);
});

test('writes by the host drop decoded code when they are announced', () => {
  const m = loadProgram('1: mov al, 1\njmp 1b');
  m.engine.run(0, 1001);
  m.write(CODE, assemble('mov al, 2', CODE));
  m.engine.run(0, 2);
  expect(m.engine.vcpus[0]!.get('rax')).toBe(2n);
});

test('an instruction over a page border follows the mapping of its second page', () => {
  const m = loadProgram('jmp f\n.org 0xffe\nf: mov eax, 0x11111111\nint3\n.org 0x2000\n.byte 0x22, 0x22, 0x22, 0xcc');
  m.engine.run(0, 10);
  expect(m.engine.vcpus[0]!.get('rax')).toBe(0x11111111n);
  m.setEntry(CODE + 0x1000n, m.entry(CODE + 0x2000n));
  m.engine.vcpus[0]!.flushPage(CODE + 0x1000n);
  m.engine.vcpus[0]!.rip = CODE;
  m.engine.run(0, 10);
  expect(m.engine.vcpus[0]!.get('rax')).toBe(0x22222211n);
  m.unmap(CODE + 0x1000n);
  m.engine.vcpus[0]!.flushPage(CODE + 0x1000n);
  m.engine.vcpus[0]!.rip = CODE;
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'exception', vector: 14, errorCode: 16, cr2: CODE + 0x1000n, executed: 1 });
  expect(m.engine.vcpus[0]!.rip).toBe(CODE + 0xffen);
});

test('an instruction over the border between two pages of one frame is watched in both parts', () => {
  // jmp at 0xffe with its last three bytes at 0: to 0x200, and to 0x300 when byte 0 is 0xf2.
  const m = loadProgram(`
    start: .byte 0xf1, 0xff, 0xff
    .org 0x100
    call f
    call g
    mov byte ptr [rip + g + 1], 5
    mov byte ptr [rip + start], 0xf2
    call f
    int3
    .org 0x180
    g: mov cl, 1
    ret
    .org 0x200
    mov al, 1
    ret
    .org 0x300
    mov al, 2
    ret
    .org 0xffe
    f: .byte 0xe9, 0xfd`);
  m.setEntry(CODE + 0x1000n, m.entry(CODE));
  m.engine.vcpus[0]!.rip = CODE + 0x100n;
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'interrupt', vector: 3 });
  expect(m.engine.vcpus[0]!.get('rax') & 0xffn).toBe(2n);
});

test('breakpoints stop before their instruction, every time, and nowhere else', () => {
  const m = loadProgram('mov ecx, 3\n1: inc eax\ndec ecx\njnz 1b\nint3');
  const vcpu = m.engine.vcpus[0]!;
  const at = CODE + 7n; // dec ecx
  m.engine.setBreakpoints([at]);
  for (let n = 1; n <= 3; n++) {
    const exit = m.engine.run(0, 1000, n > 1);
    expect(exit).toMatchObject({ kind: 'breakpoint', executed: n === 1 ? 2 : 3 });
    expect(vcpu.rip).toBe(at);
    expect(vcpu.get('rax')).toBe(BigInt(n));
  }
  // Without `resume` it stops where it stands.
  expect(m.engine.run(0, 1000)).toMatchObject({ kind: 'breakpoint', executed: 0 });
  m.engine.setBreakpoints([]);
  expect(m.engine.run(0, 1000)).toMatchObject({ kind: 'interrupt', executed: 3 });
});

test('a breakpoint set in the middle of decoded code is met', () => {
  const m = loadProgram('1: inc eax\ninc ebx\ninc ecx\njmp 1b');
  m.engine.run(0, 4000);
  m.engine.setBreakpoints([CODE + 4n]);
  expect(m.engine.run(0, 4000)).toMatchObject({ kind: 'breakpoint', executed: 2 });
  expect(m.engine.run(0, 4000, true)).toMatchObject({ kind: 'breakpoint', executed: 4 });
});

test('an unknown instruction raises #UD; a disabled floating-point unit raises #NM first', () => {
  const ud = loadProgram('.byte 0x0f, 0x04');
  expect(ud.engine.run(0, 5)).toMatchObject({ kind: 'exception', vector: 6, unsupported: null, executed: 0 });
  for (const source of ['fsin', 'fninit', 'fwait', 'addps xmm0, xmm1', 'paddb mm0, mm1', 'fxsave [rax]']) {
    const m = loadProgram(source);
    m.engine.vcpus[0]!.fpuDisabled = true;
    expect(m.engine.run(0, 5), source).toMatchObject({ kind: 'exception', vector: 7, errorCode: -1, executed: 0 });
  }
});
