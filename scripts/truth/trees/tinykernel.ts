// The project's own sample, native: small, and the only tree whose sources and binary lie in this repository.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeMaker } from '../tree.ts';

export const tinykernel: TreeMaker = {
  name: 'tinykernel',
  async make(root) {
    const sample = join(root, 'samples/tinykernel');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    return {
      name: 'tinykernel',
      version,
      root: join(sample, 'native'),
      binaries: [{ path: join(sample, 'prebuilt/tinykernel-native.elf'), code: 'mixed' }],
      builtIn: 'samples/tinykernel/native',
    };
  },
};
