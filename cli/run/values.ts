// Values of options: whole numbers in a range, words of a list, and what is said about those that are neither.

import { UsageError } from '../io.ts';

/** Node's words about options that it cannot parse, with what to do. */
export function parseFailure(error: unknown): string {
  // Node's own hint for a value that begins with a dash is on its second line.
  const [what, hint] = (error as Error).message.split('\n');
  return `${what} ${hint?.startsWith('Did you forget') ? 'Write a value that begins with a dash as --option=VALUE.' : "Run 'hyperport run --help' for the options."}`;
}

export function whole(name: string, text: string | undefined, fallback: number, { min, max }: { min: number; max: number }): number {
  if (text === undefined) return fallback;
  const value = /^[0-9][0-9_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not '${text}'.`);
  }
  return value;
}

export function choice<T extends string>(name: string, text: string | undefined, allowed: readonly T[], fallback: T): T {
  if (text === undefined) return fallback;
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`${name} takes ${allowed.join(' or ')}, not '${text}'.`);
  return found;
}
