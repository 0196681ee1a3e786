// The fix of one instruction of an assembly source. AT&T syntax; registers and flags that the instruction keeps are kept.

import type { SourceDocument } from '../../analysis/document.ts';
import type { Fix, TextEdit } from '../../analysis/finding.ts';
import type { Hit, Site } from '../../analysis/site.ts';
import { fact } from '../facts.ts';
import { indentationAt, indentationStep, lineEndOf } from '../place.ts';
import { flagsPair } from './flags.ts';
import { type Flavour, flavourOf } from './flavour.ts';
import { idlePair } from './idle.ts';
import { SIMPLE } from './simple.ts';

export interface AsmLines {
  readonly title: string;
  readonly lines: readonly string[];
}

export type Rewrite = (hit: Hit, flavour: Flavour, document: SourceDocument, site: Site) => AsmLines | null;

export function instructionFix(document: SourceDocument, site: Site, hit: Hit): Fix | null {
  const { text } = document;
  if (hit.instruction.dialect !== 'att' || inDefine(text, site.start)) return null;
  const flavour = fact(document, `flavour ${site.codeBits}`, (all) => flavourOf(all, site.codeBits ?? 0));
  if (!flavour) return null;
  const pair = flagsPair(document, hit, flavour) ?? idlePair(document, hit, flavour);
  if (pair)
    return {
      title: pair.title,
      edits: pair.places.map(({ hit: { instruction }, lines }) => editOf(text, instruction.start, instruction.end, lines)),
    };
  const rewrite = Object.hasOwn(SIMPLE, hit.sensitive.rule) ? SIMPLE[hit.sensitive.rule]! : null;
  const made = rewrite?.(hit, flavour, document, site);
  return made ? { title: made.title, edits: [editOf(text, hit.instruction.start, hit.instruction.end, made.lines)] } : null;
}

/** Labels go to the margin, everything else gets the indentation of the instruction. No line: the statement goes, with its line if alone on it. */
function editOf(text: string, start: number, end: number, lines: readonly string[]): TextEdit {
  const eol = lineEndOf(text);
  if (lines.length === 0) return removalOf(text, start, end);
  const before = text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
  const indent = indentationAt(text, start) || (before === '' ? '' : indentationStep(text));
  // Behind a label or another statement of the same line the new lines start on their own.
  const lead = before.trim() === '' ? '' : eol + indent;
  return {
    start: lead === '' ? start : start - (before.length - before.trimEnd().length),
    end,
    text: lead + lines.join(`${eol}${indent}`).replaceAll(/[ \t]+(\d+:)(?=\r?\n|$)/g, '$1'),
  };
}

function removalOf(text: string, start: number, end: number): TextEdit {
  const line = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', end);
  const to = newline === -1 ? text.length : newline + 1;
  const alone = text.slice(line, start).trim() === '' && /^\s*(\/\*[^\n]*\*\/|\/\/[^\n]*|#[^\n]*)?\s*$/.test(text.slice(end, to));
  return alone ? { start: line, end: to, text: '' } : { start, end, text: 'nop' };
}

/** Lines of a #define cannot be replaced by lines: they would need continuations. */
function inDefine(text: string, at: number): boolean {
  let line = text.lastIndexOf('\n', at - 1) + 1;
  while (line > 1 && /\\[ \t]*\r?$/.test(text.slice(text.lastIndexOf('\n', line - 2) + 1, line - 1)))
    line = text.lastIndexOf('\n', line - 2) + 1;
  return /^[ \t]*#[ \t]*define\b/.test(text.slice(line, line + 40));
}
