// Flags that an instruction leaves undefined, by vendor. Intel: what the manual says (volume 1, appendix A), the `undefined` column of
// the rows. AMD: what was measured on processors of family 25 (Zen 3 and 4): flags that follow no rule which the engine's do not follow.

import { ROWS } from '../rows.ts';

/** By key, for every row with undefined flags that user mode can execute; '': all flags are as predictable as the defined ones. */
export const UNDEFINED_ON_AMD: Readonly<Record<string, string>> = {
  or: '',
  and: '',
  xor: '',
  test: '',
  mul: '',
  imul1: '',
  imul: 'szap',
  div: 'szap',
  idiv: 'szap',
  rol: '',
  ror: '',
  rcl: 'o',
  rcr: 'o',
  shl: 'a',
  shr: 'oa',
  sar: 'a',
  shld: 'oa',
  shrd: 'oa',
  bt: '',
  bts: '',
  btr: '',
  btc: '',
  bsf: 'osapc',
  bsr: 'osapc',
  daa: 'o',
  das: 'o',
  aaa: 'oszp',
  aas: 'oszp',
  aam: 'oac',
  aad: 'oac',
};

/** Shifts and rotates: a count of 0 writes no flag at all, and `o` is defined for a count of 1. */
export const SHIFTS: ReadonlySet<string> = new Set(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr', 'shld', 'shrd']);

/** Letters of the undefined flags of a row. */
export function undefinedFlags(row: number, vendor: 'amd' | 'intel'): string {
  const { key, undefined: documented = '' } = ROWS[row]!;
  return vendor === 'amd' ? (UNDEFINED_ON_AMD[key] ?? documented) : documented;
}
