// One session with a client: what the client can do decides what is registered; each feature is a file of its own.

import {
  type CodeAction,
  CodeActionKind,
  type Connection,
  DidChangeConfigurationNotification,
  type InitializeParams,
  type InitializeResult,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Grammars } from '../syntax/grammars.ts';
import { analyseWorkspace } from './analyse-workspace.ts';
import { codeActions } from './code-actions.ts';
import { Diagnostics } from './diagnostics.ts';
import { Documents } from './documents.ts';
import type { Files } from './files.ts';
import { hover } from './hover.ts';
import { readInitializationOptions, Settings } from './settings.ts';
import { WorkspaceDiagnostics } from './workspace-diagnostics.ts';
import { WorkspaceIndex } from './workspace-index.ts';

export interface Host {
  readonly files: Files;
  /** `assets`: the folder that the client names for the wasm files, if it does. */
  loadGrammars(assets: string | undefined): Promise<Grammars>;
}

export function serve(connection: Connection, host: Host): void {
  const texts = new TextDocuments(TextDocument);
  connection.onInitialize((params) => initialize(connection, texts, host, params));
  texts.listen(connection);
  connection.listen();
}

/** What the server may do with this client. */
const abilitiesOf = ({ capabilities, workspaceFolders, rootUri }: InitializeParams) => ({
  pull: capabilities.textDocument?.diagnostic !== undefined,
  canRefresh: capabilities.workspace?.diagnostics?.refreshSupport === true,
  canAsk: capabilities.workspace?.configuration === true,
  canRegister: capabilities.workspace?.didChangeConfiguration?.dynamicRegistration === true,
  folders: capabilities.workspace?.workspaceFolders === true,
  versioned: capabilities.workspace?.workspaceEdit?.documentChanges === true,
  roots: workspaceFolders?.map(({ uri }) => uri) ?? (rootUri ? [rootUri] : []),
});

async function initialize(
  connection: Connection,
  texts: TextDocuments<TextDocument>,
  host: Host,
  params: InitializeParams,
): Promise<InitializeResult> {
  const can = abilitiesOf(params);
  const given = params.initializationOptions as { assets?: unknown } | undefined;
  const { ruleLink, enable } = readInitializationOptions(given);
  const grammars = await host.loadGrammars(typeof given?.assets === 'string' ? given.assets : undefined);
  const index = new WorkspaceIndex(grammars, host.files);
  const documents = new Documents(grammars, index);
  const settings = new Settings(connection, host.files, enable);
  settings.roots = can.roots;
  // What the settings are is asked of the client; requests that come before its answer wait for it.
  let settled = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    settled = resolve;
  });
  const diagnostics = new Diagnostics(connection, texts, documents, settings, {
    pull: can.pull,
    canRefresh: can.canRefresh,
    ruleLink,
    ready,
  });
  const elsewhere = new WorkspaceDiagnostics(connection, texts, can.pull, can.canRefresh);
  const analysisAt = async (uri: string) => {
    await ready;
    const document = texts.get(uri);
    const analysis = document && settings.status.enabled ? documents.analysis(document, settings.masm) : null;
    return document && analysis ? { document, analysis } : null;
  };

  /** The folders that the index is of or is being made of. */
  let indexed = '';
  const indexWorkspace = async (): Promise<void> => {
    const { roots, masm } = settings;
    const wanted = JSON.stringify([roots, masm]);
    if (!settings.status.enabled || roots.length === 0 || wanted === indexed) return;
    indexed = wanted;
    index.forget();
    const stopped = (): boolean => indexed !== wanted || !settings.status.enabled;
    const built = await index.build({ roots, masm, stopped, progress: () => undefined });
    if (built) diagnostics.refresh();
    else if (indexed === wanted) indexed = '';
  };
  const reconsider = async (): Promise<void> => {
    const changed = await settings.refresh(can.canAsk);
    if (changed) {
      if (!settings.status.enabled) elsewhere.clear();
      diagnostics.refresh();
    }
    void indexWorkspace();
  };
  connection.onInitialized(() => {
    if (can.canRegister) void connection.client.register(DidChangeConfigurationNotification.type, { section: 'hyperport' });
    if (can.folders) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map(({ uri }) => uri));
        settings.roots = [...settings.roots.filter((uri) => !gone.has(uri)), ...added.map(({ uri }) => uri)];
        void reconsider();
      });
    }
    void reconsider().finally(settled);
  });
  connection.onDidChangeConfiguration(() => void reconsider());

  connection.onCodeAction(async (request): Promise<CodeAction[]> => {
    const at = await analysisAt(request.textDocument.uri);
    return at ? codeActions(request, at.document, at.analysis, ruleLink, can.versioned) : [];
  });
  connection.onHover(async ({ textDocument, position }) => {
    const at = await analysisAt(textDocument.uri);
    return at ? hover(at.analysis, at.document.offsetAt(position), ruleLink) : null;
  });
  connection.onRequest('hyperport/status', () => settings.status);
  connection.onRequest('hyperport/analyseWorkspace', async (request: { workDoneToken?: string | number } | null, token) => {
    const progress = connection.window.attachWorkDoneProgress(request?.workDoneToken);
    elsewhere.start();
    const publish = (uri: string, found: Parameters<WorkspaceDiagnostics['publish']>[1]): void => elsewhere.publish(uri, found);
    const { masm, roots } = settings;
    const report = await analyseWorkspace({ index, files: host.files, roots, masm, ruleLink, token, progress, publish });
    elsewhere.finish();
    diagnostics.refresh();
    return report;
  });

  return {
    serverInfo: { name: 'hyperport' },
    capabilities: {
      positionEncoding: 'utf-16',
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      hoverProvider: true,
      ...(can.folders ? { workspace: { workspaceFolders: { supported: true, changeNotifications: true } } } : {}),
      ...(can.pull ? { diagnosticProvider: { identifier: 'hyperport', interFileDependencies: false, workspaceDiagnostics: true } } : {}),
    },
  };
}
