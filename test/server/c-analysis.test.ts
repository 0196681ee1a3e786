// What is found in C, and where: inline asm in functions, macros, broken code and every shape of template.

import { expect, it } from 'vitest';
import { analyse } from '../../server/analysis/analyser.ts';
import { found, warningsOf } from './found.ts';
import { testGrammars } from './load.ts';

it('finds the instruction inside the string literal, not the statement', async () => {
  expect(await found('a.c', 'void f(void)\n{\n\tasm volatile("cli" ::: "memory");\n}\n')).toEqual(['3:16 cli "cli"']);
});

it('finds each of several instructions of a template, over \\n, \\t, ; and joined literals', async () => {
  const text = 'void f(void){\n  __asm__ __volatile__ ("pushfq\\n\\t"\n    "popq %0\\n\\t"\n    "cli; hlt" : "=r"(x));\n}\n';
  expect(await found('a.c', text)).toEqual(['2:26 pushf "pushfq"', '4:6 cli "cli"', '4:11 hlt "hlt"']);
});

it('columns are UTF-16 units', async () => {
  expect(await found('a.c', 'void f(void){ g("😀é"); asm("cli"); }\n')).toEqual(['1:30 cli "cli"']);
});

it('an instruction that spans two literals has the range of both', async () => {
  expect(await found('a.c', 'void f(void){ asm("mov %0," "%%cr3" :: "r"(x)); }\n')).toEqual(['1:20 mov-to-cr3 "mov %0,\\" \\"%%cr3"']);
});

it('names operands as GCC prints the template', async () => {
  const { findings } = analyse(await testGrammars(), {
    path: 'a.c',
    text: 'void f(void){ asm volatile("mov  %[pa], %%cr3" :: [pa] "r"(x)); }',
  });
  expect(findings.map(({ instruction }) => instruction)).toEqual(['mov %[pa],%cr3']);
});

it('numbered operands keep their percent sign', async () => {
  const { findings } = analyse(await testGrammars(), {
    path: 'a.c',
    text: 'void f(void){ asm("lgdt %0" :: "m"(x)); asm("outb %0,%w1" :: "a"(v), "Nd"(p)); asm("mov %%cr2, %0" : "=r"(x)); asm("invlpg (%0)" :: "r"(x)); }',
  });
  expect(findings.map(({ instruction }) => instruction)).toEqual(['lgdt %0', 'outb %0,%w1', 'mov %cr2,%0', 'invlpg (%0)']);
});

it.each([
  ['asm("outb %%al,$0x20");', 'clear evtchn_pending'],
  ['asm("outb %0,%1" :: "a"(v), "Nd"(0xa1));', 'clear evtchn_pending'],
  ['asm("inb %[port],%0" : "=a"(v) : [port] "Nd"(PIT + 1));', 'Bind VIRQ_TIMER'],
  ['asm("inb %%dx,%%al" : "=a"(v) : "d"(0x3f8));', 'notify its event channel'],
  ['asm("movw $0x3fd,%%dx; inb %%dx,%%al" : "=a"(v) :: "dx");', 'notify its event channel'],
])('%s says what replaces its device', async (statement, replacement) => {
  const { findings } = analyse(await testGrammars(), { path: 'a.c', text: `#define PIT 0x40\nvoid f(int v)\n{\n\t${statement}\n}\n` });
  expect(findings.map(({ rule }) => rule)).toEqual(['port-io']);
  expect(findings[0]!.replacement).toContain(replacement);
});

it.each([
  ['asm("int $0x80");', 'idiom'],
  ['asm("int %0" :: "i"(0x80));', 'idiom'],
  ['asm("int $0x82");', 'silent'],
  ['asm("int %0" :: "i"(vector));', 'silent'],
])('%s is %s', async (statement, severity) => {
  const { findings } = analyse(await testGrammars(), { path: 'a.c', text: `void f(void) { ${statement} }\n` });
  expect(findings.map((finding) => [finding.rule, finding.severity])).toEqual([['int-gate', severity]]);
});

