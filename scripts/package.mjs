// Makes dist/hyperport.vsix and checks what is in it. `npm run package`.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { fail, root, runBin } from './steps.mjs';

const LARGEST = 10 * 1024 * 1024;
/** Nothing of this belongs into the package: sources, maps, tests, native code. */
const FORBIDDEN = [
  /\.tsx?$/,
  /\.map$/,
  /(^|\/)test(s)?\//,
  /\.test\./,
  /\.(node|so|dll|dylib|exe|elf|o|a)$/,
  /(^|\/)node_modules\//,
  /\.[ch]$/i,
];
const REQUIRED = [
  'extension/package.json',
  'extension/readme.md',
  'extension/LICENSE.txt',
  'extension/dist/extension.cjs',
  'extension/dist/server.cjs',
  'extension/dist/machine-host.cjs',
  'extension/dist/ThirdPartyNotices.txt',
];

await build();
const file = join(root, 'dist', 'hyperport.vsix');
const args = ['package', '--no-dependencies', '--no-rewrite-relative-links', '--allow-missing-repository', '--skip-license', '--out', file];
if (runBin('@vscode/vsce/vsce', args) !== 0) fail('packaging failed; see above.');

const names = entriesOf(readFileSync(file));
const bad = names.filter((name) => FORBIDDEN.some((pattern) => pattern.test(name)));
if (bad.length > 0) fail(`the package holds what it must not: ${bad.join(', ')}`);
const lower = new Set(names.map((name) => name.toLowerCase()));
const missing = REQUIRED.filter((name) => !lower.has(name.toLowerCase()));
if (missing.length > 0) fail(`the package lacks ${missing.join(', ')}`);
if (!names.some((name) => name.startsWith('extension/docs/rules/'))) fail('the package lacks the rule pages (docs/rules).');
const { size } = statSync(file);
if (size >= LARGEST) fail(`the package has ${size} bytes, the limit is ${LARGEST}.`);
console.log(
  `package passed: dist/hyperport.vsix, ${names.length} files, ${(size / 1024 / 1024).toFixed(2)} MB, no sources, maps, tests or native code`,
);

/** Names in a ZIP file's central directory. */
function entriesOf(zip) {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const count = zip.readUInt16LE(end + 10);
  const entries = [];
  for (let at = zip.readUInt32LE(end + 16), i = 0; i < count; i++) {
    const nameLength = zip.readUInt16LE(at + 28);
    entries.push(zip.toString('utf8', at + 46, at + 46 + nameLength));
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}
