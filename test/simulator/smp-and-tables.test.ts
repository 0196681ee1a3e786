// Small kernels on the machine: a second vCPU, and stores into page tables with and without the assist.

import { describe, expect, test } from 'vitest';
import { offsetOf, sizeOf } from '../../abi/layout.ts';
import { assemble } from './assemble.ts';
import { configOf, runSession } from './run.ts';

const context = (path: string): number => offsetOf('vcpu_guest_context', 64, path);

describe('a second vCPU', () => {
  const { elf } = assemble(`
main:
  mov %cr3, %rax
  mov %rax, context+${context('ctrlreg[3]')}(%rip)
  lea second(%rip), %rax
  mov %rax, context+${context('user_regs.rip')}(%rip)
  lea stack2_top(%rip), %rax
  mov %rax, context+${context('user_regs.rsp')}(%rip)
  movq $0x200, context+${context('user_regs.rflags')}(%rip)
  xor %edi, %edi
  mov $1, %esi
  lea context(%rip), %rdx
  HYPERCALL 24
  mov %rax, %r12
  mov $1, %edi
  mov $1, %esi
  HYPERCALL 24
  mov %rax, %r13
  # both count in turn
1: incl mine(%rip)
  cmpl $1000000, theirs(%rip)
  jb 1b
  ret
second:
  incl theirs(%rip)
  cmpl $2000000, theirs(%rip)
  jb second
  mov $2, %edi
  mov $1, %esi
  HYPERCALL 24
.data
mine: .long 0
theirs: .long 0
.align 16
context: .skip ${sizeOf('vcpu_guest_context', 64)}
.align 16
.skip 512
stack2_top:
.text
`);

  test('runs beside the first, in turns of guest time, the same way every time', () => {
    const runs = [70_000, 1_000_000].map((slice) => {
      const { result, machine } = runSession(configOf(elf, { vcpus: 2 }), { slice, limit: 100_000_000 });
      expect(result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
      const { r12, r13 } = machine.registers(0);
      expect([r12, r13]).toEqual([0n, 0n]);
      return [machine.icount(), machine.clock(), machine.stateHash()];
    });
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]![0]).toBeGreaterThan(1_000_000);
  });
});

/** Maps `page` (unmapped) to its own frame again by a store into the level 1 table, then reads it. */
const store = (assist: boolean, across = false): string => `
main:
  lea traps(%rip), %rdi
  HYPERCALL 0
${assist ? '  xor %edi, %edi\n  mov $2, %esi\n  HYPERCALL 21\n' : ''}
  # rbp: address of the level 1 entry of 'page' in the initial tables (start_info.pt_base: l4 l3 l2 l1 l1)
  mov 88(%rbx), %rbp
  add $0x3000, %rbp
  lea page(%rip), %rax
  mov %rax, %rcx
  shr $12, %rax
  and $511, %eax
  lea (%rbp,%rax,8), %rbp
  mov (%rbp), %r14
  mov %r14, %r13
  and $~2, %r13
${across ? '  movl $0, 6(%rbp)\n' : ''}store:
  mov %r13, (%rbp)
  mov (%rbp), %r12
  # a store that would make the table itself writable: its own entry with W
  mov 88(%rbx), %rax
  add $0x3000, %rax
  mov %rax, %rdx
  shr $12, %rdx
  and $511, %edx
  lea (%rax,%rdx,8), %rbp
  mov (%rbp), %rdx
  or $2, %rdx
forbidden:
  mov %rdx, (%rbp)
  ret
trap14:
  jmp .
.data
.align 16
traps: .byte 14, 0
.word 0xe033
.long 0
.quad trap14, 0, 0
.align 4096
page: .quad 42
.align 4096
.text
`;

describe('a store into a level 1 table in use', () => {
  test('is a page fault for a guest without the assist', () => {
    const { elf, symbols } = assemble(store(false));
    const { records } = runSession(configOf(elf), { kinds: ['exception'], limit: 50_000 });
    expect(records[0]).toMatchObject({
      vector: 14,
      error: '0x3',
      rip: `0x${symbols.store!.toString(16)}`,
      refusal: { rule: 'store-to-page-table' },
    });
  });

  test('is carried out with writable_pagetables, audited like a hypercall, and refused with a fault where that is', () => {
    const { elf, symbols } = assemble(store(true));
    const { records, machine } = runSession(configOf(elf), { kinds: ['exception', 'emulate'], limit: 50_000 });
    const emulated = records.filter((r) => r.kind === 'emulate');
    expect(emulated).toHaveLength(1);
    expect(emulated[0]).toMatchObject({ rule: 'store-to-page-table', rip: `0x${symbols.store!.toString(16)}` });
    const { r12, r14 } = machine.registers(0);
    expect(r12 & 3n).toBe(1n);
    expect(r14 & 3n).toBe(3n);
    const fault = records.find((r) => r.kind === 'exception');
    expect(fault).toMatchObject({ vector: 14, error: '0x3', rip: `0x${symbols.forbidden!.toString(16)}` });
  });

  test('is carried out in a second domain too, whose vCPU has another number in the engine', () => {
    const waiting = assemble('main:\n  mov $1, %edi\n  HYPERCALL 29\n  jmp main');
    const { elf, symbols } = assemble(store(true));
    const config = configOf(waiting.elf, { domains: [configOf(elf)] });
    const { records } = runSession(config, { kinds: ['emulate'], limit: 200_000 });
    const own = records.filter((record) => record.domain === 2);
    expect(own).toMatchObject([{ kind: 'emulate', rule: 'store-to-page-table', rip: `0x${symbols.store!.toString(16)}` }]);
  });

  test('is a page fault when it crosses from one entry into the next, and nothing is stored', () => {
    const { elf } = assemble(store(true, true));
    const { records } = runSession(configOf(elf), { kinds: ['exception', 'emulate'], limit: 50_000 });
    expect(records[0]).toMatchObject({ kind: 'exception', vector: 14, error: '0x3' });
  });

  test('is carried out for dom0 without the assist', () => {
    const { elf } = assemble(store(false));
    const { records } = runSession(configOf(elf, { dom0: true }), { kinds: ['exception', 'emulate'], limit: 50_000 });
    expect(records[0]).toMatchObject({ kind: 'emulate', rule: 'store-to-page-table' });
  });
});
