// Programs that use everything that can go wrong with counting: loops, calls, rep, page borders, code that changes itself,
// division, flags in every order.

import { assemble } from './assemble.ts';
import { type TestMachine, type TestOptions, testMachine } from './machine.ts';

export const CODE = 0x400000n;
export const STACK = 0x7fff0000n;
export const DATA = 0x10000000n;

export function loadProgram(source: string, options: TestOptions = {}): TestMachine {
  const m = testMachine(options);
  m.map(CODE, 4);
  m.map(STACK - 0x4000n, 4);
  m.map(DATA, 16);
  m.write(CODE, assemble(source, CODE));
  const vcpu = m.engine.vcpus[0]!;
  vcpu.rip = CODE;
  vcpu.set('rsp', STACK);
  return m;
}

export const MIXED = `
  mov rbp, 0x10000000
  mov r15d, 12345
outer:
  mov ecx, 37
1:imul r15, r15, 1103515245
  add r15d, 12345
  mov rax, r15
  adc rax, rcx
  rcl rax, 3
  mov [rbp + rcx*8 + 0xf80], rax      # crosses the page border for some rcx
  mov [rbp + rcx*4 + 0x1fef], eax
  call work
  cmp eax, r15d
  jb 2f
  inc r14
2:test r15b, 4
  jz 3f
  add r13, r14
3:dec ecx
  jnz 1b
  lea rsi, [rbp + 0x0ff3]
  lea rdi, [rbp + 0x2ff1]
  mov ecx, 200
  rep movsb
  std
  lea rsi, [rbp + 0x3000]
  lea rdi, [rbp + 0x5007]
  mov ecx, 77
  rep movsq
  cld
  lea rdi, [rbp + 0x6ff9]
  mov ecx, 65
  rep stosd
  lea rdi, [rbp]
  mov al, 0
  mov ecx, 4096
  repne scasb
  xor ecx, ecx
  rep movsb
  mov rax, r15
  and al, 15
  mov byte ptr [patch + 1], al        # changes an instruction of its own block
patch:
  mov bl, 0
  add [rbp + 0x7000], rbx
  jmp outer
work:
  push rbx
  mov rax, r15
  xor edx, edx
  mov rbx, 1000003
  div rbx
  xadd [rbp + 0x5ffd], rdx
  lock cmpxchg [rbp + 0x800], rdx
  and edx, 0xffff
  bts [rbp + 0x100], edx
  pushfq
  pop rax
  setc bl
  cmovs rdx, rax
  shld rdx, rax, 7
  pop rbx
  ret
`;
