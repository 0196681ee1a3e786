// Part 1 of the demo: what the analyser says of the native sample, and one quick fix as a diff.

import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { analyse } from '../../server/analysis/analyser.ts';
import { type Finding, languageOf } from '../../server/analysis/finding.ts';
import { loadGrammars } from '../../server/syntax/grammars.ts';
import { LineIndex } from '../../server/syntax/lines.ts';

const FOLDER = 'samples/tinykernel/native';
/** Findings that are printed; the rest is counted. */
const SHOWN = 8;
/** The rule whose fix is shown: the one that is wrong when it only clears the mask. */
const FIX_OF = 'sti';

export async function showAnalysis(root: string): Promise<number> {
  const grammars = await loadGrammars((name) => readFile(join(root, 'dist', name)));
  const files = readdirSync(join(root, FOLDER)).filter((name) => languageOf(name) !== null);
  const found = files.flatMap((name) => {
    const text = readFileSync(join(root, FOLDER, name), 'utf8');
    const lines = new LineIndex(text);
    return analyse(grammars, { path: name, text }).findings.map((finding) => ({ name, text, lines, finding }));
  });
  const count = (severity: Finding['severity']) => found.filter(({ finding }) => finding.severity === severity).length;
  console.log(
    `${found.length} findings in ${files.length} files: ${count('silent')} silently wrong, ${count('fault')} fault, ${count('emulated')} emulated, ${count('idiom')} idioms. One of each rule:`,
  );
  const seen = new Set<string>();
  for (const { name, lines, finding } of found) {
    if (seen.size === SHOWN) break;
    if (seen.has(finding.rule)) continue;
    seen.add(finding.rule);
    console.log(`  ${name}:${lines.position(finding.start).line + 1}: ${finding.severity}: ${finding.instruction}`);
    console.log(`      ${finding.message.split('. ')[0]}.`);
  }
  const fixed = found.find(({ finding, name }) => finding.rule === FIX_OF && name.endsWith('.h') && finding.fixes.length > 0);
  if (!fixed) throw new Error(`the analyser offers no fix for ${FIX_OF} in the sample`);
  const { name, text, lines, finding } = fixed;
  const fix = finding.fixes[0]!;
  console.log(`\nThe quick fix '${fix.title}' of ${FOLDER}/${name}:${lines.position(finding.start).line + 1}:`);
  for (const line of diff(text, apply(text, fix.edits))) console.log(`  ${line}`);
  return found.length;
}

function apply(text: string, edits: Finding['fixes'][number]['edits']): string {
  let result = text;
  for (const { start, end, text: replacement } of [...edits].reverse()) result = result.slice(0, start) + replacement + result.slice(end);
  return result;
}

/** The lines that differ, with two lines around them; one hunk, as a fix changes one place. */
function diff(before: string, after: string): string[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let head = 0;
  while (a[head] === b[head]) head++;
  let tail = 0;
  while (a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const plain = (line: string) => `   ${line}`;
  return [
    ...a.slice(Math.max(0, head - 2), head).map(plain),
    ...a.slice(head, a.length - tail).map((line) => `-  ${line}`),
    ...b.slice(head, b.length - tail).map((line) => `+  ${line}`),
    ...a.slice(a.length - tail, a.length - tail + 2).map(plain),
  ];
}
