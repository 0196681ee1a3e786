// Compares the analyser's findings in a tree with what the tree's binaries hold.

import { analyseProject } from '../../server/analysis/project/project.ts';
import { LineIndex } from '../../server/syntax/lines.ts';
import { testGrammars } from '../../test/server/load.ts';
import { mnemonicOf, stem } from './sensitive.ts';
import type { Place, Truth } from './sites.ts';
import { type SourceText, statementAt } from './source-text.ts';
import type { Tree } from './tree.ts';

export interface Miss {
  readonly at: string;
  readonly instruction: string;
  readonly cause: string;
}

export interface Report {
  readonly name: string;
  readonly version: string;
  readonly sites: number;
  readonly sitesFound: number;
  readonly calls: number;
  readonly callsFound: number;
  readonly findings: number;
  /** Of the found ones, those that the analyser holds for redirected. */
  readonly redirected: number;
  readonly data: number;
  readonly outside: number;
  readonly missedSites: readonly Miss[];
  readonly missedCalls: readonly Miss[];
  readonly siteList: readonly string[];
  readonly callList: readonly string[];
}

interface Covered {
  readonly stems: Set<string>;
  any: boolean;
}

export async function measure(tree: Tree, source: SourceText, truth: Truth): Promise<Report> {
  const grammars = await testGrammars();
  const covered = new Map<string, Covered>();
  let findings = 0;
  const cover = (file: string, from: number, to: number, name: string | null): void => {
    for (let line = from; line <= to; line++) {
      const key = `${file}:${line}`;
      const at = covered.get(key) ?? { stems: new Set<string>(), any: false };
      at.any = true;
      if (name) at.stems.add(name);
      covered.set(key, at);
    }
  };
  const sources = source.files.map((path) => ({ path, text: source.text(path) ?? '' }));
  let redirected = 0;
  for (const {
    source: { path, text },
    analysis,
  } of analyseProject(grammars, sources)) {
    const lines = new LineIndex(text);
    const mark = (start: number, end: number, instruction: string | null): void =>
      cover(path, lines.position(start).line + 1, lines.position(end).line + 1, instruction && stem(mnemonicOf(instruction)));
    findings += analysis.findings.length;
    redirected += analysis.redirected?.length ?? 0;
    for (const { start, end, instruction, kind } of analysis.findings) mark(start, end, kind ? null : instruction);
    for (const { start, end, instruction } of analysis.redirected ?? []) mark(start, end, instruction);
  }
  return compare(tree, source, truth, covered, findings, redirected);
}

function compare(
  tree: Tree,
  source: SourceText,
  truth: Truth,
  covered: ReadonlyMap<string, Covered>,
  findings: number,
  redirected: number,
): Report {
  const miss = ({ file, line, example }: Place, cause: string): Miss => ({
    at: `${file}:${line}`,
    instruction: example,
    cause,
  });
  // The debug information names the line at which a statement of C begins; the instruction may stand on a later one of it.
  const within = ({ file, line }: Place): Covered | null => {
    const lines = source.lines(file) ?? [];
    const length = /\.[ch]$/.test(file) && !/\\\s*$/.test(lines[line - 1] ?? '') ? statementAt(lines, line).length : 1;
    const all = Array.from({ length }, (_, i) => covered.get(`${file}:${line + i}`)).filter((each) => each !== undefined);
    return all.length === 0 ? null : { any: true, stems: new Set(all.flatMap(({ stems }) => [...stems])) };
  };
  const missedSites: Miss[] = [];
  const missedCalls: Miss[] = [];
  for (const place of truth.sites.values()) {
    const at = within(place);
    if (!at) missedSites.push(miss(place, 'nothing found on this line'));
    else if (![...place.stems].every((each) => at.stems.has(each)))
      missedSites.push(
        miss(place, `found ${[...at.stems].join(', ')}, not ${[...place.stems].filter((each) => !at.stems.has(each)).join(', ')}`),
      );
  }
  for (const place of truth.calls.values()) if (!within(place)) missedCalls.push(miss(place, 'nothing found on this line'));
  const unmapped = [...truth.unmapped].map(([at, sentence]): Miss => ({ at, instruction: '', cause: `not mapped: ${sentence}` }));
  const sites = truth.sites.size + unmapped.length;
  return {
    name: tree.name,
    version: tree.version,
    sites,
    sitesFound: truth.sites.size - missedSites.length,
    calls: truth.calls.size,
    callsFound: truth.calls.size - missedCalls.length,
    findings,
    redirected,
    data: truth.data,
    outside: truth.outside,
    missedSites: [...missedSites, ...unmapped],
    missedCalls,
    siteList: [...truth.sites.keys()].sort(),
    callList: [...truth.calls.keys()].sort(),
  };
}
