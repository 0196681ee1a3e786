// GRUB for a PC's BIOS: real-mode start, protected mode, drivers.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { built, command, parserTools } from '../build.ts';
import type { Binary, TreeMaker } from '../tree.ts';

export const grubPc: TreeMaker = {
  name: 'grub-i386-pc',
  async make(_root, cache, say) {
    const { folder, version } = await built('grub2', cache, say, async (work) => {
      const env = await parserTools(work);
      // What the patches touched must not look older than what it generates: automake is not here, nor needed.
      const generated = [
        'aclocal.m4',
        'configure',
        'config.h.in',
        'Makefile.in',
        'grub-core/Makefile.in',
        'grub-core/lib/gnulib/Makefile.in',
      ];
      command(work, 'touch', [
        '-d',
        '2020-01-01',
        'configure.ac',
        'acinclude.m4',
        ...generated.filter((file) => existsSync(join(work, file))),
      ]);
      for (const file of generated) if (existsSync(join(work, file))) command(work, 'touch', [file]);
      const off = ['nls', 'werror', 'grub-mkfont', 'grub-mount', 'device-mapper', 'liblzma'].map((each) => `--disable-${each}`);
      command(work, './configure', ['--with-platform=pc', '--target=i386', ...off, 'TARGET_CFLAGS=-g3 -Os', 'TARGET_CCASFLAGS=-g3'], env);
      const config = join(work, 'config.h');
      // Debian's patch adds settings that only a new configure would fill in.
      writeFileSync(config, readFileSync(config, 'utf8').replace(/@[A-Z_]+@/g, '0'));
      // The list of dependencies between modules, made last, needs programs of the host that are not built here.
      command(work, 'make', ['-j2', '-i', '-C', 'grub-core'], env);
      const core = join(work, 'grub-core');
      // Modules and the objects of boot sectors (whose images are stripped) become programs, so that their debug information is complete.
      for (const object of readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /\.module$|_image-[^/]*\.o$/.test(file),
      )) {
        const options = ['-Ttext=0x100000', '-e', '0', '--unresolved-symbols=ignore-all', '--noinhibit-exec'];
        command(core, 'ld', ['-m', 'elf_i386', ...options, '-o', `${basename(object)}.linked`, object]);
      }
    });
    const core = join(folder, 'grub-core');
    const binaries = readdirSync(core)
      .filter((file) => /\.(exec|linked)$/.test(file))
      .map((file): Binary => ({ path: join(core, file), code: 'mixed' }));
    return {
      name: 'grub-i386-pc',
      version,
      root: folder,
      builtIn: `${folder}.new`,
      binaries,
      read: (file) =>
        /^(grub-core|include)\//.test(file) &&
        !/\/(gnulib|arm|arm64|ia64|mips|powerpc|sparc64|riscv|riscv32|riscv64|efi|coreboot|ieee1275|yeeloong|loongson|tests)\//.test(file),
    };
  },
};
