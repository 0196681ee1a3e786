// The native sample as the analyser sees it: its sources, findings, and the sources with every quick fix applied.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyse } from '../../server/analysis/analyser.ts';
import type { Finding, TextEdit } from '../../server/analysis/finding.ts';
import { testGrammars } from '../server/load.ts';

export const tinykernel = fileURLToPath(new URL('../../samples/tinykernel', import.meta.url));

export interface AnalysedSource {
  file: string;
  text: string;
  findings: readonly Finding[];
  warnings: readonly string[];
}

export async function nativeSources(): Promise<AnalysedSource[]> {
  const grammars = await testGrammars();
  const files = readdirSync(join(tinykernel, 'native')).filter((file) => /\.[chS]$/.test(file));
  return files.map((file) => {
    const text = readFileSync(join(tinykernel, 'native', file), 'utf8');
    const { findings, warnings } = analyse(grammars, { path: file, text });
    return { file, text, findings, warnings: warnings.map(({ message }) => message) };
  });
}

/** 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The source with every finding's first fix applied. Findings of one statement share a fix: it is applied once. */
export function withEveryFix({ text, findings }: AnalysedSource): string {
  const edits = new Map<string, TextEdit>();
  for (const edit of findings.flatMap(({ fixes }) => fixes[0]?.edits ?? [])) edits.set(`${edit.start}-${edit.end}`, edit);
  let fixed = text;
  for (const { start, end, text: replacement } of [...edits.values()].sort((a, b) => b.start - a.start)) {
    fixed = fixed.slice(0, start) + replacement + fixed.slice(end);
  }
  return fixed;
}
