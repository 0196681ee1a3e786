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
  const commands = [
    'set breakpoint pending off',
    'set width 0',
    ...places.flatMap((place) => [`echo @@${place}\\n`, `break ${place}`]),
    'echo @@\\n',
    'info breakpoints',
  ];
  const answers = tool('gdb', ['-q', '-nx', '-batch', ...commands.flatMap((command) => ['-ex', command]), path])
    .split('@@')
    .slice(1);
  const addresses = new Map<string, string[]>();
  for (const [, number, address] of answers.at(-1)!.matchAll(/^(\d+)(?:\.\d+)?\s.*?(0x[0-9a-f]{8,16})\s/gm)) {
    addresses.set(number!, [...(addresses.get(number!) ?? []), address!.replace(/^0x0*/, '0x')]);
  }
  expect(answers).toHaveLength(places.length + 1);
  // A line without an answer is one where gdb has no code: it drops the rows of a file that another file's rows follow at the same address.
  return new Map(
    places.flatMap((place, i) => {
      const number = /^Breakpoint (\d+) at /m.exec(answers[i]!)?.[1];
      return number === undefined ? [] : [[place, [...addresses.get(number)!].sort().join(' ')] as const];
    }),
  );
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

  it.each(['-gdwarf-4', '-gdwarf-5'])('has a path relative to a mapped compilation directory (%s)', (version) => {
    const mapped = new Symbolizer(compile(program(64), [...FREESTANDING, '-O1', version, '-ffile-prefix-map=FOLDER=build/kernel']).elf);
    const own = mapped.lines.files().filter((file) => !file.startsWith('/'));
    expect(own.filter((file) => /\.(c|h|S)$/.test(file))).toEqual(['build/kernel/main.c', 'build/kernel/shared.h', 'build/kernel/start.S']);
    const root = new Symbolizer(compile(program(64), [...FREESTANDING, '-O1', version, '-ffile-prefix-map=FOLDER=.']).elf);
    expect(root.lines.files()).toEqual(expect.arrayContaining(['main.c', 'shared.h', 'start.S']));
    expect(root.lines.matchFile('/home/me/kernel/main.c')).toEqual(['main.c']);
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

  it('has its lines where gdb has them', () => {
    const symbolizer = new Symbolizer(parseElf(new Uint8Array(readFileSync(sample(name)))));
    const files = symbolizer.lines.files().filter((file) => /\.(c|S|h)$/.test(file) && !file.startsWith('/'));
    const places = files.flatMap((file) => symbolizer.lines.linesWithCode(file).map((line) => `${file}:${line}`));
    expect(places.length).toBeGreaterThan(300);
    const expected = gdbBreakpoints(sample(name), places);
    const statements = new Set<string>();
    for (const row of tool('readelf', ['--wide', '--debug-dump=decodedline', sample(name)]).matchAll(
      /^(\S+) +(\d+) +0x([0-9a-f]+).*x$/gm,
    )) {
      statements.add(`${row[1]!.split('/').at(-1)}:${row[2]} ${row[3]}`);
    }
    let differing = 0;
    const wrong = places.flatMap((place) => {
      const [file, line] = place.split(':');
      const addresses = symbolizer.breakpointsAt(file!, Number(line))?.addresses ?? [];
      const own = hexList(addresses);
      if (own === expected.get(place)) return [];
      // Where several rows share an address and the file changes between them (an inlined call), gdb keeps the last file's rows only and
      // stops behind the call or at a later line. Here the statement's own first address counts: readelf must list it for the line.
      const isStatement = addresses.every((a) => statements.has(`${file!.split('/').at(-1)}:${line} ${a.toString(16)}`));
      const isBefore = (expected.get(place) ?? '').split(' ').every((theirs) => {
        const at = theirs === '' ? undefined : BigInt(theirs);
        const shows = at !== undefined && symbolizer.framesAt(at).some((frame) => frame.file === file && frame.line === Number(line));
        return !shows || addresses.some((a) => a <= at && symbolizer.functionAt(a)?.low === symbolizer.functionAt(at)?.low);
      });
      differing++;
      return isStatement && isBefore ? [] : [`${place}: ${own} instead of ${expected.get(place)}`];
    });
    expect(differing).toBeLessThan(places.length / 5);
    expect(wrong.slice(0, 8)).toEqual([]);
    expect(expected.size).toBeGreaterThan(300);
  });
});

it('a call that is inlined several levels deep is one place, before the call', () => {
  const source = readFileSync(fileURLToPath(new URL('../../samples/tinykernel/xen/paging.c', import.meta.url)), 'utf8').split('\n');
  const line = source.findIndex((text) => text.includes('HYPERVISOR_mmuext_op(&operation')) + 1;
  const symbolizer = new Symbolizer(parseElf(readFileSync(sample('tinykernel-xen.elf'))));
  const match = symbolizer.breakpointsAt('samples/tinykernel/xen/paging.c', line);
  expect(match?.line).toBe(line);
  expect(match?.addresses).toHaveLength(1);
});
