// Makes small guest kernels from assembly text with the system's gcc: linked at VIRT_BASE + 1 MiB, with Xen notes and a hypercall page.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROLOGUE = `
.macro NOTE number, kind:vararg
  .align 4
  .long 4, 9f-8f, \\number
  .asciz "Xen"
8: \\kind
9: .align 4
.endm
.section .note.Xen, "a", @note
NOTE 6, .asciz "test"
NOTE 5, .asciz "xen-3.0"
NOTE 8, .asciz "generic"
NOTE 3, .quad 0xffffffff80000000
NOTE 4, .quad 0
NOTE 1, .quad _start
NOTE 2, .quad hypercall_page
.macro HYPERCALL number
  call hypercall_page + 32 * \\number
.endm
.macro POWEROFF
  movl $0, reason(%rip)
  mov $2, %edi
  lea reason(%rip), %rsi
  HYPERCALL 29
.endm
.text
.globl _start
_start:
  lea stack_top(%rip), %rsp
  mov %rsi, %rbx
  # shared_info at 'shared'
  lea shared(%rip), %rdi
  mov 40(%rbx), %rsi
  or $7, %rsi
  mov $2, %edx
  HYPERCALL 14
  call main
  POWEROFF
`;

const EPILOGUE = `
.section .note.GNU-stack, "", @progbits
.data
.align 4096
shared: .skip 4096
hypercall_page: .skip 4096
reason: .long 0
.align 16
.skip 4096
stack_top:
`;

const LINKER = `ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(7); note PT_NOTE FLAGS(4); }
SECTIONS {
  . = 0xffffffff80100000;
  .text : AT(ADDR(.text) - 0xffffffff80000000) { *(.text*) } :text
  .note : AT(ADDR(.note) - 0xffffffff80000000) { *(.note.Xen) } :text :note
  .data : AT(ADDR(.data) - 0xffffffff80000000) { *(.data*) *(.bss*) } :text
  /DISCARD/ : { *(.note.gnu*) *(.comment) *(.eh_frame*) }
}
`;

/** A kernel whose `main` is the text given (AT&T syntax); rbx holds start_info there. Symbols by name. */
export function assemble(main: string): { elf: Uint8Array; symbols: Readonly<Record<string, bigint>> } {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-'));
  try {
    writeFileSync(join(folder, 'a.S'), PROLOGUE + main + EPILOGUE);
    writeFileSync(join(folder, 'a.lds'), LINKER);
    const options = [
      '-nostdlib',
      '-static',
      '-no-pie',
      '-Wl,--build-id=none',
      '-Wl,-z,max-page-size=4096',
      '-Wl,--no-warn-rwx-segments',
      `-Wl,-T,${join(folder, 'a.lds')}`,
    ];
    execFileSync('gcc', ['-m64', '-fno-pic', ...options, '-o', join(folder, 'a'), join(folder, 'a.S')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const listing = execFileSync('nm', [join(folder, 'a')], { encoding: 'utf8' });
    const symbols = Object.fromEntries(
      listing
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([address, , name]) => [name!, BigInt(`0x${address}`)]),
    );
    return { elf: new Uint8Array(readFileSync(join(folder, 'a'))), symbols };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
