// Variables and parameters in scope at an address, global variables, and where they are in a given frame.

import { valueAtEntry } from '../dwarf/call-site.ts';
import { AT, TAG } from '../dwarf/constants.table.ts';
import type { Die } from '../dwarf/die.ts';
import {
  type ExpressionContext,
  evaluateLocation,
  evaluateNumber,
  type Location,
  type MemoryReader,
  Unavailable,
} from '../dwarf/expression.ts';
import type { Frame } from '../dwarf/frame.ts';
import { expressionAt } from '../dwarf/location-list.ts';
import { type CType, typeOf } from '../dwarf/types.ts';
import { ImageError } from '../error.ts';

export interface Variable {
  readonly name: string;
  readonly kind: 'parameter' | 'local' | 'global';
  readonly type: CType;
  /** Line of the declaration, 0 when unknown. */
  readonly line: number;
  /** A variable of an inner block has the same name. */
  readonly isShadowed: boolean;
  readonly die: Die;
}

export function variableOf(die: Die, kind: Variable['kind'], isShadowed = false): Variable | undefined {
  const name = die.name;
  if (name === undefined) return undefined;
  return { name, kind, type: typeOf(die), line: die.holderOf(AT.decl_line)?.number(AT.decl_line) ?? 0, isShadowed, die };
}

/** Splits the scopes at an address (outermost first) into those of each inlined function, innermost function first. */
export function groupScopes(scopes: readonly Die[]): readonly (readonly Die[])[] {
  const groups: Die[][] = [];
  for (const scope of scopes) {
    if (groups.length === 0 || scope.tag === TAG.inlined_subroutine) groups.push([]);
    groups.at(-1)!.push(scope);
  }
  return groups.reverse();
}

/** Parameters first, then locals from the innermost block outwards. */
export function variablesOf(scopes: readonly Die[]): readonly Variable[] {
  const seen = new Set<string>();
  const parameters: Variable[] = [];
  const locals: Variable[] = [];
  for (const scope of [...scopes].reverse()) {
    const names: string[] = [];
    for (const child of scope.children) {
      const isParameter = child.tag === TAG.formal_parameter;
      if (!isParameter && child.tag !== TAG.variable) continue;
      const variable = variableOf(child, isParameter ? 'parameter' : 'local', seen.has(child.name ?? ''));
      if (!variable) continue;
      names.push(variable.name);
      (isParameter ? parameters : locals).push(variable);
    }
    for (const name of names) seen.add(name);
  }
  return [...parameters, ...locals];
}

export interface FrameAccess {
  readonly memory: MemoryReader;
  /** The function (not inlined) that a frame executes. */
  subprogramOf(frame: Frame): Die | undefined;
  callerOf(frame: Frame): Frame | undefined;
}

/** Callers whose values may be asked for to know a parameter's value at entry. */
const MAX_ENTRY_DEPTH = 4;

/** An evaluation context for expressions of `die`'s unit in a frame; without a frame only fixed addresses evaluate. */
export function contextOf(die: Die, frame: Frame | undefined, access: FrameAccess, depth = 0): ExpressionContext {
  const base: ExpressionContext = { unit: die.unit, register: (n) => frame?.registers.get(n), memory: access.memory };
  if (!frame) return base;
  const cfa = (): bigint => {
    if (frame.cfa === undefined) throw new Unavailable('the frame address is not known (no call frame information)');
    return frame.cfa;
  };
  return {
    ...base,
    cfa,
    frameBase: () => {
      const subprogram = access.subprogramOf(frame);
      const expression = subprogram && expressionAt(subprogram, AT.frame_base, frame.lookup);
      if (!subprogram || !expression) throw new Unavailable('the frame base is not known here');
      return evaluateNumber(expression, { ...base, unit: subprogram.unit, cfa });
    },
    entryValue: (expression) => {
      const caller = depth < MAX_ENTRY_DEPTH ? access.callerOf(frame) : undefined;
      const subprogram = caller && access.subprogramOf(caller);
      return subprogram && valueAtEntry(subprogram, caller.pc, expression, contextOf(subprogram, caller, access, depth + 1));
    },
  };
}

function constantLocation(die: Die): Location | undefined {
  const value = die.holderOf(AT.const_value)?.attribute(AT.const_value)?.value;
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: value };
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'value', value: BigInt.asUintN(64, BigInt(value)) };
  return undefined;
}

/** Where a variable is at a frame's address. */
export function locate(variable: Variable, frame: Frame | undefined, access: FrameAccess): Location {
  try {
    const { die } = variable;
    const holder = die.has(AT.location) ? die : (die.holderOf(AT.location) ?? die);
    const expression = expressionAt(holder, AT.location, frame?.lookup ?? 0n);
    if (expression && expression.length > 0) return evaluateLocation(expression, contextOf(holder, frame, access));
    return constantLocation(die) ?? { kind: 'unavailable', reason: 'optimized out' };
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'unavailable', reason: error.message };
    if (error instanceof ImageError) return { kind: 'unavailable', reason: 'its debug information is damaged' };
    throw error;
  }
}
