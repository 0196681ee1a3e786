// Look-ups over the errno table.

import { type ErrnoName, errnos } from './errno.table.ts';

const byName = new Map<string, number>(errnos.map((row) => [row.name, row.number]));
const byNumber = new Map<number, (typeof errnos)[number]>();
for (const row of errnos) if (!('alias' in row)) byNumber.set(row.number, row);

/** `-22` for 'EINVAL': what the hypercall returns. */
export const negative = (name: ErrnoName): number => -byName.get(name)!;

/** The name of a return value or of a positive errno (`-22` and `22` give 'EINVAL'); null for 0 and for unknown numbers. */
export const errnoName = (value: number): ErrnoName | null => byNumber.get(Math.abs(value))?.name ?? null;

/** The meaning of an errno in a few words. */
export const errnoMeaning = (name: ErrnoName): string => errnos.find((row) => row.name === name)!.meaning;
