// Starts a real VS Code (code-server) with the packaged extension and a real browser on it; gives back a page.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Set by scripts/e2e.mjs. */
const need = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the journeys with 'npm run e2e'.`);
  return value;
};

/** A quiet window: nothing that pops up, nothing that reaches for the network. */
const SETTINGS = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'editor.minimap.enabled': false,
  'editor.accessibilitySupport': 'off',
  'debug.toolBarLocation': 'docked',
  'debug.openDebug': 'openOnDebugBreak',
  'debug.internalConsoleOptions': 'neverOpen',
};

const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Host {
  readonly page: Page;
  readonly workspace: string;
  /** Requests that left 127.0.0.1: must stay empty. */
  readonly external: readonly string[];
  screenshot(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** `workspaceTemplate` is copied, so that journeys may edit files. */
export async function startHost(workspaceTemplate: string): Promise<Host> {
  const root = mkdtempSync(join(tmpdir(), 'hyperport-e2e-'));
  const results = need('HYPERPORT_E2E_RESULTS');
  for (const folder of ['data/User', 'extensions', 'home', 'run']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'data/User/settings.json'), JSON.stringify(SETTINGS));
  writeFileSync(join(root, 'config.yaml'), '{}\n');
  const workspace = join(root, 'workspace');
  cpSync(workspaceTemplate, workspace, { recursive: true });
  const common = [
    need('HYPERPORT_E2E_ENTRY'),
    '--config',
    join(root, 'config.yaml'),
    '--user-data-dir',
    join(root, 'data'),
    '--extensions-dir',
    join(root, 'extensions'),
  ];
  const env = serverEnvironment(root);
  const installed = spawnSync(need('HYPERPORT_E2E_NODE'), [...common, '--install-extension', need('HYPERPORT_E2E_VSIX')], {
    env,
    encoding: 'utf8',
  });
  if (installed.status !== 0) throw new Error(`the VSIX does not install: ${installed.stdout}${installed.stderr}`);

  const flags = [
    '--bind-addr',
    '127.0.0.1:0',
    '--auth',
    'none',
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-workspace-trust',
    '--disable-getting-started-override',
    '--disable-proxy',
    '--ignore-last-opened',
  ];
  const server = spawn(need('HYPERPORT_E2E_NODE'), [...common, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let browser: Browser | null = null;
  const stop = async () => {
    await browser?.close().catch(() => undefined);
    await endGroup(server);
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const url = await listening(server, join(results, 'server.log'));
    browser = await chromium.launch({
      executablePath: need('HYPERPORT_E2E_CHROMIUM'),
      headless: true,
      args: BROWSER_FLAGS,
      env: {
        ...process.env,
        LD_LIBRARY_PATH: process.env.HYPERPORT_E2E_LIBRARIES ?? '',
        FONTCONFIG_SYSROOT: process.env.HYPERPORT_E2E_SYSROOT ?? '',
      },
    });
    const context = await browser.newContext({
      viewport: { width: 1400, height: 900 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const external: string[] = [];
    page.on('request', (request) => {
      const address = new URL(request.url());
      const local = address.hostname === '127.0.0.1' || address.hostname.endsWith('.vscode-resource.vscode-cdn.net');
      if (/^(https?|wss?):$/.test(address.protocol) && !local) external.push(request.url());
    });
    await page.goto(`${url}/?${new URLSearchParams({ folder: workspace })}`);
    await page.locator('.monaco-workbench').waitFor();
    await page.locator('.statusbar-item').first().waitFor();
    const screenshot = async (name: string) => void (await page.screenshot({ path: join(results, `${name}.png`) }));
    return { page, workspace, external, screenshot, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serverEnvironment(root: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: join(root, 'home'),
    XDG_CONFIG_HOME: join(root, 'home/.config'),
    XDG_DATA_HOME: join(root, 'home/.local/share'),
    XDG_RUNTIME_DIR: join(root, 'run'),
  };
  for (const name of Object.keys(env))
    if (
      name.startsWith('VSCODE_') ||
      name.startsWith('VITEST') ||
      ['NODE_OPTIONS', 'PORT', 'PASSWORD', 'NODE_ENV', 'LD_LIBRARY_PATH'].includes(name)
    )
      delete env[name];
  // The gallery's address is the only one that the server would call by itself.
  env.EXTENSIONS_GALLERY = '{"serviceUrl":""}';
  return env;
}

function listening(server: ChildProcess, log: string): Promise<string> {
  const file = createWriteStream(log);
  server.stderr!.pipe(file);
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`VS Code's server did not start within 60 s:\n${text}`)), 60_000);
    server.stdout!.on('data', (chunk) => {
      file.write(chunk);
      text += chunk;
      const found = /HTTP server listening on (http:\/\/\S+)/.exec(text);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]!.replace(/\/$/, ''));
    });
    server.once('exit', (code) => reject(new Error(`VS Code's server ended with ${code}:\n${text}`)));
  });
}

async function endGroup(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-server.pid!, name);
    } catch {
      // It is gone already.
    }
  };
  signal('SIGTERM');
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 4000).unref())]);
  signal('SIGKILL');
}
