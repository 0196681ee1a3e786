// A tree of sources under analysis: every file's own findings, and with an index over all of them the calls of wrappers.
// Text in, findings out: who reads the files and in which order is the caller's business.

import { fixesFor } from '../../fixes/fixes.ts';
import type { Grammars } from '../../syntax/grammars.ts';
import { SourceDocument } from '../document.ts';
import { type Analysis, type Language, languageOf, type Redirection, type Source } from '../finding.ts';
import { findingsOf } from '../findings.ts';
import type { Site } from '../site.ts';
import { callFindings, redirectionOf } from './calls.ts';
import { type Facts, factsOf } from './facts.ts';
import { ProjectIndex } from './index.ts';

export interface ProjectSource extends Source {
  readonly path: string;
}

interface Member {
  readonly source: ProjectSource;
  readonly language: Language;
}

/**
 * The analysis of all of `sources`, in their order, one at a time. Three rounds: macros of every file, instructions with those macros known,
 * calls with every wrapper known.
 */
export function* analyseProject(grammars: Grammars, sources: readonly ProjectSource[]): Generator<{ path: string; analysis: Analysis }> {
  const index = new ProjectIndex();
  const members = sources.map((source): Member | null => {
    const language = source.language ?? languageOf(source.path, source.text);
    return language ? { source, language } : null;
  });
  for (const member of members) if (member) index.set(factsOf(member.source.path, member.source.text, member.language, []));
  const done = members.map((member) => member && analyseMember(grammars, index, member));
  for (const each of done) if (each) index.set(each.facts);
  for (const [i, source] of sources.entries()) {
    const each = done[i];
    yield { path: source.path, analysis: each ? withCalls(index, each, source.text) : unknownLanguage(source) };
  }
}

interface Analysed {
  readonly facts: Facts;
  readonly sites: readonly Site[];
  readonly own: Analysis;
}

function analyseMember(grammars: Grammars, index: ProjectIndex, { source, language }: Member): Analysed {
  const { path, text } = source;
  const template = (name: string) => index.template(name, path);
  const document = new SourceDocument(grammars, text, { language, masm: source.masm ?? 'att', template });
  try {
    const { sites } = document;
    const own = {
      findings: findingsOf(sites, document.macros.constants, text, (site, subject) => fixesFor(document, site, subject)),
      warnings: document.warnings,
    };
    return { facts: factsOf(path, text, language, sites), sites, own };
  } finally {
    document.dispose();
  }
}

/** The file's own findings without what is redirected, and those of calls. */
export function withCalls(index: ProjectIndex, { facts, sites, own }: Analysed, text: string): Analysis {
  const isAssembly = facts.language === 'gas' || facts.language === 'nasm';
  const redirected: Redirection[] = sites.flatMap(
    (site) => ((isAssembly || site.redirected) && redirectionOf(index, facts.path, site)) || [],
  );
  const gone = new Set(redirected.map(({ start }) => start));
  const calls = callFindings(index, { facts, text, sites });
  const findings = [...own.findings.filter(({ start }) => !gone.has(start)), ...calls].sort((a, b) => a.start - b.start);
  return { findings, warnings: own.warnings, redirected };
}

const unknownLanguage = (source: Source): Analysis => ({
  findings: [],
  warnings: [
    {
      start: 0,
      end: Math.min(1, source.text.length),
      message: 'The name says neither C (.c, .h) nor assembly (.S, .s, .asm, .inc): not checked.',
    },
  ],
});
