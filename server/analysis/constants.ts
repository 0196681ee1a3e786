// Small constant expressions of C: integers, names of macros of the same file, + - * | & << >> and parentheses.

const TOKEN = /\s*(?:(0[xX][0-9a-fA-F]+|\d+)[uUlL]*|([A-Za-z_]\w*)|(<<|>>|[-+*|&()]))/y;
const PRECEDENCE: Readonly<Record<string, number>> = { '|': 1, '&': 2, '<<': 3, '>>': 3, '+': 4, '-': 4, '*': 5 };
const DEEPEST = 8;

/** The value, or null when the expression is anything else. `constants`: bodies of object-like macros by name. */
export function evaluate(expression: string, constants: ReadonlyMap<string, string>, depth = 0): number | null {
  if (depth > DEEPEST || expression.length > 200) return null;
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const text = expression.trim().replace(/^\((?:unsigned\s+)?(?:u?int(?:8|16|32|64)?(?:_t)?|u8|u16|u32|char|short|int|long)\)\s*/, '');
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) return null;
    tokens.push(match[1] ?? match[2] ?? match[3]!);
  }
  let at = 0;
  const primary = (): number | null => {
    const token = tokens[at++];
    if (token === undefined) return null;
    if (token === '(') {
      const inner = binary(0);
      return tokens[at++] === ')' ? inner : null;
    }
    if (/^\d/.test(token)) return Number(/^0\d/.test(token) ? `0o${token.slice(1)}` : token);
    const body = constants.get(token);
    return body === undefined ? null : evaluate(body, constants, depth + 1);
  };
  const binary = (least: number): number | null => {
    let left = primary();
    for (let op = tokens[at]; left !== null && op !== undefined && (PRECEDENCE[op] ?? 0) > least; op = tokens[at]) {
      at++;
      const right = binary(PRECEDENCE[op]!);
      left = right === null ? null : apply(op, left, right);
    }
    return left;
  };
  const value = binary(0);
  return at === tokens.length ? value : null;
}

function apply(op: string, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '|':
      return (a | b) >>> 0;
    case '&':
      return (a & b) >>> 0;
    case '<<':
      return a * 2 ** b;
    default:
      return Math.floor(a / 2 ** b);
  }
}
