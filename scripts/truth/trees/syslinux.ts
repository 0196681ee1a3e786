// Syslinux's core: the NASM tree. Its sources are assembled one by one, as its makefile does, with line information.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianRoot, ensureDebian } from '../../debian.mjs';
import { built, command } from '../build.ts';
import type { TreeMaker } from '../tree.ts';

const SOURCES = ['ldlinux', 'isolinux', 'isolinux-debug', 'pxelinux'];

export const syslinux: TreeMaker = {
  name: 'syslinux',
  async make(_root, cache, say) {
    await ensureDebian(['nasm']);
    const { folder, version } = await built('syslinux', cache, say, (work) => {
      const core = join(work, 'core');
      mkdirSync(join(core, 'truth'));
      // What the makefile generates of the version file.
      const [number, year] = readFileSync(join(work, 'version'), 'utf8').trim().split(/\s+/);
      const [major, minor] = number!.split('.');
      writeFileSync(
        join(work, 'version.gen'),
        `%define VERSION "${number}"\n%define VERSION_STR "${number}"\n%define VERSION_MAJOR ${Number(major)}\n%define VERSION_MINOR ${Number(minor)}\n%define YEAR ${year ?? 2019}\n%define YEAR_STR '${year ?? 2019}'\n`,
      );
      for (const name of SOURCES.filter((each) => existsSync(join(core, `${each}.asm`)))) {
        const defines = ["-DDATE_STR='truth'", '-DHEXDATE=0x12345678', '-DIS_LPXELINUX=0'];
        const nasm = join(debianRoot, 'usr/bin/nasm');
        // NASM counts the lines of nested files wrongly, so that they are put into one file first.
        const flat = inlined(core, `${name}.asm`);
        writeFileSync(join(core, `truth/${name}.flat`), flat.map(({ text }) => `${text}\n`).join(''));
        writeFileSync(join(core, `truth/${name}.origins`), JSON.stringify(flat.map(({ file, line }) => ({ file, line }))));
        command(core, nasm, ['-f', 'elf', '-Ox', '-g', '-F', 'dwarf', ...defines, '-o', `truth/${name}.o`, `truth/${name}.flat`]);
        const linked = ['--unresolved-symbols=ignore-all', '--noinhibit-exec', '-o', `truth/${name}.linked`, `truth/${name}.o`];
        command(core, 'ld', ['-m', 'elf_i386', '-Ttext=0x100000', '-e', '0', ...linked]);
      }
    });
    const core = join(folder, 'core');
    return {
      name: 'syslinux',
      version,
      root: core,
      builtIn: `${folder}.new/core`,
      binaries: SOURCES.filter((name) => existsSync(join(core, 'truth', `${name}.linked`))).map((name) => ({
        path: join(core, 'truth', `${name}.linked`),
        code: 'mixed' as const,
        origins: join(core, 'truth', `${name}.origins`),
      })),
      read: (file) => /^[^/]+\.(asm|inc)$/.test(file),
    };
  },
};

interface FlatLine {
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** A source with what it includes put in place of the %include lines. */
function inlined(folder: string, file: string, depth = 0): FlatLine[] {
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      const name = /^\s*%include\s+"([^"]+)"/.exec(text)?.[1];
      if (!name || depth > 20) return [{ text, file, line: i + 1 }];
      return inlined(folder, name, depth + 1);
    });
}