it.each([
  ['asm', 'asm("hlt");'],
  ['__asm', '__asm("hlt");'],
  ['__asm__', '__asm__("hlt");'],
  ['__volatile without underscores behind', '__asm __volatile("hlt");'],
  ['volatile goto', 'asm goto("hlt" :::: out); out:;'],
  ['asm_volatile_goto', 'asm_volatile_goto("hlt" :::: out); out:;'],
  ['asm inline', 'asm inline volatile("hlt");'],
  ['qualifiers in the other order', 'asm volatile inline("hlt");'],
  ['a comment in the template', 'asm("nop;" /* wait */ "hlt");'],
  ['an escaped quote in the template', 'asm(".ascii \\"x\\"; hlt");'],
  ['an octal escape', 'asm("nop\\012hlt");'],
  ['a local label', 'asm("1: hlt; jmp 1b");'],
  ['a prefix', 'asm("lock; nop; hlt");'],
])('finds hlt in a statement with %s', async (_what, statement) => {
  const hits = await found('a.c', `void f(void)\n{\n  ${statement}\n}\n`);
  expect(hits.map((hit) => hit.replace(/^\d+:\d+ /, ''))).toEqual(['hlt "hlt"']);
});

it('reads the chosen half of {att|intel} alternatives', async () => {
  const text = 'void f(void){ asm("{mov %%ds, %0|mov %0, cr3}" : "=r"(x)); }';
  expect(await found('a.c', text)).toEqual(['1:21 segment-read "mov %%ds, %0"']);
  expect(await found('a.c', text, { masm: 'intel' })).toEqual(['1:34 mov-from-cr3 "mov %0, cr3"']);
});

it('-masm=intel changes the order of operands', async () => {
  const text = 'void f(void){ asm("mov cr3, %0" :: "r"(x)); }';
  expect(await found('a.c', text, { masm: 'intel' })).toEqual(['1:20 mov-to-cr3 "mov cr3, %0"']);
});

it('.intel_syntax inside a template is obeyed', async () => {
  const text = 'void f(void){ asm(".intel_syntax noprefix; mov cr3, rax; .att_syntax; mov %cr2, %rax"); }';
  expect((await found('a.c', text)).map((hit) => hit.split(' ')[1])).toEqual(['mov-to-cr3', 'mov-from-cr2']);
});

it('finds asm in macro bodies, with the place of the body', async () => {
  const text =
    '#define cli() asm volatile("cli")\n#define SAVE(x) \\\n  do { \\\n    __asm __volatile("pushfq; popq %0" : "=r" (x)); \\\n  } while (0)\n';
  expect(await found('a.h', text)).toEqual(['1:29 cli "cli"', '4:23 pushf "pushfq"']);
});

it('finds asm in a macro that pastes and stringises', async () => {
  const text = '#define LOAD(reg, v) \\\n  static inline void load_##reg(void) { asm("mov %0,%%" #reg :: "r"(v)); asm("hlt"); }\n';
  expect((await found('a.h', text)).map((hit) => hit.split(' ')[1])).toContain('hlt');
});

it('follows string macros of the same file into a template', async () => {
  const text = '#define STOP "cli\\n" "hlt"\nvoid f(void){ asm volatile(STOP); }\n';
  expect(await found('a.c', text)).toEqual(['2:28 cli "STOP"', '2:28 hlt "STOP"']);
});

it('finds asm at file scope and in code that does not parse', async () => {
  expect(await found('a.c', 'asm(".globl f\\nf: cli\\nret");\n')).toEqual(['1:19 cli "cli"']);
  const broken =
    'BEGIN_DECLS\nint f( { struct ]\n  asm volatile("hlt" : : "m"(*(int (*)[4]) x)\n ;; } ) asm ("cli" ::: "memory"); MACRO(}\n';
  expect((await found('a.c', broken)).map((hit) => hit.split(' ')[1])).toContain('cli');
});

