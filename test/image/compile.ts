// Compiles small programs with gcc, and runs binutils and gdb on them: the oracles of the image tests.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElfFile } from '../../image/elf/file.ts';
import { parseElf } from '../../image/elf/parse.ts';

export interface Compiled {
  readonly path: string;
  readonly folder: string;
  readonly bytes: Uint8Array;
  readonly elf: ElfFile;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-image-'));
  folders.push(folder);
  return folder;
}

/** Output of a tool; it fails the test with the tool's own message. */
export function tool(name: string, args: readonly string[], cwd?: string): string {
  return execFileSync(name, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000 });
}

/** Writes the sources into a new folder and links them with gcc; FOLDER in an option stands for that folder. */
export function compile(sources: Readonly<Record<string, string>>, options: readonly string[]): Compiled {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text);
  const inputs = Object.keys(sources).filter((name) => /\.(c|S|lds)$/.test(name) && !name.endsWith('.lds'));
  tool('gcc', [...options.map((option) => option.replace('FOLDER', folder)), '-o', 'out.elf', ...inputs], folder);
  const path = join(folder, 'out.elf');
  const bytes = new Uint8Array(readFileSync(path));
  return { path, folder, bytes, elf: parseElf(bytes) };
}

/** Options for a program without a C library, which also links as 32-bit code here. */
export const FREESTANDING = ['-ffreestanding', '-nostdlib', '-static', '-fno-stack-protector', '-fno-pie', '-no-pie'];
