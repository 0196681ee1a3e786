// Types, lint, formatting and the import rules of ARCHITECTURE.md. `npm run lint`.

import { spawnSync } from 'node:child_process';
import { binOf, bootstrap, fail, root, runBin } from './steps.mjs';

/** Fewer cruised modules than this mean that the import rules looked at nothing. */
const LEAST_MODULES = 100;
const FOLDERS = ['abi', 'x86', 'image', 'explain', 'scan', 'grammars', 'server', 'simulator', 'host', 'debug-adapter', 'extension', 'cli'];

export function lint() {
  bootstrap();
  if (runBin('@typescript/native/bin/tsc', ['--noEmit', '-p', '.']) !== 0) fail('lint failed: the compiler found errors (above).');
  if (runBin('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']) !== 0) {
    fail("lint failed: Biome found problems (above). 'npx biome check --write .' mends most.");
  }
  return cruise();
}

function cruise() {
  const result = spawnSync(
    process.execPath,
    [binOf('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...FOLDERS],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  let report;
  try {
    report = JSON.parse(result.stdout);
  } catch {
    fail(`lint failed: the import check did not run.\n${result.stderr}`);
  }
  const { violations, totalCruised } = report.summary;
  for (const v of violations) console.error(`${v.rule.severity}: ${v.rule.name}: ${v.from} -> ${v.to}`);
  if (violations.some((v) => v.rule.severity === 'error')) fail('lint failed: an import breaks a rule of .dependency-cruiser.cjs.');
  if (totalCruised < LEAST_MODULES)
    fail(`lint failed: the import check saw only ${totalCruised} modules, at least ${LEAST_MODULES} exist.`);
  return totalCruised;
}

if (process.argv[1]?.endsWith('lint.mjs')) {
  console.log(`lint passed: types, style and the imports of ${lint()} modules`);
}
