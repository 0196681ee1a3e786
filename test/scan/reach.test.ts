// What `hyperport scan` says of a small kernel whose every instruction has a known fate.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ScanResult, scanKernel } from '../../scan/scan.ts';
import { type Compiled, compile, FREESTANDING } from '../image/compile.ts';
import { scan } from './command.ts';

const NOTES = `
  .pushsection .note.Xen, "a", @note
  .macro note type, desc:vararg
  .balign 4
  .long 4, 2f - 1f, \\type
  .asciz "Xen"
1: \\desc
2: .balign 4
  .endm
  note 6, .asciz "linux"
  note 5, .asciz "xen-3.0"
  note 8, .asciz "generic"
  note 1, .quad xen_start
  note 3, .quad 0
  .popsection
`;

const KERNEL = (notes: string) => `${notes}
  .text
  .globl _start
  .type _start, @function
_start:
  cli
  call both
  hlt
  .size _start, . - _start

  .globl xen_start
  .type xen_start, @function
xen_start:
  call both
  ud2
  .ascii "xen"
  cpuid
  movl $29, %eax
  syscall
  lea handler(%rip), %rax
  movq operations(%rip), %rbx
  jmp *%rbx
  .size xen_start, . - xen_start

  .type both, @function
both:
  pushf
  pop %rax
  jmp *table(,%rax,8)
case_0:
  rdmsr
  ret
case_1:
  wrmsr
  ret
  .size both, . - both
  // Bytes of instructions that are none: hlt, cli, in, sti.
  .byte 0x00, 0xf4, 0xfa, 0x06, 0xec, 0xfb

  .type handler, @function
handler:
  iretq
  .size handler, . - handler
  .type operation, @function
operation:
  clts
  ret
  .size operation, . - operation
  .type forgotten, @function
forgotten:
  invlpg (%rax)
  ret
  .size forgotten, . - forgotten

  .section .rodata
  .balign 8
table: .quad case_0, case_1
  .data
  .balign 8
  .globl operations
  .type operations, @object
operations: .quad operation
  .size operations, . - operations
  .section .note.GNU-stack, "", @progbits
`;

const build = (notes: string): Compiled => compile({ 'kernel.S': KERNEL(notes) }, [...FREESTANDING, '-Wl,--build-id=none']);

describe('a small kernel with a native and a Xen entry', () => {
  let kernel: Compiled;
  let result: ScanResult;
  beforeAll(() => {
    kernel = build(NOTES);
    result = scanKernel(kernel.elf);
  });

  it('has each instruction told by how Xen’s entry leads to it', () => {
    expect(result.findings.map(({ mnemonic, function: name, reach }) => [mnemonic, name, reach])).toEqual([
      ['cli', '_start', 'native'],
      ['hlt', '_start', 'native'],
      ['pushf', 'both', 'direct'],
      ['rdmsr', 'case_0', 'direct'],
      ['wrmsr', 'case_1', 'direct'],
      ['iret', 'handler', 'pointer'],
      ['clts', 'operation', 'pointer'],
      ['invlpg', 'forgotten', 'none'],
    ]);
  });

  it('takes neither data between functions for code, nor a marked cpuid or a hypercall for something to change', () => {
    expect(result.findings.some(({ mnemonic }) => ['in', 'sti', 'cpuid', 'syscall'].includes(mnemonic))).toBe(false);
    expect(result.hypercalls).toBe(1);
    expect(result.unread.some(({ size }) => size >= 6)).toBe(true);
  });

  it('shows the way to it', () => {
    expect(result.findings.find(({ mnemonic }) => mnemonic === 'clts')!.chain).toEqual(['xen_start', 'operations', 'operation']);
  });

  it('is listed without what cannot run under Xen, unless asked for', async () => {
    const listed = await scan(kernel.path);
    expect(listed.code).toBe(1);
    expect(listed.out).not.toContain('[cli]');
    expect(listed.out).toContain('8 sensitive instructions (3 direct, 2 pointer, 2 native, 1 none)');
    expect(listed.out).toContain('3 of them cannot run under Xen');
    expect(listed.out).toContain('Reached by xen_start > operations > operation');
    expect((await scan(kernel.path, '--all')).out).toContain('hlt [hlt]');
    expect((await scan(kernel.path, '--fail-on', 'never')).code).toBe(0);
  });

  it('gives JSON of the documented shape', async () => {
    const validate = new Ajv({ allErrors: true }).compile(
      JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/schemas/scan.schema.json'), 'utf8')),
    );
    const document = JSON.parse((await scan(kernel.path, '--format=json', '--all')).out);
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    expect(document.summary.byReach).toEqual({ direct: 3, pointer: 2, unknown: 0, native: 2, none: 1 });
  });
});

describe('kernels that give less to go by', () => {
  it('without Xen notes: nothing is called reachable, and that is said', () => {
    const { findings, xenEntry, warnings } = scanKernel(build('').elf);
    expect(xenEntry).toBeNull();
    expect(new Set(findings.map(({ reach }) => reach))).toEqual(new Set(['unknown']));
    expect(warnings.join()).toContain('There are no Xen notes');
  });

  it('stripped: the same instructions, with addresses for names', () => {
    const whole = build(NOTES);
    const stripped = compile({ 'kernel.S': KERNEL(NOTES) }, [...FREESTANDING, '-Wl,--build-id=none', '-s']);
    const found = scanKernel(stripped.elf).findings;
    const wanted = scanKernel(whole.elf).findings.filter(({ mnemonic }) => mnemonic !== 'invlpg');
    expect(found.map(({ address, rule }) => [address, rule])).toEqual(wanted.map(({ address, rule }) => [address, rule]));
    expect(found.find(({ mnemonic }) => mnemonic === 'pushf')!.chain.every((name) => name.startsWith('0x'))).toBe(true);
  });

  it('no kernel, no option, no value: a sentence and exit code 2', async () => {
    expect(await scan()).toMatchObject({ code: 2, error: expect.stringContaining('no kernel is given') });
    expect(await scan('package.json')).toMatchObject({ code: 2, error: expect.stringContaining('is not a kernel') });
    expect(await scan('x', '--fail-on', 'idiom')).toMatchObject({ code: 2, error: expect.stringContaining('takes one of') });
    expect(await scan('x', '--every')).toMatchObject({ code: 2, error: expect.stringContaining('there is no option --every') });
  });
});
