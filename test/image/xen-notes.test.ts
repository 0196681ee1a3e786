// Xen notes: Debian's real guests as readelf shows them, and small kernels with notes that Xen would refuse or misread.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openKernel } from '../../image/elf/kernel.ts';
import { parseNumber, splitGuestString } from '../../image/xen/guest-section.ts';
import type { XenNotes } from '../../image/xen/types.ts';
import { bootableNotes, xenNotes } from '../../image/xen-notes.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { compile, FREESTANDING, tool } from './compile.ts';

let debian = '';
beforeAll(async () => {
  debian = await ensureDebian(['grub-xen', 'gnumach']);
}, 600_000);

const NUMBER = (value: string): string => `.quad ${value}`;
const STRING = (text: string): string => `.asciz "${text}"`;
type Note = readonly [type: number, description: string, owner?: string];

/** The notes that every kernel of these tests has, unless replaced. */
const USUAL: readonly Note[] = [
  [5, STRING('xen-3.0')],
  [8, STRING('generic')],
  [6, STRING('test')],
  [3, NUMBER('0x400000')],
  [4, NUMBER('0x400000')],
  [1, NUMBER('_start')],
  [2, NUMBER('hypercall_page')],
];

const without = (...types: number[]): readonly Note[] => USUAL.filter(([type]) => !types.includes(type));
const replaced = (type: number, description: string): readonly Note[] => [...without(type), [type, description]];

const noteText = ([type, description, owner = 'Xen']: Note): string =>
  `.balign 4\n.long ${owner.length + 1}, 2f-1f, ${type}\n.asciz "${owner}"\n.balign 4\n1: ${description}\n2: .balign 4\n`;

/** A kernel linked at 0x400000 with a page-aligned hypercall page at 0x401000. */
function kernel(notes: readonly Note[], extra = '', options: readonly string[] = []) {
  const source = `
        .text
        .globl _start
_start: hlt
        .balign 4096
hypercall_page: .fill 4096, 1, 0xcc
        .data
        .globl ordinary
ordinary: .quad 1
        .section .note.Xen, "a", @note
        ${notes.map(noteText).join('\n')}
        ${extra}
        .section .note.GNU-stack, "", @progbits
`;
  const script = `
        ENTRY(_start)
        PHDRS { all PT_LOAD FLAGS(7); note PT_NOTE FLAGS(4); }
        SECTIONS {
          . = 0x400000;
          .text : { *(.text) } :all
          .data : { *(.data) *(.xen_guest_text) } :all
          .note.Xen : { *(.note.Xen) } :all :note
          .bss : { *(.bss) } :all
          __xen_guest : { *(__xen_guest) } :NONE
          /DISCARD/ : { *(.note.gnu*) *(.eh_frame) }
        }
`;
  return openKernel(
    compile({ 'kernel.S': source, 'kernel.lds': script }, [...FREESTANDING, '-Wl,-T,kernel.lds', '-Wl,--build-id=none', ...options]).bytes,
  );
}

const errors = ({ problems }: XenNotes): string[] => problems.filter((p) => p.severity === 'error').map((p) => p.text);
const texts = ({ problems }: XenNotes): string => problems.map((p) => `${p.severity}: ${p.text}`).join('\n');

describe('real guests of Debian', () => {
  const open = (path: string) => openKernel(new Uint8Array(readFileSync(join(debian, path))));

  it('GRUB for x86-64: notes in a PT_NOTE segment, no hypercall page', () => {
    const notes = xenNotes(open('usr/lib/grub-xen/grub-x86_64-xen.bin'));
    expect(notes.source).toBe('pt-note');
    expect(Object.fromEntries(notes.items.map((n) => [n.name, n.value]))).toEqual({
      GUEST_OS: 'GRUB',
      LOADER: 'generic',
      XEN_VERSION: 'xen-3.0',
      ENTRY: 0n,
      VIRT_BASE: 0n,
    });
    expect(notes.layout).toMatchObject({
      virtBase: 0n,
      paddrOffset: 0n,
      kernelStart: 0n,
      entry: 0n,
      hypercallPage: null,
      initP2m: null,
      unmappedRamdisk: false,
    });
    expect(notes.layout?.kernelEnd).toBe(0x41e1f0n + 0x1f5bd8n);
    expect(errors(notes)).toEqual([]);
  });

  it('GRUB for i386: a note that is cut short by its segment is accepted, as Xen does', () => {
    const notes = xenNotes(open('usr/lib/grub-xen/grub-i386-xen.bin'));
    expect(notes.items.find((n) => n.name === 'PAE_MODE')?.value).toBe('yes');
    expect(notes.parameters.pae).toBe('extended-cr3');
    expect(texts(notes)).toContain('PAE_MODE is cut short');
    expect(errors(notes)).toEqual([]);
  });

  it('GRUB for PVH is no PV kernel', () => {
    expect(() => bootableNotes(open('usr/lib/grub-xen/grub-i386-xen_pvh.bin'))).toThrow(/LOADER "generic"/);
  });

  it('GNU Mach: notes of owner "name" are ignored, the __xen_guest string counts', () => {
    const notes = bootableNotes(open('boot/gnumach-1.8-xen-486.gz'));
    expect(notes.source).toBe('xen-guest-section');
    expect(notes.layout).toMatchObject({ virtBase: 0x40000000n, paddrOffset: 0x40000000n, hypercallPage: 0x40002000n, entry: 0x40000000n });
    expect(notes.parameters).toMatchObject({ guestOs: 'GNU Mach', guestVersion: '', xenVersion: 'xen-3.0' });
    expect(texts(notes)).toMatch(/owner "name".*ignores them/);
    expect(texts(notes)).toContain('GUEST_VERSION" of __xen_guest is not read by Xen (Xen reads GUEST_VER)');
  });
});

