// `npm test`: everything from a fresh clone. Sets up, builds, lints, runs the suites, and ends with one line of counts.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { DebianError, ensureDebian } from './debian.mjs';
import { lint } from './lint.mjs';
import { fail, root, run, runBin } from './steps.mjs';

const results = join(root, 'test-results');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const started = performance.now();
const mark = (what) => console.log(`\n== ${what} (${((performance.now() - started) / 1000).toFixed(0)} s)`);

mark('build');
await build();
mark('lint');
console.log(`the imports of ${lint()} modules follow the rules`);

mark('oracles');
const tools = ['gcc', 'as', 'ld', 'objdump', 'objcopy', 'readelf', 'addr2line', 'gdb', 'make', 'git'];
const absent = tools.filter((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error);
if (absent.length > 0)
  fail(`The tests need ${absent.join(', ')}, which are not on the path. On Debian: apt-get install build-essential gdb git`);
try {
  await ensureDebian(['qemu', 'xen', 'grub-xen', 'libxen-dev', 'linux', 'gnumach', 'browser']);
} catch (error) {
  if (!(error instanceof DebianError)) throw error;
  fail(`The tests' oracles cannot be had: ${error.message}`);
}

let passed = 0;
let failed = 0;
const add = (file, status, name) => {
  if (existsSync(file)) {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    passed += report.numPassedTests;
    failed += report.numFailedTests + (report.numPendingTests ?? 0);
    // A file that could not even be loaded has no tests to count.
    failed += report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0).length;
    if (status !== 0 && report.numFailedTests === 0) failed += 1;
  } else {
    console.error(`${name} wrote no report`);
    failed += 1;
  }
};

mark('unit, golden, fuzz, guests and oracles');
const unitReport = join(results, 'unit.json');
add(unitReport, runBin('vitest/vitest.mjs', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${unitReport}`]), 'vitest');

mark('the packaged extension in a real VS Code');
const e2eReport = join(results, 'e2e.json');
add(e2eReport, run(process.execPath, ['scripts/e2e.mjs', '--report', e2eReport]), 'e2e');

mark('done');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
