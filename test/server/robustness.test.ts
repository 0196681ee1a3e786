// Nothing that a file holds makes the analysis throw, hang or take long.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { analyse } from '../../server/analysis/analyser.ts';
import { testGrammars } from './load.ts';

const MB = 1 << 20;
const fill = (piece: string, size: number): string => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);

it.each([
  ['a.c', 'one identifier', 'a'],
  ['a.c', 'open parentheses', '('],
  ['a.c', 'open braces and parentheses', '{(['],
  ['a.c', 'asm without an end', 'asm('],
  ['a.c', 'asm statements', 'asm("cli");'],
  ['a.c', 'quotes', '"'],
  ['a.c', 'backslashes', '\\'],
  ['a.c', 'plain code', 'f(a[1]+2);'],
  ['a.c', 'gates', 'x_gate'],
  ['a.c', 'calls of known ports', 'outb(0x20,0x20);'],
  ['a.S', 'instructions', 'mov %rax,%rcx;'],
  ['a.S', 'mov without an end', 'mov '],
  ['a.S', 'sensitive instructions', 'cli;'],
  ['a.S', 'open parentheses', '('],
  ['a.S', 'labels', 'a:'],
  ['a.S', 'percent signs', '%'],
])('in %s, %s: a line of 10 MB is answered at once, 512 KB of it in bounded time', async (path, _what, piece) => {
  const grammars = await testGrammars();
  const timed = (size: number) => {
    const started = performance.now();
    const { findings, warnings } = analyse(grammars, { path, text: fill(piece, size) });
    return { seconds: (performance.now() - started) / 1000, findings: findings.length, warnings: warnings.map(({ message }) => message) };
  };
  const long = timed(10 * MB);
  expect(long.seconds).toBeLessThan(2);
  expect(long.warnings).toEqual([expect.stringContaining('no source looks like that')]);
  const short = timed(MB / 2);
  expect(short.seconds).toBeLessThan(20);
  expect(short.findings).toBeLessThanOrEqual(10_000);
});

it('10 MB of sound code in lines of usual length is read to its end', async () => {
  const text = `${fill('static int f(int a) { return g(a[1] + 2, "text"); }\n', 10 * MB).replace(/[^\n]*$/, '')}void h(void) { asm("cli"); }\n`;
  const { findings, warnings } = analyse(await testGrammars(), { path: 'a.c', text });
  expect(warnings).toEqual([]);
  expect(findings.map(({ rule }) => rule)).toEqual(['cli']);
});

it('random text never throws, and every range lies in the file', async () => {
  const grammars = await testGrammars();
  const word = fc.constantFrom(
    'asm',
    '__asm__',
    'volatile',
    '(',
    ')',
    '"',
    '\\',
    '\n',
    '#define X ',
    ':',
    ';',
    'cli',
    'mov %0,%%cr3',
    '%',
    '{',
    '}',
    '|',
    '/*',
    '*/',
    '//',
    '\u{1f600}',
    '\r\n',
    'outb(0x20,1)',
    '.macro',
    '\u0000',
    '\ufffd',
    '$',
    ',',
    'lgdt (%0)',
    '::"r"(x)',
  );
  fc.assert(
    fc.property(
      fc.constantFrom('a.c', 'a.h', 'a.S'),
      fc.array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 60 }),
      (path, parts) => {
        const text = parts.join('');
        const { findings, warnings } = analyse(grammars, { path, text });
        for (const { start, end } of [...findings, ...warnings]) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(end).toBeGreaterThanOrEqual(start);
          expect(end).toBeLessThanOrEqual(text.length);
        }
        for (const edit of findings.flatMap(({ fixes }) => fixes.flatMap(({ edits }) => edits)))
          expect(edit.end).toBeLessThanOrEqual(text.length);
      },
    ),
    { numRuns: 1500, seed: 11 },
  );
});

it('the same text gives the same answer twice', async () => {
  const grammars = await testGrammars();
  const text = fill('void f(void){ asm("cli; hlt"); outb(0x21, 0xff); }\n', 20_000);
  expect(analyse(grammars, { path: 'a.c', text })).toEqual(analyse(grammars, { path: 'a.c', text }));
});
