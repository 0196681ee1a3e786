// Puts statements of C in the place of an asm statement.

import type { SourceDocument } from '../../analysis/document.ts';
import type { Fix } from '../../analysis/finding.ts';
import type { AsmStatement } from '../../syntax/c/asm-statement.ts';
import { fact } from '../facts.ts';
import { indentationAt, indentationStep, lineEndOf } from '../place.ts';

/** A statement, or one with a condition before it that goes on a line of its own. */
export type Line = string | { readonly when: string; readonly action: string };

const oneLine = (line: Line): string => (typeof line === 'string' ? line : `${line.when} ${line.action}`);

/** Null where statements cannot stand: in an expression or outside of functions. */
export function replaceStatement(document: SourceDocument, statement: AsmStatement, title: string, lines: readonly Line[]): Fix | null {
  const { placement, start, end } = statement;
  if (placement === 'expression' || placement === 'file') return null;
  const edit = (text: string): Fix => ({ title, edits: [{ start, end, text }] });
  if (placement === 'macro') {
    const only =
      lines.length === 1 && typeof lines[0] === 'string' ? lines[0].replace(/;$/, '') : `do { ${lines.map(oneLine).join(' ')} } while (0)`;
    return edit(statement.hasSemicolon ? `${only};` : only);
  }
  const indent = indentationAt(document.text, start);
  const step = fact(document, 'step', indentationStep);
  const eol = lineEndOf(document.text);
  const join = (by: string): string =>
    lines.flatMap((line) => (typeof line === 'string' ? [line] : [line.when, `${step}${line.action}`])).join(`${eol}${by}`);
  if (placement === 'block' || (lines.length === 1 && typeof lines[0] === 'string')) return edit(join(indent));
  const inner = indent + step;
  return edit(`{${eol}${inner}${join(inner)}${eol}${indent}}`);
}
