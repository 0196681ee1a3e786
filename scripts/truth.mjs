// `npm run truth [-- TREE…] [--out FOLDER]`: recall of the analyser on real kernels, firmware and boot loaders; see test/truth/README.md.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, bundleForNode, fail, keepAddresses, root } from './steps.mjs';

const argv = process.argv.slice(2);
const outAt = argv.indexOf('--out');
if (outAt >= 0 && !argv[outAt + 1]) fail('--out needs a folder.');
const names = argv.filter((_, i) => outAt < 0 || (i !== outAt && i !== outAt + 1));

bootstrap('all');
const outfile = await bundleForNode('scripts/truth/main.ts', join(root, '.cache', 'truth', 'truth.mjs'), { plugins: [keepAddresses] });
const { run, TREES } = await import(pathToFileURL(outfile).href);
const unknown = names.find((name) => !TREES.some((tree) => tree.name === name));
if (unknown) fail(`there is no tree '${unknown}'. Trees: ${TREES.map(({ name }) => name).join(', ')}.`);
await run(root, names, outAt < 0 ? join(root, '.cache', 'truth', 'reports') : resolve(argv[outAt + 1]), console.log);
