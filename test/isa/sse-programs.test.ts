// Oracle: the processor that runs this test. C programs full of floating point and byte work, built by gcc, write the same results
// natively and on the engine: one without libraries for several instruction sets, one with the C library's own code.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { runStatic } from './static-process.ts';

const here = dirname(fileURLToPath(import.meta.url));
const BARE = '-ffreestanding -fno-builtin -fno-stack-protector -nostdlib -static -no-pie -fno-pic -fno-asynchronous-unwind-tables';
/** Makes the C library choose the variants that a processor without these features runs. */
const TUNABLES = 'glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL,-SSSE3,-SSE4_1,-SSE4_2';

const built: string[] = [];
afterAll(() => {
  for (const path of built) rmSync(path, { force: true });
});

function build(source: string, flags: string, libraries: readonly string[] = []): string {
  const dir = join(here, '../../.cache/isa');
  mkdirSync(dir, { recursive: true });
  const out = join(dir, `${source}-${flags.replaceAll(/[^a-z0-9]/gi, '').slice(0, 40)}-${process.pid}`);
  execFileSync('gcc', [...flags.split(' '), '-o', out, join(here, `native/${source}.c`), ...libraries], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  built.push(out);
  return out;
}
const natively = (path: string): Buffer =>
  execFileSync(path, { maxBuffer: 1 << 20, timeout: 20_000, env: { ...process.env, GLIBC_TUNABLES: TUNABLES } });

for (const flags of [
  '-O2 -msse2',
  '-O3 -msse3 -ftree-vectorize',
  '-O0 -msse2',
  '-O2 -m32 -msse2 -mfpmath=sse',
  '-O3 -m32 -msse3 -mfpmath=sse',
])
  test(`a program built with ${flags} writes what it writes natively`, () => {
    const path = build('vector', `${flags} ${BARE}`);
    const native = natively(path);
    const { output, instructions } = runStatic(path);
    console.log(`${flags}: ${instructions} instructions, ${output.length} bytes of results`);
    expect(native.length).toBeGreaterThan(10_000);
    expect(output.equals(native)).toBe(true);
  });

test('the C library computes, prints and reads numbers and handles strings as it does natively', () => {
  const path = build('library', '-O2 -static -no-pie', ['-lm']);
  const native = natively(path).toString();
  const { output, status, instructions } = runStatic(path);
  console.log(`C library: ${instructions} instructions, ${output.length} bytes of text`);
  expect(status).toBe(0);
  expect(native.length).toBeGreaterThan(10_000);
  expect(output.toString()).toBe(native);
});
