// Rule pages: a diagnostic's code links to vscode://hyperport.hyperport/rule/ID, which opens the page packed in the extension.

import * as vscode from 'vscode';

/** Start of every rule's address. The scheme is that of the running product: insiders builds and forks have their own. */
export const RULE_LINK = `${vscode.env.uriScheme}://hyperport.hyperport/rule/`;

export function registerRulePages(context: vscode.ExtensionContext): void {
  const open = async (rule: string) => {
    // A rule id is a name, never a path: anything else came from a forged link.
    if (!/^[a-z0-9][a-z0-9-]*$/.test(rule)) return void vscode.window.showWarningMessage('Hyperport: that link names no rule.');
    const page = vscode.Uri.joinPath(context.extensionUri, 'docs', 'rules', `${rule}.md`);
    try {
      await vscode.workspace.fs.stat(page);
    } catch {
      return void vscode.window.showWarningMessage(`Hyperport: there is no page for the rule '${rule}'.`);
    }
    await vscode.commands.executeCommand('markdown.showPreview', page);
  };
  context.subscriptions.push(
    vscode.window.registerUriHandler({ handleUri: (uri) => open(uri.path.replace(/^\/rule\//, '')) }),
    vscode.commands.registerCommand('hyperport.openRule', async (rule?: string) => {
      const chosen = rule ?? (await pickRule(context));
      if (chosen) await open(chosen);
    }),
  );
}

async function pickRule(context: vscode.ExtensionContext): Promise<string | undefined> {
  const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.joinPath(context.extensionUri, 'docs', 'rules'));
  const names = entries.flatMap(([name]) => (name.endsWith('.md') && name !== 'README.md' ? [name.slice(0, -3)] : [])).sort();
  return vscode.window.showQuickPick(names, { placeHolder: 'Rule' });
}
