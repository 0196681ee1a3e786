// Reads instructions out of a tree of the assembly grammar.

import type { Node } from 'web-tree-sitter';
import { decodeAny, newDecoded } from '../../../x86/decode.ts';
import { ROWS } from '../../../x86/rows.ts';
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

const decoded = newDecoded();

const BYTES = /^\.byte\s+((?:0x[0-9a-fA-F]{1,2}|\d{1,3})(?:\s*,\s*(?:0x[0-9a-fA-F]{1,2}|\d{1,3}))*)\s*$/;
const bytesOf = (node: Node | null): number[] =>
  node?.type === 'directive' ? (BYTES.exec(node.text)?.[1]?.split(',').map(Number) ?? []) : [];

/**
 * An instruction that is written as its bytes, `.byte 0x0f, 0x01, 0xd0`, because an assembler did not know it; null for other data. The last bytes may
 * stand in a directive of their own.
 */
export function readBytes(node: Node, toSource: SourceRange): Instruction | null {
  const first = bytesOf(node);
  if (first.length < 2 || first.length > 15 || !first.slice(0, -1).includes(0x0f)) return null;
  const status = decodeAny(Uint8Array.from(first), 0, first.length, 64, decoded);
  const bytes = status === 'truncated' ? [...first, ...bytesOf(node.nextNamedSibling)] : first;
  if (bytes.length > first.length && decodeAny(Uint8Array.from(bytes), 0, bytes.length, 64, decoded) !== 'ok') return null;
  if (bytes.length === first.length && status !== 'ok') return null;
  if (decoded.length !== bytes.length) return null;
  const [start, end] = toSource(node.startIndex, node.endIndex);
  const { mnemonic } = ROWS[decoded.row]!;
  const operands = decoded.count > 0 ? [{ kind: 'memory', text: '[rdi]' } as const] : [];
  return { mnemonic, prefixes: [], operands, dialect: 'intel', text: `${mnemonic} (${show(node.text)})`, start, end };
}

/** All instructions below `root`, in order. */
export function allInstructions(root: Node, dialect: Dialect, toSource: SourceRange): Instruction[] {
  const found: Instruction[] = [];
  let current = dialect;
  for (const node of root.namedChildren) {
    if (node.type === 'directive') current = dialectAfter(node.text, current);
    if (node.type !== 'instruction' && node.type !== 'directive') continue;
    const instruction = node.type === 'directive' ? readBytes(node, toSource) : readInstruction(node, current, toSource);
    if (instruction) found.push(instruction);
  }
  return found;
}

/** The dialect after a directive. */
export function dialectAfter(directive: string, before: Dialect): Dialect {
  if (/^\.intel_syntax\b/.test(directive)) return 'intel';
  return /^\.att_syntax\b/.test(directive) ? 'att' : before;
}

/** The instruction node, or directive of data, that starts at or contains `offset`, or null (a comment, an error). */
export function instructionAt(root: Node, offset: number): Node | null {
  let node: Node | null = root.descendantForIndex(offset);
  for (let up = 0; node && up < 5; up++, node = node.parent) if (node.type === 'instruction' || node.type === 'directive') return node;
  return null;
}
