// What fixes know of a whole file (its indentation, declarations, code size) is found out once for a text, not once for a fix.

import type { SourceDocument } from '../analysis/document.ts';

const known = new WeakMap<SourceDocument, { text: string; facts: Map<string, unknown> }>();

/** The fact of that name about the document's present text. */
export function fact<T>(document: SourceDocument, name: string, find: (text: string) => T): T {
  let entry = known.get(document);
  if (entry?.text !== document.text) {
    entry = { text: document.text, facts: new Map() };
    known.set(document, entry);
  }
  if (!entry.facts.has(name)) entry.facts.set(name, find(document.text));
  return entry.facts.get(name) as T;
}

/** Lines of this length are made by programs: they get no fixes, which are for people. */
const LONGEST_LINE = 4000;

export function onLongLine(text: string, offset: number): boolean {
  const from = Math.max(0, offset - LONGEST_LINE);
  return (
    (from > 0 && !text.slice(from, offset).includes('\n')) ||
    (offset + LONGEST_LINE < text.length && !text.slice(offset, offset + LONGEST_LINE).includes('\n'))
  );
}
