// The processor that runs the tests as an oracle: a C program executes single instructions natively and reports registers,
// flags, memory and faults.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CODE = 0x10000000n;
export const START = CODE + 0x800n;
export const DATA = 0x20000000n;
export const DATA_BYTES = 0x2000;
export const READ_ONLY = DATA + 0x3000n;
export const GS_BASE = DATA + 0x800n;

export interface NativeCase {
  readonly bits: 64 | 32;
  readonly code: Uint8Array;
  readonly regs: readonly bigint[];
  readonly flags: number;
  /** 8-byte values put into the data pages before the run, by offset. */
  readonly pokes: readonly (readonly [offset: number, value: bigint])[];
  /** x87, MMX and SSE registers to start with, as fxsave64 lays them out up to xmm15: FPU_IMAGE bytes. */
  readonly image?: Uint8Array;
}
export interface NativeResult {
  readonly regs: bigint[];
  readonly flags: number;
  readonly rip: bigint;
  readonly cr2: bigint;
  readonly trap: number;
  readonly error: number;
  /** Changed 8-byte words of the data pages: how many, a hash of all, the first ones. */
  readonly differences: number;
  readonly hash: number;
  readonly changed: (readonly [offset: number, value: bigint])[];
  /** x87, MMX and SSE registers afterwards. */
  readonly image: Uint8Array;
}

export const FPU_IMAGE = 416;
/** Room for the instructions of a case. */
export const MAX_CODE = 64;
// Offsets of the fields behind the code in run.c's struct test_case.
const REGS = 8 + MAX_CODE;
const FLAGS = REGS + 128;
const POKES = FLAGS + 16;
const IMAGE = POKES + 32;
const CASE_BYTES = IMAGE + FPU_IMAGE;
const RESULT_BYTES = 360 + FPU_IMAGE;

/** Contents of the data pages and of the read-only page, as run.c fills them. */
export function fillWords(count: number, seed: bigint): BigUint64Array {
  const out = new BigUint64Array(count);
  let x = seed;
  for (let i = 0; i < count; i++) {
    x = BigInt.asUintN(64, x ^ (x << 13n));
    x ^= x >> 7n;
    x = BigInt.asUintN(64, x ^ (x << 17n));
    out[i] = x;
  }
  return out;
}
export const dataTemplate = (): BigUint64Array => fillWords(DATA_BYTES / 8, 0x9e3779b97f4a7c15n);
export const readOnlyTemplate = (): BigUint64Array => fillWords(512, 0x123456789abcdefn);

export function differenceHash(
  now: BigUint64Array,
  expected: BigUint64Array,
): { differences: number; hash: number; changed: [number, bigint][] } {
  let hash = 2166136261;
  const changed: [number, bigint][] = [];
  let differences = 0;
  for (let i = 0; i < now.length; i++) {
    if (now[i] === expected[i]) continue;
    if (differences < 12) changed.push([i * 8, now[i]!]);
    differences++;
    const v = now[i]! ^ (BigInt(i) << 48n);
    hash = Math.imul(hash ^ Number(v & 0xffffffffn) ^ Number(v >> 32n), 16777619);
  }
  return { differences, hash: hash >>> 0, changed };
}

/** The processor that the tests run on. */
export const HOST = (() => {
  const text = readFileSync('/proc/cpuinfo', 'latin1');
  const field = (name: string): string => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? '?';
  return {
    amd: field('vendor_id') === 'AuthenticAMD',
    family: Number(field('cpu family')),
    name: `${field('model name')} (family ${field('cpu family')}, model ${field('model')})`,
  };
})();

const here = dirname(fileURLToPath(import.meta.url));
let program: string | null = null;

function compiled(): string {
  if (program) return program;
  if (process.arch !== 'x64') throw new Error('the host-CPU oracle needs an x86-64 processor to compare with');
  const dir = join(here, '../../.cache/isa');
  mkdirSync(dir, { recursive: true });
  const out = join(dir, `run-${process.pid}`);
  execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-o', out, join(here, 'native/run.c')], { stdio: ['ignore', 'ignore', 'pipe'] });
  program = out;
  return out;
}

function encode(cases: readonly NativeCase[]): Uint8Array {
  const bytes = new Uint8Array(cases.length * CASE_BYTES);
  const view = new DataView(bytes.buffer);
  cases.forEach((c, n) => {
    if (c.code.length > MAX_CODE) throw new RangeError(`a case of ${c.code.length} bytes of code: ${MAX_CODE} at most`);
    const at = n * CASE_BYTES;
    view.setUint32(at, c.bits, true);
    view.setUint32(at + 4, c.code.length, true);
    bytes.set(c.code, at + 8);
    c.regs.forEach((v, i) => {
      view.setBigUint64(at + REGS + 8 * i, v, true);
    });
    view.setBigUint64(at + FLAGS, BigInt(c.flags), true);
    view.setUint32(at + FLAGS + 8, c.pokes.length, true);
    if (c.image) {
      view.setUint32(at + FLAGS + 12, 1, true);
      bytes.set(c.image, at + IMAGE);
    }
    c.pokes.forEach(([offset, value], i) => {
      view.setBigUint64(at + POKES + 16 * i, BigInt(offset), true);
      view.setBigUint64(at + POKES + 8 + 16 * i, value, true);
    });
  });
  return bytes;
}

function decode(bytes: Uint8Array, n: number): NativeResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset + n * RESULT_BYTES, RESULT_BYTES);
  const differences = view.getUint32(160, true);
  return {
    regs: Array.from({ length: 16 }, (_, i) => view.getBigUint64(8 * i, true)),
    flags: Number(view.getBigUint64(128, true)),
    rip: view.getBigUint64(136, true),
    cr2: view.getBigUint64(144, true),
    trap: view.getUint32(152, true),
    error: view.getUint32(156, true),
    differences,
    hash: view.getUint32(164, true),
    changed: Array.from({ length: Math.min(12, differences) }, (_, i) => [
      Number(view.getBigUint64(168 + 16 * i, true)),
      view.getBigUint64(176 + 16 * i, true),
    ]),
    image: bytes.slice(n * RESULT_BYTES + 360, (n + 1) * RESULT_BYTES),
  };
}

/** Runs all cases on the host processor, one process for all. */
export function runNatively(cases: readonly NativeCase[]): NativeResult[] {
  const run = spawnSync(compiled(), [], { input: encode(cases), maxBuffer: cases.length * RESULT_BYTES + 65536, timeout: 60_000 });
  const got = Math.floor((run.stdout?.length ?? 0) / RESULT_BYTES);
  if (run.status !== 0 || got !== cases.length) {
    const culprit = cases[got];
    const bytes = culprit ? Buffer.from(culprit.code).toString('hex') : 'none';
    throw new Error(
      `the native runner ended with ${run.signal ?? run.status} after ${got} of ${cases.length} cases (next: ${bytes}): ${run.stderr}${run.error ?? ''}`,
    );
  }
  return cases.map((_, n) => decode(run.stdout, n));
}
