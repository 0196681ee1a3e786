// Addresses of functions and lines: gdb sets the same breakpoints.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../../image/elf/parse.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import { compile, FREESTANDING, tool } from './compile.ts';
import { program, VARIANTS } from './programs.ts';

const sample = (name: string): string => fileURLToPath(new URL(`../../samples/tinykernel/prebuilt/${name}`, import.meta.url));

/** Where gdb puts breakpoints: for each place the addresses of its locations, ascending. */
function gdbBreakpoints(path: string, places: readonly string[]): Map<string, string> {
  const commands = ['set breakpoint pending off', 'set width 0', ...places.map((place) => `break ${place}`), 'info breakpoints'];
  const out = tool('gdb', ['-q', '-nx', '-batch', ...commands.flatMap((command) => ['-ex', command]), path]);
  const placed = [...out.matchAll(/^Breakpoint (\d+) at /gm)].map((m) => Number(m[1]));
  const addresses = new Map<number, string[]>();
  for (const match of out.matchAll(/^(\d+)(?:\.\d+)?\s.*?(0x[0-9a-f]{8,16})\s/gm)) {
    addresses.set(Number(match[1]), [...(addresses.get(Number(match[1])) ?? []), match[2]!.replace(/^0x0*/, '0x')]);
  }
  expect(placed).toHaveLength(places.length);
  return new Map(places.map((place, i) => [place, [...addresses.get(placed[i]!)!].sort().join(' ')]));
}

const hexList = (addresses: readonly bigint[]): string =>
  addresses
    .map((a) => `0x${a.toString(16)}`)
    .sort()
    .join(' ');

describe.each(VARIANTS)('gcc $name', ({ bits, options }) => {
  const compiled = compile(program(bits), [...FREESTANDING, ...options]);
  const symbolizer = new Symbolizer(compiled.elf);

  it('functions have their bodies where gdb stops', () => {
    const names = ['walk', 'leaf', 'run', 'handle', 'assembly_add', '_start'];
    const expected = gdbBreakpoints(compiled.path, names);
    for (const name of names) expect(hexList(symbolizer.functionsNamed(name).map((p) => p.body)), name).toBe(expected.get(name));
  });

  it('lines have the addresses at which gdb stops', () => {
    const places = ['main.c', 'shared.h', 'start.S'].flatMap((file) =>
      symbolizer.lines.linesWithCode(file).map((line) => `${file}:${line}`),
    );
    expect(places.length).toBeGreaterThan(25);
    const expected = gdbBreakpoints(compiled.path, places);
    const wrong = places.flatMap((place) => {
      const [file, line] = place.split(':');
      const own = hexList(symbolizer.breakpointsAt(file!, Number(line))?.addresses ?? []);
      return own === expected.get(place) ? [] : [`${place}: ${own} instead of ${expected.get(place)}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe('a line of a file', () => {
  const compiled = compile(program(64), [...FREESTANDING, '-O2', '-gdwarf-5']);
  const symbolizer = new Symbolizer(compiled.elf);

  it('without code stands for the next line with code', () => {
    const withCode = symbolizer.lines.linesWithCode('main.c');
    const empty = withCode.find((line) => !withCode.includes(line + 1) && line < withCode.at(-1)!)! + 1;
    const next = withCode.find((line) => line > empty)!;
    expect(symbolizer.breakpointsAt('main.c', empty)).toEqual(symbolizer.breakpointsAt('main.c', next));
    expect(symbolizer.breakpointsAt('main.c', empty)?.line).toBe(next);
    expect(symbolizer.breakpointsAt('main.c', 10_000)).toBeUndefined();
  });

  it('in an inline function has an address in every place where it was inlined', () => {
    const source = `static inline int bump(volatile int *p)
{
    return ++*p;
}
int one(volatile int *p) { return bump(p) * 2; }
int two(volatile int *p) { return bump(p) + bump(p + 1); }
void _start(void) {}
`;
    const inlined = new Symbolizer(compile({ 'inline.c': source }, [...FREESTANDING, '-O2', '-g']).elf);
    const { addresses } = inlined.breakpointsAt('inline.c', 3)!;
    expect(addresses).toHaveLength(3);
    const places = addresses.map((address) =>
      inlined
        .framesAt(address)
        .map((frame) => `${frame.function}:${frame.line}`)
        .join(' < '),
    );
    expect(places.sort()).toEqual(['bump:3 < one:5', 'bump:3 < two:6', 'bump:3 < two:6']);
    expect(inlined.functionsNamed('bump').map((place) => place.isInlined)).toEqual([true, true, true]);
  });

  it('in assembly has its instruction', () => {
    const lines = symbolizer.lines.linesWithCode('start.S');
    for (const line of lines) expect(symbolizer.lineAt(symbolizer.breakpointsAt('start.S', line)!.addresses[0]!)).toMatchObject({ line });
  });

  it('is found by absolute and by relative paths, and after a substitution', () => {
    const file = `${compiled.folder}/main.c`;
    expect(symbolizer.lines.files()).toContain(file);
    expect(symbolizer.lines.matchFile(file)).toEqual([file]);
    expect(symbolizer.lines.matchFile('main.c')).toEqual([file]);
    expect(symbolizer.lines.matchFile('ain.c')).toEqual([]);
    const moved = new Symbolizer(compiled.elf, { substitutions: [{ from: compiled.folder, to: '/home/me/kernel' }] });
    expect(moved.lines.matchFile('/home/me/kernel/main.c')).toEqual(['/home/me/kernel/main.c']);
    expect(moved.framesAt(moved.functionsNamed('run')[0]!.body)[0]?.file).toBe('/home/me/kernel/main.c');
  });

  it('can be stepped over: its ranges stay on the line and cover the address', () => {
    for (const line of symbolizer.lines.linesWithCode('main.c')) {
      for (const address of symbolizer.breakpointsAt('main.c', line)!.addresses) {
        const ranges = symbolizer.rangesOfLine(address);
        expect(ranges.some(({ low, high }) => address >= low && address < high)).toBe(true);
        for (const { low, high } of ranges)
          for (let a = low; a < high; a++) expect(symbolizer.lineAt(a)?.line).toBe(symbolizer.lineAt(address)?.line);
      }
    }
  });
});

describe.each(['tinykernel-xen.elf', 'tinykernel-native.elf'])('%s', (name) => {
  it('has its functions where gdb has them', () => {
    const elf = parseElf(new Uint8Array(readFileSync(sample(name))));
    const symbolizer = new Symbolizer(elf);
    const names = [
      ...new Set(
        elf
          .symbols()
          .filter((s) => s.kind === 'function')
          .map((s) => s.name),
      ),
    ].filter((n) => elf.symbols().filter((s) => s.name === n).length === 1);
    expect(names.length).toBeGreaterThan(30);
    const expected = gdbBreakpoints(sample(name), names);
    for (const fn of names) expect(hexList(symbolizer.functionsNamed(fn).map((p) => p.body)), fn).toBe(expected.get(fn));
  });
});
