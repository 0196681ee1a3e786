// Bundles every process of the product into dist/ and puts the WebAssembly files beside them. `npm run build`.

import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noticesOf, packageOf } from './notices.mjs';
import { bootstrap, root } from './steps.mjs';

const NODE = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  minifySyntax: true,
  legalComments: 'none',
  absWorkingDir: root,
};

/** CommonJS has no import.meta.url; packages that ask for it get the bundle's own address. */
const CJS = {
  format: 'cjs',
  banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { 'import.meta.url': '__bundleUrl' },
};

/** One entry point per process. Hosts that load CommonJS get `.cjs`. */
const BUNDLES = [
  { entryPoints: ['extension/main.ts'], outfile: 'dist/extension.cjs', ...CJS, external: ['vscode'] },
  { entryPoints: ['server/main.ts'], outfile: 'dist/server.cjs', ...CJS },
  { entryPoints: ['debug-adapter/main.ts'], outfile: 'dist/machine-host.cjs', ...CJS },
  { entryPoints: ['debug-adapter/worker.ts'], outfile: 'dist/machine-worker.cjs', ...CJS },
  {
    entryPoints: { cli: 'cli/main.ts' },
    outdir: 'dist',
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'cli-[name]-[hash]',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  },
];

/** WebAssembly that the bundles load from their own folder. */
const ASSETS = [
  'node_modules/web-tree-sitter/web-tree-sitter.wasm',
  'node_modules/tree-sitter-c/tree-sitter-c.wasm',
  'grammars/gas/tree-sitter-gas.wasm',
  'node_modules/iced-x86/iced_x86_bg.wasm',
];

export async function build() {
  bootstrap('run');
  const { build: bundle } = await import('esbuild');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(join(root, 'dist'), { recursive: true });
  const packages = ASSETS.flatMap((asset) => packageOf(asset) ?? []);
  for (const options of BUNDLES) {
    const { metafile } = await bundle({
      ...NODE,
      ...options,
      metafile: true,
      define: { ...options.define, HYPERPORT_VERSION: JSON.stringify(version) },
    });
    packages.push(...Object.keys(metafile.inputs).flatMap((input) => packageOf(input) ?? []));
  }
  writeFileSync(join(root, 'dist', 'ThirdPartyNotices.txt'), noticesOf(packages));
  for (const asset of ASSETS) copyFileSync(join(root, asset), join(root, 'dist', asset.split('/').at(-1)));
  return BUNDLES.filter((b) => b.outfile).map((b) => ({ file: b.outfile, bytes: statSync(join(root, b.outfile)).size }));
}

if (process.argv[1] === import.meta.filename || process.argv[1]?.endsWith('build.mjs')) {
  const started = performance.now();
  const made = await build();
  for (const { file, bytes } of made) console.log(`${file}  ${(bytes / 1024).toFixed(0)} KiB`);
  console.log(
    `build passed: ${made.length + 1} bundles and ${ASSETS.length} WebAssembly files in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
}