it('comments, strings and names that look like instructions are none', async () => {
  const text =
    '/* asm("cli") */ // asm("hlt")\nconst char *s = "asm(\\"cli\\")"; int asm_cli, cli, hlt; void g(void) { cli(); lgdt(1); in(3); asm("# cli\\n nop"); }\n#error asm("cli")\n';
  expect(await found('a.c', text)).toEqual([]);
});

it('a register variable is no statement', async () => {
  expect(await found('a.c', 'register unsigned long sp asm("rsp");\nregister long r asm(REGISTER);\n')).toEqual([]);
  expect(await warningsOf('a.c', 'register long r asm(REGISTER);\n')).toEqual([]);
});

it('a template that another file defines is a warning, not silence', async () => {
  expect(await warningsOf('a.c', 'void f(void){ asm volatile(HYPERCALL : "=a"(x)); }')).toContainEqual(
    expect.stringContaining('(HYPERCALL)'),
  );
});

it('the forced cpuid of a port has no finding', async () => {
  expect(
    await found('a.c', 'void f(void){ asm("ud2; .ascii \\"xen\\"; cpuid" : "+a"(a)); asm(".byte 0x0f,0x0b,0x78,0x65,0x6e; cpuid"); }'),
  ).toHaveLength(0);
});

it('finds compiler intrinsics', async () => {
  const text = 'long f(void){ __builtin_ia32_wbinvd(); return __rdtsc() + __builtin_ia32_readeflags_u64(); }';
  expect((await found('a.c', text)).map((hit) => hit.split(' ')[1])).toEqual(['wbinvd', 'rdtsc', 'pushf']);
});

it('finds port I/O on known devices and gates with a constant vector, whatever the order of arguments', async () => {
  const text =
    '#define PIC1 0x20\n#define COM1 0x3f8\nvoid f(char c){ outb(0x20, PIC1); outb(c, COM1); outb(COM1 + 1, 0); outb(0xcf8, c); outb(port, c); set_gate(14, page_fault, 0); set_gate(i, stub, 0); }';
  expect((await found('a.c', text)).map((hit) => hit.split(' ').slice(1).join(' '))).toEqual([
    'port-pic "outb(0x20, PIC1)"',
    'port-uart "outb(c, COM1)"',
    'port-uart "outb(COM1 + 1, 0)"',
    'idt-gate "set_gate(14, page_fault, 0)"',
  ]);
});

it('a value for another device is not taken for a port', async () => {
  const text =
    'void f(int port, int v){ outb(0x1f7, 0x20); outb(0x20, 0x1f7); outb(0x1f6, 0xa0); outb(0x80, 0x70); outb(port, 0x20); outb(port + 7, 0x40); outb(0x80, port); outb(0x64, 0x20); }';
  expect(await found('a.c', text)).toEqual([]);
  const sure =
    '#define PIT_DATA 0x40\nvoid g(int v){ outb(0x80, 0); outb(0, 0x80); outb(v, 0x21); outb(PIT_DATA, v); outb(0x20, 0xa0); outb(0x43, 0x36); }';
  expect((await found('a.c', sure)).length).toBe(6);
});

it('says more where the statement tells more', async () => {
  const text =
    'void f(void){ asm("wrmsr" :: "c"(0xc0000082), "a"(l), "d"(h)); asm("outb %%al,$0x43" :: "a"(v)); asm("mov %%cr3,%0; mov %0,%%cr3" : "=r"(x)); asm("int $0x80"); }';
  const { findings } = analyse(await testGrammars(), { path: 'a.c', text });
  expect(findings.map(({ message, replacement }) => `${message.split('. ')[0]} | ${replacement}`)).toEqual([
    expect.stringContaining('LSTAR: callback_op'),
    expect.stringContaining('Port 0x43 belongs to the PIT'),
    expect.stringContaining('MMUEXT_TLB_FLUSH_LOCAL'),
    expect.stringContaining('MMUEXT_TLB_FLUSH_LOCAL'),
    expect.stringContaining('int $0x80 may stay: it goes straight to the handler'),
  ]);
});
