// The message of a log point: text with expressions in braces, `frame {mfn} of {args.domid}`.

import { UserError } from '../errors.ts';
import { parseExpression } from '../expression/parser.ts';
import type { Expression } from '../expression/syntax.ts';

export interface LogTemplate {
  readonly expressions: readonly Expression[];
  render(evaluate: (expression: Expression) => string): string;
}

/** Throws UserError when an expression cannot be read or a brace is not closed. */
export function parseLogMessage(message: string): LogTemplate {
  const parts: (string | Expression)[] = [];
  let rest = message;
  for (let open = rest.indexOf('{'); open >= 0; open = rest.indexOf('{')) {
    const close = rest.indexOf('}', open);
    if (close < 0) throw new UserError(`The log message '${message}' has '{' without '}'.`);
    parts.push(rest.slice(0, open), parseExpression(rest.slice(open + 1, close)));
    rest = rest.slice(close + 1);
  }
  parts.push(rest);
  return {
    expressions: parts.filter((part) => typeof part !== 'string'),
    render: (evaluate) =>
      parts
        .map((part) => {
          if (typeof part === 'string') return part;
          try {
            return evaluate(part);
          } catch (error) {
            if (error instanceof UserError) return `<${error.message}>`;
            throw error;
          }
        })
        .join(''),
  };
}
