// Quick fixes in assembly: the text, that GNU as takes it, and that it does what it says. Oracle: the host's CPU runs each fix with a fake
// vcpu_info and hypercall page; registers and flags before and after are compared.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analyse } from '../../server/analysis/analyser.ts';
import { applyFix } from './apply.ts';
import { testGrammars } from './load.ts';

/** The source with the first fix of its first finding that has one. */
async function fixed(text: string): Promise<string> {
  const { findings } = analyse(await testGrammars(), { path: 'a.S', text });
  const fix = findings.find(({ fixes }) => fixes.length > 0)?.fixes[0];
  if (!fix) throw new Error(`no fix for ${JSON.stringify(text)}`);
  return applyFix(text, fix);
}

const REGISTERS = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];

/** A program that runs `code` with known registers and flags and prints what is left, and every hypercall. */
const program = (code: string, { mask, pending, flags }: { mask: number; pending: number; flags: number }): string => `
  .bss
  .balign 8
in: .skip 128
out: .skip 128
outflags: .skip 8
stack_before: .skip 8
vcpu: .skip 64
calls: .skip 8
log: .skip 1024
  .data
  .balign 8
format: .asciz "%lx "
  .globl this_vcpu
this_vcpu: .quad vcpu
phys_to_machine_mapping: .quad machine
machine: .quad 0x1000, 0x1111, 0x2222, 0x3333
gdt: .quad 0, 0, 0
pointer: .word 23
  .quad gdt
tss_block:
tss: .long 0
  .quad 0xabcdef
trap_table: .quad 0
page: .quad 0
segment_bases: .quad 0x1, 0x2, 0x123456789abcdef0
  .text
  .balign 4096
hypercall_page:
  .set number, 0
  .rept 64
  .balign 32
  pushq %rcx
  pushq %r11
  movl $number, %eax
  call record
  popq %r11
  popq %rcx
  ret
  .set number, number + 1
  .endr
/* Keeps what a hypercall keeps; rcx and r11 are lost, as by syscall. Logs number, rdi, rsi, rdx, r10, and the three words at rdi for mmuext_op and set_gdt. */
record:
  pushfq
  movq calls(%rip), %rcx
  leaq log(%rip), %r11
  movq %rax, (%r11,%rcx,8)
  movq %rdi, 8(%r11,%rcx,8)
  movq %rsi, 16(%r11,%rcx,8)
  movq %rdx, 24(%r11,%rcx,8)
  movq %r10, 32(%r11,%rcx,8)
  pushq %rdx
  movq $0, 40(%r11,%rcx,8)
  movq $0, 48(%r11,%rcx,8)
  cmpl $26, %eax
  je 1f
  cmpl $2, %eax
  jne 2f
1: movq (%rdi), %rdx
  movq %rdx, 40(%r11,%rcx,8)
  movq 8(%rdi), %rdx
  movq %rdx, 48(%r11,%rcx,8)
2: popq %rdx
  leaq 8(%rcx), %rcx
  movq %rcx, calls(%rip)
  movl $0, %eax
  movq $-1, %rcx
  movq $-1, %r11
  popfq
  ret
virt_to_mfn:
  movq $0x77, %rax
  ret
  .globl main
main:
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  pushq %rax
  movb $${pending}, vcpu(%rip)
  movb $${mask}, vcpu+1(%rip)
  movq $0x5151, vcpu+16(%rip)
  movq %rsp, stack_before(%rip)
${REGISTERS.map((name, i) => `  movq $${0x1000 + i * 0x111}, %${name}`).join('\n')}
  pushq $${flags}
  popfq
${code}
${REGISTERS.map((name, i) => `  movq %${name}, out+${8 * i}(%rip)`).join('\n')}
  pushfq
  popq outflags(%rip)
  cld
  leaq out(%rip), %rbx
  movl $${REGISTERS.length}, %ebp
  call print
  leaq outflags(%rip), %rbx
  movl $1, %ebp
  call print
  subq %rsp, stack_before(%rip)
  leaq stack_before(%rip), %rbx
  movl $1, %ebp
  call print
  movzbl vcpu+1(%rip), %eax
  movq %rax, in(%rip)
  leaq in(%rip), %rbx
  movl $1, %ebp
  call print
  leaq log(%rip), %rbx
  movl calls(%rip), %ebp
  call print
  popq %rax
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  xorl %eax, %eax
  ret
print:
  pushq %r12
1: testl %ebp, %ebp
  jz 2f
  leaq format(%rip), %rdi
  movq (%rbx), %rsi
  xorl %eax, %eax
  call printf@PLT
  addq $8, %rbx
  decl %ebp
  jmp 1b
2: popq %r12
  ret
  .section .note.GNU-stack,"",@progbits
`;

