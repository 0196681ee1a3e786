// What is found in assembly sources: statements, macros of both kinds, dialects and code sizes.

import { expect, it } from 'vitest';
import { analyse } from '../../server/analysis/analyser.ts';
import { found, warningsOf } from './found.ts';
import { testGrammars } from './load.ts';

it('finds instructions after labels, prefixes and other statements of a line', async () => {
  expect(await found('a.S', 'start: cli; hlt\n1:\trep; insb\n\tlock; nop ; sti # cli\n')).toEqual([
    '1:8 cli "cli"',
    '1:13 hlt "hlt"',
    '2:9 port-io "insb"',
    '3:14 sti "sti"',
  ]);
});

it('finds instructions in .macro bodies and multi-line #defines, where they stand', async () => {
  const text =
    '.macro DISABLE reg=eax\n\tmov %cr0, %\\reg\n\tcli\n.endm\n#define ENTER \\\n\tswapgs;\\\n\tmovq %gs:8,%rsp; /* hlt */ \\\n\tsti\n#define one hlt\n';
  expect(await found('a.S', text)).toEqual([
    '2:2 mov-cr0 "mov %cr0, %\\\\reg"',
    '3:2 cli "cli"',
    '6:2 swapgs "swapgs"',
    '8:2 sti "sti"',
    '9:13 hlt "hlt"',
  ]);
});

it('follows .intel_syntax and back', async () => {
  const text =
    '.intel_syntax noprefix\n\tmov cr3, rax\n\tmov rax, qword ptr [rbx+cr3_offset]\n\tin al, 0x60\n.att_syntax prefix\n\tmov %rax, %cr3\n';
  expect(await found('a.s', text)).toEqual([
    '2:2 mov-to-cr3 "mov cr3, rax"',
    '4:2 port-io "in al, 0x60"',
    '6:2 mov-to-cr3 "mov %rax, %cr3"',
  ]);
});

it('labels, symbols, directives, strings and comments that look like instructions are none', async () => {
  const text =
    'cli:\n\tcall hlt\n\tjmp cli\n.globl sti\n.set in, 5\n\t.ascii "cli"\n/* hlt\n cli */\n# cli\n// sti\n\tmovl $str, %eax\nhlt = 4\n#if cli\n#endif\n';
  expect(await found('a.S', text)).toEqual([]);
});

it('a macro with arguments that stands for a mnemonic does not hide the rest of the line', async () => {
  expect(
    await found('a.S', 'ENTRY(start)\n\tPREFIX(x) cli\n\tASM_CLAC; cli\n\tENDPROC(start)\n').then((hits) =>
      hits.map((hit) => hit.split(' ')[0]),
    ),
  ).toContain('3:12');
});

it('a file without a last line end is read to its end', async () => {
  expect(await found('a.S', 'hlt')).toEqual(['1:1 hlt "hlt"']);
});

it('lines that are no assembly are warnings and the others are still read', async () => {
  const text = `${'\tnop\n'.repeat(20)}\t)) what [ is this\n\thlt\n`;
  expect(await warningsOf('a.S', text)).toEqual([expect.stringContaining('could not be parsed')]);
  expect(await found('a.S', text)).toEqual(['22:2 hlt "hlt"']);
});

it('a header of assembler macros is read as assembly', async () => {
  expect(await found('entry.h', '.macro STOP\n\tcli\n.endm\n')).toEqual(['2:2 cli "cli"']);
});

const ofLine = async (line: string) => {
  const { findings } = analyse(await testGrammars(), { path: 'a.S', text: `#define PIC2 0xa0\n#define SYSCALL 0x80\n${line}\n` });
  return findings[0]!;
};

it.each([
  ['\toutb %al,$0x20', 'clear evtchn_pending'],
  ['\tout %al,$PIC2+1', 'clear evtchn_pending'],
  ['\tinb $0x21,%al', 'clear evtchn_pending'],
  ['\tinb $0x21', 'clear evtchn_pending'],
  ['\tout %al,$0x80', 'clear evtchn_pending'],
  ['\toutw %ax,$0x42', 'Bind VIRQ_TIMER'],
  ['.intel_syntax noprefix\n\tout 0x43, al', 'Bind VIRQ_TIMER'],
  ['.intel_syntax noprefix\n\tin al, 0x40', 'Bind VIRQ_TIMER'],
  ['\tmovw $0x3f8+5, %dx\t# status\n\tinb %dx, %al', 'notify its event channel'],
  ['\tmovl $0x2f8, %edx; movb $65, %al\n\toutb %al, %dx', 'notify its event channel'],
  ['.intel_syntax noprefix\n\tmov dx, 0x3f8\n\tout dx, al', 'notify its event channel'],
])('%j says what replaces its device', async (line, replacement) => {
  const finding = await ofLine(line);
  expect(finding.rule).toBe('port-io');
  expect(finding.message).toMatch(/^Port 0x/);
  expect(finding.replacement).toContain(replacement);
});

it.each([
  ['another device', '\tinb $0x60,%al'],
  ['a port put into dx before a label', '\tmov $0x3f8,%dx\n1:\toutb %al,%dx'],
  ['a port that is changed after it was put into dx', '\tmov $0x3f8,%dx\n\tinc %dx\n\toutb %al,%dx'],
  ['a call in between', '\tmov $0x3f8,%dx\n\tcall wait\n\toutb %al,%dx'],
  ['the high half of dx', '\tmov $0x3f8,%dx\n\tmov $1,%dh\n\toutb %al,%dx'],
])('%s names no device', async (_what, line) => {
  expect((await ofLine(line)).message).not.toMatch(/Port 0x/);
});

it.each([
  ['\tint $0x80', 'idiom'],
  ['\tint $SYSCALL', 'idiom'],
  ['.intel_syntax noprefix\n\tint 0x80', 'idiom'],
  ['\tint $0x82', 'silent'],
  ['\tint $0x21', 'silent'],
])('%j is %s: the trap table has 0x80 as it stands', async (line, severity) => {
  const finding = await ofLine(line);
  expect([finding.rule, finding.severity]).toEqual(['int-gate', severity]);
  expect(finding.replacement).toContain('set_trap_table');
});
