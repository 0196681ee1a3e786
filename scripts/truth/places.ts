// What a binary's debug information says of an address: a symbolizer, or NASM's line table and a list of where its lines are from.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseElf } from '../../image/elf/parse.ts';
import { type SourceFrame, Symbolizer } from '../../image/symbolizer.ts';
import { Alternatives } from './alternatives.ts';
import type { Binary } from './tree.ts';

export interface Places {
  readonly bits: 64 | 32;
  framesAt(address: bigint): readonly SourceFrame[];
  /** The address begins a row of the line table. */
  beginsRow(address: bigint): boolean;
  /** Its code is copied over another's at run time. */
  isAlternative(address: bigint): boolean;
  functionAt(address: bigint): { readonly name: string; readonly low: bigint; readonly high: bigint } | undefined;
}

export function placesOf(binary: Binary): Places {
  const bytes = readFileSync(binary.path);
  const elf = parseElf(bytes);
  const symbolizer = new Symbolizer(elf);
  const alternatives = new Alternatives(elf, bytes);
  const rows = binary.origins ? rowsOf(binary.path, JSON.parse(readFileSync(binary.origins, 'utf8'))) : null;
  return {
    bits: symbolizer.elf.bits,
    framesAt(address) {
      const row = rows?.get(address);
      if (!rows) {
        const frames = symbolizer.framesAt(address);
        const original = frames[0]?.file ? null : alternatives.originalOf(address);
        return original === null ? frames : symbolizer.framesAt(original);
      }
      const name = symbolizer.functionAt(address)?.name ?? '?';
      return row ? [{ function: name, ...row, column: 0, isInlined: false, isAtEntry: false }] : [];
    },
    beginsRow: (address) =>
      rows ? rows.has(address) : symbolizer.lineAt(address)?.low === address || alternatives.originalOf(address) !== null,
    isAlternative: (address) => alternatives.originalOf(address) !== null,
    functionAt: (address) => symbolizer.functionAt(address),
  };
}

interface Origin {
  readonly file: string;
  readonly line: number;
}

/** The origin of each address that a row of the line table begins at, as readelf prints them. */
function rowsOf(path: string, origins: readonly Origin[]): Map<bigint, Origin> {
  const rows = new Map<bigint, Origin>();
  for (const line of execFileSync('readelf', ['-W', '--debug-dump=decodedline', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).split('\n')) {
    const row = /^\S+\s+(\d+)\s+0x([0-9a-f]+)/.exec(line);
    const origin = row && origins[Number(row[1]) - 1];
    if (row && origin) rows.set(BigInt(`0x${row[2]}`), origin);
  }
  return rows;
}
