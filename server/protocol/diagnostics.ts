// Diagnostics of open documents: pulled by a client that can, pushed to any other, never both.

import { type Connection, type Diagnostic, DocumentDiagnosticReportKind, type TextDocuments } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { diagnosticOf, warningDiagnostic } from './convert.ts';
import type { Documents } from './documents.ts';
import type { Settings } from './settings.ts';

/** Time without a change after which diagnostics are pushed. */
const DEBOUNCE_MS = 5;

export interface DiagnosticsOptions {
  readonly pull: boolean;
  /** The client takes workspace/diagnostic/refresh. */
  readonly canRefresh: boolean;
  readonly ruleLink: string;
  /** Fulfilled when the client's settings are known for the first time. */
  readonly ready: Promise<void>;
}

export class Diagnostics {
  readonly #connection: Connection;
  readonly #texts: TextDocuments<TextDocument>;
  readonly #documents: Documents;
  readonly #settings: Settings;
  readonly #options: DiagnosticsOptions;
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    connection: Connection,
    texts: TextDocuments<TextDocument>,
    documents: Documents,
    settings: Settings,
    options: DiagnosticsOptions,
  ) {
    this.#connection = connection;
    this.#texts = texts;
    this.#documents = documents;
    this.#settings = settings;
    this.#options = options;
    if (options.pull) {
      connection.languages.diagnostics.on(async ({ textDocument }) => {
        await options.ready;
        const document = texts.get(textDocument.uri);
        return { kind: DocumentDiagnosticReportKind.Full, items: document ? this.of(document) : [] };
      });
    } else {
      texts.onDidChangeContent(({ document }) => this.#pushSoon(document.uri));
    }
    texts.onDidClose(({ document }) => {
      this.#cancel(document.uri);
      documents.close(document.uri);
      if (!options.pull) void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
    });
  }

  of(document: TextDocument): Diagnostic[] {
    if (!this.#settings.status.enabled) return [];
    const analysis = this.#documents.analysis(document, this.#settings.masm);
    if (!analysis) return [];
    const { lines } = analysis.source;
    return [
      ...analysis.findings.map((finding) => diagnosticOf(lines, finding, this.#options.ruleLink)),
      ...analysis.warnings.map((warning) => warningDiagnostic(lines, warning)),
    ];
  }

  /** After a change of settings: everything open is looked at again. */
  refresh(): void {
    if (!this.#options.pull) for (const document of this.#texts.all()) this.#pushSoon(document.uri);
    else if (this.#options.canRefresh) this.#connection.languages.diagnostics.refresh();
  }

  #pushSoon(uri: string): void {
    this.#cancel(uri);
    this.#waiting.set(
      uri,
      setTimeout(() => {
        this.#waiting.delete(uri);
        const document = this.#texts.get(uri);
        if (document) void this.#connection.sendDiagnostics({ uri, version: document.version, diagnostics: this.of(document) });
      }, DEBOUNCE_MS),
    );
  }

  #cancel(uri: string): void {
    clearTimeout(this.#waiting.get(uri));
    this.#waiting.delete(uri);
  }
}
