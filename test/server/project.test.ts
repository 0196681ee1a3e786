// Findings that need more than one file: calls of what executes a sensitive instruction, names that a port has redefined, templates of macros.

import { expect, it } from 'vitest';
import type { Analysis } from '../../server/analysis/finding.ts';
import { analyseProject } from '../../server/analysis/project/project.ts';
import { LineIndex } from '../../server/syntax/lines.ts';
import { testGrammars } from './load.ts';

async function analysed(files: Readonly<Record<string, string>>): Promise<Map<string, Analysis>> {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  return new Map([...analyseProject(await testGrammars(), sources)].map(({ source, analysis }) => [source.path, analysis]));
}

/** 'line kind rule instruction' of one file's findings. */
async function foundIn(path: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  const lines = new LineIndex(files[path]!);
  const { findings } = (await analysed(files)).get(path)!;
  return findings.map(
    ({ start, kind, rule, instruction }) => `${lines.position(start).line + 1} ${kind ?? 'instruction'} ${rule} ${instruction}`,
  );
}

const IO = 'static inline void outb(unsigned short p, unsigned char v)\n{\n\tasm volatile("outb %0,%1" :: "a"(v), "Nd"(p));\n}\n';

it('a call of an inline function of a header that executes an instruction is a finding that links to the definition', async () => {
  const files = { 'io.h': IO, 'a.c': '#include "io.h"\nvoid f(int port)\n{\n\toutb(port, 1);\n}\n' };
  expect(await foundIn('a.c', files)).toEqual(['4 call port-io outb(port, 1)']);
  const [finding] = (await analysed(files)).get('a.c')!.findings;
  expect(finding!.related).toEqual([{ path: 'io.h', line: 1, length: 4, message: 'outb executes outb %0,%1' }]);
  expect(finding!.message).toContain('io.h:1');
  expect(finding!.fixes).toEqual([]);
});

it('a chain of wrappers is followed to the instruction', async () => {
  const files = {
    'irq.h':
      '#define native_cli() asm volatile("cli")\nstatic inline void arch_off(void) { native_cli(); }\n#define irq_off() do { arch_off(); } while (0)\n',
    'a.c': '#include "irq.h"\nvoid f(void) { irq_off(); }\n',
  };
  const [finding] = (await analysed(files)).get('a.c')!.findings;
  expect(finding!.related!.map(({ message }) => message)).toEqual([
    'irq_off uses arch_off',
    'arch_off uses native_cli',
    'native_cli executes cli',
  ]);
});

it('a name alone proves nothing: a function of that name that executes nothing is no wrapper', async () => {
  const files = { 'a.c': 'static void outb(int p, int v) { log(p, v); }\nvoid f(void) { outb(1, 2); }\n' };
  expect(await foundIn('a.c', files)).toEqual([]);
});

it('a static function of another source is not what a call means', async () => {
  const files = { 'a.c': 'static void stop(void) { asm("hlt"); }\n', 'b.c': 'extern void stop(void);\nvoid f(void) { stop(); }\n' };
  expect(await foundIn('b.c', files)).toEqual([]);
});

it('a well-known name that no file defines is told by its name, and marked so; one that a file defines is not', async () => {
  const call = 'void f(unsigned long x) { lcr3(x); }\n';
  expect(await foundIn('a.c', { 'a.c': call })).toEqual(['1 well-known mov-to-cr3 lcr3(x)']);
  expect(await foundIn('a.c', { 'a.c': call, 'port.h': '#define lcr3(x) xen_new_baseptr(x)\n' })).toEqual([]);
});

it('members, pointers to functions, declarations, comments and strings are no calls', async () => {
  const files = {
    'io.h': IO,
    'a.c':
      '#include "io.h"\nvoid outb(unsigned short, unsigned char);\nvoid f(struct ops *o) { o->outb(1, 2); o->op = outb; puts("outb(1, 2)"); /* outb(1, 2) */ }\n',
  };
  expect(await foundIn('a.c', files)).toEqual([]);
});

it('an instruction whose name a header redefines is redirected, not found', async () => {
  const files = { 'port.h': '#define cli movb $1, upcall_mask\n', 'a.S': '#include "port.h"\n\tcli\n\thlt\n' };
  expect(await foundIn('a.S', files)).toEqual(['3 instruction hlt hlt']);
  expect((await analysed(files)).get('a.S')!.redirected).toEqual([
    { start: 19, end: 22, instruction: 'cli', by: { path: 'port.h', line: 1, length: 3, message: 'cli is redefined here' } },
  ]);
});

it('what goes through a table of operations is redirected', async () => {
  const files = { 'pv.h': 'static inline void off(void)\n{\n\tPVOP_ALT_VCALLEE0(irq.irq_disable, "cli;", ALT_NOT_XEN);\n}\n' };
  const { findings, redirected } = (await analysed(files)).get('pv.h')!;
  expect(findings).toEqual([]);
  expect(redirected!.map(({ instruction }) => instruction)).toEqual(['cli']);
});

it('a template is put together from macros of other files', async () => {
  const files = {
    'form.h': '#define STR_1(x) #x\n#define STR(x) STR_1(x)\n#define MOV_CR(n) "mov %%" STR(cr##n) ",%0"\n',
    'a.c': '#include "form.h"\nvoid f(void) { long x; asm volatile(MOV_CR(3) : "=r"(x)); }\n',
  };
  expect(await foundIn('a.c', files)).toEqual(['2 instruction mov-from-cr3 mov %cr3,%0']);
});

