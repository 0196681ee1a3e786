// The GNU assembler as the oracle of instruction names: source lines to bytes.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The bytes of every line, in order. Throws with the assembler's own message when it refuses one. */
export function assemble(lines: readonly string[], bits: 64 | 32, syntax: 'att' | 'intel'): readonly Uint8Array[] {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-as-'));
  try {
    const object = join(folder, 'lines.o');
    const header = syntax === 'intel' ? '.intel_syntax noprefix\n' : '';
    // The lengths go into a section of their own, as differences of labels that the assembler resolves.
    const body = lines.map((line, i) => `.text\n.Lbegin${i}: ${line}\n.Lend${i}:\n.section lengths,"a"\n.long .Lend${i} - .Lbegin${i}\n`);
    writeFileSync(join(folder, 'lines.s'), header + body.join(''));
    execFileSync('as', [`--${bits}`, '-o', object, join(folder, 'lines.s')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const section = (name: string): Buffer => {
      const raw = join(folder, `${name}.bin`);
      execFileSync('objcopy', ['-O', 'binary', '-j', name, object, raw], { stdio: ['ignore', 'ignore', 'pipe'] });
      return readFileSync(raw);
    };
    const text = section('.text');
    const lengths = section('lengths');
    let at = 0;
    return lines.map((_, i) => {
      const length = lengths.readUInt32LE(i * 4);
      const bytes = Uint8Array.from(text.subarray(at, at + length));
      at += length;
      return bytes;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
