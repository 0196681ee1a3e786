// The Hypercalls view: the last calls of the guest, decoded, newest first; a click shows the guest's source line.

import * as vscode from 'vscode';
import type { TraceEventBody } from '../../host/protocol.ts';

type HypercallRecord = Extract<TraceEventBody['records'][number], { kind: 'hypercall' }>;
type ArgValue = HypercallRecord['args'][string];
type Shown =
  | { readonly type: 'call'; readonly record: HypercallRecord }
  | { readonly type: 'value'; readonly name: string; readonly value: ArgValue };

/** A tree refresh per batch would flicker; the eye needs no more than this many a second. */
const REFRESH_MS = 200;

export class HypercallsView implements vscode.TreeDataProvider<Shown> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private records: HypercallRecord[] = [];
  private dropped = 0;
  private timer: NodeJS.Timeout | null = null;

  append(records: readonly HypercallRecord[], dropped: number): void {
    const keep = vscode.workspace.getConfiguration('hyperport').get<number>('trace.keep', 2000);
    this.records.push(...records);
    if (this.records.length > keep) this.records.splice(0, this.records.length - keep);
    this.dropped += dropped;
    this.refreshSoon();
  }
  clear(): void {
    this.records = [];
    this.dropped = 0;
    this.changed.fire(undefined);
  }
  message(): string | undefined {
    return this.dropped > 0 ? `${this.dropped} calls came faster than they could be shown.` : undefined;
  }
  getChildren(element?: Shown): Shown[] {
    if (!element) return this.records.map((record) => ({ type: 'call', record }) as const).reverse();
    const value = element.type === 'call' ? element.record.args : element.value;
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value as Record<string, ArgValue>).map(([name, child]) => ({ type: 'value', name, value: child }));
  }
  getTreeItem(element: Shown): vscode.TreeItem {
    return element.type === 'call' ? callItem(element.record) : valueItem(element.name, element.value);
  }
  private refreshSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.changed.fire(undefined);
    }, REFRESH_MS);
  }
}

function callItem(record: HypercallRecord): vscode.TreeItem {
  const name = record.operation === null ? record.name : `${record.name}.${record.operation}`;
  const result = record.ret === null ? '' : ` = ${record.ret}`;
  const item = new vscode.TreeItem(`${name}${result}`, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `call-${record.n}`;
  const place = record.source ? `${record.source.path.split(/[\\/]/).at(-1)}:${record.source.line}` : (record.rip ?? '');
  item.description = `i=${record.icount.toLocaleString('en-US')} ${place}`;
  const refused = record.reason !== null;
  item.iconPath = refused
    ? new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'))
    : new vscode.ThemeIcon('symbol-method');
  item.tooltip = new vscode.MarkdownString(tooltip(record, name));
  if (record.source) item.command = { command: 'hyperport.showHypercallSource', title: 'Show source', arguments: [record.source] };
  return item;
}

function tooltip(record: HypercallRecord, name: string): string {
  const lines = [`**${name}** d${record.domain}v${record.vcpu}, instruction ${record.icount.toLocaleString('en-US')}`];
  if (record.source?.name) lines.push(`called by \`${record.source.name}\``);
  if (record.reason) lines.push(`refused: ${record.reason}`);
  return lines.join('\n\n');
}

function valueItem(name: string, value: ArgValue): vscode.TreeItem {
  const nested = value !== null && typeof value === 'object';
  const state = nested ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None;
  const item = new vscode.TreeItem(nested ? name : `${name}: ${value}`, state);
  if (nested && Array.isArray(value)) item.description = `${value.length}`;
  return item;
}

export function registerHypercallsView(context: vscode.ExtensionContext): void {
  const provider = new HypercallsView();
  const view = vscode.window.createTreeView('hyperport.hypercalls', { treeDataProvider: provider, showCollapseAll: true });
  context.subscriptions.push(
    view,
    vscode.debug.onDidStartDebugSession(async (session) => {
      if (session.type !== 'hyperport') return;
      provider.clear();
      await session.customRequest('hyperport.subscribe', { kinds: ['hypercall'] }).then(undefined, () => undefined);
    }),
    vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
      if (session.type !== 'hyperport' || event !== 'hyperport.trace') return;
      const { records, dropped } = body as TraceEventBody;
      provider.append(
        records.filter((record): record is HypercallRecord => record.kind === 'hypercall'),
        dropped,
      );
      const message = provider.message();
      view.message = message ?? '';
    }),
    vscode.commands.registerCommand('hyperport.clearHypercalls', () => provider.clear()),
    vscode.commands.registerCommand('hyperport.showHypercallSource', async (source: { path: string; line: number }) => {
      const position = new vscode.Position(Math.max(0, source.line - 1), 0);
      await vscode.window.showTextDocument(vscode.Uri.file(source.path), {
        selection: new vscode.Range(position, position),
        preserveFocus: true,
      });
    }),
  );
}