it('a macro of strings is a finding where some asm statement is made of it, and only there', async () => {
  const files = {
    'a.h': '#define SAFE_SWAPGS "mfence; swapgs;"\n#define HELP "type cli; or hlt;"\n',
    'a.c': '#include "a.h"\nvoid f(void) { asm volatile(SAFE_SWAPGS); puts(HELP); }\n',
  };
  expect(await foundIn('a.h', files)).toEqual(['1 instruction swapgs swapgs']);
  expect(await foundIn('a.c', files)).toEqual(['2 instruction swapgs swapgs']);
});

it('functions that a macro makes are wrappers under the names that it pastes', async () => {
  const files = {
    'io.h':
      '#define BUILD(b) static inline void out##b(int v, int p) { asm volatile("out" #b " %0, %w1" :: "a"(v), "Nd"(p)); }\nBUILD(b)\nBUILD(w)\n',
    'a.c': '#include "io.h"\nvoid f(int p) { outb(1, p); outw(1, p); outl(1, p); }\n',
  };
  expect(await foundIn('a.c', files)).toEqual([
    '2 call port-io outb(1, p)',
    '2 call port-io outw(1, p)',
    '2 well-known port-io outl(1, p)',
  ]);
});

it('instructions that are written as bytes are read', async () => {
  expect(await foundIn('a.c', { 'a.c': 'void f(void) { asm volatile(".byte 0x0f,0x01,0xca"); }\n' })).toEqual([
    '1 instruction stac-clac clac (.byte 0x0f,0x01,0xca)',
  ]);
  expect(await foundIn('a.S', { 'a.S': '\t.byte 0x0f, 0x01, 0xc9\n\t.byte 0x10, 0x20, 0xfa\n' })).toEqual([
    '1 instruction mwait mwait (.byte 0x0f, 0x01, 0xc9)',
  ]);
});

it('instructions in arguments of macros are read, in C and in assembly', async () => {
  expect(await foundIn('a.c', { 'a.c': 'void f(void) { alternative("wbinvd", "", FEATURE); }\n' })).toEqual([
    '1 instruction wbinvd wbinvd',
  ]);
  expect(await foundIn('a.S', { 'a.S': '\tALTERNATIVE "", clac, FEATURE\n\tALTERNATIVE "jmp 1f", "swapgs; lfence", FEATURE\n' })).toEqual([
    '1 instruction stac-clac clac',
    '2 instruction swapgs swapgs',
  ]);
});

it('the part of a C header that is for the assembler is read as assembly', async () => {
  const text = '#ifdef __ASSEMBLY__\n#define SAVE pushfq; \\\n\tcli\n.macro off\n\tcli\n.endm\n#else\nint cli;\n#endif\n';
  expect(await foundIn('a.h', { 'a.h': text })).toEqual(['2 instruction pushf pushfq', '3 instruction cli cli', '5 instruction cli cli']);
});

it('macros and functions of assembly are wrappers too', async () => {
  const files = {
    'a.S': '.macro off\n\tcli\n.endm\n.globl park\npark:\n\thlt\n\tjmp park\n',
    'b.S': '#include "a.S"\nstart:\n\toff\n\tcall park\n',
    'c.c': 'void park(void);\nvoid f(void) { park(); }\n',
  };
  expect(await foundIn('b.S', files)).toEqual(['3 call cli off', '4 call hlt park']);
  expect(await foundIn('c.c', files)).toEqual(['2 call hlt park()']);
});

it('NASM: macros, defines, far jumps and prefixes', async () => {
  const text =
    '%macro save 0\n\tpushfd\n%endmacro\n%define idle hlt\nbits 16\nstart:\to32 lgdt [gdt]\t; cli\n\tmov eax,cr0\n\tjmp dword 8:next\n\tmsg db "cli"\nsave\n';
  expect(await foundIn('a.asm', { 'a.asm': text })).toEqual([
    '2 instruction pushf pushfd',
    '4 instruction hlt hlt',
    '6 instruction lgdt o32 lgdt [gdt]',
    '7 instruction mov-cr0 mov eax,cr0',
    '8 instruction far-transfer jmp dword 8:next',
    '10 call pushf save',
  ]);
});

it("Plan 9's assembly is read by its own names", async () => {
  const text = 'TEXT putcr3(SB), 1, $-4\n\tMOVQ\tRARG, CR3\n\tRET\nTEXT idle(SB), 1, $-4\n\tSTI\n\tHLT\n\tRET\n';
  expect(await foundIn('l.s', { 'l.s': text })).toEqual([
    '2 instruction mov-to-cr3 MOVQ RARG, CR3',
    '5 instruction sti STI',
    '6 instruction hlt HLT',
  ]);
});

it('files that include each other in a circle, deep chains and names without end are answered', async () => {
  const files: Record<string, string> = { 'a.h': '#include "b.h"\n', 'b.h': '#include "a.h"\n' };
  for (let i = 0; i < 200; i++) files['a.h'] += `#define m${i + 1}() m${i}()\n`;
  files['a.h'] += '#define m0() asm("cli")\n';
  files['c.c'] = `#include "a.h"\nvoid f(void) { m3(); ${'('.repeat(20_000)} }\n${'x'.repeat(100_000)}(`;
  expect((await foundIn('c.c', files))[0]).toBe('2 call cli m3()');
});
