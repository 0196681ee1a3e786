// Builds the 32-bit guest with the machine's gcc: ELF32 with DWARF, linked at 0xc0100000.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const LINKER = `ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(7); note PT_NOTE FLAGS(4); }
SECTIONS {
  . = 0xc0100000;
  .text : AT(ADDR(.text) - 0xc0000000) { *(.text*) } :text
  .rodata : AT(ADDR(.rodata) - 0xc0000000) { *(.rodata*) } :text
  .note : AT(ADDR(.note) - 0xc0000000) { *(.note.Xen) } :text :note
  .data : AT(ADDR(.data) - 0xc0000000) { *(.data*) } :text
  .bss : AT(ADDR(.bss) - 0xc0000000) { *(.bss*) *(COMMON) } :text
  /DISCARD/ : { *(.note.gnu*) *(.comment) }
}
`;

/** Path of the kernel, in a folder that the caller removes. */
export function buildGuest32(): { readonly folder: string; readonly elf: string } {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-32-'));
  const script = join(folder, 'kernel.lds');
  const elf = join(folder, 'small32.elf');
  writeFileSync(script, LINKER);
  const code =
    '-m32 -O1 -g -ffreestanding -fno-pic -no-pie -fno-stack-protector -fcf-protection=none -mgeneral-regs-only -fomit-frame-pointer';
  const link = '-nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments';
  execFileSync('gcc', [...`${code} ${link}`.split(' '), `-Wl,-T,${script}`, '-o', elf, source('boot.S'), source('main.c')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { folder, elf };
}
