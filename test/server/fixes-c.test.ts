// Quick fixes in C: exact text, and the result compiles against Xen's public headers. Oracles: gcc, Debian's libxen-dev.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ensureDebian } from '../../scripts/debian.mjs';
import { analyse } from '../../server/analysis/analyser.ts';
import { applyFix } from './apply.ts';
import { testGrammars } from './load.ts';

let include = '';
beforeAll(async () => {
  include = join(await ensureDebian(['libxen-dev']), 'usr/include');
});

/** What a port declares: docs/rules/README.md. */
const PORT = `#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/sched.h>
#include <xen/callback.h>
#define barrier() asm volatile("" ::: "memory")
#define BUG_ON(c) do { if (c) __builtin_trap(); } while (0)
extern vcpu_info_t *this_vcpu;
extern struct trap_info trap_table[];
unsigned long virt_to_mfn(unsigned long address), pfn_to_mfn(unsigned long pfn), segment_base(int which);
int HYPERVISOR_xen_version(int cmd, void *arg), HYPERVISOR_sched_op(int cmd, void *arg), HYPERVISOR_fpu_taskswitch(int set);
int HYPERVISOR_mmuext_op(struct mmuext_op *op, unsigned count, unsigned *done, domid_t domain);
int HYPERVISOR_update_va_mapping(unsigned long va, unsigned long pte, unsigned long flags);
int HYPERVISOR_set_gdt(unsigned long *frames, unsigned entries), HYPERVISOR_set_trap_table(struct trap_info *table);
int HYPERVISOR_stack_switch(unsigned long ss, unsigned long sp), HYPERVISOR_set_segment_base(int which, unsigned long base);
int HYPERVISOR_console_io(int cmd, unsigned count, char *buffer);
`;
/** What the native kernels of the examples declare. */
const NATIVE = `void outb(unsigned short port, unsigned char value); unsigned char inb(unsigned short port);
void set_gate(int vector, void (*handler)(void), int dpl); void handler(void); void work(void);
#define MSR_GS_BASE 0xc0000101
#define COM1 0x3f8
struct pointer { uint16_t limit; uint64_t base; } __attribute__((packed));
struct table { uint64_t pa; };
struct tss { uint32_t reserved; uint64_t rsp0; } __attribute__((packed));
`;

