// The registry of instruction semantics: `def(keys, options, body)`; keys are those of the table in x86/.

import type { Width } from '../emit/expressions.ts';
import type { Builder, Insn } from './builder.ts';

/** How the body uses the memory operand: the framework translates it so before the body runs. a: address only;
 * auto: for writing (and reading) as destination, for reading elsewhere. */
export type MemoryUse = 'r' | 'w' | 'a' | 'auto';
/** What the framework does for an MMX or SSE instruction before its body runs. */
export interface VectorUse {
  /** Size of the memory operand by form and operand size. */
  memorySize(form: string, w: Width): number;
  /** A 16-byte memory operand must be aligned. */
  readonly aligned: boolean;
  /** Makes the x87 registers mmx registers: forms that do. */
  entersMmx(form: string): boolean;
}
export type Body = (b: Builder, i: Insn) => void;

export interface Definition {
  readonly key: string;
  /** Kinds of the operands in order, one letter each (r m i, x xmm, q mmx); '' for none (a branch target is no operand). */
  readonly forms: readonly string[];
  readonly sizes: readonly Width[];
  /** Sizes of the second operand, where they differ from the first. */
  readonly sourceSizes: readonly (Width | 0)[];
  /** A source larger than the destination exists too. */
  readonly narrows: boolean;
  /** One case for every condition code. */
  readonly conditional: boolean;
  readonly memory: MemoryUse;
  /** Size of the memory operand in bytes where it is not the operand size. */
  readonly memorySize: number;
  /** The body transfers control: nothing runs after it in its block. */
  readonly jumps: boolean;
  /** The engine must look at its state again after it (mode, TF …): the block ends. */
  readonly leaves: boolean;
  /** An MMX or SSE instruction. */
  readonly vector: VectorUse | null;
  /** Runs in TypeScript: name of the rare body. */
  readonly rare: string | null;
  readonly body: Body;
}

export const DEFINITIONS = new Map<string, Definition>();

type Options = Partial<Omit<Definition, 'key' | 'body'>>;
const DEFAULTS: Omit<Definition, 'key' | 'body'> = {
  forms: [''],
  sizes: [1, 2, 4, 8],
  sourceSizes: [0],
  narrows: false,
  conditional: false,
  memory: 'auto',
  memorySize: 0,
  jumps: false,
  leaves: false,
  vector: null,
  rare: null,
};

/** Defines the semantics of one or more instructions; `body` gets the key and returns the body for it. */
export function def(keys: string, options: Options, body: (key: string) => Body): void {
  for (const key of keys.split(' ')) {
    if (DEFINITIONS.has(key)) throw new Error(`instruction ${key} is defined twice`);
    DEFINITIONS.set(key, { ...DEFAULTS, ...options, key, body: body(key) });
  }
}

/** Defines instructions whose body is TypeScript, in simulator/cpu/rare: it looks at the operands itself. */
export function defRare(keys: string, options: Pick<Options, 'jumps' | 'leaves' | 'rare'> = {}): void {
  for (const key of keys.split(' ')) def(key, { ...options, rare: options.rare ?? key, forms: [] }, () => () => {});
}

export const ALU_FORMS = ['rr', 'ri', 'rm', 'mr', 'mi'] as const;
