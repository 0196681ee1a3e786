// Complaint 13: ELF notes that the domain builder misreads, or does not find, and what `hyperport notes` says of each kernel.

import { describe, expect, test } from 'vitest';
import { run } from '../../cli/notes.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { compile, FREESTANDING } from '../image/compile.ts';

async function notes(path: string): Promise<{ code: number; out: string }> {
  let out = '';
  const code = await run([path], { stdout: (text) => (out += text), stderr: (text) => (out += text), cwd: '/', assets: '' });
  return { code, out };
}

type Note = readonly [type: number, description: string];
const USUAL: readonly Note[] = [
  [5, '.asciz "xen-3.0"'],
  [8, '.asciz "generic"'],
  [3, '.quad 0x400000'],
  [4, '.quad 0x400000'],
  [1, '.quad _start'],
  [2, '.quad hypercall_page'],
];

/** A kernel at 0x400000; `align`: of each note's name and description. */
function kernel(list: readonly Note[], align = 4): string {
  const text = list.map(
    ([type, description]) =>
      `.balign ${align}\n.long 4, 2f-1f, ${type}\n.asciz "Xen"\n.balign ${align}\n1: ${description}\n2: .balign ${align}\n`,
  );
  const source = `.text\n.globl _start\n_start: hlt\n.balign 4096\nhypercall_page: .fill 4096, 1, 0xcc\n.section .note.Xen, "a", @note\n${text.join('')}\n.section .note.GNU-stack, "", @progbits\n`;
  const script = `ENTRY(_start)\nPHDRS { all PT_LOAD FLAGS(7); note PT_NOTE FLAGS(4); }\nSECTIONS { . = 0x400000; .text : { *(.text) } :all .note : { *(.note.Xen) } :all :note .data : { *(.data) *(.bss) } :all }\n`;
  return compile({ 'a.S': source, 'a.lds': script }, [...FREESTANDING, '-Wl,--build-id=none', '-Wl,-T,FOLDER/a.lds']).path;
}

describe('13: notes', () => {
  test('a kernel for another machine: what it is, and what to add', async () => {
    const native = compile({ 'a.S': '.globl _start\n.balign 4\n.long 0x1badb002, 0, -0x1badb002\n_start: hlt\n' }, FREESTANDING);
    const { code, out } = await notes(native.path);
    expect(code).toBe(2);
    expect(out).toMatch(/no Xen notes.*multiboot header, so it is a kernel for bare machines.*Add at least/s);
  });
  test('a kernel for HVM and PVH guests only: not for PV, and why', async () => {
    const root = await ensureDebian(['grub-xen']);
    const { out } = await notes(`${root}/usr/lib/grub-xen/grub-i386-xen_pvh.bin`);
    expect(out).toMatch(/PVH/);
    expect(out).toContain('Refuses the image');
  });
  test('notes aligned to 8 bytes, which Xen reads at 4', async () => {
    const { code, out } = await notes(kernel(USUAL, 8));
    expect(out).toMatch(/align/);
    expect(code).toBe(0);
  });
  test('a number of a size that Xen takes as 0', async () => {
    const { out } = await notes(kernel([...USUAL.filter(([type]) => type !== 3), [3, '.byte 0, 0, 0x40, 0, 0, 0']]));
    expect(out).toMatch(/VIRT_BASE has 6 bytes; Xen reads numbers of 1, 2, 4 or 8 bytes only and takes this one as 0/);
  });
  test('a note given twice with different values', async () =>
    expect((await notes(kernel([...USUAL, [3, '.quad 0x800000']]))).out).toMatch(
      /VIRT_BASE is given twice, 0x400000 and 0x800000; the later one counts/,
    ));
  test('every note is decoded, and what the builder makes of them', async () => {
    const { code, out } = await notes(kernel(USUAL));
    expect(code).toBe(0);
    for (const name of ['XEN_VERSION', 'LOADER', 'VIRT_BASE', 'PADDR_OFFSET', 'ENTRY', 'HYPERCALL_PAGE']) expect(out).toContain(name);
    expect(out).toMatch(/Starts vCPU 0 at 0x400000/);
  });
});
