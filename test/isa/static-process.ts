// Runs a static Linux program, 64 or 32 bit, as flat code on the engine: its segments and a stack in user pages, and the few system calls
// that the C library makes at start and for output. Enough of a kernel to run real library code, no more.

import { readFileSync } from 'node:fs';
import { Segment } from '../../simulator/cpu/engine-types.ts';
import { type TestMachine, testMachine } from './machine.ts';

const STACK = 0x7fff0000n;
const STACK_PAGES = 32;
const HEAP_PAGES = 256;
const LIMIT = 200_000_000;
const SLICE = 1_000_000;
const ENOSYS = -38n;
const ARCH_SET_FS = 0x1002n;
const CALLS: Readonly<Record<64 | 32, Readonly<Record<number, string>>>> = {
  64: { 1: 'write', 10: 'mprotect', 12: 'brk', 60: 'exit', 158: 'arch_prctl', 218: 'set_tid_address', 231: 'exit', 318: 'getrandom' },
  32: { 1: 'exit', 4: 'write' },
};
const ARGUMENTS = { 64: ['rdi', 'rsi', 'rdx'], 32: ['rbx', 'rcx', 'rdx'] } as const;

/** cpuid of a processor with SSE3 and CMPXCHG16B and nothing later, as the C library sees it when it picks its variants. */
function cpuid(leaf: number): { eax: number; ebx: number; ecx: number; edx: number } {
  if (leaf === 0) return { eax: 1, ebx: 0x68747541, ecx: 0x444d4163, edx: 0x69746e65 };
  if (leaf === 1) return { eax: 0x000f_0f00 | 0x61, ebx: 0x800, ecx: 0x2001, edx: 0x0783fbfd };
  if (leaf >>> 0 === 0x80000000) return { eax: 0x80000001 | 0, ebx: 0, ecx: 0, edx: 0 };
  if (leaf >>> 0 === 0x80000001) return { eax: 0, ebx: 0, ecx: 1, edx: 0x20100800 };
  return { eax: 0, ebx: 0, ecx: 0, edx: 0 };
}

export interface ProcessResult {
  readonly output: Buffer;
  readonly status: number;
  readonly instructions: number;
}

export function runStatic(path: string): ProcessResult {
  const file = readFileSync(path);
  const m = testMachine({ ramMib: 32, host: { cpuid: (_, leaf) => cpuid(leaf) } });
  const vcpu = m.engine.vcpus[0]!;
  const image = load(m, file);
  const heap = (image.end + 4095n) & ~4095n;
  m.map(heap, HEAP_PAGES);
  m.map(STACK - BigInt(STACK_PAGES * 4096), STACK_PAGES);
  vcpu.setMode({ bits: image.bits, cpl: 3, bank: 1 });
  vcpu.rip = image.entry;
  vcpu.set('rsp', startStack(m, image));
  const output: Buffer[] = [];
  let brk = heap;
  const call = (name: string | undefined, a: bigint, b: bigint, c: bigint): bigint => {
    switch (name) {
      case 'write':
        output.push(Buffer.from(m.read(b, Number(c))));
        return c;
      case 'brk':
        if (a >= heap && a <= heap + BigInt(HEAP_PAGES * 4096)) brk = a;
        return brk;
      case 'arch_prctl':
        if (a !== ARCH_SET_FS) return ENOSYS;
        vcpu.setBase(Segment.fs, b);
        return 0n;
      case 'set_tid_address':
        return 1n;
      case 'mprotect':
        return 0n;
      case 'getrandom':
        m.write(a, new Uint8Array(Number(b)));
        return b;
      default:
        return ENOSYS;
    }
  };
  for (let instructions = 0; instructions < LIMIT; ) {
    const exit = m.engine.run(0, SLICE);
    instructions += exit.executed;
    if (exit.kind === 'budget') continue;
    if (exit.kind !== 'syscall' && !(exit.kind === 'interrupt' && exit.vector === 0x80))
      throw new Error(
        `${exit.kind} ${exit.vector} at 0x${exit.instruction.toString(16)} cr2 0x${exit.cr2.toString(16)} ${exit.unsupported ?? ''} after ${instructions}`,
      );
    const name = CALLS[image.bits][Number(vcpu.get('rax'))];
    const [a, b, c] = ARGUMENTS[image.bits].map((register) => vcpu.get(register)) as [bigint, bigint, bigint];
    if (name === 'exit') return { output: Buffer.concat(output), status: Number(a), instructions };
    if (image.bits === 64) {
      vcpu.set('rcx', vcpu.rip);
      vcpu.set('r11', BigInt(vcpu.rflags));
    }
    vcpu.set('rax', BigInt.asUintN(image.bits, call(name, a, b, c)));
  }
  throw new Error(`the program has not ended after ${LIMIT} instructions`);
}

interface Image {
  readonly bits: 64 | 32;
  readonly entry: bigint;
  readonly headers: bigint;
  readonly headerBytes: number;
  readonly headerCount: number;
}

/** Maps and fills the program's segments; returns what start code needs, and the address behind them. */
function load(m: TestMachine, file: Buffer): Image & { end: bigint } {
  const wide = file[4] === 2;
  const word = (at: number): bigint => (wide ? file.readBigUInt64LE(at) : BigInt(file.readUInt32LE(at)));
  const table = Number(word(wide ? 32 : 28));
  const headerBytes = file.readUInt16LE(wide ? 54 : 42);
  const headerCount = file.readUInt16LE(wide ? 56 : 44);
  const mapped = new Set<bigint>();
  let end = 0n;
  let base = -1n;
  for (let n = 0; n < headerCount; n++) {
    const at = table + n * headerBytes;
    if (file.readUInt32LE(at) !== 1) continue;
    const fields = (wide ? [8, 16, 32, 40] : [4, 8, 16, 20]).map((field) => word(at + field));
    const [offset, address, inFile, inMemory] = fields as [bigint, bigint, bigint, bigint];
    if (base < 0n) base = address - offset;
    for (let page = address & ~4095n; page < address + inMemory; page += 4096n) {
      if (mapped.has(page)) continue;
      mapped.add(page);
      m.map(page, 1);
    }
    m.write(address, file.subarray(Number(offset), Number(offset + inFile)));
    if (address + inMemory > end) end = address + inMemory;
  }
  return { bits: wide ? 64 : 32, entry: word(24), headers: base + BigInt(table), headerBytes, headerCount, end };
}

/** argc, argv, environment and auxiliary vector, as 64-bit start code reads them. */
function startStack(m: TestMachine, image: Image): bigint {
  const name = STACK - 64n;
  m.write(name, Buffer.from('program\0'));
  const random = STACK - 32n;
  m.write(random, new Uint8Array(16));
  const auxiliary = [
    [3n, image.headers],
    [4n, BigInt(image.headerBytes)],
    [5n, BigInt(image.headerCount)],
    [6n, 4096n],
    [25n, random],
    [0n, 0n],
  ].flat();
  const rsp = (STACK - 1024n) & ~15n;
  m.write(rsp, new Uint8Array(BigUint64Array.from([1n, name, 0n, 0n, ...auxiliary]).buffer));
  return rsp;
}
