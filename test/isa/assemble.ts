// Turns assembly text (GAS, Intel syntax) into bytes with the machine's assembler.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function assemble(source: string, origin: bigint, bits: 64 | 32 = 64): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-asm-'));
  try {
    const s = join(dir, 'a.s');
    writeFileSync(s, `.intel_syntax noprefix\n${bits === 32 ? '.code32\n' : ''}.globl _start\n_start:\n${source}\n`);
    execFileSync('as', [bits === 64 ? '--64' : '--32', s, '-o', join(dir, 'a.o')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const link = [
      '-m',
      bits === 64 ? 'elf_x86_64' : 'elf_i386',
      `-Ttext=0x${origin.toString(16)}`,
      '--oformat=binary',
      '-o',
      join(dir, 'a.bin'),
    ];
    execFileSync('ld', [...link, join(dir, 'a.o')], { stdio: ['ignore', 'ignore', 'pipe'] });
    return readFileSync(join(dir, 'a.bin'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
