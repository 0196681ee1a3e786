// Evaluates an expression over a trace record: `args.ops[0].arg1 == 0x1234 && ret < 0`, `ret == -EINVAL`, `reason != null`.

import { errnos } from '../../abi/errno.table.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { UserError } from '../errors.ts';
import { parseInteger } from '../numbers.ts';
import { binaryNumber } from './arithmetic.ts';
import type { BinaryOperator, Expression } from './syntax.ts';

/** `undefined`: an element that the record does not have. Comparisons with it are false. */
export type PlainValue = bigint | string | boolean | null | undefined | readonly unknown[] | { readonly [name: string]: unknown };

const errnoNumbers = new Map<string, bigint>(errnos.map((row) => [row.name, BigInt(row.number)]));

/** Numbers travel as `0x…` strings or JSON numbers; to an expression both are integers. */
function fromJson(value: unknown): PlainValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : String(value);
  if (typeof value === 'string' && /^-?0x[0-9a-f]+$/i.test(value)) return parseInteger(value)!;
  return value as PlainValue;
}

const fieldsOf = (value: object): string => Object.keys(value).join(', ') || 'nothing';

function member(object: PlainValue, name: string): PlainValue {
  if (object === undefined) return undefined;
  if (Array.isArray(object) && name === 'length') return BigInt(object.length);
  if (object === null || typeof object !== 'object' || Array.isArray(object))
    throw new UserError(`'.${name}' needs a structure, but it stands after ${describe(object)}.`);
  if (!Object.hasOwn(object, name)) throw new UserError(`There is no '${name}' here; there is: ${fieldsOf(object)}.`);
  return fromJson((object as Record<string, unknown>)[name]);
}

const describe = (value: PlainValue): string => (Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`);

const truth = (value: PlainValue): boolean => value !== undefined && value !== null && value !== false && value !== 0n && value !== '';

function integer(value: PlainValue, operator: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  throw new UserError(`'${operator}' needs a number, but got ${describe(value)}.`);
}

function compare(operator: BinaryOperator, a: PlainValue, b: PlainValue): boolean {
  if (a === undefined || b === undefined) return false;
  if (operator === '==' || operator === '!=') {
    const [x, y] =
      typeof a === typeof b ? [a, b] : [typeof a === 'boolean' ? (a ? 1n : 0n) : a, typeof b === 'boolean' ? (b ? 1n : 0n) : b];
    return (x === y) === (operator === '==');
  }
  // A call without a return value (iret) has ret null: no order.
  if (a === null || b === null) return false;
  if (typeof a === 'string' && typeof b === 'string') return order(operator, a < b ? -1 : a > b ? 1 : 0);
  const [x, y] = [integer(a, operator), integer(b, operator)];
  return order(operator, x < y ? -1 : x > y ? 1 : 0);
}

const order = (operator: BinaryOperator, sign: number): boolean =>
  operator === '<' ? sign < 0 : operator === '<=' ? sign <= 0 : operator === '>' ? sign > 0 : sign >= 0;

function binary(expression: Expression & { kind: 'binary' }, record: TraceRecord): PlainValue {
  const { operator } = expression;
  const left = evaluateOnRecord(expression.left, record);
  if (operator === '&&') return truth(left) && truth(evaluateOnRecord(expression.right, record));
  if (operator === '||') return truth(left) || truth(evaluateOnRecord(expression.right, record));
  const right = evaluateOnRecord(expression.right, record);
  if (['==', '!=', '<', '<=', '>', '>='].includes(operator)) return compare(operator, left, right);
  if (left === undefined || right === undefined) return undefined;
  return binaryNumber(operator, integer(left, operator), integer(right, operator));
}

function name(identifier: string, record: TraceRecord): PlainValue {
  if (identifier === 'null') return null;
  if (identifier === 'true' || identifier === 'false') return identifier === 'true';
  if (Object.hasOwn(record, identifier)) return fromJson((record as unknown as Record<string, unknown>)[identifier]);
  if ('args' in record && Object.hasOwn(record.args, identifier)) return fromJson(record.args[identifier]);
  const errno = errnoNumbers.get(identifier);
  if (errno !== undefined) return errno;
  // Names of Xen's constants stand in records as text: cmd == MMUEXT_PIN_L4_TABLE.
  if (/^[A-Z][A-Z0-9]*_\w+$/.test(identifier)) return identifier;
  const known = 'args' in record ? `${fieldsOf(record)}, and in args: ${fieldsOf(record.args)}` : fieldsOf(record);
  throw new UserError(`There is no '${identifier}' in a record of kind ${record.kind}; there is: ${known}.`);
}

/** Throws UserError for what the record does not have or an operator cannot take. */
export function evaluateOnRecord(expression: Expression, record: TraceRecord): PlainValue {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'string':
      return fromJson(expression.value);
    case 'name':
      return name(expression.name, record);
    case 'member':
      return member(evaluateOnRecord(expression.object, record), expression.name);
    case 'index': {
      const object = evaluateOnRecord(expression.object, record);
      const index = integer(evaluateOnRecord(expression.index, record), '[]');
      if (object === undefined) return undefined;
      if (!Array.isArray(object)) throw new UserError(`'[…]' needs an array, but it stands after ${describe(object)}.`);
      return fromJson(object[Number(index)]);
    }
    case 'unary': {
      const value = evaluateOnRecord(expression.operand, record);
      if (expression.operator === '!') return !truth(value);
      if (value === undefined) return undefined;
      if (expression.operator === '-') return -integer(value, '-');
      if (expression.operator === '~') return ~integer(value, '~');
      if (expression.operator === '+') return integer(value, '+');
      throw new UserError(`'${expression.operator}' has no meaning in a condition over a record; it holds values, not guest memory.`);
    }
    case 'binary':
      return binary(expression, record);
    case 'conditional':
      return evaluateOnRecord(truth(evaluateOnRecord(expression.test, record)) ? expression.then : expression.otherwise, record);
    case 'register':
      throw new UserError(`Registers cannot be read in a condition over a record; use args, ret and the record's own fields.`);
    case 'cast':
    case 'sizeof':
      throw new UserError('Types have no meaning in a condition over a record.');
  }
}

/** The condition's answer for this record. */
export const holdsOnRecord = (expression: Expression, record: TraceRecord): boolean => truth(evaluateOnRecord(expression, record));
