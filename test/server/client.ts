// A language client for tests: the real server process over stdio, as bundled for users.

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createMessageConnection, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Bundles the server as `npm run build` does, with its wasm files beside it; answers the folder. */
export async function bundleServer(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-server-'));
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, 'server/main.ts')],
    outfile: join(folder, 'server.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '__bundleUrl' },
    target: 'node20',
    logLevel: 'error',
  });
  for (const wasm of [
    'node_modules/web-tree-sitter/web-tree-sitter.wasm',
    'node_modules/tree-sitter-c/tree-sitter-c.wasm',
    'grammars/gas/tree-sitter-gas.wasm',
  ]) {
    cpSync(join(root, wasm), join(folder, wasm.split('/').at(-1)!));
  }
  return folder;
}

export const removeBundle = (folder: string): void => rmSync(folder, { recursive: true });

export interface Client {
  readonly rpc: MessageConnection;
  readonly initializeResult: { capabilities: Record<string, unknown> };
  /** publishDiagnostics, in order. */
  readonly published: {
    uri: string;
    version?: number;
    diagnostics: { code: string; message: string; severity: number; range: unknown; codeDescription?: { href: string } }[];
  }[];
  readonly notifications: { method: string; params: unknown }[];
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly capabilities?: Record<string, unknown>;
  readonly folder?: string;
  readonly settings?: Record<string, unknown>;
  readonly initializationOptions?: Record<string, unknown>;
}

export async function startClient(bundle: string, options: ClientOptions = {}): Promise<Client> {
  const child: ChildProcess = spawn(process.execPath, [join(bundle, 'server.cjs'), '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const rpc = createMessageConnection(new StreamMessageReader(child.stdout!), new StreamMessageWriter(child.stdin!));
  const published: Client['published'] = [];
  const notifications: Client['notifications'] = [];
  rpc.onNotification('textDocument/publishDiagnostics', (params) => void published.push(params));
  rpc.onNotification((method, params) => void notifications.push({ method, params }));
  rpc.onRequest('workspace/configuration', ({ items }: { items: unknown[] }) => items.map(() => options.settings ?? { enable: 'on' }));
  rpc.onRequest('client/registerCapability', () => null);
  rpc.onRequest('workspace/diagnostic/refresh', () => {
    notifications.push({ method: 'workspace/diagnostic/refresh', params: null });
    return null;
  });
  rpc.listen();
  const initializeResult = (await rpc.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: options.folder ? [{ uri: `file://${options.folder}`, name: 'work' }] : null,
    capabilities: {
      workspace: { configuration: true, workspaceFolders: true, workspaceEdit: { documentChanges: true } },
      ...options.capabilities,
    },
    initializationOptions: { ruleLink: 'vscode://hyperport.hyperport/rule/', ...options.initializationOptions },
  })) as Client['initializeResult'];
  await rpc.sendNotification('initialized', {});
  return {
    rpc,
    initializeResult,
    published,
    notifications,
    async stop() {
      await rpc.sendRequest('shutdown');
      await rpc.sendNotification('exit');
      await new Promise<void>((done) => {
        if (child.exitCode !== null) done();
        else child.once('exit', () => done());
      });
      rpc.dispose();
    },
  };
}

/** Waits until `ready` answers something; fails after ten seconds. */
export async function until<T>(ready: () => T | undefined | false | null): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = ready();
    if (value) return value;
    if (Date.now() > end) throw new Error('waited ten seconds in vain');
    await new Promise((next) => setTimeout(next, 5));
  }
}
