// Guests that wait: what is said when nothing can go on, or nothing but timers ever will; NMIs; debug exceptions of emulated I/O.

import { describe, expect, test } from 'vitest';
import { assemble } from './assemble.ts';
import { configOf, runSession } from './run.ts';

const BIND_TIMER = `
  lea virq(%rip), %rsi
  mov $1, %edi
  HYPERCALL 32
`;
const BLOCK = `
  mov $1, %edi
  HYPERCALL 29
`;

describe('a guest in which nothing can go on', () => {
  test('is told that its periodic timer does not wake a vCPU that sleeps', () => {
    const { elf } = assemble(`
main:
${BIND_TIMER}
  mov $6, %edi
  xor %esi, %esi
  lea period(%rip), %rdx
  HYPERCALL 24
  mov $3, %edi
  lea poll(%rip), %rsi
  HYPERCALL 29
  ret
.data
.align 8
virq: .long 0, 0, 0
period: .quad 1000000
poll: .quad 0, 0, 0
.text
`);
    const { result } = runSession(configOf(elf), { limit: 50_000_000 });
    expect(result.kind).toBe('idle');
    const text = result.kind === 'idle' ? result.waits[0]!.text : '';
    expect(text).toContain('periodic timer of 1,000,000 ns, which stands still while the vCPU sleeps');
  });

  test('is told which port is pending but masked, and that no callback is registered', () => {
    const { elf } = assemble(`
main:
  lea ipi(%rip), %rsi
  mov $7, %edi
  HYPERCALL 32
${BLOCK}
  ret
.data
.align 8
ipi: .long 0, 0
.text
`);
    const { result } = runSession(configOf(elf), { limit: 50_000_000 });
    const text = result.kind === 'idle' ? result.waits[0]!.text : '';
    expect(text).toContain('SCHEDOP_block');
    expect(text).toContain('no timer is set');
    expect(text).toContain('no event callback is registered');
  });
});

test('a guest that for 10 s of its time only waits for timers is told about, once', () => {
  const { elf } = assemble(`
main:
${BIND_TIMER}
  xor %ebp, %ebp
1: inc %ebp
  cmp $3000, %ebp
  je 2f
  # SCHEDOP_poll without ports, 10 ms from the system time of the start
  mov time(%rip), %rax
  add $10000000, %rax
  mov %rax, time(%rip)
  mov %rax, timeout(%rip)
  mov $3, %edi
  lea poll(%rip), %rsi
  HYPERCALL 29
  jmp 1b
2: ret
.data
.align 8
virq: .long 0, 0, 0
time: .quad 10000000000
poll: .quad 0
.long 0, 0
timeout: .quad 0
.text
`);
  const { records, result } = runSession(configOf(elf), { kinds: ['log'], limit: 50_000_000 });
  expect(result.kind).toBe('ended');
  const told = records.filter((record) => record.kind === 'log' && record.by === 'simulator');
  expect(told).toHaveLength(1);
  expect(told[0]!.kind === 'log' && told[0]!.text).toContain('for 10 s of guest time the guest has only waited for its timers');
});
