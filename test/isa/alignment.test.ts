// Alignment checks against the host processor, which has them on in user mode as well: with the AC flag a misaligned access is #AC,
// before the page is looked at.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Bank } from '../../simulator/cpu/engine-types.ts';
import { DATA, loadProgram } from './programs.ts';
import { assembleAll } from './qemu/assemble-all.ts';

const AC = 0x40000;
/** Instructions with their operand at [rbx]; rsi and rdi lie on multiples of 16 beside it. */
const INSTRUCTIONS = [
  ...[
    'mov eax, [rbx]',
    'mov rax, [rbx]',
    'mov ax, [rbx]',
    'mov al, [rbx]',
    'mov [rbx], rax',
    'add [rbx], ecx',
    'xchg [rbx], cx',
    'lock xadd [rbx], rcx',
  ],
  ...[
    'movups xmm0, [rbx]',
    'movups [rbx], xmm0',
    'movdqu xmm0, [rbx]',
    'lddqu xmm0, [rbx]',
    'movaps xmm0, [rbx]',
    'addps xmm0, [rbx]',
    'movntps [rbx], xmm0',
  ],
  ...[
    'movss xmm0, [rbx]',
    'movsd xmm0, qword ptr [rbx]',
    'movlps xmm0, [rbx]',
    'movhps [rbx], xmm0',
    'cvtpi2ps xmm0, [rbx]',
    'movq mm0, [rbx]',
    'movnti [rbx], eax',
  ],
  ...[
    'fld dword ptr [rbx]',
    'fld qword ptr [rbx]',
    'fld tbyte ptr [rbx]',
    'fbld tbyte ptr [rbx]',
    'fldz\nfstp tbyte ptr [rbx]',
    'fild qword ptr [rbx]',
    'fldz\nfisttp word ptr [rbx]',
  ],
  ...['fnstenv [rbx]', 'fnsave [rbx]', 'frstor [rbx]', 'fnstcw [rbx]', 'fldcw [rbx]', 'fxsave [rbx]', 'stmxcsr [rbx]'],
  ...[
    'lodsw_',
    'movs_',
    'stos_',
    'rep movsb_',
    'xlatb',
    'push_',
    'pop_',
    'enter_',
    'bts dword ptr [rbx], 3',
    'bts [rbx], rax',
    'cmpxchg8b [rbx]',
    'cmpxchg16b [rbx]',
  ],
  ...[
    'clflush [rbx]',
    'prefetcht0 [rbx]',
    'nop dword ptr [rbx]',
    'lea rax, [rbx]',
    'verr [rbx]',
    'mov [rbx], fs',
    'lgs eax, [rbx]',
    'lgs ax, [rbx]',
    'maskmov_',
    'div dword ptr [rbx]',
  ],
];
const spell = (text: string): string =>
  text
    .replace('lodsw_', 'mov rsi, rbx\nlodsw')
    .replace('movs_', 'mov rsi, rbx\nmovsd')
    .replace('stos_', 'mov rdi, rbx\nmov ecx, 2\nrep stosq')
    .replace('rep movsb_', 'mov rdi, rbx\nmov ecx, 3\nrep movsb')
    .replace('push_', 'lea rsp, [rbx+64]\npush rax')
    .replace('pop_', 'mov rsp, rbx\npop rax')
    .replace('enter_', 'lea rsp, [rbx+64]\nenter 8, 0')
    .replace('maskmov_', 'mov rdi, rbx\nmaskmovdqu xmm0, xmm0');
/** Offsets from a page's start; behind the page lies one that is read-only, then nothing. */
const OFFSETS = [0x200, 0x201, 0x202, 0x204, 0x208, 0x20c, 0xffe, 0x1001, 0x1ffe, 0x2001, 0x2010];

interface Trial {
  readonly name: string;
  readonly offset: number;
  readonly code: Uint8Array;
}
function trials(): Trial[] {
  // eax is 1 and edx 0, memory 0x01010101…: nothing divides by zero or changes a needed segment.
  const code = assembleAll(INSTRUCTIONS.map((text) => ({ source: spell(text), bits: 64 as const })));
  return INSTRUCTIONS.flatMap((text, n) => OFFSETS.map((offset) => ({ name: text, offset, code: code[n]! })));
}

