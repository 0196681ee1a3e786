// SeaBIOS: 16-bit, 32-bit segmented and 32-bit flat code of one set of C files.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, command } from '../build.ts';
import type { TreeMaker } from '../tree.ts';

export const seabios: TreeMaker = {
  name: 'seabios',
  async make(_root, cache, say) {
    const { folder, version } = await built('seabios', cache, say, (work) => {
      const makefile = join(work, 'Makefile');
      writeFileSync(makefile, readFileSync(makefile, 'utf8').replace(' -MD -g ', ' -MD -g3 '));
      writeFileSync(join(work, '.config'), 'CONFIG_QEMU=y\n');
      command(work, 'make', ['olddefconfig']);
      command(work, 'make', ['-j2', 'EXTRAVERSION=-truth', 'PYTHON=python3']);
      command(work, 'ld', [
        '-m',
        'elf_i386',
        '-Ttext=0x100000',
        '-e',
        '0',
        '--unresolved-symbols=ignore-all',
        '--noinhibit-exec',
        '-o',
        'out/flat.linked',
        'out/code32flat.o',
      ]);
    });
    return {
      name: 'seabios',
      version,
      root: folder,
      builtIn: `${folder}.new`,
      binaries: [
        { path: join(folder, 'out/rom16.o'), code: 'real' },
        { path: join(folder, 'out/rom32seg.o'), code: 'protected' },
        { path: join(folder, 'out/flat.linked'), code: 'mixed' },
      ],
      read: (file) => /^(src|vgasrc)\//.test(file),
      measured: (file) => file.startsWith('src/'),
    };
  },
};
