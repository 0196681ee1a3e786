// `npm run demo`: the main job in one go, from a fresh clone with Node.js and git alone. Installs, builds, then shows.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { bundleForNode, fail, root } from './steps.mjs';

const started = performance.now();
await build();
const outfile = await bundleForNode('scripts/demo/main.ts', join(root, '.cache', 'demo.mjs'));
const { demo } = await import(pathToFileURL(outfile).href);
const shown = await demo(root).catch((error) => fail(`demo failed: ${error.message}`));
console.log(`\ndemo passed: ${shown}, in ${((performance.now() - started) / 1000).toFixed(1)} s`);
