// The instruction table: all rows of x86/table in one array. Decoded.row is an index into ROWS.

import { GENERAL_ROWS } from './table/general.table.ts';
import { INTEGER_ROWS } from './table/integer.table.ts';
import { NEWER_ROWS } from './table/newer.table.ts';
import { SSE_ROWS } from './table/sse.table.ts';
import { SYSTEM_ROWS } from './table/system.table.ts';
import { UNPORTABLE_ROWS } from './table/unportable.table.ts';
import { X87_ROWS } from './table/x87.table.ts';
import type { InstructionRow } from './types.ts';

export const ROWS: readonly InstructionRow[] = [
  ...INTEGER_ROWS,
  ...GENERAL_ROWS,
  ...SYSTEM_ROWS,
  ...UNPORTABLE_ROWS,
  ...X87_ROWS,
  ...SSE_ROWS,
  ...NEWER_ROWS,
];

/** Index in ROWS of every key. */
export const ROW_BY_KEY: ReadonlyMap<string, number> = new Map(ROWS.map((row, index) => [row.key, index]));

/** Every `feature` that a row asks for. */
export const FEATURES: ReadonlySet<string> = new Set(ROWS.flatMap((row) => row.feature ?? []));
