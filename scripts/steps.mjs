// What the set-up scripts share: run a step with its output shown, and make node_modules from the lock file when needed.
// Plain Node, no packages: these run before anything is installed.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the process with what to do, without a stack trace. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Runs a command in the project's folder; returns its exit code. Never reads standard input. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) fail(`cannot start ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

/** Runs a JavaScript command of an installed package. */
export const runBin = (name, args, options) => run(process.execPath, [binOf(name), ...args], options);

export function binOf(name) {
  return join(root, 'node_modules', ...name.split('/'));
}

export function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`Node.js 20 or newer is needed, this is ${process.version}. Install a newer one and run the command again.`);
}

/**
 * Installs the npm packages of package-lock.json unless they are there: 'run' has what building and running need, 'all' the
 * linters and test tools too. Install scripts stay off: no package needs one here, and one of them would want a C compiler.
 */
export function bootstrap(wanted = 'all') {
  requireNode();
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = join(root, 'node_modules', '.hyperport-installed');
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  // Who has the test tools keeps them when the lock file changes.
  const level = installed.startsWith('all\n') ? 'all' : wanted;
  if (installed === `all\n${lock}` || installed === `${level}\n${lock}`) return;
  process.stderr.write('Installing npm packages (npm ci) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...(level === 'run' ? ['--omit=dev'] : [])];
  const status = run(npm, ['ci', ...flags], { stdio: ['ignore', 2, 'inherit'], shell: process.platform === 'win32' });
  if (status !== 0) fail('npm ci failed; see above. Check that the npm registry can be reached and run the command again.');
  writeFileSync(stamp, `${level}\n${lock}`);
}

/** Bundles a TypeScript entry point for this process to import; answers the file. Packages stay where they are installed. `options`: more of esbuild's. */
export async function bundleForNode(entry, outfile, options = {}) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'node20',
    logLevel: 'warning',
    ...options,
  });
  return outfile;
}

/** A bundle lies elsewhere than its sources, which look for files beside themselves: with this plugin each keeps its own address. */
export const keepAddresses = {
  name: 'addresses',
  setup(bundle) {
    bundle.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      if (path.includes('node_modules')) return undefined;
      const text = readFileSync(path, 'utf8')
        // Not where it is a string: bundlers' own options name it.
        .replaceAll(/(?<!['"])import\.meta\.url(?!['"])/g, JSON.stringify(pathToFileURL(path).href));
      return { contents: text, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};
