// The command 'Explain Xen Log': what the selected lines, the open log or the clipboard say, as a page beside the editor. Works without
// any debug session; the kernel of the workspace's launch configuration names the guest's addresses.

import * as vscode from 'vscode';
import { findRule } from '../abi/rules/catalogue.ts';
import { explainLog } from '../explain/log/log.ts';
import { logAsMarkdown } from '../explain/log/report.ts';
import { type LogSymbols, symbolsOfKernel } from '../explain/log/symbols.ts';
import { RULE_LINK } from './rules.ts';

const SCHEME = 'hyperport-log';
const LARGEST_KERNEL = 512 << 20;

export function registerExplainLog(context: vscode.ExtensionContext): void {
  const pages = new Map<string, string>();
  let count = 0;
  const explain = async (given?: unknown) => {
    const source = typeof given === 'string' ? { text: given, from: 'the text given' } : await chooseText();
    if (source.text.trim() === '')
      return void vscode.window.showWarningMessage('Hyperport: there is no log to explain. Select lines of it, open it, or copy it first.');
    const { symbols, remark } = await kernelSymbols();
    const explanation = explainLog(source.text, symbols);
    if (explanation.notes.length === 0)
      return void vscode.window.showWarningMessage(
        `Hyperport: nothing of Xen's was recognized in ${source.from}. Take lines of xl dmesg, of the serial console or of debug keys.`,
      );
    const remarks = remark ? [...explanation.remarks, remark] : explanation.remarks;
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/Xen log ${++count}.md` });
    // The last few stay, so that going back to a page works.
    pages.delete([...pages.keys()][pages.size - 8] ?? '');
    pages.set(uri.path, logAsMarkdown({ ...explanation, remarks }, linkOf));
    await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
    return uri;
  };
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: (uri) => pages.get(uri.path) ?? 'This page is gone: run Explain Xen Log again.',
    }),
    vscode.commands.registerCommand('hyperport.explainXenLog', explain),
  );
}

const linkOf = (rule: string): string => `${RULE_LINK}${findRule(rule)?.page.replace(/\.md$/, '') ?? rule}`;

/** The selection; the whole editor when something of Xen's stands in it; else the clipboard. */
async function chooseText(): Promise<{ text: string; from: string }> {
  const editor = vscode.window.activeTextEditor;
  const selected = editor?.document.getText(editor.selection) ?? '';
  if (selected.trim() !== '') return { text: selected, from: 'the selection' };
  const whole = editor?.document.getText() ?? '';
  if (/\(XEN\)/.test(whole)) return { text: whole, from: 'the editor' };
  const copied = await vscode.env.clipboard.readText();
  if (copied.trim() !== '') return { text: copied, from: 'the clipboard' };
  return { text: whole, from: 'the editor' };
}

/** Symbols of the kernel that the workspace's launch configurations boot, when they name one that is there. */
async function kernelSymbols(): Promise<{ symbols: LogSymbols | null; remark?: string }> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder || !vscode.workspace.isTrusted) return { symbols: null };
  const configurations =
    vscode.workspace.getConfiguration('launch', folder.uri).get<readonly Record<string, unknown>[]>('configurations') ?? [];
  const programs = new Set(
    configurations.filter((c) => c.type === 'hyperport' && typeof c.program === 'string').map((c) => String(c.program)),
  );
  const [program] = programs;
  if (program === undefined) return { symbols: null };
  if (programs.size > 1)
    return { symbols: null, remark: 'launch.json names several kernels: addresses are not named, since any of them may have run.' };
  const path = program.replace(/\$\{workspaceFolder\}\/?/, '');
  const uri = path.startsWith('/') ? folder.uri.with({ path }) : vscode.Uri.joinPath(folder.uri, path);
  try {
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > LARGEST_KERNEL) return { symbols: null, remark: `${path} is too large for a kernel: addresses are not named.` };
    return {
      symbols: symbolsOfKernel(await vscode.workspace.fs.readFile(uri)),
      remark: `Addresses are those of ${path}, the kernel of launch.json.`,
    };
  } catch (error) {
    return {
      symbols: null,
      remark: `The kernel of launch.json could not be read (${error instanceof Error ? error.message : String(error)}).`,
    };
  }
}
