// The guest's console: one terminal per session and domain, raw keys in, bytes (with their escape sequences) out.

import * as vscode from 'vscode';
import type { ConsoleEventBody } from '../../host/protocol.ts';

class GuestConsole implements vscode.Pseudoterminal {
  private readonly writer = new vscode.EventEmitter<string>();
  private readonly closer = new vscode.EventEmitter<void>();
  readonly onDidWrite = this.writer.event;
  readonly onDidClose = this.closer.event;
  private readonly decoder = new TextDecoder('utf-8', { fatal: false });
  /** Output that came before the terminal was ready to show it. */
  private early: string[] | null = [];
  private live = true;

  private readonly send: (data: string) => void;

  constructor(send: (data: string) => void) {
    this.send = send;
  }

  open(): void {
    for (const text of this.early ?? []) this.writer.fire(text);
    this.early = null;
  }
  close(): void {
    this.live = false;
  }
  handleInput(data: string): void {
    if (this.live) this.send(data);
  }
  output(bytes: Uint8Array): void {
    this.show(this.decoder.decode(bytes, { stream: true }));
  }
  /** The guest is gone: the text stays readable, keys go nowhere. */
  ended(): void {
    this.live = false;
    this.show('\r\n\x1b[2m[the guest has ended]\x1b[0m\r\n');
  }
  private show(text: string): void {
    if (this.early) this.early.push(text);
    else this.writer.fire(text);
  }
}

export function registerGuestConsoles(context: vscode.ExtensionContext): void {
  const consoles = new Map<string, { readonly console: GuestConsole; readonly terminal: vscode.Terminal; readonly session: string }>();
  /** Terminals of guests that are gone; the next guest's console takes their place. */
  const left = new Set<vscode.Terminal>();
  const consoleOf = (session: vscode.DebugSession, domain: number) => {
    const key = `${session.id}/${domain}`;
    const known = consoles.get(key);
    if (known) return known;
    const console = new GuestConsole((data) => {
      const bytes = Buffer.from(data, 'utf8').toString('base64');
      void session.customRequest('hyperport.input', { domain, bytes }).then(undefined, () => undefined);
    });
    const terminal = vscode.window.createTerminal({
      name: `${domain === 0 ? 'dom0' : `domU ${domain}`} console`,
      pty: console,
      iconPath: new vscode.ThemeIcon('vm'),
    });
    for (const old of left) old.dispose();
    left.clear();
    terminal.show(true);
    const entry = { console, terminal, session: session.id };
    consoles.set(key, entry);
    return entry;
  };
  context.subscriptions.push(
    vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
      if (session.type !== 'hyperport' || event !== 'hyperport.console') return;
      const { domain, bytes } = body as ConsoleEventBody;
      consoleOf(session, domain).console.output(Buffer.from(bytes, 'base64'));
    }),
    vscode.debug.onDidTerminateDebugSession((session) => {
      for (const [key, entry] of consoles) {
        if (entry.session !== session.id) continue;
        entry.console.ended();
        left.add(entry.terminal);
        consoles.delete(key);
      }
    }),
    vscode.window.onDidCloseTerminal((terminal) => void left.delete(terminal)),
    vscode.commands.registerCommand('hyperport.showConsole', () => {
      const session = vscode.debug.activeDebugSession;
      const entry = [...consoles.values()].find((candidate) => candidate.session === session?.id) ?? [...consoles.values()].at(-1);
      if (entry) entry.terminal.show();
      else void vscode.window.showInformationMessage('Hyperport: no guest has written to its console yet.');
    }),
  );
}
