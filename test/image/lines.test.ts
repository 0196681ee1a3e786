// Line tables against readelf and addr2line, on programs that gcc and gas compile here.

import { describe, expect, it } from 'vitest';
import { Dwarf } from '../../image/dwarf/dwarf.ts';
import { UnitIndex } from '../../image/dwarf/unit-index.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import { type Compiled, compile, FREESTANDING, tool } from './compile.ts';
import { program, VARIANTS } from './programs.ts';

/** Rows as readelf's decodedline prints them: file name, line, address, is_stmt. */
function readelfRows(path: string): string[] {
  const rows: string[] = [];
  for (const line of tool('readelf', ['--wide', '--debug-dump=decodedline', path]).split('\n')) {
    const match = /^(\S+)\s+(\d+|-)\s+(0x[0-9a-f]+|0)(?:\[\d+\])?\s*(\d+)?\s*(x|END)?(\s+x|\s+END)?\s*$/.exec(line.trim());
    if (!match || line.includes('Line number')) continue;
    const isEnd = line.trim().endsWith('END');
    if (!isEnd && match[2] !== '-')
      rows.push(`${match[1]!.split('/').at(-1)} ${match[2]} ${BigInt(match[3]!).toString(16)} ${line.trim().endsWith('x') ? 'x' : ''}`);
  }
  return rows.sort();
}

function ownRows({ elf }: Compiled): string[] {
  const dwarf = new Dwarf(elf);
  const index = new UnitIndex(dwarf);
  const rows: string[] = [];
  for (const unit of dwarf.units()) {
    const table = unit.header.kind === 'type' ? undefined : index.lineTable(unit);
    for (const sequence of table?.sequences ?? []) {
      sequence.offsets.forEach((offset, i) => {
        const file = table!.header.files[sequence.files[i]!]!.split('/').at(-1);
        rows.push(`${file} ${sequence.lines[i]} ${(sequence.low + BigInt(offset)).toString(16)} ${sequence.flags[i]! & 1 ? 'x' : ''}`);
      });
    }
  }
  expect(dwarf.warnings).toEqual([]);
  return rows.sort();
}

/** Addresses whose rows name more than one line. */
function ambiguous(symbolizer: Symbolizer): Set<bigint> {
  const dwarf = new Dwarf(symbolizer.elf);
  const index = new UnitIndex(dwarf);
  const seen = new Map<bigint, string>();
  const found = new Set<bigint>();
  for (const unit of dwarf.units()) {
    for (const sequence of (unit.header.kind === 'type' ? undefined : index.lineTable(unit))?.sequences ?? []) {
      sequence.offsets.forEach((offset, i) => {
        const address = sequence.low + BigInt(offset);
        const place = `${sequence.files[i]}:${sequence.lines[i]}`;
        if ((seen.get(address) ?? place) !== place) found.add(address);
        seen.set(address, place);
      });
    }
  }
  return found;
}

/** `addr2line -i -f` for many addresses: frames of each, innermost first, as 'function file:line'. */
function addr2line(path: string, addresses: readonly bigint[]): string[][] {
  const out = tool('addr2line', ['-a', '-i', '-f', '-e', path, ...addresses.map((a) => a.toString(16))])
    .trim()
    .split('\n');
  const answers: string[][] = [];
  for (let i = 0; i < out.length; ) {
    if (out[i]!.startsWith('0x')) {
      answers.push([]);
      i++;
      continue;
    }
    answers.at(-1)!.push(
      `${out[i]} ${out[i + 1]!.split('/')
        .at(-1)!
        .replace(/ \(discriminator \d+\)/, '')}`,
    );
    i += 2;
  }
  return answers;
}

describe.each(VARIANTS)('gcc $name', ({ bits, options, hasTypeUnits }) => {
  const compiled = compile(program(bits), [...FREESTANDING, ...options]);

  it('gives the rows that readelf decodes', () => {
    const expected = readelfRows(compiled.path);
    expect(expected.length).toBeGreaterThan(40);
    expect(ownRows(compiled)).toEqual(expected);
  });

  it('names functions, inlined functions and lines of every code byte as addr2line does', () => {
    const symbolizer = new Symbolizer(compiled.elf);
    const functions = compiled.elf.symbols().filter((s) => s.kind === 'function');
    const addresses = functions.flatMap((s) => Array.from({ length: Number(s.size) }, (_, i) => s.address + BigInt(i)));
    expect(addresses.length).toBeGreaterThan(100);
    const expected = addr2line(compiled.path, addresses);
    if (options.includes('-O2')) expect(expected.some((frames) => frames.length === 3)).toBe(!hasTypeUnits);
    const own = addresses.map((address) => {
      const frames = symbolizer
        .framesAt(address)
        .map((f) => ({ name: f.function, at: f.line ? `${f.file?.split('/').at(-1)}:${f.line}` : '??:?' }));
      return hasTypeUnits ? [`${frames.at(-1)!.name} ${frames[0]!.at}`] : frames.map(({ name, at }) => `${name} ${at}`);
    });
    // Where several rows share an address addr2line takes the last, while we take the statement, as gdb does (gdb.test.ts).
    const positions = ambiguous(symbolizer);
    const wrong = addresses.flatMap((address, i) =>
      positions.has(symbolizer.lineAt(address)?.low ?? 0n)
        ? []
        : JSON.stringify(own[i]) === JSON.stringify(expected[i])
          ? []
          : [`${address.toString(16)}: ${own[i]} instead of ${expected[i]}`],
    );
    expect(wrong.slice(0, 4)).toEqual([]);
  });
});
