// Findings of a small source, in a form that reads well in an expectation.

import { analyse } from '../../server/analysis/analyser.ts';
import type { Source } from '../../server/analysis/finding.ts';
import { LineIndex } from '../../server/syntax/lines.ts';
import { testGrammars } from './load.ts';

/** 'line:column rule "source text"', lines and columns from 1. */
export async function found(path: string, text: string, more: Partial<Source> = {}): Promise<string[]> {
  const { findings } = analyse(await testGrammars(), { path, text, ...more });
  const lines = new LineIndex(text);
  return findings.map(({ start, end, rule }) => {
    const { line, column } = lines.position(start);
    return `${line + 1}:${column + 1} ${rule} ${JSON.stringify(text.slice(start, end))}`;
  });
}

export const warningsOf = async (path: string, text: string): Promise<string[]> =>
  analyse(await testGrammars(), { path, text }).warnings.map(({ message }) => message);
