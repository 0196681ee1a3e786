// `npm run bench -- NAME [--json FILE]`: figures as ratios against a peer, measured in one interleaved run. Without NAME: all of them.
// A bench is scripts/bench/NAME.ts and exports `run(): Promise<{ rows: object[], summary: string, raw?: unknown }>`.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { bootstrap, bundleForNode, fail, keepAddresses, root } from './steps.mjs';

const names = readdirSync(join(root, 'scripts', 'bench')).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -3)] : []));
const argv = process.argv.slice(2);
const jsonAt = argv.indexOf('--json');
const jsonFile = jsonAt < 0 ? null : argv[jsonAt + 1];
const wanted = argv.filter((arg, i) => !arg.startsWith('--') && (jsonAt < 0 || i !== jsonAt + 1));
const unknown = wanted.find((name) => !names.includes(name));
if (unknown) fail(`there is no bench '${unknown}'. Benches: ${names.join(', ')}.`);
if (jsonAt >= 0 && !jsonFile) fail('--json needs a file name.');

bootstrap('all'); // the peers are among the test packages
await build();
const results = {};
for (const name of wanted.length > 0 ? wanted : names) {
  const outfile = await bundleForNode(`scripts/bench/${name}.ts`, join(root, '.cache', 'bench', `${name}.mjs`), {
    plugins: [keepAddresses],
  });
  const { run } = await import(pathToFileURL(outfile).href);
  const result = await run(root);
  results[name] = result;
  console.table(result.rows);
  console.log(`${name}: ${result.summary}`);
}
if (jsonFile) writeFileSync(jsonFile, `${JSON.stringify(wanted.length === 1 ? results[wanted[0]] : results, null, 1)}\n`);
console.log(`bench passed: ${Object.keys(results).join(', ')}`);
