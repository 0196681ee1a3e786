// The C expressions behind the operands of an inline asm instruction.

import type { SourceDocument } from '../../analysis/document.ts';
import type { AsmOperand, AsmStatement } from '../../syntax/c/asm-statement.ts';
import type { Operand } from '../../syntax/instruction.ts';
import { fact } from '../facts.ts';

const LETTERS: Readonly<Record<string, RegExp>> = {
  a: /^([re]?ax|al)$/,
  b: /^([re]?bx|bl)$/,
  c: /^([re]?cx|cl)$/,
  d: /^([re]?dx|dl)$/,
  S: /^[re]?si$/,
  D: /^[re]?di$/,
};

/** The asm operand that an instruction's operand stands for: by number, by name, or by the register of a constraint. */
export function asmOperand(statement: AsmStatement, operand: Operand | undefined, output: boolean): AsmOperand | null {
  if (!operand) return null;
  if (operand.kind === 'template') {
    const found = statement.operands.find(({ name }, i) => name === operand.value || String(i) === operand.value);
    return found && found.output === output ? found : null;
  }
  const register = operand.register ?? /^\(%?(\w+)\)$/.exec(operand.text)?.[1];
  if (!register) return null;
  return byConstraint(statement, (letter) => LETTERS[letter]?.test(register) ?? false, output);
}

/** The operand with a one-register constraint: 'a' for "=a", "+a" and "a". */
export const byLetter = (statement: AsmStatement, letter: string, output: boolean): AsmOperand | null =>
  byConstraint(statement, (l) => l === letter, output);

function byConstraint(statement: AsmStatement, fits: (letter: string) => boolean, output: boolean): AsmOperand | null {
  return (
    statement.operands.find(
      (o) => o.output === output && o.constraint.replace(/[=+&%N]/g, '').length === 1 && fits(o.constraint.replace(/[=+&%N]/g, '')),
    ) ?? null
  );
}

/** The expression, in parentheses unless it is a name, a call, a member or in parentheses already. */
export function primary(expression: string): string {
  const text = expression.trim();
  return isPrimary(text) ? text : `(${text})`;
}

function isPrimary(text: string): boolean {
  if (/^[\w.]+$/.test(text) || /^\w+(?:(?:\.|->)\w+|\[\w+\])*$/.test(text)) return true;
  const call = /^\w*\(/.exec(text);
  if (!call) return false;
  let depth = 0;
  for (let i = call[0].length - 1; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i === text.length - 1;
  }
  return false;
}

/** Whether a plain name or an address is a pointer, as far as the file itself declares it. */
export function isPointer(document: SourceDocument, expression: string): boolean {
  const text = expression.trim();
  if (text.startsWith('&')) return true;
  if (!/^[A-Za-z_]\w*$/.test(text)) return false;
  const declared = new RegExp(`\\*\\s*(?:const\\s+)?${text}\\s*[;,=)\\[]|\\b${text}\\s*\\[[^\\]]*\\]\\s*(?:__\\w+[^;=]*)?[;=]`);
  return fact(document, `pointer ${text}`, (all) => declared.test(all));
}

/** An integer expression: a cast before what is a pointer. */
export const asInteger = (document: SourceDocument, expression: string): string =>
  isPointer(document, expression) ? `(unsigned long)${primary(expression)}` : primary(expression);

/** The expression whose memory an instruction names: X of `"m"(*X)` and of `(%0)` with `"r"(X)`; &X of `"m"(X)`. */
export function addressOperand(statement: AsmStatement, operand: Operand | undefined): string | null {
  if (!operand) return null;
  if (operand.kind === 'template') {
    const found = asmOperand(statement, operand, false);
    if (!found || !/m/.test(found.constraint)) return null;
    const through = /^\*\s*(?:\(\s*[\w\s]+\*+\s*(?:\(\*\))?\s*\)\s*)?(.+)$/s.exec(found.value.trim());
    return through ? through[1]!.trim() : `&${primary(found.value)}`;
  }
  const register = /^\(?%(?:(\w?\d+)|\[(\w+)\]|(\w+))\)?$/.exec(operand.text.replace(/\s/g, ''));
  const inner = register && operand.text.startsWith('(');
  if (!inner) return null;
  const named = register[2] ?? register[1]?.replace(/^[a-zA-Z]/, '');
  const found =
    named !== undefined
      ? statement.operands.find(({ name }, i) => name === named || String(i) === named)
      : asmOperand(statement, { kind: 'gpr', text: operand.text, register: register[3]! }, false);
  return found && !found.output ? found.value.trim() : null;
}
