// Oracle: the processor that runs this test. A C program of floating-point and byte work (native/vector.c), built by gcc for several
// instruction sets, writes the same results natively and on the engine.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { testMachine } from './machine.ts';

const here = dirname(fileURLToPath(import.meta.url));
const STACK = 0x7fff0000n;
const STACK_PAGES = 8;
const FLAGS = '-ffreestanding -fno-builtin -fno-stack-protector -nostdlib -static -no-pie -fno-pic -fno-asynchronous-unwind-tables'.split(
  ' ',
);

function build(name: string, flags: readonly string[]): string {
  const dir = join(here, '../../.cache/isa');
  mkdirSync(dir, { recursive: true });
  const out = join(dir, `vector-${name}-${process.pid}`);
  execFileSync('gcc', [...flags, ...FLAGS, '-o', out, join(here, 'native/vector.c')], { stdio: ['ignore', 'ignore', 'pipe'] });
  return out;
}

interface Segment {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly size: number;
}
function load(file: Buffer): { bits: 64 | 32; entry: bigint; segments: Segment[] } {
  const wide = file[4] === 2;
  const word = (at: number): number => (wide ? Number(file.readBigUInt64LE(at)) : file.readUInt32LE(at));
  const headers = wide ? word(32) : word(28);
  const [size, count] = wide ? [file.readUInt16LE(54), file.readUInt16LE(56)] : [file.readUInt16LE(42), file.readUInt16LE(44)];
  const segments: Segment[] = [];
  for (let n = 0; n < count; n++) {
    const at = headers + n * size;
    if (file.readUInt32LE(at) !== 1) continue;
    const [offset, address, inFile, inMemory] = wide
      ? [word(at + 8), word(at + 16), word(at + 32), word(at + 40)]
      : [word(at + 4), word(at + 8), word(at + 16), word(at + 20)];
    segments.push({ address: BigInt(address), bytes: file.subarray(offset, offset + inFile), size: inMemory });
  }
  return { bits: wide ? 64 : 32, entry: BigInt(word(24)), segments };
}

interface Outcome {
  readonly results: Uint8Array;
  readonly instructions: number;
}
/** Runs the program to its write(1, …) and returns what it would write. */
function onEngine(path: string): Outcome {
  const { bits, entry, segments } = load(readFileSync(path));
  const m = testMachine();
  const mapped = new Set<bigint>();
  for (const s of segments) {
    for (let page = s.address & ~4095n; page < s.address + BigInt(s.size); page += 4096n)
      if (!mapped.has(page)) {
        mapped.add(page);
        m.map(page, 1);
      }
    m.write(s.address, s.bytes);
  }
  m.map(STACK - BigInt(STACK_PAGES * 4096), STACK_PAGES);
  const vcpu = m.engine.vcpus[0]!;
  vcpu.setMode({ bits, cpl: 3, bank: 1 });
  vcpu.rip = entry;
  vcpu.set('rsp', STACK - 64n);
  let instructions = 0;
  for (;;) {
    const exit = m.engine.run(0, 1_000_000);
    instructions += exit.executed;
    if (instructions > 100_000_000) throw new Error('the program does not end');
    if (exit.kind === 'budget') continue;
    if (exit.kind !== 'syscall' && exit.kind !== 'interrupt')
      throw new Error(`${exit.kind} ${exit.vector} at 0x${exit.instruction.toString(16)} ${exit.unsupported ?? ''}`);
    expect(vcpu.get('rax')).toBe(bits === 64 ? 1n : 4n);
    const [at, length] = bits === 64 ? [vcpu.get('rsi'), vcpu.get('rdx')] : [vcpu.get('rcx'), vcpu.get('rdx')];
    return { results: m.read(at, Number(length)), instructions };
  }
}

for (const flags of [
  '-O2 -msse2',
  '-O3 -msse3 -ftree-vectorize',
  '-O0 -msse2',
  '-O2 -m32 -msse2 -mfpmath=sse',
  '-O3 -m32 -msse3 -mfpmath=sse',
])
  test(`a program built with ${flags} writes what it writes natively`, () => {
    const path = build(flags.replaceAll(/[^a-z0-9]/gi, ''), flags.split(' '));
    const native = execFileSync(path, { maxBuffer: 1 << 20, timeout: 20_000 });
    const { results, instructions } = onEngine(path);
    console.log(`${flags}: ${instructions} instructions, ${results.length} bytes of results`);
    expect(results.length).toBeGreaterThan(10_000);
    expect(Buffer.from(results).equals(native)).toBe(true);
  });
