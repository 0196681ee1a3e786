// What a user reads in the variables view, location expressions by hand-made bytes, and frames behind an interrupt.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Dwarf } from '../../image/dwarf/dwarf.ts';
import { type ExpressionContext, evaluateLocation } from '../../image/dwarf/expression.ts';
import { normalisePath, substitutePath } from '../../image/dwarf/paths.ts';
import { parseElf } from '../../image/elf/parse.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import type { Value } from '../../image/value.ts';
import { type Compiled, compile, FREESTANDING, tool } from './compile.ts';
import { program } from './programs.ts';

function image({ elf }: Compiled): (address: bigint, length: number) => Uint8Array {
  return (address, length) => {
    const section = elf.sections.find((s) => s.flags & 2 && address >= s.address && address < s.address + BigInt(s.size));
    if (!section) return new Uint8Array();
    const at = Number(address - section.address);
    return elf.sectionBytes(section).subarray(at, at + length);
  };
}

describe('values in words', () => {
  const compiled = compile(program(64), [...FREESTANDING, '-O0', '-g']);
  const symbolizer = new Symbolizer(compiled.elf);
  const memory = image(compiled);
  const global = (name: string): Value => symbolizer.valueOf(symbolizer.globalsNamed(name)[0]!, undefined, memory);
  const members = (value: Value): Record<string, string> => Object.fromEntries(value.children().map((c) => [c.name, c.text]));

  it('a structure opens into its members', () => {
    const table = global('table');
    expect([table.type, table.text, table.childCount]).toEqual(['struct node [2]', '[2]', 2]);
    const [first, second] = table.children();
    expect(first!.text).toBe('{…}');
    expect(members(first!)).toMatchObject({
      low: '5',
      middle: '-3',
      wide: '20015998343868 (0x123456789abc)',
      name: '"first"',
      next: 'NULL',
      colour: 'GREEN (2)',
      small: expect.stringMatching(/^-7 /),
      yes: 'true',
    });
    expect(members(first!).handler).toMatch(/^0x[0-9a-f]+ <handle>$/);
    expect(members(second!)).toMatchObject({ small: "120 'x'", next: expect.stringMatching(/<table>$/) });
  });

  it('a pointer opens into what it points to, an anonymous union into its members', () => {
    const next = global('table')
      .children()[1]!
      .children()
      .find((c) => c.name === 'next')!;
    expect(next.children().map((c) => `${c.name}: ${c.type}`)).toEqual(['*next: struct node']);
    expect(members(next.children()[0]!).name).toBe('"first"');
    const union = global('table')
      .children()[0]!
      .children()
      .find((c) => c.name === '<anonymous>')!;
    expect(members(union).number).toBe('131073');
    expect(
      union
        .children()[1]!
        .children()
        .map((c) => c.text),
    ).toEqual(['1', '2']);
  });

  it('a string pointer shows the string, a long array is read in pages', () => {
    expect(global('greeting').text).toMatch(/^0x[0-9a-f]+ (<.*> )?"hello\\n"$/);
    expect(
      global('matrix')
        .children()
        .map((row) =>
          row
            .children()
            .map((c) => c.text)
            .join(),
        ),
    ).toEqual(['1,2,3', '4,5,6']);
    expect(
      global('matrix')
        .children(1, 1)
        .map((c) => c.name),
    ).toEqual(['[1]']);
    expect(global('ratio').text).toBe('1.5');
  });

  it('what cannot be read says why', () => {
    const value = symbolizer.valueAt('p', symbolizer.typeNamed('struct node')!, 0x10n, memory);
    expect(value.children()[0]!.text).toBe('<memory at 0x10 is not mapped>');
    const node = symbolizer.typeNamed('struct node')!;
    expect(node.size).toBe(64);
    expect(symbolizer.typeNamed('enum colour')?.size).toBe(4);
    expect(symbolizer.typeNamed('unsigned int')?.size).toBe(4);
    expect(symbolizer.typeNamed('struct nothing')).toBeUndefined();
  });
});

