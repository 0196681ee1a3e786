// The sample's sources: line numbers by what stands there, so that the tests say what they mean.

import { readFileSync } from 'node:fs';
import { repository } from './client.ts';

export const sample = (file: string): string => `${repository}/samples/tinykernel/xen/${file}`;

/** Number of the first line that contains the text. */
export function lineOf(file: string, text: string): number {
  const line = readFileSync(sample(file), 'utf8')
    .split('\n')
    .findIndex((l) => l.includes(text));
  if (line < 0) throw new Error(`${file} has no line with '${text}'`);
  return line + 1;
}
