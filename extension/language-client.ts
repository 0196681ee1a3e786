// Starts the language server in a process of its own and keeps it for the window's life.

import * as vscode from 'vscode';
import { LanguageClient, type LanguageClientOptions, type ServerOptions, TransportKind } from 'vscode-languageclient/node';
import { ANALYSED_IDS } from './assembly-languages.ts';
import { RULE_LINK } from './rules.ts';

/** Asks the server to analyse every source file of the workspace, not only open ones. */
const ANALYSE_WORKSPACE = 'hyperport/analyseWorkspace';

interface WorkspaceAnalysis {
  readonly files: number;
  readonly findings: number;
  readonly cancelled: boolean;
}

export async function startLanguageClient(context: vscode.ExtensionContext): Promise<LanguageClient> {
  const module = context.asAbsolutePath('dist/server.cjs');
  const server: ServerOptions = {
    run: { module, transport: TransportKind.ipc },
    debug: { module, transport: TransportKind.ipc, options: { execArgv: ['--nolazy', '--inspect=0'] } },
  };
  const options: LanguageClientOptions = {
    documentSelector: ANALYSED_IDS.map((language) => ({ scheme: 'file', language })),
    initializationOptions: { ruleLink: RULE_LINK, enable: vscode.workspace.getConfiguration('hyperport').get('enable', 'auto') },
    synchronize: { configurationSection: 'hyperport' },
    outputChannelName: 'Hyperport',
  };
  const client = new LanguageClient('hyperport', 'Hyperport', server, options);
  await client.start();
  context.subscriptions.push(
    { dispose: () => void client.stop() },
    vscode.commands.registerCommand('hyperport.analyseWorkspace', () => analyseWorkspace(client)),
  );
  return client;
}

async function analyseWorkspace(client: LanguageClient): Promise<void> {
  if (!vscode.workspace.workspaceFolders?.length) {
    void vscode.window.showInformationMessage('Hyperport: open the folder that holds the kernel sources first.');
    return;
  }
  const progress = { location: vscode.ProgressLocation.Notification, title: 'Hyperport: analysing the workspace', cancellable: true };
  const result = await vscode.window.withProgress(progress, (_report, token) =>
    client.sendRequest<WorkspaceAnalysis>(ANALYSE_WORKSPACE, {}, token),
  );
  if (result.cancelled) return;
  void vscode.window.showInformationMessage(
    `Hyperport: ${result.findings} findings in ${result.files} files. They are listed in the Problems view.`,
  );
}
