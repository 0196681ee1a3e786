// A debug session's adapter is the machine host: one process per machine, DAP on its stdin and stdout.

import * as vscode from 'vscode';

export function registerDebugAdapter(context: vscode.ExtensionContext): void {
  const factory: vscode.DebugAdapterDescriptorFactory = {
    createDebugAdapterDescriptor() {
      // The command 'node' makes VS Code fork its own runtime: users need no Node.js.
      return new vscode.DebugAdapterExecutable('node', [context.asAbsolutePath('dist/machine-host.cjs')]);
    },
  };
  context.subscriptions.push(vscode.debug.registerDebugAdapterDescriptorFactory('hyperport', factory));
}