describe('location expressions', () => {
  const { elf } = compile(program(64), [...FREESTANDING, '-O0', '-g']);
  const unit = new Dwarf(elf).units()[0]!;
  const context: ExpressionContext = {
    unit,
    register: (n) => (n === 3 ? undefined : BigInt(n) * 0x100n),
    memory: (address, length) => Uint8Array.from({ length }, (_, i) => Number((address + BigInt(i)) & 255n)),
    cfa: () => 0x7000n,
    frameBase: () => 0x6000n,
  };
  it.each<[string, number[], unknown]>([
    ['DW_OP_addr', [0x03, 1, 2, 3, 4, 5, 6, 7, 8], { kind: 'memory', address: 0x0807060504030201n }],
    ['DW_OP_reg5', [0x55], { kind: 'register', register: 5 }],
    ['DW_OP_breg7 -8', [0x77, 0x78], { kind: 'memory', address: 0x6f8n }],
    ['DW_OP_fbreg -20', [0x91, 0x6c], { kind: 'memory', address: 0x5fecn }],
    ['DW_OP_call_frame_cfa; plus_uconst 16', [0x9c, 0x23, 16], { kind: 'memory', address: 0x7010n }],
    ['lit5; lit7; minus; stack_value', [0x35, 0x37, 0x1c, 0x9f], { kind: 'value', value: 0xfffffffffffffffen }],
    ['const1s -1; lit2; div; stack_value', [0x09, 0xff, 0x32, 0x1b, 0x9f], { kind: 'value', value: 0n }],
    ['const1s -8; lit1; shra; stack_value', [0x09, 0xf8, 0x31, 0x26, 0x9f], { kind: 'value', value: 0xfffffffffffffffcn }],
    ['const1s -8; lit60; shr; stack_value', [0x09, 0xf8, 0x08, 60, 0x25, 0x9f], { kind: 'value', value: 15n }],
    ['lit1; bra over; lit2; lit9; stack_value', [0x31, 0x28, 1, 0, 0x32, 0x39, 0x9f], { kind: 'value', value: 9n }],
    ['lit1; lit2; lit3; rot; stack_value', [0x31, 0x32, 0x33, 0x17, 0x9f], { kind: 'value', value: 2n }],
    ['deref', [0x08, 0x10, 0x06], { kind: 'memory', address: 0x1716151413121110n }],
    ['deref_size 2', [0x08, 0x10, 0x94, 2, 0x9f], { kind: 'value', value: 0x1110n }],
    ['implicit_value', [0x9e, 2, 7, 8], { kind: 'bytes', bytes: Uint8Array.of(7, 8) }],
    [
      'reg0 piece 4; piece 4',
      [0x50, 0x93, 4, 0x93, 4],
      {
        kind: 'pieces',
        pieces: [
          { location: { kind: 'register', register: 0 }, bits: 32, bitOffset: 0 },
          { location: { kind: 'unavailable', reason: 'optimized out' }, bits: 32, bitOffset: 0 },
        ],
      },
    ],
    ['an empty expression', [], { kind: 'unavailable', reason: 'optimized out' }],
    ['a register that was not preserved', [0x73, 0], { kind: 'unavailable', reason: expect.stringContaining('not preserved') }],
    ['division by zero', [0x31, 0x30, 0x1b], { kind: 'unavailable', reason: expect.stringContaining('divides by zero') }],
    ['an endless loop', [0x2f, 0xfd, 0xff], { kind: 'unavailable', reason: expect.stringContaining('does not end') }],
    ['an endless push', [0x31, 0x2f, 0xfc, 0xff], { kind: 'unavailable', reason: expect.stringContaining('overflows') }],
    ['an operation that does not exist', [0x01], { kind: 'unavailable', reason: expect.stringContaining('0x1') }],
    ['a cut operand', [0x0c, 1], { kind: 'unavailable', reason: expect.stringContaining('damaged') }],
    ['an entry value that nobody knows', [0xa3, 1, 0x55], { kind: 'unavailable', reason: expect.stringContaining('function entry') }],
  ])('%s', (_name, bytes, expected) => {
    expect(evaluateLocation(Uint8Array.from(bytes), context)).toEqual(expected);
  });
});

