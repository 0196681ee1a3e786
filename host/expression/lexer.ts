// Cuts an expression into tokens.

import { UserError } from '../errors.ts';
import { parseInteger } from '../numbers.ts';

export type Token = { readonly at: number } & (
  | { readonly kind: 'number'; readonly value: bigint; readonly text: string }
  | { readonly kind: 'string'; readonly value: string; readonly text: string }
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'register'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'end'; readonly text: '' }
);

const longest = 2000;
const pattern =
  /\s+|(?<number>0x[0-9a-f]+[ul]*|[0-9][0-9a-z]*)|(?<register>[$%][a-z_][a-z0-9_]*)|(?<name>[a-z_][a-z0-9_]*)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<sign>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>=!&|^~?:()[\].,])/iy;

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };
const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c);

/** After a value `%` is the remainder: `a%b`; elsewhere it begins a register as AT&T assembly writes it: `%rax`. */
const endsValue = (token: Token | undefined): boolean =>
  token !== undefined && (token.kind !== 'sign' || token.text === ')' || token.text === ']');

/** Throws UserError with the column of what it cannot read. The last token is 'end'. */
export function tokenize(text: string): Token[] {
  if (text.length > longest) throw new UserError(`The expression is ${text.length} characters long; write at most ${longest}.`);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new UserError(`Cannot read '${text[at]}' at column ${at + 1} of '${text}'.`);
    const { number, register, name, string, sign } = match.groups as Record<string, string | undefined>;
    if (register?.startsWith('%') && endsValue(tokens.at(-1))) {
      tokens.push({ kind: 'sign', text: '%', at });
      at++;
      continue;
    }
    if (number !== undefined) {
      const value = parseInteger(number);
      if (value === null) throw new UserError(`'${number}' at column ${at + 1} is not a number; write decimal or 0x….`);
      tokens.push({ kind: 'number', value, text: number, at });
    } else if (register !== undefined) tokens.push({ kind: 'register', text: register.slice(1).toLowerCase(), at });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at });
    else if (string !== undefined) tokens.push({ kind: 'string', value: unquote(string), text: string, at });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at });
    at = pattern.lastIndex;
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  return tokens;
}
