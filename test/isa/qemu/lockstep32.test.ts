// A compiled 32-bit program, in lock step with QEMU's processor: all registers after every single instruction, at ring 3 and ring 1,
// with x87 and with SSE2 arithmetic.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { byteOffset, CODE, STACK } from './arena.ts';
import { differences } from './compare.ts';
import { VectorMachine } from './run-engine.ts';
import { runOnQemu } from './run-qemu.ts';
import type { Vector } from './vectors.ts';

const WORDS = 10;
const EFLAGS = 1;
const DIRECTION = 0x400;

/** The program as a flat image at CODE. */
function build(flags: readonly string[]): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-program32-'));
  try {
    const source = join(dirname(fileURLToPath(import.meta.url)), 'native/program32.c');
    const plain = '-m32 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables'.split(
      ' ',
    );
    const [object, elf, image] = ['a.o', 'a.elf', 'a.bin'].map((name) => join(dir, name)) as [string, string, string];
    execFileSync('gcc', [...plain, ...flags, '-c', '-o', object, source], { stdio: ['ignore', 'ignore', 'pipe'] });
    // Everything in one writable piece, the entry point named.
    execFileSync('ld', ['-m', 'elf_i386', '-N', `-Ttext=0x${CODE.toString(16)}`, '-e', '_start', '-o', elf, object], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    execFileSync('objcopy', ['-O', 'binary', '--set-section-flags', '.bss=alloc,load,contents', elf, image]);
    const start = readFileSync(elf).readUInt32LE(24);
    const bytes = new Uint8Array(8 + readFileSync(image).length);
    new DataView(bytes.buffer).setUint32(0, start, true);
    bytes.set(readFileSync(image), 8);
    return bytes;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

for (const flags of [
  ['-O2', '-mno-sse'],
  ['-O1', '-msse2', '-mfpmath=sse'],
  ['-Os', '-mno-sse', '-march=i486'],
])
  test(`gcc -m32 ${flags.join(' ')}: every instruction does what it does in QEMU`, async () => {
    const built = build(flags);
    const image = built.subarray(8);
    expect(image.length).toBeLessThanOrEqual(0x4000);
    const rip = BigInt(new DataView(built.buffer).getUint32(0, true));
    const vectors = (['ring1', 32] as const).map(
      (mode): Vector => ({
        ...{ name: `program, ${mode}`, mode, code: '', steps: 120_000 },
        registers: { rip, rsp: STACK - 0x10n },
        patches: [[byteOffset(CODE), image]],
      }),
    );
    const none = vectors.map(() => new Uint8Array(0));
    const qemu = await runOnQemu(vectors, none);
    const machine = new VectorMachine();
    vectors.forEach((v, n) => {
      const [q, e] = [qemu[n]!, machine.run(v, none[n]!)];
      const steps = q.trace.length / WORDS;
      expect(steps).toBeGreaterThan(10_000);
      // Flags that an instruction leaves undefined differ; those that matter show in registers.
      const clean = (t: Uint32Array): Uint32Array => t.map((x, at) => (at % WORDS === EFLAGS ? x & DIRECTION : x));
      const [a, b] = [clean(q.trace), clean(e.trace)];
      const first = a.findIndex((x, at) => x !== b[at]);
      const at = Math.floor(first / WORDS);
      const shown = (t: Uint32Array, step: number): string =>
        [...t.subarray(step * WORDS, (step + 1) * WORDS)].map((x) => x.toString(16)).join(' ');
      expect(first, `step ${at}: before ${shown(a, at - 1)}\nQEMU ${shown(a, at)}\nengine ${shown(b, at)}`).toBe(-1);
      expect(e.trace.length).toBe(q.trace.length);
      expect(e.vector).toBe(3);
      // Run at full speed it ends alike, memory and all.
      const whole = machine.run({ ...v, steps: undefined }, none[n]!);
      expect(differences(e, whole)).toEqual([]);
    });
  }, 120_000);
