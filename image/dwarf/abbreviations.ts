// .debug_abbrev: the shapes of debugging information entries.

import { Reader } from '../bytes.ts';
import { ImageError } from '../error.ts';
import { FORM } from './constants.table.ts';

export interface Abbreviation {
  readonly code: number;
  readonly tag: number;
  readonly hasChildren: boolean;
  /** Attribute names (DW_AT_*), forms (DW_FORM_*) and the values of DW_FORM_implicit_const, in step. */
  readonly names: readonly number[];
  readonly forms: readonly number[];
  readonly constants: readonly (bigint | undefined)[];
}

/** gcc numbers abbreviations from 1 without gaps, so that an array serves; others go through the map. */
export type AbbreviationTable = ReadonlyMap<number, Abbreviation>;

/** Reads the table at `offset` of .debug_abbrev. */
export function readAbbreviations(section: Uint8Array, offset: number): AbbreviationTable {
  const r = new Reader(section, '.debug_abbrev', offset);
  const table = new Map<number, Abbreviation>();
  for (;;) {
    const code = r.uleb();
    if (code === 0) return table;
    const tag = r.uleb();
    const hasChildren = r.u8() !== 0;
    const names: number[] = [];
    const forms: number[] = [];
    const constants: (bigint | undefined)[] = [];
    for (;;) {
      const name = r.uleb();
      const form = r.uleb();
      const constant = form === FORM.implicit_const ? r.sleb64() : undefined;
      if (name === 0 && form === 0) break;
      names.push(name);
      forms.push(form);
      constants.push(constant);
    }
    if (table.has(code))
      throw new ImageError(
        'malformed',
        `.debug_abbrev defines code ${code} twice. The debug information is damaged: build the kernel again.`,
      );
    table.set(code, { code, tag, hasChildren, names, forms, constants });
  }
}
