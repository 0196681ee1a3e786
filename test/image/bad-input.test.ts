// Images that are truncated, damaged or no kernels at all: a sentence that says what to do, never a crash and never a hang.

import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { openKernel } from '../../image/elf/kernel.ts';
import { parseElf } from '../../image/elf/parse.ts';
import { ImageError, type ImageErrorKind } from '../../image/error.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import { unpack } from '../../image/unpack.ts';
import { xenNotes } from '../../image/xen-notes.ts';
import { compile, FREESTANDING } from './compile.ts';
import { program } from './programs.ts';
import { random } from './random.ts';

const kernel = compile(program(64), [...FREESTANDING, '-O2', '-gdwarf-5']);

function refusal(bytes: Uint8Array): ImageError {
  try {
    openKernel(bytes);
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
  throw new Error('the image was accepted');
}

/** Asks everything of an image that a debugger would; only ImageError may come out, and only where it is documented. */
function exercise(bytes: Uint8Array): void {
  let elf: ReturnType<typeof parseElf>;
  try {
    elf = parseElf(bytes);
    xenNotes(elf);
  } catch (error) {
    if (error instanceof ImageError) return;
    throw error;
  }
  const symbolizer = new Symbolizer(elf);
  const memory = (_: bigint, length: number): Uint8Array => new Uint8Array(length);
  const registers = { rip: kernel.elf.entry, rsp: 0x7000n, rbp: 0x7100n, rdi: 1n, rsi: 2n, rax: 3n };
  symbolizer.lines.files();
  symbolizer.breakpointsAt('main.c', 30);
  for (const name of ['walk', 'run', 'square', 'assembly_add']) {
    for (const { entry, body } of symbolizer.functionsNamed(name)) {
      for (const address of [entry, body, body + 9n]) {
        symbolizer.framesAt(address);
        symbolizer.rangesOfLine(address);
        for (const frame of symbolizer.unwind({ ...registers, rip: address }, memory)) {
          for (const variable of symbolizer.variablesAt(frame.lookup)) {
            const value = symbolizer.valueOf(variable, frame, memory);
            expect(typeof value.text).toBe('string');
            for (const child of value.children()) expect(typeof child.text).toBe('string');
          }
        }
      }
    }
  }
  for (const variable of symbolizer.globalsNamed('table')) {
    for (const child of symbolizer.valueOf(variable, undefined, memory).children())
      for (const member of child.children()) expect(typeof member.text).toBe('string');
  }
  symbolizer.typeNamed('struct node');
}

describe('what is no kernel', () => {
  const with4 = (...head: number[]): Uint8Array => Uint8Array.from({ length: 4096 }, (_, i) => head[i] ?? 0);
  const patched = (offset: number, ...values: number[]): Uint8Array => {
    const copy = kernel.bytes.slice();
    copy.set(values, offset);
    return copy;
  };
  const cases: readonly [string, Uint8Array, ImageErrorKind, RegExp][] = [
    ['an empty file', new Uint8Array(), 'empty', /empty.*ELF/],
    ['zeros', new Uint8Array(1 << 20), 'not-elf', /zero byte.*output of the linker/],
    ['text', new TextEncoder().encode('int main(void)\n'), 'not-elf', /text file/],
    [
      'a bzImage',
      Uint8Array.from({ length: 4096 }, (_, i) => (i >= 0x202 && i < 0x206 ? 'HdrS'.charCodeAt(i - 0x202) : 0)),
      'compression',
      /bzImage.*vmlinux/,
    ],
    ['an xz file of nothing', with4(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), 'compression', /xz file cannot be unpacked.*copy it again/],
    ['a zstd file', with4(0x28, 0xb5, 0x2f, 0xfd), 'not-elf', /zstd -dk/],
    ['the ELF magic alone', kernel.bytes.slice(0, 4), 'truncated', /too few for an ELF header/],
    ['a big-endian file', patched(5, 2), 'big-endian', /big endian.*x86/],
    ['an ELF file for AArch64', patched(18, 183, 0), 'wrong-machine', /AArch64.*Build the kernel for x86/],
    ['an ELF file for RISC-V', patched(18, 243, 0), 'wrong-machine', /RISC-V/],
    ['an ELF file for an unknown machine', patched(18, 0x34, 0x12), 'wrong-machine', /machine number 4660/],
    ['a core dump', patched(16, 4, 0), 'wrong-type', /core dump/],
    [
      'a program header table outside of the file',
      patched(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
      'truncated',
      /program header table.*damaged/,
    ],
    ['a huge number of sections', patched(60, 0xff, 0xfe), 'truncated', /section header table/],
  ];
  it.each(cases)('%s is refused with a reason and advice', (_name, bytes, kind, message) => {
    const error = refusal(bytes);
    expect(error.message).toMatch(message);
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(/^[A-Z].*\.$/s);
  });

  it('an object file is refused', () => {
    const object = compile({ 'empty.c': 'int x;' }, ['-r', '-nostdlib']);
    expect(refusal(object.bytes)).toMatchObject({ kind: 'wrong-type', message: expect.stringMatching(/relocatable object.*Link it/) });
  });

  it('a segment that the file does not hold is refused, also without section headers', () => {
    // e_shoff, e_shnum and e_shstrndx are 0 in a file that was stripped of its section headers.
    const stripped = kernel.bytes.slice();
    const view = new DataView(stripped.buffer);
    view.setBigUint64(40, 0n, true);
    view.setUint32(60, 0, true);
    expect(openKernel(stripped).sections).toEqual([]);
    const last = Math.max(...kernel.elf.segments.filter((s) => s.type === 1).map((s) => s.offset + s.fileSize));
    expect(refusal(stripped.slice(0, last - 1))).toMatchObject({
      kind: 'truncated',
      message: expect.stringMatching(/^Segment \d.*copy it again/),
    });
    const larger = stripped.slice();
    const code = kernel.elf.segments.find((s) => s.type === 1)!;
    new DataView(larger.buffer).setBigUint64(64 + code.index * 56 + 40, 1n, true);
    expect(refusal(larger)).toMatchObject({ kind: 'malformed', message: expect.stringContaining('more bytes in the file') });
    for (const { index } of kernel.elf.segments) view.setUint32(64 + index * 56, 0, true);
    expect(refusal(stripped)).toMatchObject({ kind: 'malformed', message: expect.stringContaining('no loadable segment') });
  });

  it('a gigabyte of zeros is refused at once', () => {
    const zeros = new Uint8Array(2 ** 30);
    const start = performance.now();
    expect(refusal(zeros).kind).toBe('not-elf');
    expect(performance.now() - start).toBeLessThan(100);
  });

  it('an ELF file without notes says which notes to add', () => {
    const { problems, source, plan } = xenNotes(openKernel(kernel.bytes));
    expect(source).toBe('none');
    expect(plan).toEqual([]);
    expect(problems[0]).toMatchObject({
      severity: 'error',
      text: expect.stringMatching(/no Xen notes.*XEN_VERSION "xen-3.0", LOADER "generic", VIRT_BASE and ENTRY/),
    });
  });
});

describe('gzip', () => {
  const packed = gzipSync(kernel.bytes);
  it('is unpacked', () => {
    expect(Buffer.compare(unpack(packed), kernel.bytes)).toBe(0);
    expect(openKernel(packed).entry).toBe(kernel.elf.entry);
  });
  it('that is cut or damaged is refused', () => {
    for (let length = 3; length < packed.length; length += Math.ceil(packed.length / 200))
      expect(refusal(packed.slice(0, length)).kind).toBe('compression');
    const damaged = packed.slice();
    damaged[packed.length - 6]! ^= 1;
    expect(refusal(damaged)).toMatchObject({ kind: 'compression', message: expect.stringContaining('checksum') });
  });
});

describe('damage', () => {
  it('every prefix of a kernel is refused, or (behind its last table) accepted', () => {
    const small = compile({ 'start.S': '.globl _start\n_start: hlt\n' }, FREESTANDING);
    for (let length = 0; length < small.bytes.length; length++)
      expect(['empty', 'not-elf', 'truncated'], `${length} bytes`).toContain(refusal(small.bytes.slice(0, length)).kind);
  });

  it('prefixes of a kernel with debug information never crash a reader', () => {
    const start = performance.now();
    for (let length = 0; length < kernel.bytes.length; length += 61) exercise(kernel.bytes.slice(0, length));
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it.each([
    ['64-bit DWARF 5', 64, 2000, ['-O2', '-gdwarf-5']],
    ['32-bit DWARF 4', 32, 600, ['-m32', '-O2', '-gdwarf-4']],
  ] as const)('random changes in %s of %i bits give a value or an ImageError (%i of them)', (name, bits, rounds, options) => {
    const { bytes, elf } = compile(program(bits), [...FREESTANDING, ...options]);
    const next = random(bits + name.length);
    // Most changes go where the readers are: headers, notes and debug sections rather than machine code.
    const targets = elf.sections.filter((s) => s.name.startsWith('.debug') || s.name.startsWith('.eh') || s.name.endsWith('tab'));
    let slowest = 0;
    for (let round = 0; round < rounds; round++) {
      const copy = bytes.slice();
      for (let n = next(4); n >= 0; n--) {
        const section = targets[next(targets.length)]!;
        const offset =
          next(8) === 0 ? next(64) : next(8) === 0 ? copy.length - 1 - next(elf.sections.length * 64) : section.offset + next(section.size);
        copy[offset] = next(3) === 0 ? 0xff : copy[offset]! ^ (1 << next(8));
      }
      const before = performance.now();
      try {
        exercise(copy);
      } catch (error) {
        throw new Error(`round ${round}: ${error instanceof Error ? error.stack : error}`);
      }
      slowest = Math.max(slowest, performance.now() - before);
    }
    // Milliseconds each; the limit leaves room for a busy machine.
    expect(slowest).toBeLessThan(10_000);
  });

  it('a compressed section with an impossible size is refused without allocating it', () => {
    const { bytes, elf } = compile(program(64), [...FREESTANDING, '-O2', '-g', '-gz=zlib']);
    const section = elf.section('.debug_info')!;
    expect(elf.sectionBytes(section).length).toBeGreaterThan(section.size);
    const copy = bytes.slice();
    new DataView(copy.buffer).setBigUint64(section.offset + 8, 0x3fff_ffffn, true);
    const damaged = parseElf(copy);
    expect(() => damaged.sectionBytes(damaged.section('.debug_info')!)).toThrow(/cannot be decompressed.*-gz=none/);
  });
});
