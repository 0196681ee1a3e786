// The arguments that a request cannot do without, checked before its handler runs: a client's mistake is told as one.

import { UserError } from '../host/errors.ts';

/** 'objects(name)': a list of objects that each have the string `name`; a `?` allows the argument to be absent. */
type Shape = 'string' | 'number' | 'object' | 'strings' | `objects(${string})`;

const shapes: Readonly<Record<string, Readonly<Record<string, Shape | `${Shape}?`>>>> = {
  setBreakpoints: { source: 'object', breakpoints: 'objects()?' },
  setFunctionBreakpoints: { breakpoints: 'objects(name)' },
  setInstructionBreakpoints: { breakpoints: 'objects(instructionReference)' },
  dataBreakpointInfo: { name: 'string', variablesReference: 'number?', frameId: 'number?' },
  setDataBreakpoints: { breakpoints: 'objects(dataId)' },
  setExceptionBreakpoints: { filters: 'strings', filterOptions: 'objects(filterId)?' },
  breakpointLocations: { source: 'object', line: 'number' },
  stackTrace: { threadId: 'number' },
  continue: { threadId: 'number' },
  next: { threadId: 'number' },
  stepIn: { threadId: 'number' },
  stepOut: { threadId: 'number' },
  exceptionInfo: { threadId: 'number' },
  scopes: { frameId: 'number' },
  variables: { variablesReference: 'number' },
  setVariable: { variablesReference: 'number', name: 'string', value: 'string' },
  setExpression: { expression: 'string', value: 'string', frameId: 'number?' },
  readMemory: { memoryReference: 'string', count: 'number', offset: 'number?' },
  writeMemory: { memoryReference: 'string', data: 'string', offset: 'number?' },
  disassemble: { memoryReference: 'string', instructionCount: 'number', offset: 'number?', instructionOffset: 'number?' },
  evaluate: { expression: 'string', frameId: 'number?' },
  'hyperport.input': { bytes: 'string' },
  'hyperport.machine': { method: 'string', params: 'object?' },
};

const words: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a whole number',
  object: 'an object',
  strings: 'a list of strings',
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function fits(value: unknown, shape: string): boolean {
  if (shape === 'string') return typeof value === 'string';
  if (shape === 'number') return Number.isSafeInteger(value);
  if (shape === 'object') return isObject(value);
  if (!Array.isArray(value)) return false;
  if (shape === 'strings') return value.every((one) => typeof one === 'string');
  const field = shape.slice('objects('.length, -1);
  return value.every((one) => isObject(one) && (field === '' || typeof one[field] === 'string'));
}

/** Throws UserError that names the argument. */
export function checkArguments(command: string, args: unknown): void {
  const expected = Object.hasOwn(shapes, command) ? shapes[command]! : {};
  if (!isObject(args)) throw new UserError(`The arguments of '${command}' must be an object.`);
  for (const [name, written] of Object.entries(expected)) {
    const optional = written.endsWith('?');
    const shape = optional ? written.slice(0, -1) : written;
    if (optional && (args[name] === undefined || args[name] === null)) continue;
    if (fits(args[name], shape)) continue;
    const field = /^objects\((.+)\)$/.exec(shape)?.[1];
    const what = words[shape] ?? `a list of objects${field ? `, each with the string "${field}"` : ''}`;
    throw new UserError(`'${command}' needs "${name}", ${what}.`);
  }
}
