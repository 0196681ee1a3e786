// Reads an expression with C's precedences. Casts name a type with a keyword or with a `*`: `(struct page *)p`, `(u64 *)$rsp`.

import { UserError } from '../errors.ts';
import { type Token, tokenize } from './lexer.ts';
import type { BinaryOperator, Expression, TypeName, UnaryOperator } from './syntax.ts';

const precedence: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '<=': 7,
  '>': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};
const tags = new Set(['struct', 'union', 'enum']);
const keywords = new Set(['unsigned', 'signed', 'char', 'short', 'int', 'long', 'void', 'float', 'double', '_Bool', 'bool']);
const qualifiers = new Set(['const', 'volatile', 'restrict']);
const deepest = 200;

class Parser {
  private readonly text: string;
  private readonly tokens: readonly Token[];
  private next = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokenize(text);
  }

  whole(): Expression {
    if (this.peek().kind === 'end') throw new UserError('The expression is empty.');
    const expression = this.conditional();
    const rest = this.peek();
    if (rest.kind === 'sign' && rest.text === '=') throw new UserError(`'=' at column ${rest.at + 1} would assign; write '==' to compare.`);
    if (rest.kind !== 'end') throw this.unexpected(rest, 'an operator or the end');
    return expression;
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)]!;
  }
  private isSign(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'sign' && token.text === text;
  }
  private accept(text: string): boolean {
    if (!this.isSign(text)) return false;
    this.next++;
    return true;
  }
  private expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected(this.peek(), `'${text}'`);
  }
  private unexpected(token: Token, wanted: string): UserError {
    const got = token.kind === 'end' ? 'the end' : `'${token.text}'`;
    return new UserError(`Expected ${wanted} but found ${got} at column ${token.at + 1} of '${this.text}'.`);
  }

  private conditional(): Expression {
    if (++this.depth > deepest) throw new UserError(`The expression is nested deeper than ${deepest} levels.`);
    let result = this.binary(1);
    if (this.accept('?')) {
      const then = this.conditional();
      this.expect(':');
      result = { kind: 'conditional', test: result, then, otherwise: this.conditional() };
    }
    this.depth--;
    return result;
  }

  private binary(lowest: number): Expression {
    let left = this.unary();
    for (;;) {
      const token = this.peek();
      const level = token.kind === 'sign' ? precedence[token.text] : undefined;
      if (level === undefined || level < lowest) return left;
      this.next++;
      left = { kind: 'binary', operator: token.text as BinaryOperator, left, right: this.binary(level + 1) };
    }
  }

  private unary(): Expression {
    if (++this.depth > deepest) throw new UserError(`The expression is nested deeper than ${deepest} levels.`);
    try {
      const token = this.peek();
      if (token.kind === 'sign' && '-+~!*&'.includes(token.text) && token.text.length === 1) {
        this.next++;
        return { kind: 'unary', operator: token.text as UnaryOperator, operand: this.unary() };
      }
      if (token.kind === 'name' && token.text === 'sizeof') return this.sizeof();
      if (this.isSign('(')) {
        const type = this.typeInParentheses(true);
        if (type) return { kind: 'cast', type, operand: this.unary() };
      }
      return this.postfix();
    } finally {
      this.depth--;
    }
  }

  private sizeof(): Expression {
    this.next++;
    const type = this.isSign('(') ? this.typeInParentheses(false) : null;
    return { kind: 'sizeof', operand: type ?? this.unary() };
  }

  /** `(type)` at the cursor, or null with the cursor unmoved. */
  private typeInParentheses(cast: boolean): TypeName | null {
    const start = this.next++;
    const words: string[] = [];
    let sure = false;
    for (let token = this.peek(); token.kind === 'name'; token = this.peek()) {
      if (tags.has(token.text) || keywords.has(token.text) || qualifiers.has(token.text)) sure = true;
      else if (words.length && !tags.has(words[words.length - 1]!)) break;
      if (!qualifiers.has(token.text)) words.push(token.text);
      this.next++;
    }
    let pointers = 0;
    while (words.length && this.accept('*')) pointers++;
    if (words.length && this.accept(')')) {
      const after = this.peek();
      const starts = after.kind !== 'end' && (after.kind !== 'sign' || after.text === '(');
      if (sure || pointers > 0 || (cast && starts && after.kind !== 'sign')) return { base: words.join(' '), pointers };
    }
    this.next = start;
    return null;
  }

  private postfix(): Expression {
    let object = this.primary();
    for (;;) {
      if (this.accept('[')) {
        const index = this.conditional();
        this.expect(']');
        object = { kind: 'index', object, index };
      } else if (this.isSign('.') || this.isSign('->')) {
        const arrow = this.peek().text === '->';
        this.next++;
        const name = this.peek();
        if (name.kind !== 'name') throw this.unexpected(name, 'the name of a member');
        this.next++;
        object = { kind: 'member', object, name: name.text, arrow };
      } else if (this.isSign('(')) throw new UserError(`Functions cannot be called ('(' at column ${this.peek().at + 1}).`);
      else return object;
    }
  }

  private primary(): Expression {
    const token = this.peek();
    this.next++;
    if (token.kind === 'number') return { kind: 'number', value: token.value };
    if (token.kind === 'string') return { kind: 'string', value: token.value };
    if (token.kind === 'name') return { kind: 'name', name: token.text };
    if (token.kind === 'register') return { kind: 'register', name: token.text };
    if (token.kind === 'sign' && token.text === '(') {
      const inner = this.conditional();
      this.expect(')');
      return inner;
    }
    throw this.unexpected(token, 'a value');
  }
}

/** Throws UserError that says what is wrong and where. */
export const parseExpression = (text: string): Expression => new Parser(text).whole();
