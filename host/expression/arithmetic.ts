// Integer operators of expressions, over integers of any size: results are not cut to a C type.

import { UserError } from '../errors.ts';
import type { BinaryOperator } from './syntax.ts';

/** Comparisons give 1 or 0. Throws UserError for a division by zero or a shift out of range. */
export function binaryNumber(operator: BinaryOperator, a: bigint, b: bigint): bigint {
  if ((operator === '/' || operator === '%') && b === 0n) throw new UserError('The expression divides by zero.');
  if ((operator === '<<' || operator === '>>') && (b < 0n || b > 64n)) throw new UserError('A shift count must be 0 to 64.');
  const truth = (holds: boolean): bigint => (holds ? 1n : 0n);
  switch (operator) {
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '&':
      return a & b;
    case '^':
      return a ^ b;
    case '|':
      return a | b;
    case '<':
      return truth(a < b);
    case '<=':
      return truth(a <= b);
    case '>':
      return truth(a > b);
    case '>=':
      return truth(a >= b);
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '&&':
      return truth(a !== 0n && b !== 0n);
    case '||':
      return truth(a !== 0n || b !== 0n);
  }
}
