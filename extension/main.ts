// The extension's entry point: wires the language client, debugging and the views. No knowledge of its own.

import * as vscode from 'vscode';
import { registerDebugAdapter } from './debug/adapter-factory.ts';
import { registerConfigurationProvider } from './debug/configuration.ts';
import { registerGuestConsoles } from './debug/console.ts';
import { registerHypercallBreakpoints } from './debug/hypercall-breakpoints.ts';
import { registerExplainLog } from './explain-log.ts';
import { startLanguageClient } from './language-client.ts';
import { registerRulePages } from './rules.ts';
import { registerHypercallsView } from './views/hypercalls.ts';

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  registerRulePages(context);
  registerExplainLog(context);
  const enableDebugging = () => {
    registerDebugAdapter(context);
    registerConfigurationProvider(context);
    registerGuestConsoles(context);
    registerHypercallBreakpoints(context);
    registerHypercallsView(context);
  };
  // An untrusted workspace is analysed, but nothing of it is run.
  if (vscode.workspace.isTrusted) enableDebugging();
  else context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(enableDebugging));
  await startLanguageClient(context);
}
