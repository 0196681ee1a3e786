// `npm run conformance`: the simulator against real Xen, over every scenario of test/conformance. See test/conformance/README.md for what follows the name.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, bundleForNode, root } from './steps.mjs';

bootstrap('run');
const alone = process.argv.some((arg) => /^--(run|new|build-)/.test(arg));
const entry = alone ? 'tools' : 'command';
const outfile = await bundleForNode(`test/conformance/${entry}.ts`, join(root, '.cache', 'conformance', `${entry}-${process.pid}.mjs`), {
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
const { command } = await import(pathToFileURL(outfile).href);
rmSync(outfile);
process.exitCode = await command(process.argv.slice(2));
