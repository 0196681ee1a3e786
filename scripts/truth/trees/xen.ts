// Xen itself, in the version of the oracles: Debian's package with debug information beside the source that it was built of.

import { join } from 'node:path';
import { debianRoot, debianSource, ensureDebian, xenVersion } from '../../debian.mjs';
import type { TreeMaker } from '../tree.ts';

export const xen: TreeMaker = {
  name: 'xen',
  async make() {
    await ensureDebian(['xen']);
    return {
      name: 'xen',
      version: xenVersion,
      root: join(await debianSource('xen', xenVersion), 'xen'),
      builtIn: '/build',
      binaries: [{ path: join(debianRoot, 'usr/lib/debug/boot/xen-syms-4.17-amd64'), code: 'mixed' }],
      read: (file) => /^(arch\/x86|include|common|drivers|lib|xsm)\//.test(file),
    };
  },
};
