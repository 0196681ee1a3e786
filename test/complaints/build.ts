// Guests that make the mistakes of the complaints: one C file each, linked with the start, output and page functions of test/conformance/guest,
// with debug information.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../../scripts/debian.mjs';
import { oracleCache } from '../oracle/xen-dom0.ts';

export const guestFolder = join(import.meta.dirname, 'guests');
const library = join(import.meta.dirname, '../conformance/guest');
const LIBRARY = ['guest.h', 'guest.lds', 'start.S', 'print.c', 'pages.c', 'traps.c'];
const FLAGS =
  '-g -O1 -std=gnu11 -Wall -Wextra -Werror -Wno-address-of-packed-member -Wno-override-init -ffreestanding -fno-builtin -fno-pic -no-pie ' +
  '-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-toplevel-reorder -fno-inline-small-functions ' +
  '-D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 ' +
  '-Wl,--no-warn-rwx-segments -m64 -mcmodel=kernel -Wl,--defsym=BASE=0xffffffff80000000';

/** Builds guests/NAME.c unless it was built from the same sources before; answers the ELF file. */
export async function buildGuest(name: string): Promise<string> {
  const root = await ensureDebian(['libxen-dev']);
  const headers = readdirSync(guestFolder).filter((file) => file.endsWith('.h'));
  const files = [
    ...LIBRARY.map((file) => join(library, file)),
    ...headers.map((file) => join(guestFolder, file)),
    join(guestFolder, `${name}.c`),
  ];
  const hash = createHash('sha256').update(FLAGS);
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file));
  const folder = join(oracleCache, 'complaints');
  const elf = join(folder, `${name}-${hash.digest('hex').slice(0, 16)}.elf`);
  if (existsSync(elf)) return elf;
  mkdirSync(folder, { recursive: true });
  const partial = `${elf}.${process.pid}`;
  const include = ['-I', library, '-I', guestFolder, '-I', join(root, 'usr/include')];
  const sources = files.filter((file) => /\.[cS]$/.test(file));
  execFileSync('gcc', [...FLAGS.split(' '), ...include, `-Wl,-T,${join(library, 'guest.lds')}`, ...sources, '-o', partial], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(partial, elf);
  return elf;
}
