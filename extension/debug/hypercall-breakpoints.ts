// 'Add Hypercall Breakpoint': offers every hypercall and sub-operation, virtual interrupts and exceptions, with a condition.
// They are function breakpoints with a name of the form class:what, so that VS Code lists, disables and stores them.

import * as vscode from 'vscode';
import { breakpointChoices } from './breakpoint-names.ts';

export function registerHypercallBreakpoints(context: vscode.ExtensionContext): void {
  context.subscriptions.push(vscode.commands.registerCommand('hyperport.addHypercallBreakpoint', add));
}

async function add(): Promise<void> {
  const chosen = await vscode.window.showQuickPick(breakpointChoices(), {
    title: 'Add Hypercall Breakpoint',
    placeHolder: 'Hypercall, event or exception to stop at',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (!chosen) return;
  const condition = await vscode.window.showInputBox({
    title: `Condition for ${chosen.label}`,
    prompt:
      'Over decoded arguments, for example: ret < 0, or args.ops[0].cmd == 3. Leave it empty to stop always. A condition with ret stops at exit.',
  });
  if (condition === undefined) return;
  const exists = vscode.debug.breakpoints.some(
    (b) => b instanceof vscode.FunctionBreakpoint && b.functionName === chosen.label && (b.condition ?? '') === condition,
  );
  if (!exists) vscode.debug.addBreakpoints([new vscode.FunctionBreakpoint(chosen.label, true, condition || undefined)]);
}
