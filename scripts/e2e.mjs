// The journeys in a real VS Code with the packaged extension. `npm run e2e [-- --report FILE] [-- FILE…]`.
// Screenshots and the server's log are kept in test-results/e2e.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from './debian.mjs';
import { bootstrap, fail, root, run, runBin } from './steps.mjs';
import { ensureVscodeHost } from './vscode-host.mjs';

bootstrap();
const argv = process.argv.slice(2);
const reportAt = argv.indexOf('--report');
const report = reportAt < 0 ? join(root, 'test-results', 'e2e.json') : argv[reportAt + 1];
const files = reportAt < 0 ? argv : argv.filter((_, i) => i !== reportAt && i !== reportAt + 1);

if (process.platform !== 'linux') fail('The journeys need Debian Linux: VS Code and the browser come as its packages.');
const debian = await ensureDebian(['browser']).catch((error) => fail(`The browser for the journeys cannot be had: ${error.message}`));
const host = ensureVscodeHost();
if (run(process.execPath, ['scripts/package.mjs']) !== 0) fail('e2e failed: the extension does not package.');

const results = join(root, 'test-results', 'e2e');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu/pulseaudio'].map((folder) =>
  join(debian, folder),
);
const env = {
  ...process.env,
  HYPERPORT_E2E_NODE: host.node,
  HYPERPORT_E2E_ENTRY: host.entry,
  HYPERPORT_E2E_VSIX: join(root, 'dist', 'hyperport.vsix'),
  HYPERPORT_E2E_CHROMIUM: join(debian, 'usr/lib/chromium/chromium'),
  HYPERPORT_E2E_LIBRARIES: libraries.join(':'),
  HYPERPORT_E2E_SYSROOT: debian,
  HYPERPORT_E2E_RESULTS: results,
};
const status = runBin(
  'vitest/vitest.mjs',
  ['run', '--config', 'test/e2e/vitest.config.ts', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files],
  { env },
);
console.log(
  status === 0 ? `e2e passed: VS Code ${host.version}, screenshots in test-results/e2e` : 'e2e failed; screenshots in test-results/e2e',
);
process.exitCode = status;
