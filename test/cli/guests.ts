// Kernels of a few instructions, built with gcc, that end in a given way.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

const NOTE = (type: number, body: string) => `.align 4; .long 4, 2f-1f, ${type}; .asciz "Xen"; 1: ${body}; 2: .align 4\n`;

/** A folder that goes with the test process. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-cli-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A PV64 ELF at 0xffffffff80000000 whose entry runs `code`. Hypercalls are made with `syscall`, number in rax. */
export function buildGuest(code: string): string {
  const folder = scratch();
  const source = `.section .note.Xen,"a",@note
${NOTE(5, '.asciz "xen-3.0"')}${NOTE(8, '.asciz "generic"')}${NOTE(3, '.quad 0xffffffff80000000')}${NOTE(4, '.quad 0')}${NOTE(1, '.quad _start')}
.text
.globl _start
_start:
${code}
.data
.align 8
word: .quad 0
`;
  const script = `ENTRY(_start) PHDRS { all PT_LOAD; note PT_NOTE; }
SECTIONS { . = 0xffffffff80000000; .text : AT(0) { *(.text) } :all .note : { *(.note.Xen) } :all :note .data : { *(.data) *(.bss) } :all }`;
  writeFileSync(join(folder, 'guest.S'), source);
  writeFileSync(join(folder, 'guest.lds'), script);
  const elf = join(folder, 'guest.elf');
  execFileSync(
    'gcc',
    [
      '-nostdlib',
      '-static',
      '-no-pie',
      '-Wl,--build-id=none',
      '-Wl,-z,max-page-size=4096',
      `-Wl,-T,${join(folder, 'guest.lds')}`,
      join(folder, 'guest.S'),
      '-o',
      elf,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return elf;
}

const SCHED_OP = 29;
/** sched_op with the argument's first word at `word`. */
export const schedOp = (command: number, reason = 0) => `movl $${reason}, word(%rip)
movl $${command}, %edi
leaq word(%rip), %rsi
movl $${SCHED_OP}, %eax
syscall
`;

export interface CliRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `node bin/hyperport` as a user does, with nothing on stdin. Needs `npm run build` to have been done. */
export function hyperport(...args: string[]): CliRun {
  if (!existsSync(join(root, 'dist/cli.mjs'))) throw new Error("dist/cli.mjs is missing: run 'npm run build' first");
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/hyperport'), ...args], {
    cwd: root,
    encoding: 'utf8',
    input: '',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}
