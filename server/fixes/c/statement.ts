// The fix of one inline asm statement: chosen by the instructions of its whole template, so that nothing of it is lost.

import type { SourceDocument } from '../../analysis/document.ts';
import type { Fix } from '../../analysis/finding.ts';
import type { Hit, Site } from '../../analysis/site.ts';
import type { AsmStatement } from '../../syntax/c/asm-statement.ts';
import type { Instruction } from '../../syntax/instruction.ts';
import { eventMask } from './event-mask.ts';
import { type Line, replaceStatement } from './lines.ts';
import { memory } from './memory.ts';
import { portAccess } from './ports.ts';
import { segmentBase } from './segment-base.ts';
import { tables } from './tables.ts';

export interface Replacement {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** What every family of fixes gets. `names`: mnemonics without size suffix, in order. */
export interface AsmCase {
  readonly document: SourceDocument;
  readonly site: Site;
  readonly statement: AsmStatement;
  readonly instructions: readonly Instruction[];
  readonly names: string;
}

/** One family: a replacement, 'remove' for a statement that has no counterpart, or null when it is not of the family. */
export type Family = (asm: AsmCase) => Replacement | { readonly remove: string } | null;

const FAMILIES: readonly Family[] = [eventMask, memory, tables, segmentBase, portAccess];

/** Size suffixes off, and names that mean the same made one. */
const plain = (mnemonic: string): string => {
  const name = /^(pushf|popf|push|pop|mov|lgdt|lidt|ltr|in|out)[bwlqd]?$/.exec(mnemonic)?.[1] ?? mnemonic;
  return name === 'movabs' ? 'mov' : name;
};

/** The fix of the statement that holds a hit, or null. Every hit of a statement has the same fix: it replaces all of it. */
export function asmStatementFix(document: SourceDocument, site: Site, _hit: Hit): Fix | null {
  if (!site.asm) return null;
  const { statement, instructions } = site.asm;
  const asm: AsmCase = { document, site, statement, instructions, names: instructions.map(({ mnemonic }) => plain(mnemonic)).join(' ') };
  for (const family of FAMILIES) {
    const found = family(asm);
    if (!found) continue;
    return 'remove' in found
      ? replaceStatement(document, statement, found.remove, [';']) && removal(document, statement, found.remove)
      : replaceStatement(document, statement, found.title, found.lines);
  }
  return null;
}

/** Takes a statement away, with its line when it stands alone on it. */
export function removal(
  document: SourceDocument,
  statement: { readonly start: number; readonly end: number; readonly placement?: string },
  title: string,
): Fix {
  const { text } = document;
  if (statement.placement !== 'block' && statement.placement !== undefined)
    return { title, edits: [{ start: statement.start, end: statement.end, text: statement.placement === 'macro' ? '((void)0)' : ';' }] };
  const line = text.lastIndexOf('\n', statement.start - 1) + 1;
  const newline = text.indexOf('\n', statement.end);
  const to = newline === -1 ? text.length : newline + 1;
  const alone =
    text.slice(line, statement.start).trim() === '' && /^\s*(\/\*[^\n]*\*\/|\/\/[^\n]*)?\s*$/.test(text.slice(statement.end, to));
  return { title, edits: [alone ? { start: line, end: to, text: '' } : { start: statement.start, end: statement.end, text: ';' }] };
}
