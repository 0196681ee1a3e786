// Which exceptions save the flags with RF set: those that leave the instruction to be done again. Oracle: signal handlers on the
// host's processor, which see the flags that it saved.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { injectException } from '../../simulator/hypervisor/bounce.ts';
import { Guest, planOf, planOf32 } from '../simulator/guest.ts';

const RF = 0x10000;

const program = `
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <setjmp.h>
#include <ucontext.h>
static sigjmp_buf back;
static long long flags;
static void on(int n, siginfo_t *info, void *context)
{
	(void)n, (void)info;
	flags = ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
	siglongjmp(back, 1);
}
#define SEE(vector, code) \\
	do { if (!sigsetjmp(back, 1)) { asm volatile(code ::: "memory", "rax", "rdx", "rcx"); } printf("%d %lld\\n", vector, flags); } while (0)
int main(void)
{
	struct sigaction action = { .sa_sigaction = on, .sa_flags = SA_SIGINFO };
	sigaction(SIGSEGV, &action, 0), sigaction(SIGILL, &action, 0), sigaction(SIGTRAP, &action, 0), sigaction(SIGFPE, &action, 0);
	SEE(0, "xor %%eax, %%eax; cltd; xor %%ecx, %%ecx; div %%ecx");
	SEE(3, "int3");
	SEE(6, "ud2");
	SEE(13, "hlt");
	SEE(14, "movl $0, 0");
	return 0;
}
`;

const saved = new Map<number, number>();
const folder = mkdtempSync(join(tmpdir(), 'saved-flags-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  const source = join(folder, 'flags.c');
  writeFileSync(source, program);
  execFileSync('gcc', ['-O1', '-o', join(folder, 'flags'), source]);
  for (const line of execFileSync(join(folder, 'flags'), { encoding: 'utf8' }).trim().split('\n')) {
    const [vector, flags] = line.split(' ').map(Number);
    saved.set(vector!, flags!);
  }
}, 60_000);

/** The flags in the bounce frame of an exception, in a kernel of either width. */
function framed(bits: 64 | 32, vector: number): number {
  const g = new Guest({ plan: bits === 64 ? planOf() : planOf32() });
  const vcpu = g.hv.current;
  vcpu.cpu.setReg(4, g.address(g.page()) + 0x800n);
  vcpu.setTrap(vector, { flags: 0, cs: bits === 64 ? 0xe033 : 0xe019, address: g.base });
  const withCode = vector === 13 || vector === 14;
  injectException(g.hv, vcpu, vector, withCode ? 0 : -1);
  const frame = g.bytes(vcpu.cpu.reg(4), 64);
  const at = withCode ? 1 : 0;
  return bits === 64 ? Number(frame.getBigUint64((4 + at) * 8, true)) : frame.getUint32((2 + at) * 4, true);
}

describe.each([0, 3, 6, 13, 14])('vector %i', (vector) => {
  test.each([64, 32] as const)('RF is in the frame of a %i-bit kernel where the processor saves it', (bits) => {
    expect(saved.has(vector)).toBe(true);
    expect(framed(bits, vector) & RF).toBe(saved.get(vector)! & RF);
  });
});

test('the host tells faults from traps', () => {
  expect([0, 3, 6, 13, 14].map((vector) => (saved.get(vector)! & RF) !== 0)).toEqual([true, false, true, true, true]);
});