describe('a well-formed kernel', () => {
  it('has the notes that readelf shows, and a plan', () => {
    const elf = kernel([
      ...USUAL,
      [10, STRING('writable_page_tables|!pae_pgdir_above_4gb')],
      [17, '.long 0x801'],
      [13, '.quad 1, 1'],
      [14, '.long 1'],
      [16, NUMBER('1')],
      [15, NUMBER('0x200000')],
      [9, STRING('yes')],
    ]);
    const notes = bootableNotes(elf);
    expect(notes.items).toHaveLength(14);
    expect(notes.parameters.required).toEqual(new Set([4]));
    expect(notes.parameters.supported).toEqual(new Set([0, 4, 11]));
    expect(notes.items.find((n) => n.name === 'SUPPORTED_FEATURES')?.text).toBe('0x801: writable_page_tables, dom0');
    expect(notes.items.find((n) => n.name === 'L1_MFN_VALID')?.text).toBe('mask 0x1 value 0x1');
    expect(notes.layout).toMatchObject({
      hypercallPage: 0x401000n,
      initP2m: 0x200000n,
      unmappedRamdisk: true,
      entry: 0x400000n,
      kernelStart: 0x400000n,
    });
    expect(notes.layout.segments).toMatchObject([{ address: 0x400000n, physical: 0n }]);
    expect(notes.plan.join('\n')).toMatch(/Fills the page at 0x401000 \(pfn 0x1\).*INIT_P2M 0x200000.*Starts vCPU 0 at 0x400000/s);
    expect(notes.problems.filter((p) => p.severity !== 'info')).toEqual([]);
  });

  it('may have its notes in a section only', () => {
    const { bytes } = compile(
      { 'k.S': `.globl _start\n_start: hlt\n.section .note.Xen,"",@note\n${without(1, 2, 3, 4).map(noteText).join('')}` },
      [...FREESTANDING, '-Wl,-Ttext=0', '-Wl,--build-id=none', '-Wl,-N'],
    );
    const notes = xenNotes(openKernel(bytes));
    expect(notes.source).toBe('sht-note');
    expect(texts(notes)).toContain('VIRT_BASE is missing; Xen uses 0');
  });
});

describe('what Xen refuses', () => {
  it.each<[string, readonly Note[], RegExp]>([
    ['no LOADER', without(8), /no LOADER.*XEN_ELFNOTE_LOADER \(8\)/],
    ['another LOADER', replaced(8, STRING('special')), /LOADER "special"/],
    ['no XEN_VERSION', without(5), /no XEN_VERSION/],
    ['an old XEN_VERSION', replaced(5, STRING('xen-2.0')), /this one has "xen-2.0"/],
    ['PADDR_OFFSET without VIRT_BASE', without(3), /PADDR_OFFSET is given without VIRT_BASE/],
    [
      'an entry point outside',
      replaced(1, NUMBER('0x900000')),
      /entry point 0x900000 \(ENTRY\) is outside the loaded image, 0x400000 to 0x40/,
    ],
    ['VIRT_BASE above the image', replaced(4, NUMBER('0x500000')), /entry point|VIRT_BASE/],
    [
      'VIRT_BASE within a page',
      [...without(3, 4), [3, NUMBER('0x400010')], [4, NUMBER('0x400010')]],
      /VIRT_BASE 0x400010 is not page aligned/,
    ],
    ['INIT_P2M inside the image', [...USUAL, [15, NUMBER('0x401000')]], /INIT_P2M 0x401000 lies inside the loaded image/],
    ['an unknown required feature', [...USUAL, [10, STRING('!telepathy')]], /requires 'telepathy'/],
    ['a hypercall page below the guest', replaced(2, NUMBER('0x1000')), /HYPERCALL_PAGE 0x1000 lies below VIRT_BASE/],
  ])('%s', (_name, notes, message) => {
    const elf = kernel(notes);
    expect(errors(xenNotes(elf)).join('\n')).toMatch(message);
    expect(xenNotes(elf).plan).toEqual([]);
    expect(() => bootableNotes(elf)).toThrow();
  });

  it('a 32-bit kernel without PAE', () => {
    const notes32 = without(1, 2, 3, 4);
    expect(
      errors(
        xenNotes(kernel([...notes32, [3, '.long 0x400000'], [4, '.long 0x400000'], [1, '.long _start']], '', ['-m32', '-Wl,-m,elf_i386'])),
      ),
    ).toEqual([expect.stringMatching(/must use PAE/)]);
  });
});

