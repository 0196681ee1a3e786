// Open documents under analysis: each keeps its tree, and is brought up to date when someone asks.

import type { TextDocument } from 'vscode-languageserver-textdocument';
import { SourceDocument } from '../analysis/document.ts';
import { type Finding, type Language, languageOf, type Warning } from '../analysis/finding.ts';
import { findingsOf } from '../analysis/findings.ts';
import type { Grammars } from '../syntax/grammars.ts';

/** The name decides first; a file without one that tells is taken for what the client calls its language. */
export function languageOfDocument(document: TextDocument): Language | null {
  const byName = languageOf(document.uri, document.getText());
  if (byName || /\.\w+$/.test(document.uri)) return byName;
  if (document.languageId === 'c') return 'c';
  if (document.languageId === 'nasm') return 'nasm';
  return document.languageId === 'gas' ? 'gas' : null;
}

export interface OpenAnalysis {
  readonly source: SourceDocument;
  /** Without fixes, which are made when someone asks for them. */
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

export class Documents {
  readonly #grammars: Grammars;
  readonly #open = new Map<string, { version: number; masm: 'att' | 'intel'; analysis: OpenAnalysis }>();

  constructor(grammars: Grammars) {
    this.#grammars = grammars;
  }

  /** The analysis of the document as it is now; null for one of another language. */
  analysis(document: TextDocument, masm: 'att' | 'intel'): OpenAnalysis | null {
    const language = languageOfDocument(document);
    const known = this.#open.get(document.uri);
    if (!language) {
      this.close(document.uri);
      return null;
    }
    if (known && known.masm === masm && known.analysis.source.language === language) {
      if (known.version === document.version) return known.analysis;
      known.analysis.source.update(document.getText());
      return this.#keep(document, masm, known.analysis.source);
    }
    this.close(document.uri);
    return this.#keep(document, masm, new SourceDocument(this.#grammars, document.getText(), { language, masm }));
  }

  close(uri: string): void {
    this.#open.get(uri)?.analysis.source.dispose();
    this.#open.delete(uri);
  }

  #keep(document: TextDocument, masm: 'att' | 'intel', source: SourceDocument): OpenAnalysis {
    const analysis = { source, findings: findingsOf(source.sites, source.macros.constants, source.text, null), warnings: source.warnings };
    this.#open.set(document.uri, { version: document.version, masm, analysis });
    return analysis;
  }
}