const NATIVE = `
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
struct trial { unsigned offset, length; unsigned char code[32]; };
static const struct trial trials[] = {
#include "trials.h"
};
static char alternate[65536];
static volatile int trap, error;
static unsigned long saved[8];
extern void run(void *code, char *at, void *saved);
extern char resume[];
__asm__(".globl run\\nrun: push %rbx\\npush %rbp\\npush %r12\\npush %r13\\npush %r14\\npush %r15\\nmov %rsp, (%rdx)\\n"
        "mov %rdi, %r12\\nmov %rsi, %rbx\\nmov %rsi, %rsi\\nand $-16, %rsi\\nlea 0x400(%rsi), %rdi\\nsub $0x1000,%rsp\\nmov $1, %eax\\nxor %edx, %edx\\nmov $5, %ecx\\nfninit\\npxor %xmm0, %xmm0\\n"
        "pushfq\\norl $0x40000, (%rsp)\\npopfq\\njmp *%r12\\n"
        ".globl resume\\nresume: mov saved(%rip), %rsp\\npushfq\\nandl $~0x40400, (%rsp)\\npopfq\\npop %r15\\npop %r14\\npop %r13\\npop %r12\\npop %rbp\\npop %rbx\\nret\\n");
static void handler(int signal, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    __asm__ volatile("pushfq; andl $~0x40000, (%%rsp); popfq" ::: "memory");
    trap = u->uc_mcontext.gregs[REG_TRAPNO];
    error = u->uc_mcontext.gregs[REG_ERR];
    u->uc_mcontext.gregs[REG_EFL] &= ~0x40400;
    u->uc_mcontext.gregs[REG_RIP] = (long)resume;
}
int main(void)
{
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sigaltstack(&stack, 0);
    for (int s = 1; s < 32; s++)
        if (s == SIGBUS || s == SIGSEGV || s == SIGILL || s == SIGFPE || s == SIGTRAP) sigaction(s, &action, 0);
    char *data = mmap((void *)0x10000000, 0x3000, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    unsigned char *code = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(data + 0x2000, 0x1000);
    for (unsigned n = 0; n < sizeof trials / sizeof *trials; n++) {
        mprotect(data, 0x2000, 3);
        memset(data, 0, 0x2000);
        data[0x204] = data[0x200] = data[0x208] = data[0x201] = data[0x202] = data[0x20c] = 2;
        mprotect(data + 0x1000, 0x1000, 1);
        memcpy(code, trials[n].code, trials[n].length);
        code[trials[n].length] = 0xcc;
        trap = -1;
        error = 0;
        run(code, data + trials[n].offset, saved);
        printf("%d %d\\n", trap, trap == 3 ? 0 : error);
    }
    return 0;
}
`;

function onHost(list: readonly Trial[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-alignment-'));
  try {
    const rows = list.map(({ offset, code }) => `{ ${offset}, ${code.length}, { ${[...code].join(', ')} } },`);
    writeFileSync(join(dir, 'trials.h'), rows.join('\n'));
    writeFileSync(join(dir, 'a.c'), NATIVE);
    execFileSync('gcc', ['-O1', '-no-pie', '-o', join(dir, 'a'), join(dir, 'a.c')], { stdio: ['ignore', 'ignore', 'pipe'] });
    return execFileSync(join(dir, 'a'), { encoding: 'utf8' }).trim().split('\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function onEngine(list: readonly Trial[]): string[] {
  const m = loadProgram('nop');
  m.unmap(DATA + 0x2000n);
  const vcpu = m.engine.vcpus[0]!;
  const unit = vcpu.fpuImage();
  vcpu.alignmentMask = true;
  vcpu.setMode({ bits: 64, cpl: 3, bank: Bank.user });
  return list.map(({ offset, code }) => {
    m.mapFrame(DATA + 0x1000n, m.frame(DATA + 0x1000n));
    m.write(DATA, new Uint8Array(0x2000));
    for (const at of [0x200, 0x201, 0x202, 0x204, 0x208, 0x20c]) m.write(DATA + BigInt(at), Uint8Array.of(2));
    m.mapFrame(DATA + 0x1000n, m.frame(DATA + 0x1000n), { writable: false });
    m.write(0x400000n, Uint8Array.from([...code, 0xcc]));
    vcpu.flushAll();
    vcpu.setFpuImage(unit);
    const at = DATA + BigInt(offset);
    const registers = { rax: 1n, rcx: 5n, rdx: 0n, rbx: at, rsi: at & ~15n, rdi: (at & ~15n) + 0x400n, rsp: 0x7fff0000n, rbp: 0n } as const;
    for (const [name, value] of Object.entries(registers)) vcpu.set(name as 'rax', value);
    vcpu.rip = 0x400000n;
    vcpu.rflags = AC | 2;
    const exit = m.engine.run(0, 100);
    return `${exit.vector} ${exit.errorCode === -1 ? 0 : exit.errorCode}`;
  });
}

test('with the AC flag every access is as aligned as on the host processor', () => {
  const amd = /vendor_id\s*: AuthenticAMD/.test(readFileSync('/proc/cpuinfo', 'latin1'));
  // Whether 16 bytes must be aligned is each vendor's choice; the engine does as AMD's processors.
  const list = trials().filter(({ name }) => amd || !/xmm|fxsave/.test(name));
  const host = onHost(list);
  const engine = onEngine(list);
  const found = list.flatMap(({ name, offset }, n) =>
    host[n] === engine[n] ? [] : [`${name} at ${offset.toString(16)}: host ${host[n]}, engine ${engine[n]}`],
  );
  expect(found).toEqual([]);
  expect(host.filter((line) => line === '17 0').length).toBeGreaterThan(150);
}, 60_000);

test('no check without CR0.AM, without the flag, or above CPL 3', () => {
  const run = (mask: boolean, flags: number, cpl: number): number => {
    const m = loadProgram('mov eax, [rbx+1]\nint3');
    const vcpu = m.engine.vcpus[0]!;
    vcpu.set('rbx', DATA);
    vcpu.alignmentMask = mask;
    vcpu.rflags = flags;
    vcpu.setMode({ bits: 64, cpl, bank: Bank.kernel });
    return m.engine.run(0, 10).vector;
  };
  expect([run(true, AC | 2, 3), run(false, AC | 2, 3), run(true, 2, 3), run(true, AC | 2, 1)]).toEqual([17, 3, 3, 3]);
});

test('a program that sets the flag itself is checked from the next instruction on', () => {
  const m = loadProgram('mov eax, [rbx+1]\npush 0x40002\npopfq\nnop\nmov eax, [rbx+1]\nint3');
  const vcpu = m.engine.vcpus[0]!;
  vcpu.set('rbx', DATA);
  vcpu.alignmentMask = true;
  expect(m.engine.run(0, 100)).toMatchObject({ kind: 'exception', vector: 17, errorCode: 0, executed: 4 });
});
