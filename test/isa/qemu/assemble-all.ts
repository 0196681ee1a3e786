// Assembles many snippets (GAS, Intel syntax) with one run of the assembler: each in a section of its own.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Snippet {
  readonly source: string;
  readonly bits: 64 | 32;
}

/** Machine code of every snippet; one that needs a relocation is an error (write addresses as numbers). */
export function assembleAll(snippets: readonly Snippet[]): Uint8Array[] {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-asm-'));
  try {
    const text = snippets.map(({ source, bits }, n) => `.section .hp${n},"ax"\n.code${bits}\n${source}\n`);
    writeFileSync(join(dir, 'a.s'), `.intel_syntax noprefix\n${text.join('')}`);
    execFileSync('as', ['--64', join(dir, 'a.s'), '-o', join(dir, 'a.o')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const file = readFileSync(join(dir, 'a.o'));
    const sections = readSections(file);
    return snippets.map((snippet, n) => {
      if (sections.has(`.rela.hp${n}`)) throw new Error(`snippet needs a relocation: ${snippet.source}`);
      return sections.get(`.hp${n}`) ?? new Uint8Array(0);
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Sections of a 64-bit ELF file by name. */
function readSections(file: Buffer): Map<string, Uint8Array> {
  const table = Number(file.readBigUInt64LE(40));
  const size = file.readUInt16LE(58);
  let count = file.readUInt16LE(60);
  let names = file.readUInt16LE(62);
  const field = (n: number, at: number): number => Number(file.readBigUInt64LE(table + n * size + at));
  if (count === 0) count = field(0, 32);
  if (names === 0xffff) names = file.readUInt32LE(table + 40);
  const strings = field(names, 24);
  const sections = new Map<string, Uint8Array>();
  for (let n = 0; n < count; n++) {
    const name = strings + file.readUInt32LE(table + n * size);
    const text = file.toString('latin1', name, file.indexOf(0, name));
    sections.set(text, Uint8Array.from(file.subarray(field(n, 24), field(n, 24) + field(n, 32))));
  }
  return sections;
}
