// Guests that execute random bytes, with handlers that step over whatever faults: the machine never throws, never leaves the
// guest's frames, and keeps its frame table consistent.

import { beforeAll, expect, test } from 'vitest';
import { asVirtual } from '../../abi/address.ts';
import { createMachine } from '../../simulator/machine.ts';
import { assemble } from './assemble.ts';
import { configOf } from './run.ts';

const VECTORS = Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 2 && n !== 9 && n !== 15);
const WITH_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);

/** Every handler puts all registers but the stack pointer to values made from the code's own address, and goes on one byte further. */
const source = `
main:
  lea traps(%rip), %rdi
  HYPERCALL 0
  lea upcall(%rip), %rdi
  xor %esi, %esi
  xor %edx, %edx
  HYPERCALL 4
  jmp code
.align 4096
code: .fill 16384, 1, 0x90
code_end: jmp code
${VECTORS.map((v) => `trap${v}:\n${WITH_CODE.has(v) ? '  add $8, %rsp\n  mov 8(%rsp), %rax\n' : '  mov 16(%rsp), %rax\n'}  jmp again\n`).join('')}
upcall: mov 16(%rsp), %rax
again:
  lea stack_top(%rip), %rsp
  inc %rax
  lea code(%rip), %rcx
  sub %rcx, %rax
  and $16383, %eax
  add %rcx, %rax
  mov %rax, %rdi
  mov $17, %esi
  mov $3, %edx
  mov %rax, %rbp
  mov %rax, %r12
  jmp *%rax
.data
.align 16
traps:
${VECTORS.map((v) => `.byte ${v}, 0\n.word 0xe033\n.long 0\n.quad trap${v}\n`).join('')}.quad 0, 0
.text
`;

let guest: ReturnType<typeof assemble>;
beforeAll(() => {
  guest = assemble(source);
});

/** Bytes with a few useful instructions strewn in: hypercalls with small numbers, privileged ones. */
function randomCode(seed: number): Uint8Array {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
  const useful = [
    () => [0xb8, next(48), 0, 0, 0, 0x0f, 0x05],
    () => [0xbf, next(32), 0, 0, 0],
    () => [0xbe, next(256), next(256), 0, 0],
    () => [0x0f, 0x20 + next(4), 0xc0 + next(64)],
    () => [0x0f, 0x30 + next(4)],
    () => [0x66, 0x6c + next(4)],
    () => [0xe4 + next(4), next(256)],
    () => [0xcd, next(256)],
    () => [0x48, 0x89, 0xe7],
    () => [0x8e, 0xc0 + next(48)],
  ];
  const bytes: number[] = [];
  while (bytes.length < 16384) bytes.push(...(next(3) ? [next(256)] : useful[next(useful.length)]!()));
  return Uint8Array.from(bytes.slice(0, 16384));
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('random code (seed %i) does what it likes to itself only', (seed) => {
  const machine = createMachine(configOf(guest.elf, { memoryMib: 8, dom0: seed % 2 === 0 }));
  machine.writeMemory(0, asVirtual(guest.symbols.code!), randomCode(seed));
  let result = machine.run({ instructions: 100_000 });
  for (let n = 0; n < 8 && result.kind === 'budget'; n++) result = machine.run({ instructions: 50_000, untilTime: machine.clock() + 1e9 });
  expect(['budget', 'ended', 'idle']).toContain(result.kind);
  expect(machine.icount()).toBeGreaterThan(20);
  expect(machine.stateHash()).toMatch(/^[0-9a-f]{32}$/);
});
