// The disassembler over bytes of its own: code without symbols, Xen's cpuid marker, bytes that are no instruction, the edges.

import { describe, expect, test } from 'vitest';
import { type CodeReader, Disassembler } from '../../debug-adapter/disassembler.ts';

const at =
  (base: bigint, bytes: readonly number[]): CodeReader =>
  (address, length) => {
    const skip = Number(address - base);
    return skip < 0 ? new Uint8Array() : Uint8Array.from(bytes.slice(skip, skip + length));
  };
const open = (read: CodeReader, bits: 64 | 32 = 64, syntax: 'att' | 'intel' = 'att') => Disassembler.open(bits, syntax, read, () => null);
const none = (): null => null;

/** push %rbp; mov %rsp,%rbp; mov $0x12345678,%eax; add $1,%rax; pop %rbp; ret */
const code = [0x55, 0x48, 0x89, 0xe5, 0xb8, 0x78, 0x56, 0x34, 0x12, 0x48, 0x83, 0xc0, 0x01, 0x5d, 0xc3];

describe('backwards without symbols', () => {
  test('the rows meet the address and are real instructions', async () => {
    const rows = (await open(at(0x1000n, code))).backward(0x100en, 3, none);
    expect(rows.map((r) => [r.address, r.text])).toEqual([
      [0x1004n, 'mov $0x12345678, %eax'],
      [0x1009n, 'add $0x1, %rax'],
      [0x100dn, 'pop %rbp'],
    ]);
  });

  test('the rows before mapped memory say that nothing is there', async () => {
    const rows = (await open(at(0x1000n, code))).backward(0x1001n, 3, none);
    expect(rows.map((r) => [r.address, r.text])).toEqual([
      [0xffen, '(not mapped in the current page tables)'],
      [0xfffn, '(not mapped in the current page tables)'],
      [0x1000n, 'push %rbp'],
    ]);
  });

  test('a known start is used even when other alignments would meet the address too', async () => {
    // mov $imm: its immediate reads as instructions of its own.
    const ambiguous = [0x90, 0x90, 0xb8, 0x90, 0x90, 0x90, 0x90, 0xc3];
    const rows = (await open(at(0x1000n, ambiguous))).backward(0x1007n, 1, () => 0x1002n);
    expect(rows.map((r) => r.address)).toEqual([0x1002n]);
  });
});

test("Xen's marker of an emulated cpuid is one row, the cpuid the next", async () => {
  const rows = (await open(at(0n, [0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2]))).forward(0n, 2);
  expect(rows.map((r) => [r.length, r.text])).toEqual([
    [5, 'ud2; .ascii "xen"  # the next instruction is emulated by Xen'],
    [2, 'cpuid'],
  ]);
});

test('a byte that begins no instruction is shown as such, and the rows go on behind it', async () => {
  const rows = (await open(at(0n, [0x06, 0x90, ...code]))).forward(0n, 2);
  expect(rows.map((r) => [r.text, r.bytes === null])).toEqual([
    ['.byte 0x06  # no instruction', true],
    ['nop', false],
  ]);
});

test('an instruction cut off by the end of mapped memory says so', async () => {
  const rows = (await open(at(0x1000n, [0x48, 0xb8, 0x01]))).forward(0x1000n, 1);
  expect(rows[0]!.text).toContain('cut off by the end of mapped memory');
});

test('32-bit code and Intel syntax', async () => {
  const [row] = (await open(at(0n, [0x8b, 0x44, 0x24, 0x04]), 32, 'intel')).forward(0n, 1);
  expect(row!.text).toBe('mov eax, [esp+0x4]');
});

test('rows wrap at the end of the address space', async () => {
  const rows = (await open(at(0n, code))).forward((1n << 64n) - 1n, 2);
  expect(rows.map((r) => r.address)).toEqual([(1n << 64n) - 1n, 0n]);
});
