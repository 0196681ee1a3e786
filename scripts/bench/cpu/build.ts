// Builds the workloads with gcc: flat images, the same bytes for every engine, and for QEMU and v86 the little multiboot kernel that
// carries one. Kept under .cache by a hash of what they are made of.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wideSource } from './wide.ts';

export const WORKLOADS = ['compute', 'memory', 'branchy', 'hypercall', 'wide'] as const;
export type WorkloadName = (typeof WORKLOADS)[number];
export type Width = 64 | 32;

export interface Built {
  readonly workload: WorkloadName;
  readonly width: Width;
  /** Loads at 0x10000000; offset 0 is the entry, offset 8 the number of bytes in memory. */
  readonly image: string;
  /** ELF32 multiboot kernel with the image inside. */
  readonly kernel: string;
  readonly sha256: { readonly image: string; readonly kernel: string };
}

const PLAIN = [
  ...['-mgeneral-regs-only', '-ffreestanding', '-fno-builtin', '-fno-pic', '-fno-stack-protector', '-fcf-protection=none'],
  ...['-fno-asynchronous-unwind-tables', '-fno-tree-loop-distribute-patterns', '-Wall', '-Wextra', '-Werror'],
];
const LINK = ['-no-pie', '-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,-z,noexecstack'];

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

function sources(root: string): { folder: string; hash: string } {
  const folder = join(root, 'scripts/bench/cpu/guest');
  const hash = createHash('sha256').update(wideSource()).update(PLAIN.join(' '));
  hash.update(execFileSync('gcc', ['--version']));
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return { folder, hash: hash.digest('hex').slice(0, 16) };
}

/** The C file of a workload; `wide` is written into `made` first. */
function sourceOf(workload: WorkloadName, folder: string, made: string): string {
  if (workload !== 'wide') return join(folder, `${workload}.c`);
  const file = join(made, 'wide.c');
  if (!existsSync(file)) writeFileSync(file, wideSource());
  return file;
}

/** Image and kernel of one workload; built when they are not there. */
export function buildWorkload(root: string, workload: WorkloadName, width: Width): Built {
  const { folder, hash } = sources(root);
  const made = join(root, '.cache/bench/cpu', hash);
  mkdirSync(made, { recursive: true });
  const image = join(made, `${workload}-${width}.bin`);
  const kernel = join(made, `${workload}-${width}.elf`);
  const gcc = (...args: string[]): void => {
    execFileSync('gcc', [`-m${width}`, '-O2', `-I${folder}`, ...PLAIN, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  const once = (file: string, make: (fresh: string) => void): void => {
    if (existsSync(file)) return;
    const fresh = `${file}.${process.pid}`;
    make(fresh);
    renameSync(fresh, file);
  };
  once(image, (out) => {
    const script = ['-Wl,--oformat=binary', '-T', join(folder, 'image.lds')];
    gcc(...LINK, ...script, join(folder, 'head.S'), sourceOf(workload, folder, made), '-o', out);
  });
  once(kernel, (out) => {
    const script = ['-Wl,-z,max-page-size=4096', '-Wl,--no-warn-rwx-segments', '-T', join(folder, 'boot.lds')];
    gcc(...LINK, ...script, `-DIMAGE="${image}"`, join(folder, `boot${width}.S`), join(folder, 'machine.c'), '-o', out);
    if (width === 64) execFileSync('objcopy', ['-O', 'elf32-i386', out]);
  });
  return { workload, width, image, kernel, sha256: { image: sha256(image), kernel: sha256(kernel) } };
}

/** The checksum that the host's own processor computes from the same source, as 16 hexadecimal digits. */
export function nativeChecksum(root: string, workload: WorkloadName, n: number): string {
  const { folder, hash } = sources(root);
  const made = join(root, '.cache/bench/cpu', hash);
  mkdirSync(made, { recursive: true });
  const program = join(made, `${workload}-native`);
  if (!existsSync(program)) {
    const fresh = `${program}.${process.pid}`;
    const files = [sourceOf(workload, folder, made), join(folder, 'native.c')];
    execFileSync('gcc', ['-O2', '-DBENCH_NATIVE', `-I${folder}`, '-o', fresh, ...files], { stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(fresh, program);
  }
  return execFileSync(program, [String(n)], { encoding: 'utf8' }).trim();
}

/** Removes what other versions of the sources left behind. */
export function dropOldBuilds(root: string): void {
  const { hash } = sources(root);
  const all = join(root, '.cache/bench/cpu');
  for (const name of existsSync(all) ? readdirSync(all) : []) if (name !== hash) rmSync(join(all, name), { recursive: true, force: true });
}
