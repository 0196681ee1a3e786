// The face of the analysis: text in, findings out. Nothing below knows of the editor, files or clocks.

import { fixesFor } from '../fixes/fixes.ts';
import type { Grammars } from '../syntax/grammars.ts';
import { SourceDocument } from './document.ts';
import { type Analysis, languageOf, type Source } from './finding.ts';
import { findingsOf } from './findings.ts';

/** Every finding and warning of one source. Never throws for what the text holds; a path of no known language gives a warning. */
export function analyse(grammars: Grammars, source: Source): Analysis {
  const language = source.language ?? languageOf(source.path, source.text);
  if (!language) return unknownLanguage(source);
  const document = new SourceDocument(grammars, source.text, { language, masm: source.masm ?? 'att' });
  try {
    return analysisOf(document);
  } finally {
    document.dispose();
  }
}

/** The findings of an open document, with their fixes. */
export function analysisOf(document: SourceDocument): Analysis {
  return {
    findings: findingsOf(document.sites, document.macros.constants, document.text, (site, subject) => fixesFor(document, site, subject)),
    warnings: document.warnings,
  };
}

/** What is said of a file whose name tells no language. */
export const unknownLanguage = ({ text }: Source): Analysis => ({
  findings: [],
  warnings: [
    {
      start: 0,
      end: Math.min(1, text.length),
      message: 'The name says neither C (.c, .h) nor assembly (.S, .s, .asm, .inc): not checked.',
    },
  ],
});