function compiles(code: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-fix-'));
  try {
    writeFileSync(join(folder, 'a.c'), PORT + NATIVE + code);
    execFileSync(
      'gcc',
      [
        '-c',
        '-O1',
        '-Wall',
        '-Werror',
        '-Wno-unused',
        '-ffreestanding',
        '-mno-red-zone',
        '-I',
        include,
        '-o',
        join(folder, 'a.o'),
        join(folder, 'a.c'),
      ],
      { stdio: 'pipe' },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A native line, and the lines that its fix puts there. `…` is an indentation step. */
const STATEMENTS: readonly (readonly [before: string, after: string])[] = [
  ['asm volatile("cli");', 'this_vcpu->evtchn_upcall_mask = 1;\nbarrier();'],
  [
    'asm volatile("sti" ::: "memory");',
    'barrier();\nthis_vcpu->evtchn_upcall_mask = 0;\nbarrier();\nif (this_vcpu->evtchn_upcall_pending)\n…HYPERVISOR_xen_version(0, NULL);',
  ],
  ['__asm__ __volatile__("pushfq; popq %0" : "=r"(flags));', 'flags = this_vcpu->evtchn_upcall_mask ? 0 : 0x200;'],
  [
    'asm volatile("pushf\\n\\tpop %[f]\\n\\tcli" : [f] "=rm"(flags) :: "memory");',
    'flags = this_vcpu->evtchn_upcall_mask ? 0 : 0x200;\nthis_vcpu->evtchn_upcall_mask = 1;\nbarrier();',
  ],
  [
    'asm volatile("push %0; popf" :: "r"(flags | 2) : "memory", "cc");',
    'barrier();\nthis_vcpu->evtchn_upcall_mask = !((flags | 2) & 0x200);\nbarrier();\nif (!this_vcpu->evtchn_upcall_mask && this_vcpu->evtchn_upcall_pending)\n…HYPERVISOR_xen_version(0, NULL);',
  ],
  ['asm volatile("hlt");', 'HYPERVISOR_sched_op(SCHEDOP_block, NULL);'],
  ['asm volatile("sti\\n\\thlt");', 'HYPERVISOR_sched_op(SCHEDOP_block, NULL);'],
  ['asm volatile("cli; hlt");', 'HYPERVISOR_sched_op(SCHEDOP_shutdown, &(struct sched_shutdown){ .reason = SHUTDOWN_crash });'],
  ['asm volatile("clts");', 'HYPERVISOR_fpu_taskswitch(0);'],
  ['asm volatile("mov %%cr2,%0" : "=r"(address));', 'address = this_vcpu->arch.cr2;'],
  ['asm volatile("movq %%cr2,%%rax" : "=a"(address));', 'address = this_vcpu->arch.cr2;'],
  [
    'asm volatile("mov %0,%%cr3"::"r"(pa));',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = pfn_to_mfn(pa >> 12) }, 1, NULL, DOMID_SELF));',
  ],
  [
    'asm volatile("movq %q[t], %%cr3" :: [t] "r"(table->pa + 4096) : "memory");',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = pfn_to_mfn((table->pa + 4096) >> 12) }, 1, NULL, DOMID_SELF));',
  ],
  [
    'asm volatile("mov %0,%%cr3" :: "r"(pointer));',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = pfn_to_mfn((unsigned long)pointer >> 12) }, 1, NULL, DOMID_SELF));',
  ],
  [
    'asm volatile("mov %%cr3,%0; mov %0,%%cr3" : "=r"(pa) :: "memory");',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_LOCAL }, 1, NULL, DOMID_SELF));',
  ],
  [
    'asm volatile("invlpg (%0)" :: "r"(address) : "memory");',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (unsigned long)address }, 1, NULL, DOMID_SELF));',
  ],
  [
    'asm volatile("invlpg %0" :: "m"(*(char *)address));',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (unsigned long)address }, 1, NULL, DOMID_SELF));',
  ],
  [
    'asm volatile("invlpg %0" :: "m"(table->pa));',
    'BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (unsigned long)&table->pa }, 1, NULL, DOMID_SELF));',
  ],
  ['asm volatile("wbinvd" ::: "memory");', 'HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_FLUSH_CACHE }, 1, NULL, DOMID_SELF);'],
  [
    'asm volatile("lgdt %0" :: "m"(gdtr));',
    'BUG_ON(HYPERVISOR_update_va_mapping(gdtr.base, ((unsigned long)virt_to_mfn(gdtr.base) << 12) | 1, UVMF_INVLPG));\nBUG_ON(HYPERVISOR_set_gdt(&(unsigned long){ virt_to_mfn(gdtr.base) }, (gdtr.limit + 1) / 8));',
  ],
  [
    'asm volatile("lgdt (%0)" :: "r"(gdtp));',
    'BUG_ON(HYPERVISOR_update_va_mapping(gdtp->base, ((unsigned long)virt_to_mfn(gdtp->base) << 12) | 1, UVMF_INVLPG));\nBUG_ON(HYPERVISOR_set_gdt(&(unsigned long){ virt_to_mfn(gdtp->base) }, (gdtp->limit + 1) / 8));',
  ],
  ['asm volatile("lidt %0" :: "m"(idtr));', 'BUG_ON(HYPERVISOR_set_trap_table(trap_table));'],
  ['asm volatile("ltr %w0" :: "r"(0x28));', 'BUG_ON(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, the_tss.rsp0));'],
  [
    'asm volatile("wrmsr" :: "c"(0xc0000100), "a"((uint32_t)pa), "d"((uint32_t)(pa >> 32)));',
    'BUG_ON(HYPERVISOR_set_segment_base(SEGBASE_FS, pa));',
  ],
  [
    'asm volatile("wrmsr" :: "c"(MSR_GS_BASE), "a"(low), "d"(high));',
    'BUG_ON(HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, ((unsigned long)high << 32) | (unsigned int)low));',
  ],
  [
    'asm volatile("wrmsr" :: "c"(0xc0000102), "a"(pa & 0xffffffff), "d"(pa >> 32));',
    'BUG_ON(HYPERVISOR_set_segment_base(SEGBASE_GS_USER, pa));',
  ],
  [
    'asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_GS_BASE));',
    'low = segment_base(SEGBASE_GS_KERNEL);\nhigh = segment_base(SEGBASE_GS_KERNEL) >> 32;',
  ],
  ['asm volatile("outb %%al,$0x21" :: "a"((char)0xff));', ''],
  ['asm volatile("outb %b0,%w1" :: "a"(c), "Nd"(COM1));', 'HYPERVISOR_console_io(CONSOLEIO_write, 1, &(char){ c });'],
  ['asm volatile("inb %w1,%b0" : "=a"(c) : "Nd"(COM1 + 5));', 'c = 0x60;'],
  ['outb(0x20, 0x20);', ''],
  ['outb(0x43, 0x34);', ''],
  ['outb(COM1 + 3, 0x80);', ''],
  ['outb(COM1, c);', 'HYPERVISOR_console_io(CONSOLEIO_write, 1, &(char){ c });'],
  ['c = inb(COM1 + 5) & 0x20;', 'c = 0x60 & 0x20;'],
  [
    'set_gate(0x80, handler, 3);',
    'BUG_ON(HYPERVISOR_set_trap_table((struct trap_info[]){ { 0x80, 3, FLAT_KERNEL_CS, (unsigned long)handler }, { 0 } }));',
  ],
  [
    'set_gate(14, &handler, 0);',
    'BUG_ON(HYPERVISOR_set_trap_table((struct trap_info[]){ { 14, 0, FLAT_KERNEL_CS, (unsigned long)handler }, { 0 } }));',
  ],
];

