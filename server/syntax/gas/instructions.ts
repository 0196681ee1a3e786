// Reads instructions out of a tree of the assembly grammar.

import type { Node } from 'web-tree-sitter';
import type { Dialect, Instruction } from '../instruction.ts';
import { classifyOperand } from './operand.ts';

/** Maps a range of the parsed text to the source file; the identity for a file parsed as it is. */
export type SourceRange = (start: number, end: number) => readonly [number, number];

const show = (text: string): string =>
  text
    .replace(/\uE001/g, '%')
    .replace(/\\\r?\n/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** Null for a statement that has no mnemonic: a lone prefix or a macro of the preprocessor. */
export function readInstruction(node: Node, dialect: Dialect, toSource: SourceRange): Instruction | null {
  const mnemonic = node.childForFieldName('mnemonic');
  if (!mnemonic) return null;
  const prefixes: string[] = [];
  const operands: string[] = [];
  for (const child of node.namedChildren) {
    if (child.type === 'prefix') prefixes.push(child.text.toLowerCase());
    else if (child.type === 'operands') operands.push(...operandTexts(child));
  }
  const classified = operands.map((text) => classifyOperand(text, dialect));
  const name = mnemonic.text.toLowerCase();
  const [start, end] = toSource(node.startIndex, node.endIndex);
  const text = show([...prefixes, mnemonic.text, operands.map(show).join(',')].join(' '));
  return { mnemonic: name, prefixes, operands: dialect === 'att' ? classified.reverse() : classified, dialect, text, start, end };
}

/** The operands between commas; what stands between two commas is one operand however many nodes the grammar made of it. */
function operandTexts(operands: Node): string[] {
  return operands.namedChildren.filter((child) => child.type === 'operand').map((child) => child.text);
}

/** All instructions below `root`, in order. */
export function allInstructions(root: Node, dialect: Dialect, toSource: SourceRange): Instruction[] {
  const found: Instruction[] = [];
  let current = dialect;
  for (const node of root.namedChildren) {
    if (node.type === 'directive') current = dialectAfter(node.text, current);
    if (node.type !== 'instruction') continue;
    const instruction = readInstruction(node, current, toSource);
    if (instruction) found.push(instruction);
  }
  return found;
}

/** The dialect after a directive. */
export function dialectAfter(directive: string, before: Dialect): Dialect {
  if (/^\.intel_syntax\b/.test(directive)) return 'intel';
  return /^\.att_syntax\b/.test(directive) ? 'att' : before;
}

/** The instruction node that starts at or contains `offset`, or null (a comment, an operand of something else, an error). */
export function instructionAt(root: Node, offset: number): Node | null {
  let node: Node | null = root.descendantForIndex(offset);
  for (let up = 0; node && up < 4; up++, node = node.parent) if (node.type === 'instruction') return node;
  return null;
}
