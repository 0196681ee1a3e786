// What keeps a file from being analysed: no text, no source, or a tree full of errors. Always warnings, never failures.

import type { Node } from 'web-tree-sitter';
import type { Language, Warning } from './finding.ts';

/** Beyond this a file is not parsed; no source file that people write comes near it. */
export const LARGEST = 64 << 20;

/** Lines of this length are no source: parsing them takes long and tells nothing. */
const LONGEST_LINE = 1 << 20;

function longestLine(text: string): number {
  let longest = 0;
  for (let start = 0, end = 0; end !== -1; start = end + 1) {
    end = text.indexOf('\n', start);
    longest = Math.max(longest, (end === -1 ? text.length : end) - start);
  }
  return longest;
}

/** Control characters that text does not have, and what decoding puts for a byte that is no UTF-8. */
const isOdd = (code: number): boolean => (code < 32 && !(code >= 9 && code <= 13) && code !== 27) || code === 127 || code === 0xfffd;

/** The reason not to parse the text at all, or null. */
export function refusalToParse(text: string): string | null {
  if (/^\s*$/.test(text)) return 'The file is empty: there is nothing to check.';
  if (text.length > LARGEST) return `The file has ${text.length} characters, more than the ${LARGEST} that are read. Check its parts.`;
  if (text.length > LONGEST_LINE && longestLine(text) > LONGEST_LINE) {
    return `The file has a line of more than ${LONGEST_LINE} characters: no source looks like that. It was not checked.`;
  }
  const head = text.slice(0, 65_536);
  let odd = 0;
  for (let i = 0; i < head.length; i++) if (isOdd(head.charCodeAt(i))) odd++;
  if (head.includes('\0') || odd > head.length / 50)
    return 'This is not text: it has bytes that no source file has. Is it a compiled or compressed file?';
  return null;
}

export interface ParseError {
  readonly start: number;
  readonly end: number;
}

/** What the parser could not make sense of in the top-level items between `from` and `to`. */
export function findErrors(root: Node, language: Language, text: string, from = 0, to = text.length): ParseError[] {
  const errors: ParseError[] = [];
  if (!root.hasError) return errors;
  const c = language === 'c' ? text : null;
  if (root.type === 'ERROR' || (from === 0 && to >= text.length)) collectErrors(root, errors, 0, c);
  else {
    for (let item = root.firstChildForIndex(from); item && item.startIndex <= to; item = item.nextSibling)
      if (item.hasError) collectErrors(item, errors, 1, c);
  }
  return errors;
}

/** The warnings about a file's errors: of the whole file when they are much of it, in assembly place by place. */
export function treeTrouble(errors: readonly ParseError[], language: Language, text: string): Warning[] {
  const { length } = text;
  const bytes = errors.reduce((sum, { start, end }) => sum + end - start, 0);
  if (bytes > length / 4) {
    const percent = Math.round((100 * bytes) / length);
    return [
      {
        start: 0,
        end: Math.min(length, 1),
        message: `${percent} % of this file could not be parsed as ${language === 'c' ? 'C' : 'assembly'}; instructions there may be missed.`,
      },
    ];
  }
  // The macros of a kernel leave an error in most C files, and asm statements are recovered from them: one warning is enough there.
  const shown =
    language === 'c'
      ? errors.slice(0, 1)
      : errors.filter(({ start }, i) => i === 0 || text.slice(errors[i - 1]!.start, start).includes('\n'));
  const more =
    language === 'c' && errors.length > 1 ? ` Nor could ${errors.length >= MOST ? 'many' : errors.length - 1} other places.` : '';
  return shown.map(({ start, end }) => ({
    start,
    end: Math.max(end, start + 1),
    message: `This could not be parsed; instructions in it may be missed.${more}`,
  }));
}

/** Errors that are looked for at a time. */
const MOST = 100;

/** Attributes and the like that hide behind a macro: harmless where they stand, since nothing else is lost with them. */
const UNKNOWN_MACRO = /^[A-Za-z_]\w*(\s*\([\w\s,"]*\))?$/;

/** An error that is such a macro, or a semicolon that is missed before one. */
const isUnknownMacro = (node: Node, text: string): boolean =>
  node.isMissing
    ? /^\s*[A-Z_][A-Z0-9_]+\b/.test(text.slice(node.endIndex, node.endIndex + 60))
    : node.endIndex - node.startIndex < 100 && UNKNOWN_MACRO.test(node.text);

function collectErrors(node: Node, into: ParseError[], depth: number, c: string | null): void {
  if (into.length >= MOST || depth > 200) return;
  if (node.type === 'ERROR' || node.isMissing) {
    if (c === null || !isUnknownMacro(node, c)) into.push({ start: node.startIndex, end: node.endIndex });
    return;
  }
  for (const child of node.children) if (child.hasError) collectErrors(child, into, depth + 1, c);
}
