// A tree of sources under analysis: every file's own findings, and with an index over all of them the calls of wrappers.
// Text in, findings out: who reads the files and in which order is the caller's business.

import { fixesFor } from '../../fixes/fixes.ts';
import type { Grammars } from '../../syntax/grammars.ts';
import { unknownLanguage } from '../analyser.ts';
import { stringMacroSite } from '../c-sites.ts';
import { SourceDocument } from '../document.ts';
import { type Analysis, type Finding, type Language, languageOf, type Redirection, type Source } from '../finding.ts';
import { findingsOf } from '../findings.ts';
import type { Site } from '../site.ts';
import { callFindings, redirectionOf } from './calls.ts';
import { type Facts, factsOf } from './facts.ts';
import { ProjectIndex } from './index.ts';

/** One file of a tree as far as it can be known without the others. */
export interface Analysed {
  readonly facts: Facts;
  readonly sites: readonly Site[];
  readonly own: Analysis;
}

/**
 * The analysis of a tree in three rounds, each over all files: `outline` (macros of every file), `analyse` (instructions, with those macros known),
 * `withCalls` (calls, with every wrapper known). A file that changes goes through the last two again.
 */
export class ProjectAnalysis {
  readonly index: ProjectIndex;
  readonly #grammars: Grammars;
  /** Macros of strings that some asm template is made of. */
  readonly #used = new Set<string>();

  /** `label`: how messages show a path. */
  constructor(grammars: Grammars, label: (path: string) => string = (path) => path) {
    this.#grammars = grammars;
    this.index = new ProjectIndex(label);
  }

  outline({ path, text, language = languageOf(path, text) ?? undefined }: Source): void {
    if (language) this.index.set(factsOf(path, text, language, []));
  }

  /** Null for a file of no known language. */
  analyse(source: Source, fixes = true): Analysed | null {
    const { path, text, language = languageOf(path, text) } = source;
    if (!language) return null;
    const template = (name: string) => this.index.template(name, path);
    const document = new SourceDocument(this.#grammars, text, { language, masm: source.masm ?? 'att', template });
    try {
      const { sites } = document;
      for (const name of document.usedMacros) this.#used.add(name);
      const findings = findingsOf(
        sites,
        document.macros.constants,
        text,
        fixes ? (site, subject) => fixesFor(document, site, subject) : null,
      );
      return this.keep(path, text, language, sites, { findings, warnings: document.warnings });
    } finally {
      document.dispose();
    }
  }

  /** Takes what an open document has found by itself. */
  keep(path: string, text: string, language: Language, sites: readonly Site[], own: Analysis): Analysed {
    const facts = factsOf(path, text, language, sites);
    this.index.set(facts);
    return { facts, sites, own };
  }

  /** The file's own findings without what is redirected, and those of calls. */
  withCalls({ facts, sites, own }: Analysed, text: string): Analysis {
    const { index } = this;
    const isAssembly = facts.language === 'gas' || facts.language === 'nasm';
    const redirected: Redirection[] = sites.flatMap(
      (site) => ((isAssembly || site.redirected) && redirectionOf(index, facts.path, site)) || [],
    );
    const gone = new Set(redirected.map(({ start }) => start));
    const calls = callFindings(index, { facts, text, sites });
    const parts = facts.language === 'c' ? this.#templateParts(facts, sites, text) : [];
    const findings = [...own.findings.filter(({ start }) => !gone.has(start)), ...calls, ...parts].sort((a, b) => a.start - b.start);
    return { findings, warnings: own.warnings, redirected };
  }

  /** Instructions in macros of strings, which are nothing by themselves and part of an asm statement elsewhere. */
  #templateParts(facts: Facts, sites: readonly Site[], text: string): Finding[] {
    return facts.definitions.flatMap((definition) => {
      const { bodyStart, end } = definition;
      if (definition.template === undefined || !definition.template.includes('"') || !this.#used.has(definition.name)) return [];
      if (sites.some((site) => site.start >= bodyStart && site.start < end)) return [];
      const file = {
        grammars: this.#grammars,
        text,
        code: text,
        masm: 'att' as const,
        strings: NO_CONSTANTS,
        constants: NO_CONSTANTS,
        template: () => null,
        use: () => undefined,
        mayRecover: () => false,
      };
      const site = stringMacroSite(file, bodyStart, end);
      return site ? findingsOf([site], NO_CONSTANTS, text, null) : [];
    });
  }
}

const NO_CONSTANTS: ReadonlyMap<string, string> = new Map();

/** The analysis of all of `sources`, in their order. */
export function* analyseProject(grammars: Grammars, sources: readonly Source[]): Generator<{ source: Source; analysis: Analysis }> {
  const project = new ProjectAnalysis(grammars);
  for (const source of sources) project.outline(source);
  const done = sources.map((source) => project.analyse(source));
  for (const [i, source] of sources.entries()) {
    const each = done[i];
    yield { source, analysis: each ? project.withCalls(each, source.text) : unknownLanguage(source) };
  }
}
