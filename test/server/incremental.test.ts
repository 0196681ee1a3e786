// An edited document has the findings that a search of its whole tree gives, and those of a fresh one where the text is sound: the
// parser's own way out of an error may depend on what was there before.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { difference, SourceDocument } from '../../server/analysis/document.ts';
import { findingsOf } from '../../server/analysis/findings.ts';
import { testGrammars } from './load.ts';

const C_PIECES = [
  'asm volatile("cli");\n',
  'void f(void)\n{\n',
  '}\n',
  '/*',
  '*/',
  '"',
  '#define X asm("hlt")\n',
  '#define S "sti"\n',
  'asm(S "\\n hlt");\n',
  'if (x) ',
  '#if 0\n',
  '#endif\n',
  '\\\n',
  'outb(0x20, P);\n',
  '#define P 0x21\n',
  'int a;\n',
  ' ',
  '(',
  ')',
  '// ',
  '\n',
  '__asm __volatile("mov %0,%%cr3" :: "r"(x) : "memory");\n',
  'ué😀',
];
const GAS_PIECES = [
  '\tcli\n',
  '\tmov %rax,%cr3\n',
  'label:',
  '/*',
  '*/',
  '.intel_syntax noprefix\n',
  '.att_syntax\n',
  '\tmov cr3, rax\n',
  '#define A \\\n',
  '\thlt ;',
  '\\\n',
  '"',
  '.macro m x\n',
  '.endm\n',
  ' ',
  '\n',
  '#',
  '.code32\n',
  '(',
  '\tnop\n',
];

const bareFindings = (sites: SourceDocument['sites'], document: SourceDocument) =>
  findingsOf(sites, document.macros.constants, document.text, null)
    .map(({ start, end, rule }) => ({ start, end, rule }))
    .sort((a, b) => a.start - b.start || a.rule.localeCompare(b.rule));

for (const [language, pieces] of [
  ['c', C_PIECES],
  ['gas', GAS_PIECES],
] as const) {
  it(`random edits of ${language} sources give what a fresh analysis gives`, async () => {
    const grammars = await testGrammars();
    const text = fc.array(fc.constantFrom(...pieces), { minLength: 0, maxLength: 30 }).map((parts) => parts.join(''));
    const edits = fc.array(
      fc.record({ at: fc.nat(), remove: fc.nat(40), insert: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }) }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(text, edits, (before, changes) => {
        const document = new SourceDocument(grammars, before, { language, masm: 'att' });
        let now = before;
        for (const { at, remove, insert } of changes) {
          const start = now.length === 0 ? 0 : at % now.length;
          now = now.slice(0, start) + insert.join('') + now.slice(start + remove);
          document.update(now);
          expect(bareFindings(document.sites, document)).toEqual(bareFindings(document.searchAgain(), document));
          const fresh = new SourceDocument(grammars, now, { language, masm: 'att' });
          if (fresh.warnings.length === 0 && document.warnings.length === 0)
            expect(bareFindings(document.sites, document)).toEqual(bareFindings(fresh.sites, fresh));
          fresh.dispose();
        }
        document.dispose();
      }),
      { numRuns: 400, seed: 7 },
    );
  });
}

it('the difference of two texts is the smallest single range', () => {
  expect(difference('abcdef', 'abXdef')).toEqual({ start: 2, oldEnd: 3, newEnd: 3 });
  expect(difference('aaa', 'aaaa')).toEqual({ start: 3, oldEnd: 3, newEnd: 4 });
  expect(difference('abc', '')).toEqual({ start: 0, oldEnd: 3, newEnd: 0 });
});
