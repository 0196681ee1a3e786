// Oracle: the port, finished by hand and running on real Xen. What the quick fixes write is what stands there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { changedLines, commonLines } from './lines.ts';
import { type AnalysedSource, lineAt, nativeSources, tinykernel, withEveryFix } from './native-findings.ts';

let sources: AnalysedSource[];
beforeAll(async () => {
  sources = await nativeSources();
});

test('the analyser reads all of the native sample', () => {
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter(({ warnings }) => warnings.length > 0).map(({ file, warnings }) => ({ file, warnings }))).toEqual([]);
});

test('there are quick fixes for the instructions that have a plain replacement', () => {
  const fixed = sources.flatMap(({ findings }) => findings.filter(({ fixes }) => fixes.length > 0).map(({ rule }) => rule));
  const rules =
    'cli clts hlt idt-gate invlpg lgdt lidt ltr mov-from-cr2 mov-to-cr3 popf port-pic port-pit port-uart pushf sti wbinvd wrmsr';
  expect([...new Set(fixed)].sort()).toEqual(rules.split(' '));
});

test('every line that a quick fix writes stands in the port at that place, and no line that it removes is left there', () => {
  let written = 0;
  for (const source of sources) {
    const native = source.text.split('\n');
    const fixed = withEveryFix(source).split('\n');
    const { added, removed } = changedLines(native, fixed);
    if (added.length === 0 && removed.length === 0) continue;
    const path = join(tinykernel, 'xen', source.file);
    const port = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const fromFix = new Set(added);
    // Lines such as `barrier();` occur often: those that a fix wrote are matched first.
    const matched = new Set(commonLines(fixed, port, (index) => (fromFix.has(index) ? 1.001 : 1)).map(([index]) => index));
    expect({ file: source.file, notInThePort: added.filter((index) => !matched.has(index)).map((index) => fixed[index]) }).toEqual({
      file: source.file,
      notInThePort: [],
    });
    expect({ file: source.file, leftInThePort: removed.filter((line) => port.includes(line)) }).toEqual({
      file: source.file,
      leftInThePort: [],
    });
    written += added.length;
  }
  expect(written).toBeGreaterThan(35);
});

test('the sample’s README lists every finding that has no quick fix, with its rule, and nothing else', () => {
  const readme = readFileSync(join(tinykernel, 'README.md'), 'utf8');
  const listed = [...readme.matchAll(/^\| `([a-z0-9]+\.[chS])` \| `(.+?)` \| `([a-z0-9-]+)` \| [^|]+ \|$/gm)].map(
    ([, file, line, rule]) => ({ file, line, rule }),
  );
  const found = new Map<string, { file: string; line: string; rule: string }>();
  for (const { file, text, findings } of sources) {
    const lines = text.split('\n');
    for (const { rule, start } of findings.filter(({ fixes }) => fixes.length === 0)) {
      const line = (lines[lineAt(text, start) - 1] ?? '')
        .replace(/\/\*.*\*\//, '')
        .replace(/^\d+:/, '')
        .trim()
        .replaceAll('\t', ' ');
      found.set(`${file} ${line} ${rule}`, { file, line, rule });
    }
  }
  const order = (rows: { file?: string; line?: string; rule?: string }[]) => rows.map((row) => JSON.stringify(row)).sort();
  expect(order(listed)).toEqual(order([...found.values()]));
});
