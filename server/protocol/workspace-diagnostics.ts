// Diagnostics of files that are not open, known since the workspace was analysed. Pulled or pushed, as those of open files.

import {
  type Connection,
  type Diagnostic,
  DocumentDiagnosticReportKind,
  type TextDocuments,
  type WorkspaceDocumentDiagnosticReport,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';

export class WorkspaceDiagnostics {
  readonly #connection: Connection;
  readonly #texts: TextDocuments<TextDocument>;
  readonly #pull: boolean;
  readonly #canRefresh: boolean;
  readonly #known = new Map<string, { resultId: string; diagnostics: Diagnostic[] }>();
  #round = 0;

  constructor(connection: Connection, texts: TextDocuments<TextDocument>, pull: boolean, canRefresh: boolean) {
    this.#connection = connection;
    this.#texts = texts;
    this.#pull = pull;
    this.#canRefresh = canRefresh;
    if (pull) {
      connection.languages.diagnostics.onWorkspace(({ previousResultIds }): { items: WorkspaceDocumentDiagnosticReport[] } => {
        const previous = new Map(previousResultIds.map(({ uri, value }) => [uri, value]));
        const gone = [...previous.keys()]
          .filter((uri) => !this.#known.has(uri))
          .map((uri): WorkspaceDocumentDiagnosticReport => ({ kind: DocumentDiagnosticReportKind.Full, uri, version: null, items: [] }));
        const now = [...this.#known].map(([uri, { resultId, diagnostics }]): WorkspaceDocumentDiagnosticReport => {
          if (previous.get(uri) === resultId) return { kind: DocumentDiagnosticReportKind.Unchanged, uri, version: null, resultId };
          return { kind: DocumentDiagnosticReportKind.Full, uri, version: null, resultId, items: diagnostics };
        });
        return { items: [...gone, ...now] };
      });
    }
    // An open file speaks for itself; what was known of it may be out of date when it is closed.
    texts.onDidOpen(({ document }) => this.#known.delete(document.uri));
  }

  /** A new analysis of the workspace begins. */
  start(): void {
    this.#round++;
    if (!this.#pull) for (const uri of this.#known.keys()) void this.#connection.sendDiagnostics({ uri, diagnostics: [] });
    this.#known.clear();
  }

  publish(uri: string, diagnostics: Diagnostic[]): void {
    if (this.#texts.get(uri) || diagnostics.length === 0) return;
    this.#known.set(uri, { resultId: `${this.#round}`, diagnostics });
    if (!this.#pull) void this.#connection.sendDiagnostics({ uri, diagnostics });
  }

  /** The analysis of the workspace ended. */
  finish(): void {
    if (this.#pull && this.#canRefresh) this.#connection.languages.diagnostics.refresh();
  }

  /** The analysis was turned off. */
  clear(): void {
    this.start();
    this.finish();
  }
}