describe('a frame that an interrupt left', () => {
  const source = `
        .cfi_sections .debug_frame
        .globl _start
_start: call victim
        hlt
        .type handler, @function
handler: .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa rsp, 0
        .cfi_offset rip, 0
        .cfi_offset rsp, 24
        .cfi_offset rbx, -8
        nop
        nop
        .cfi_endproc
        .size handler, . - handler
        .type victim, @function
victim: .cfi_startproc
        incl %eax
        ret
        .cfi_endproc
        .size victim, . - victim
`;
  it('is looked up at its own pc, with the registers that the handler saved', () => {
    const { elf } = compile({ 'trap.S': source }, [...FREESTANDING, '-g']);
    const symbolizer = new Symbolizer(elf);
    const victim = symbolizer.functionsNamed('victim')[0]!.entry;
    const handler = symbolizer.functionsNamed('handler')[0]!.entry;
    const stack = new DataView(new ArrayBuffer(256));
    const base = 0x9000n;
    stack.setBigUint64(0x38, 0xb0bn, true); // rbx
    stack.setBigUint64(0x40, victim, true); // rip of the interrupt frame
    stack.setBigUint64(0x58, base + 0x80n, true); // rsp
    stack.setBigUint64(0x80, elf.entry + 5n, true); // return address of victim
    const memory = (address: bigint, length: number): Uint8Array =>
      address >= base && address < base + 256n
        ? new Uint8Array(stack.buffer).subarray(Number(address - base), Number(address - base) + length)
        : new Uint8Array();
    const frames = symbolizer.unwind({ rip: handler + 1n, rsp: base + 0x40n, rbx: 1n, rdi: 7n }, memory);
    expect(frames.map((f) => symbolizer.framesAt(f.lookup)[0]?.function)).toEqual(['handler', 'victim', '_start']);
    expect(frames[1]).toMatchObject({ pc: victim, lookup: victim, interrupted: true, by: 'cfi' });
    expect(frames[1]!.registers.get(3)).toBe(0xb0bn);
    expect(frames[1]!.registers.get(7)).toBe(base + 0x80n);
    expect(frames[1]!.registers.get(5)).toBe(7n); // an interrupt changes no register that it does not save
    expect(frames[2]).toMatchObject({ pc: elf.entry + 5n, lookup: elf.entry + 4n, interrupted: false });
  });
});

describe('compressed debug sections', () => {
  const compiled = compile(program(64), [...FREESTANDING, '-O2', '-gdwarf-5']);
  it.each(['zlib', 'zlib-gnu', 'zstd'])('of the %s kind are read like plain ones', (kind) => {
    const packed = `${compiled.folder}/${kind}.elf`;
    tool('objcopy', [`--compress-debug-sections=${kind}`, compiled.path, packed]);
    const elf = parseElf(new Uint8Array(readFileSync(packed)));
    expect(elf.sections.some((s) => s.flags & 0x800 || s.name.startsWith('.zdebug'))).toBe(true);
    const plain = new Symbolizer(compiled.elf);
    const same = new Symbolizer(elf);
    for (const { address } of compiled.elf.symbols().filter((s) => s.kind === 'function'))
      expect(same.framesAt(address)).toEqual(plain.framesAt(address));
    expect(same.warnings).toEqual([]);
  });
});

describe('identification of a separate debug file', () => {
  it('build id and debug link are those that readelf shows', () => {
    const compiled = compile(program(64), [...FREESTANDING, '-g', '-Wl,--build-id=sha1']);
    const shown = /Build ID: ([0-9a-f]+)/.exec(tool('readelf', ['-n', compiled.path]))![1];
    expect(compiled.elf.buildId()).toBe(shown);
    const stripped = `${compiled.folder}/stripped.elf`;
    tool('objcopy', ['--only-keep-debug', compiled.path, `${compiled.folder}/kernel.debug`]);
    tool('objcopy', ['--strip-debug', `--add-gnu-debuglink=${compiled.folder}/kernel.debug`, compiled.path, stripped]);
    const elf = parseElf(new Uint8Array(readFileSync(stripped)));
    const crc = /CRC value: (0x[0-9a-f]+)/.exec(tool('readelf', ['--debug-dump=links', stripped]))![1];
    expect(elf.debugLink()).toEqual({ file: 'kernel.debug', crc: Number(crc) });
    expect(new Symbolizer(elf).hasDebugInfo).toBe(false);
    expect(new Symbolizer(elf).framesAt(compiled.elf.entry)).toMatchObject([{ function: '_start', line: 0 }]);
  });
});

it('paths are normalised and moved', () => {
  expect(normalisePath('/a/./b//../c')).toBe('/a/c');
  expect(normalisePath('../x/../y.c')).toBe('../y.c');
  expect(normalisePath('C:\\src\\a.c')).toBe('C:/src/a.c');
  expect(
    substitutePath('/build/kernel/a.c', [
      { from: '/build/kern', to: '/x' },
      { from: '/build/kernel', to: '/home/k' },
    ]),
  ).toBe('/home/k/a.c');
  expect(substitutePath('samples/a.c', [{ from: '', to: '/repo' }])).toBe('/repo/samples/a.c');
});