describe('what loads, but hardly as meant', () => {
  it.each<[string, readonly Note[], RegExp]>([
    [
      'a misaligned hypercall page',
      replaced(2, NUMBER('hypercall_page + 16')),
      /HYPERCALL_PAGE 0x401010 is not page aligned; the builder fills the page at 0x401000/,
    ],
    ['a hypercall page outside of the segments', replaced(2, NUMBER('0x600000')), /not a whole page inside a loaded segment/],
    [
      'the same note twice with different values',
      [...USUAL, [3, NUMBER('0x400000')], [6, STRING('other')]],
      /GUEST_OS is given twice, "test" and "other"; the later one counts/,
    ],
    ['a number of an impossible size', replaced(2, '.byte 1, 2, 3'), /HYPERCALL_PAGE has 3 bytes.*takes this one as 0/],
    ['INIT_P2M within a page', [...USUAL, [15, NUMBER('0x200010')]], /INIT_P2M 0x200010 is not page aligned; the builder ignores it/],
    ['INIT_P2M above VIRT_BASE', [...USUAL, [15, NUMBER('0x80000000')]], /INIT_P2M 0x80000000 is not below VIRT_BASE/],
    ['a wrong owner', [...USUAL, [2, NUMBER('0'), 'xen']], /1 note\(s\) have owner "xen"/],
    ['an offset that moves the image away from where it is linked', without(4), /Segment 0 is linked for 0x400000 but loaded at 0x800000/],
    ['a kernel for dom0 only', [...USUAL, [10, STRING('!dom0')]], /refuses the image as an unprivileged domain/],
  ])('%s', (_name, notes, message) => {
    expect(texts(xenNotes(kernel(notes)))).toMatch(message);
  });

  it('a __xen_guest section that contradicts the notes', () => {
    const notes = xenNotes(kernel(USUAL, '.section __xen_guest, "", @progbits\n.asciz "VIRT_BASE=0x800000,HYPERCALL_PAGE=0x1"'));
    expect(texts(notes)).toMatch(/contradict each other: VIRT_BASE 0x400000 against 0x800000, HYPERCALL_PAGE 0x401000 against 0x801000/);
  });
});

describe('the __xen_guest string', () => {
  it('is split as Xen splits it', () => {
    expect(splitGuestString('A=1,BSD_SYMTAB,PAE=yes[extended-cr3],X=')).toEqual([
      { name: 'A', value: '1' },
      { name: 'BSD_SYMTAB', value: '' },
      { name: 'PAE', value: 'yes[extended-cr3]' },
      { name: 'X', value: '' },
    ]);
    expect(splitGuestString(`${'n'.repeat(40)}=1`).map((i) => i.name.length)).toEqual([31, 9]);
    expect(splitGuestString(`V=${'v'.repeat(130)}`).map((i) => i.value.length)).toEqual([127, 0]);
  });
  it('has numbers as strtoull reads them', () => {
    expect(['0x10', '010', '10', '0', '', 'x', '12ab', '-1', '99999999999999999999999'].map(parseNumber)).toEqual([
      16n,
      8n,
      10n,
      0n,
      0n,
      0n,
      12n,
      (1n << 64n) - 1n,
      (1n << 64n) - 1n,
    ]);
  });
  it('gives HYPERCALL_PAGE as a page number relative to VIRT_BASE, in any order', () => {
    const guest = 'HYPERCALL_PAGE=0x1,LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0x400000';
    const notes = xenNotes(kernel([], `.section __xen_guest, "", @progbits\n.asciz "${guest}"`));
    expect(notes.source).toBe('xen-guest-section');
    expect(notes.layout).toMatchObject({ hypercallPage: 0x401000n, paddrOffset: 0x400000n, entry: 0x400000n });
    expect(errors(notes)).toEqual([]);
  });
});

it('readelf agrees on the raw notes of a kernel made here', () => {
  const compiled = compile(
    { 'k.S': `.globl _start\n_start: hlt\n.section .note.Xen,"a",@note\n${USUAL.slice(0, 4).map(noteText).join('')}` },
    FREESTANDING,
  );
  const shown = [...tool('readelf', ['-nW', compiled.path]).matchAll(/^\s+Xen\s+(0x[0-9a-f]+)\s+.*$/gm)].map((m) => Number(m[1]));
  expect(shown).toEqual([8, 8, 5, 8]);
  expect(xenNotes(openKernel(compiled.bytes)).items).toHaveLength(4);
});
