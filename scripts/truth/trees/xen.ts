// Xen itself, in the version of the oracles, in the build of the conformance tests that has debug information.

import { join } from 'node:path';
import { debianSource, xenVersion } from '../../debian.mjs';
import { buildXen, builtXen } from '../../xen-build.mjs';
import type { TreeMaker } from '../tree.ts';

export const xen: TreeMaker = {
  name: 'xen',
  async make(_root, _cache, say) {
    await buildXen('debug', say);
    return {
      name: 'xen',
      version: xenVersion,
      root: join(await debianSource('xen', xenVersion), 'xen'),
      builtIn: /^\/.*\/build-debug-\d+\/xen(?=\/)/,
      binaries: [{ path: `${builtXen('debug')}.syms`, code: 'mixed' }],
      read: (file) => /^(arch\/x86|include|common|drivers|lib|xsm)\//.test(file),
    };
  },
};