const AROUND = (line: string, indent: string, step: string): string =>
  `${NATIVE}static struct pointer gdtr, idtr, *gdtp;\nstatic struct tss the_tss;\nvoid f(uint64_t flags, uint64_t pa, uint64_t address, struct table *table, void *pointer, uint32_t low, uint32_t high, char c)\n{\n${step}work();\n${indent}${line} /* kept */\n${step}work();\n}\n`;
const expected = (lines: string, indent: string, step: string): string => lines.replaceAll('\n', `\n${indent}`).replaceAll('…', step);

it.each(STATEMENTS)('%s', async (before, after) => {
  const grammars = await testGrammars();
  for (const step of ['\t', '    ']) {
    const text = AROUND(before, step, step);
    const { findings } = analyse(grammars, { path: 'a.c', text });
    const fix = findings[0]!.fixes[0]!;
    const fixed = applyFix(text, fix);
    expect(fixed).toBe(
      after === '' ? text.replace(`${step}${before} /* kept */\n`, '') : AROUND('@', step, step).replace('@', expected(after, step, step)),
    );
    const again = analyse(grammars, { path: 'a.c', text: fixed });
    expect(again.findings).toEqual([]);
    compiles(fixed.replace(NATIVE, ''));
  }
});

it('every finding of one statement has the same fix', async () => {
  const { findings } = analyse(await testGrammars(), {
    path: 'a.c',
    text: 'void f(long x)\n{\n\tasm("pushfq; popq %0; cli" : "=r"(x));\n}\n',
  });
  expect(findings.map(({ fixes }) => fixes)).toEqual([findings[0]!.fixes, findings[0]!.fixes]);
  expect(findings[0]!.fixes).toHaveLength(1);
});

it('the body of an if stays one statement', async () => {
  const text = 'void f(int x)\n{\n  if (x)\n    asm("sti");\n  else\n    asm("clts");\n}\n';
  const { findings } = analyse(await testGrammars(), { path: 'a.c', text });
  const fixed = [...findings].reverse().reduce((result, finding) => applyFix(result, finding.fixes[0]!), text);
  expect(fixed).toContain('  if (x)\n    {\n      barrier();\n      this_vcpu->evtchn_upcall_mask = 0;');
  compiles(fixed);
});

it('in a macro the fix is one line, with the semicolon of the place', async () => {
  const text =
    '#define sti() asm volatile("sti")\n#define stop() asm volatile("hlt")\n#define two() do { asm("cli"); } while (0)\nvoid f(void) { if (1) sti(); else stop(); two(); }\n';
  const { findings } = analyse(await testGrammars(), { path: 'a.h', text });
  const fixed = [...findings].reverse().reduce((result, finding) => applyFix(result, finding.fixes[0]!), text);
  expect(fixed.split('\n').slice(0, 3)).toEqual([
    '#define sti() do { barrier(); this_vcpu->evtchn_upcall_mask = 0; barrier(); if (this_vcpu->evtchn_upcall_pending) HYPERVISOR_xen_version(0, NULL); } while (0)',
    '#define stop() HYPERVISOR_sched_op(SCHEDOP_block, NULL)',
    '#define two() do { do { this_vcpu->evtchn_upcall_mask = 1; barrier(); } while (0); } while (0)',
  ]);
  compiles(fixed);
});

it('no fix where a part of the statement would be lost or is not known', async () => {
  const none = [
    'asm("cli; mov %0,%%cr3" :: "r"(x));',
    'asm("mov %%cr0,%0" : "=r"(x));',
    'asm("wrmsr" :: "c"(msr), "a"(x), "d"(x));',
    'asm("outb %b0,%w1" :: "a"(x), "Nd"(port));',
    'asm("lgdt %0" :: "m"(unknown));',
    'asm("pushfq; popq %%rax");',
    'x = ({ asm("cli" : "=r"(x)); x; }) + inb(0x3f8);',
  ];
  const grammars = await testGrammars();
  for (const statement of none.slice(0, 6)) {
    const { findings } = analyse(grammars, { path: 'a.c', text: `void f(void)\n{\n\t${statement}\n}\n` });
    expect(findings.length, statement).toBeGreaterThan(0);
    expect(
      findings.flatMap(({ fixes }) => fixes),
      statement,
    ).toEqual([]);
  }
});

it('line ends of the file are kept', async () => {
  const { findings } = analyse(await testGrammars(), { path: 'a.c', text: 'void f(void)\r\n{\r\n\tasm("cli");\r\n}\r\n' });
  expect(findings[0]!.fixes[0]!.edits[0]!.text).toBe('this_vcpu->evtchn_upcall_mask = 1;\r\n\tbarrier();');
});
