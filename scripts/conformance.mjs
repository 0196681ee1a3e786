// `npm run conformance [-- --record] [-- --offline] [-- --coverage]`: the simulator against real Xen, live, over every scenario of test/conformance. Ends with
// `N passed, M failed`: pairs of hypercall operation and outcome, and lines that differ. Exit 1 when anything differs.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, bundleForNode, root } from './steps.mjs';

const argv = process.argv.slice(2);
const unknown = argv.find((arg) => !['--record', '--offline', '--coverage'].includes(arg));
if (unknown) {
  console.error(
    `'${unknown}' is no option of conformance. Options: --record (keep what real Xen printed), --offline (compare with what was kept), --coverage.`,
  );
  process.exit(2);
}
bootstrap('run');
const outfile = await bundleForNode('test/conformance/all.ts', join(root, '.cache', 'conformance', 'all.mjs'), {
  plugins: [
    {
      // Modules find the files beside them by their own place, which bundling would change.
      name: 'own-place',
      setup(bundler) {
        bundler.onLoad({ filter: /[\\/](test|scripts)[\\/].*\.(ts|mjs)$/ }, async ({ path }) => {
          const { readFile } = await import('node:fs/promises');
          const text = await readFile(path, 'utf8');
          return {
            contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
            loader: path.endsWith('.ts') ? 'ts' : 'js',
          };
        });
      },
    },
  ],
});
const { conformance } = await import(pathToFileURL(outfile).href);
const { passed, failed } = await conformance({
  record: argv.includes('--record'),
  offline: argv.includes('--offline'),
  coverage: argv.includes('--coverage'),
  print: (line) => console.log(line),
});
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
