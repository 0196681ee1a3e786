// Runs vectors in Debian's QEMU (TCG): builds the harness, shares the machine's memory with it through a file.

import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runQemu } from '../../oracle/qemu.ts';
import { ARENA, buildArena, byteOffset, CODE, CR3, GDT, GDT_LIMIT, LDT_SELECTOR } from './arena.ts';
import { assembleAll } from './assemble-all.ts';
import { CR0, CR0_AM, csOf, gprOf, type Outcome, rflagsOf, ripOf, segmentsOf, ssOf, type Vector } from './vectors.ts';

const native = join(dirname(fileURLToPath(import.meta.url)), 'native');
const INPUT = 0x2000000;
const OUTPUT = 0x4000000;
const MEMORY = 128 << 20;
const FIELDS = 30;
const VECTOR_HEADER = (FIELDS + 9) * 8;
const MAX_DIFFS = 300;
const RESULT = (FIELDS + 1 + 2 * MAX_DIFFS + 1) * 8;
const STEP = 40;
/** isa-debug-exit ends QEMU with twice the value plus one. */
const DONE = 0x21;

/** The code of vectors, assembled together. */
export function assembleVectors(vectors: readonly Vector[]): Uint8Array[] {
  return assembleAll(vectors.map((v) => ({ source: v.code, bits: v.mode === 64 ? 64 : 32 })));
}

export function patchesOf(v: Vector, code: Uint8Array): [number, Uint8Array][] {
  const bytes = (b: Uint8Array | bigint): Uint8Array =>
    typeof b === 'bigint' ? new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, b)).buffer) : b;
  const own = (v.patches ?? []).map(([at, b]): [number, Uint8Array] => [at, bytes(b)]);
  return code.length > 0 ? [...own, [byteOffset(CODE), code]] : own;
}

function encode(vectors: readonly Vector[], code: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = [];
  const words = (values: readonly (bigint | number)[]): Buffer => {
    const out = Buffer.alloc(values.length * 8);
    values.forEach((x, i) => {
      out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(x)), 8 * i);
    });
    return out;
  };
  parts.push(words([vectors.length, CR3, GDT, GDT_LIMIT, LDT_SELECTOR, 0, 0, 0]));
  vectors.forEach((v, n) => {
    const patches = patchesOf(v, code[n]!).map(([at, bytes]) => {
      const out = Buffer.alloc(8 + ((bytes.length + 7) & ~7));
      out.writeUInt32LE(at, 0);
      out.writeUInt32LE(bytes.length, 4);
      out.set(bytes, 8);
      return out;
    });
    const size = VECTOR_HEADER + patches.reduce((sum, p) => sum + p.length, 0);
    const registers = [...gprOf(v), ripOf(v), rflagsOf(v), csOf(v), ssOf(v), ...segmentsOf(v), 0, 0, 0, 0, 0, 0];
    const dr = [0, 1, 2, 3].map((i) => v.dr?.[i] ?? 0n);
    const control = [CR0 | (v.alignmentMask ? CR0_AM : 0), ...dr, v.dr7 ?? 0x400, v.steps ?? 0, patches.length, size];
    parts.push(words([...registers, ...control.map((x) => (typeof x === 'number' ? x >>> 0 : x))]), ...patches);
  });
  return Buffer.concat(parts);
}

function decode(file: number, count: number): Outcome[] {
  let at = OUTPUT;
  return Array.from({ length: count }, () => {
    const b = Buffer.alloc(RESULT);
    readSync(file, b, 0, RESULT, at);
    const word = (n: number): bigint => b.readBigUInt64LE(8 * n);
    const number = (n: number): number => Number(word(n));
    const diffs = number(FIELDS);
    if (diffs > MAX_DIFFS) throw new Error(`a vector changed ${diffs} words of the arena, more than the ${MAX_DIFFS} that are kept`);
    const steps = number(FIELDS + 1 + 2 * MAX_DIFFS);
    const trace = Buffer.alloc(steps * STEP);
    readSync(file, trace, 0, trace.length, at + RESULT);
    at += RESULT + steps * STEP;
    return {
      gpr: Array.from({ length: 16 }, (_, n) => word(n)),
      rip: word(16),
      rflags: number(17),
      cs: number(18) & 0xffff,
      ss: number(19) & 0xffff,
      segments: [20, 21, 22, 23].map((n) => number(n) & 0xffff),
      fsBase: word(24),
      gsBase: word(25),
      vector: number(26),
      error: number(27),
      cr2: word(28),
      dr6: number(29),
      diffs: Array.from({ length: diffs }, (_, n) => [number(FIELDS + 1 + 2 * n), word(FIELDS + 2 + 2 * n)] as const),
      trace: new Uint32Array(Uint8Array.from(trace).buffer),
    };
  });
}

/** Outcomes of the vectors on QEMU's processor. `cpu`: its model. */
export async function runOnQemu(vectors: readonly Vector[], code: readonly Uint8Array[], cpu = 'qemu64'): Promise<Outcome[]> {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-qemu-vectors-'));
  try {
    const elf = join(dir, 'harness.elf');
    const flags = '-m64 -O2 -ffreestanding -fno-pic -no-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none';
    const link = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,-z,noexecstack', `-Wl,-T,${join(native, 'harness.lds')}`];
    execFileSync('gcc', [...flags.split(' '), ...link, '-o', elf, join(native, 'harness.S'), join(native, 'harness.c')]);
    execFileSync('objcopy', ['-O', 'binary', elf, join(dir, 'harness.bin')]);
    const memory = join(dir, 'memory');
    const file = openSync(memory, 'w+');
    try {
      ftruncateSync(file, MEMORY);
      writeSync(file, buildArena(), 0, undefined, ARENA);
      writeSync(file, encode(vectors, code), 0, undefined, INPUT);
      const run = await runQemu({
        args: [
          ...['-cpu', cpu, '-m', '128', '-kernel', join(dir, 'harness.bin'), '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
          ...['-object', `memory-backend-file,id=ram,size=128M,mem-path=${memory},share=on`, '-machine', 'pc,memory-backend=ram'],
        ],
        timeoutMs: 120_000,
      });
      if (run.exitCode !== DONE) throw new Error(`QEMU ended with ${run.exitCode} (${run.reason}): ${run.errors}${run.output}`);
      return decode(file, vectors.length);
    } finally {
      closeSync(file);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
