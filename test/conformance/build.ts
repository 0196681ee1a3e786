// Guest images from C, with the machine's gcc and the headers of Debian's libxen-dev.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../../scripts/debian.mjs';
import { oracleCache } from '../oracle/xen-dom0.ts';
import { conformanceFolder, type Image, scenarioFolder } from './images.ts';

const guestFolder = join(conformanceFolder, 'guest');
const shared =
  '-O1 -std=gnu11 -Wall -Wextra -Werror -Wno-address-of-packed-member -Wno-override-init -ffreestanding -fno-builtin -fno-pic -no-pie ' +
  '-mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables ' +
  '-fno-toplevel-reorder -D__XEN_INTERFACE_VERSION__=__XEN_LATEST_INTERFACE_VERSION__ -nostdlib -static -Wl,--build-id=none ' +
  '-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments';
/** A 64-bit kernel lives in the last 2 GB, a 32-bit one in the last of 4. */
const flagsOf = {
  64: `${shared} -m64 -mcmodel=kernel -Wl,--defsym=BASE=0xffffffff80000000`,
  32: `${shared} -m32 -march=i686 -Wl,--defsym=BASE=0xc0000000`,
};
const startOf = { 64: 'start.S', 32: 'start32.S' };

/** Builds the image unless it was built from the same sources before; answers the ELF file. */
export async function buildImage(image: Image): Promise<string> {
  const root = await ensureDebian(['libxen-dev']);
  const library = readdirSync(guestFolder)
    .filter((file) => !file.endsWith('.S') || file === startOf[image.bits])
    .map((file) => join(guestFolder, file));
  const flags = flagsOf[image.bits];
  const scenarios = image.scenarios.map((name) => join(scenarioFolder, name, 'scenario.c'));
  const hash = createHash('sha256').update(flags);
  for (const file of [...library, ...scenarios]) hash.update(`${file}\0`).update(readFileSync(file));
  const folder = join(oracleCache, 'conformance');
  const elf = join(folder, `${image.name}-${hash.digest('hex').slice(0, 16)}.elf`);
  if (existsSync(elf)) return elf;
  mkdirSync(folder, { recursive: true });
  const sources = [...library.filter((file) => /\.[cS]$/.test(file)), ...scenarios];
  const partial = `${elf}.${process.pid}`;
  const script = join(guestFolder, 'guest.lds');
  const include = ['-I', guestFolder, '-I', join(root, 'usr/include')];
  execFileSync('gcc', [...flags.split(' '), ...include, `-Wl,-T,${script}`, ...sources, '-o', partial], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(partial, elf);
  return elf;
}