interface Ran {
  readonly registers: Readonly<Record<string, bigint>>;
  readonly flags: bigint;
  readonly stackMoved: bigint;
  readonly mask: bigint;
  /** number, rdi, rsi, rdx, r10 and two words at rdi. */
  readonly calls: readonly (readonly bigint[])[];
}

function execute(code: string, state: { mask: number; pending: number; flags: number }): Ran {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-run-'));
  try {
    writeFileSync(join(folder, 'a.S'), program(code, state));
    execFileSync('gcc', ['-no-pie', '-o', join(folder, 'a'), join(folder, 'a.S')], { stdio: 'pipe' });
    const words = execFileSync(join(folder, 'a'), { encoding: 'utf8', timeout: 10_000 })
      .trim()
      .split(' ')
      .map((word) => BigInt(`0x${word}`));
    const rest = words.slice(REGISTERS.length + 3);
    const calls = Array.from({ length: rest.length / 8 }, (_, i) => rest.slice(8 * i, 8 * i + 7));
    return {
      registers: Object.fromEntries(REGISTERS.map((name, i) => [name, words[i]!])),
      flags: words[REGISTERS.length]!,
      stackMoved: words[REGISTERS.length + 1]!,
      mask: words[REGISTERS.length + 2]!,
      calls,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const BEFORE = Object.fromEntries(REGISTERS.map((name, i) => [name, BigInt(0x1000 + i * 0x111)]));
const ARITHMETIC = 0x8d5n;
/** Carry, parity, adjust, zero, sign and overflow, all set, then none. */
const FLAGS = [0x8d5 | 0x202, 0x202];

async function run(instruction: string, state: { mask?: number; pending?: number; keepsFlags?: boolean } = {}): Promise<Ran> {
  const code = await fixed(`\t${instruction}\n`);
  const again = analyse(await testGrammars(), { path: 'a.S', text: code });
  expect(again.findings.map(({ rule }) => rule)).toEqual([]);
  let last: Ran | null = null;
  for (const flags of FLAGS) {
    last = execute(code, { mask: state.mask ?? 0, pending: state.pending ?? 0, flags });
    if (state.keepsFlags !== false) expect(last.flags & ARITHMETIC, `flags after ${instruction}`).toBe(BigInt(flags) & ARITHMETIC);
    expect(last.stackMoved).toBe(0n);
  }
  return last!;
}

it('cli masks events and keeps every register and flag', async () => {
  const { registers, mask, calls } = await run('cli');
  expect(registers).toEqual(BEFORE);
  expect(mask).toBe(1n);
  expect(calls).toEqual([]);
});

it('sti unmasks events; what is pending is delivered by a hypercall, which nothing else makes', async () => {
  const idle = await run('sti', { mask: 1, pending: 0 });
  expect(idle.registers).toEqual(BEFORE);
  expect(idle.mask).toBe(0n);
  expect(idle.calls).toEqual([]);
  const pending = await run('sti', { mask: 1, pending: 1 });
  expect(pending.registers).toEqual(BEFORE);
  expect(pending.mask).toBe(0n);
  expect(pending.calls.map(([number]) => number)).toEqual([17n]);
});

it('pushf and popf save and restore the event mask', async () => {
  for (const mask of [0, 1]) {
    for (const pending of [0, 1]) {
      const ran = await run('pushfq\n\tmovq $1, %rbx\n\tpopfq', { mask, pending });
      expect(ran.registers).toEqual({ ...BEFORE, rbx: 1n });
      expect(ran.mask).toBe(BigInt(mask));
      expect(ran.calls.length).toBe(mask === 0 && pending === 1 ? 1 : 0);
    }
  }
  const text = await fixed('\tpushfq\n\tcli\n\tnop\n\tpopfq\n');
  const all = await fixed(text);
  for (const mask of [0, 1]) expect(execute(all, { mask, pending: 0, flags: 0x202 }).mask).toBe(BigInt(mask));
});

it('hlt blocks with SCHEDOP_block', async () => {
  const { registers, calls } = await run('hlt');
  expect(registers).toEqual(BEFORE);
  expect(calls.map(([number, operation]) => [number, operation])).toEqual([[29n, 1n]]);
});

it('clts, lidt and ltr become their hypercalls and keep registers', async () => {
  const clts = await run('clts');
  expect([clts.registers, clts.calls[0]!.slice(0, 2)]).toEqual([BEFORE, [5n, 0n]]);
  const lidt = await run('lidt pointer(%rip)');
  expect([lidt.registers, lidt.calls[0]![0]]).toEqual([BEFORE, 0n]);
  const text = '\tltr %ax\n';
  const code = (await fixed(`tss:\n${text}`)).replace('tss:\n', '');
  const ltr = execute(code, { mask: 0, pending: 0, flags: 0x202 });
  expect([ltr.registers, ltr.calls[0]!.slice(0, 3)]).toEqual([BEFORE, [3n, 0xe02bn, 0xabcdefn]]);
});

it('mov from cr2 reads vcpu_info.arch.cr2', async () => {
  const { registers, calls } = await run('movq %cr2, %rbx');
  expect(registers).toEqual({ ...BEFORE, rbx: 0x5151n });
  expect(calls).toEqual([]);
});

it('mov to cr3 loads the machine frame of the register', async () => {
  const { registers, calls } = await run('movq %r8, %cr3', { keepsFlags: false });
  expect(registers).toEqual(BEFORE);
  // r8 is 0x1777: frame 1, machine frame 0x1111. One operation, MMUEXT_NEW_BASEPTR, on DOMID_SELF.
  const [number, , count, done, domain, command, frame] = calls[0]!;
  expect([number, count, done, domain, command, frame]).toEqual([26n, 1n, 0n, 0x7ff0n, 5n, 0x1111n]);
});

it('invlpg and wbinvd become mmuext operations and keep the flags', async () => {
  const invlpg = await run('invlpg 8(%rbx,%rcx,2)');
  expect(invlpg.registers).toEqual(BEFORE);
  expect(invlpg.calls[0]!.slice(5)).toEqual([7n, 8n + BEFORE.rbx! + 2n * BEFORE.rcx!]);
  const wbinvd = await run('wbinvd');
  expect([wbinvd.registers, wbinvd.calls[0]![5]]).toEqual([BEFORE, 12n]);
});

it('lgdt remaps the table read-only, then gives its frame and number of entries', async () => {
  const { registers, calls } = await run('lgdt pointer(%rip)', { keepsFlags: false });
  expect(registers).toEqual(BEFORE);
  expect(calls.map(([number]) => number)).toEqual([14n, 2n]);
  expect(calls[0]!.slice(2, 4)).toEqual([0x77001n, 2n]);
  expect([calls[1]![2], calls[1]![5]]).toEqual([3n, 0x77n]);
});

it("wrmsr of a segment base becomes set_segment_base, rdmsr the port's own copy", async () => {
  const { registers, calls } = await run(
    'movl $0xc0000101, %ecx\n\tmovq $0x9abcdef0, %rax\n\tmovl $0x12345678, %edx\n\tmovl $0xc0000101, %ecx\n\twrmsr',
    { keepsFlags: false },
  );
  expect(registers).toEqual({ ...BEFORE, rax: 0x9abcdef0n, rcx: 0xc0000101n, rdx: 0x12345678n });
  expect(calls.map((call) => call.slice(0, 3))).toEqual([[25n, 2n, 0x123456789abcdef0n]]);
  const read = await run('movq $0xc0000101, %rcx\n\trdmsr');
  expect([read.registers.rax, read.registers.rdx]).toEqual([0x9abcdef0n, 0x12345678n]);
});

it('port I/O on the PIC goes, with its line', async () => {
  expect(await fixed('\tnop\n\toutb %al, $0x20 /* EOI */\n\tret\n')).toBe('\tnop\n\tret\n');
});

it('indentation, comments and labels are kept', async () => {
  expect(await fixed('entry:  cli             # off\n        ret\n')).toBe(
    'entry:\n        pushq %rax\n        movq this_vcpu(%rip), %rax\n        movb $1, 1(%rax)                /* evtchn_upcall_mask */\n        popq %rax             # off\n        ret\n',
  );
});

it('32-bit code gets 32-bit fixes, which GNU as takes', async () => {
  for (const instruction of [
    'cli',
    'sti',
    'hlt',
    'clts',
    'movl %cr2, %eax',
    'movl %ecx, %cr3',
    'invlpg (%edi)',
    'wbinvd',
    'lidt pointer',
    'pushfl\n\tpopfl',
  ]) {
    const text = `\tmovl %eax, %ecx\n\t.code32\n\t${instruction}\n`;
    const code = await fixed(text);
    expect(code).not.toMatch(/%r/);
    const folder = mkdtempSync(join(tmpdir(), 'hyperport-as-'));
    writeFileSync(join(folder, 'a.S'), code);
    execFileSync('gcc', ['-m32', '-c', '-o', join(folder, 'a.o'), join(folder, 'a.S')], { stdio: 'pipe' });
    rmSync(folder, { recursive: true });
  }
});

it('protected-mode entry code, Intel syntax and macros of the preprocessor get no fix', async () => {
  for (const text of [
    '\t.code32\n\tcli\n\t.code64\n\tnop\n',
    '.code16\n\tcli\n',
    '.intel_syntax noprefix\n\tcli\n',
    '#define OFF cli\n',
    '\tcli_count = 1\n\tpushfq\n1:\tpopfq\n',
  ]) {
    const { findings } = analyse(await testGrammars(), { path: 'a.S', text });
    expect(
      findings.flatMap(({ fixes }) => fixes),
      text,
    ).toEqual([]);
  }
});

it('sti directly before hlt is one fix: SCHEDOP_block unmasks, and an unmask before it would lose the wake-up', async () => {
  for (const text of ['\tsti\n\thlt\n', '\tsti\t/* wait */\n1:\tnop\n\thlt\n', '\tsti; hlt\n']) {
    const { findings } = analyse(await testGrammars(), { path: 'a.S', text });
    expect(findings.map(({ fixes }) => fixes[0]!.title)).toEqual(Array(2).fill('Unmask events and wait with SCHEDOP_block'));
    expect(findings[0]!.fixes).toEqual(findings[1]!.fixes);
    const code = applyFix(text, findings[0]!.fixes[0]!);
    expect(code).not.toMatch(/\b(sti|hlt|evtchn_upcall_\w+)\b/);
    const { calls, registers } = execute(code, { mask: 1, pending: 1, flags: 0x202 });
    expect(calls.map(([number, operation]) => [number, operation])).toEqual([[29n, 1n]]);
    expect(registers).toEqual(BEFORE);
  }
});

it('cli directly before hlt stops for good: SCHEDOP_shutdown, where SCHEDOP_block would unmask events', async () => {
  const code = await fixed('\tcli\n1:\thlt\n\tjmp 1b\n');
  expect(code).toContain('SHUTDOWN_crash');
  expect(code).not.toMatch(/\b(cli|hlt|evtchn_upcall_\w+)\b/);
  const { registers, calls } = await run('cli\n\thlt\n\tpop %rcx');
  expect(calls.map(([number, operation]) => [number, operation])).toEqual([[29n, 2n]]);
  expect(registers.rcx).toBe(3n);
});

it.each(['\tsti\n\tcall work\n\thlt\n', '\tsti\n\tmov %rax,%rbx\n\thlt\n'])('%j is no such pair', async (text) => {
  const { findings } = analyse(await testGrammars(), { path: 'a.S', text });
  expect(findings.map(({ fixes }) => fixes[0]!.title)).toEqual([
    'Unmask events in vcpu_info and deliver what is pending',
    'Wait with SCHEDOP_block',
  ]);
});

it('a comment never touches the operand before it', async () => {
  const code = await fixed('\t.code64\n\tmovl $0xc0000100, %ecx\n\trdmsr\n');
  expect(code).toContain('/* SEGBASE_FS */');
  expect(code).not.toMatch(/\S\/\*/);
});
