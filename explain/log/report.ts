// An explanation of a log as text for a terminal, and as Markdown for an editor's preview.

import { findRule } from '../../abi/rules/catalogue.ts';
import type { LogExplanation, LogFrame, LogNote } from './note.ts';

/** 'docs/rules/refusals.md#bounce-stack': where the page of a rule lies below the product's folder; null: no such rule. */
export function rulePagePath(id: string): string | null {
  const rule = findRule(id);
  if (!rule) return null;
  return `docs/rules/${rule.page}${rule.page === `${id}.md` ? '' : `#${id}`}`;
}

const MARKS: Readonly<Record<LogFrame['certainty'], string>> = {
  exact: '',
  unwound: '',
  guess: ' (may be a caller: only found on the stack)',
};
const frameText = (f: LogFrame): string =>
  `${f.address} ${f.function}${f.file ? ` at ${f.file}:${f.line ?? '?'}` : ''}${MARKS[f.certainty]}`;
const linesText = (n: LogNote): string => (n.line === n.lastLine ? `${n.line}` : `${n.line}-${n.lastLine}`);

/** The same line again and again is explained once: how often each note's text came, and the first of each. */
function folded(notes: readonly LogNote[]): { note: LogNote; times: number }[] {
  const out = new Map<string, { note: LogNote; times: number }>();
  notes.forEach((note, i) => {
    const key = note.line === note.lastLine ? note.text : `${i}`;
    const known = out.get(key);
    if (known) known.times++;
    else out.set(key, { note, times: 1 });
  });
  return [...out.values()];
}

export function logAsText(explanation: LogExplanation): string {
  const { summary, notes, unread, remarks } = explanation;
  const out: string[] = [];
  if (summary.length) out.push('What happened:', ...summary.map((s) => `  ${s}`), '');
  for (const { note, times } of folded(notes)) {
    out.push(`${linesText(note)}: ${note.text.trim()}${times > 1 ? `  [${times} times]` : ''}`, `  ${note.says}`);
    const width = Math.min(20, Math.max(0, ...note.facts.map((f) => f.name.length)));
    for (const f of note.facts) out.push(`    ${f.name.padEnd(width)} ${f.value}: ${f.means}`);
    if (note.frames?.length) out.push('    in the kernel:', ...note.frames.map((f, i) => `      #${i} ${frameText(f)}`));
    if (note.advice) out.push(`  What to do: ${note.advice}`);
    const page = note.rule === undefined ? null : rulePagePath(note.rule);
    if (page) out.push(`  More: ${page}`);
    out.push('');
  }
  if (unread.length)
    out.push(
      `Not explained (${unread.length} ${unread.length === 1 ? 'line' : 'lines'} of Xen’s):`,
      ...unread.slice(0, 40).map((u) => `  ${u.line}: ${u.text}`),
      ...(unread.length > 40 ? [`  … and ${unread.length - 40} more`] : []),
      '',
    );
  out.push(...remarks.map((r) => `Note: ${r}`));
  return `${out.join('\n').trimEnd()}\n`;
}

/** Text that Markdown must not read as markup. */
const plain = (text: string): string => text.replace(/[\\`*_{}[\]()#+!|<>~]/g, '\\$&');
const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``;

/** `link`: address of a rule's page. */
export function logAsMarkdown(explanation: LogExplanation, link: (rule: string) => string): string {
  const { summary, notes, unread, remarks } = explanation;
  const out: string[] = ['# Xen log, explained', ''];
  if (summary.length) out.push('## What happened', '', ...summary.map((s) => `- ${plain(s)}`), '');
  if (remarks.length) out.push(...remarks.map((r) => `> ${plain(r)}`), '');
  if (notes.length) out.push('## Line by line', '');
  for (const { note, times } of folded(notes)) {
    out.push(`### Line ${linesText(note)}: ${code(note.text.trim())}${times > 1 ? ` (${times} times)` : ''}`, '', plain(note.says), '');
    if (note.facts.length) {
      out.push(
        '| | | |',
        '|---|---|---|',
        ...note.facts.map((f) => `| ${plain(f.name)} | ${code(f.value).replaceAll('|', '\\|')} | ${plain(f.means)} |`),
        '',
      );
    }
    if (note.frames?.length) out.push('In the kernel:', '', ...note.frames.map((f, i) => `${i + 1}. ${plain(frameText(f))}`), '');
    if (note.advice) out.push(`**What to do:** ${plain(note.advice)}`, '');
    if (note.rule && rulePagePath(note.rule)) out.push(`[More: rule ${plain(note.rule)}](${link(note.rule)})`, '');
  }
  if (unread.length) out.push('## Not explained', '', ...unread.map((u) => `- line ${u.line}: ${code(u.text)}`), '');
  return `${out.join('\n').trimEnd()}\n`;
}
