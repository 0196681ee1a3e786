// Open documents under analysis: each keeps its tree, and is brought up to date when someone asks.

import type { TextDocument } from 'vscode-languageserver-textdocument';
import { SourceDocument } from '../analysis/document.ts';
import { type Finding, type Language, languageOf, type Warning } from '../analysis/finding.ts';
import { findingsOf } from '../analysis/findings.ts';
import type { ProjectAnalysis } from '../analysis/project/project.ts';
import type { Grammars } from '../syntax/grammars.ts';
import type { WorkspaceIndex } from './workspace-index.ts';

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
  readonly #index: WorkspaceIndex;
  readonly #open = new Map<string, { version: number; masm: 'att' | 'intel'; project: ProjectAnalysis | null; analysis: OpenAnalysis }>();

  constructor(grammars: Grammars, index: WorkspaceIndex) {
    this.#grammars = grammars;
    this.#index = index;
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
      // Macros of other files become known with the index: the file is read anew with them.
      if (known.project === this.#index.project) {
        if (known.version === document.version) return known.analysis;
        known.analysis.source.update(document.getText());
        return this.#keep(document, masm, known.analysis.source);
      }
    }
    this.close(document.uri);
    return this.#keep(document, masm, this.#source(document, language, masm));
  }

  close(uri: string): void {
    this.#open.get(uri)?.analysis.source.dispose();
    this.#open.delete(uri);
  }

  #source(document: TextDocument, language: Language, masm: 'att' | 'intel'): SourceDocument {
    const index = this.#index.project?.index;
    const template = index ? { template: (name: string) => index.template(name, document.uri) } : {};
    return new SourceDocument(this.#grammars, document.getText(), { language, masm, ...template });
  }

  #keep(document: TextDocument, masm: 'att' | 'intel', source: SourceDocument): OpenAnalysis {
    const { project } = this.#index;
    const { sites, text, warnings } = source;
    const own = { findings: findingsOf(sites, source.macros.constants, text, null), warnings };
    const all = project ? project.withCalls(project.keep(document.uri, text, source.language, sites, own), text) : own;
    const analysis = { source, findings: all.findings, warnings };
    this.#open.set(document.uri, { version: document.version, masm, project, analysis });
    return analysis;
  }
}
