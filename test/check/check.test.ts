// The contract of `hyperport check`: exit codes, formats, positions, paths and what is done with bad input.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { run } from '../../cli/check.ts';
import { UsageError } from '../../cli/io.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(join(root, 'docs/schemas/check.schema.json'), 'utf8')));

let assets = '';
let cwd = '';
beforeAll(() => {
  assets = mkdtempSync(join(tmpdir(), 'hyperport-assets-'));
  for (const wasm of [
    'node_modules/web-tree-sitter/web-tree-sitter.wasm',
    'node_modules/tree-sitter-c/tree-sitter-c.wasm',
    'grammars/gas/tree-sitter-gas.wasm',
  ]) {
    cpSync(join(root, wasm), join(assets, wasm.split('/').at(-1)!));
  }
});
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'hyperport-check-'));
  return () => rmSync(cwd, { recursive: true });
});
afterAll(() => rmSync(assets, { recursive: true }));

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(join(cwd, path), content);
}

async function check(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed: string[] = [];
  const complained: string[] = [];
  const io = { cwd, assets, stdout: (text: string) => void printed.push(text), stderr: (text: string) => void complained.push(text) };
  try {
    const code = await run(argv, io);
    return { code, out: printed.join(''), err: complained.join('') };
  } catch (error) {
    // main() prints the message and returns 2.
    if (error instanceof UsageError) return { code: 2, out: printed.join(''), err: error.message };
    throw error;
  }
}

async function json(...argv: string[]) {
  const { code, out } = await check(...argv, '--format', 'json');
  const report = JSON.parse(out);
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  return { code, report };
}

it('a finding names rule, file, place, severity, instruction, replacement and fixes', async () => {
  put('kernel/cpu.c', 'void f(void)\n{\n\tasm volatile("cli" ::: "memory");\n}\n');
  const { code, report } = await json('kernel');
  expect(code).toBe(1);
  expect(report.schema).toBe('hyperport/check/1');
  expect(report.findings).toEqual([
    expect.objectContaining({
      rule: 'cli',
      file: 'kernel/cpu.c',
      line: 3,
      column: 16,
      endLine: 3,
      endColumn: 19,
      severity: 'silent',
      instruction: 'cli',
      fixes: [{ title: 'Mask events in vcpu_info' }],
    }),
  ]);
  expect(report.warnings).toEqual([]);
  expect(report.summary).toEqual({ files: 1, findings: 1, bySeverity: { silent: 1, fault: 0, emulated: 0, idiom: 0 }, warnings: 0 });
});

it('columns count UTF-16 units', async () => {
  put('a.S', '/* 😀 */ cli\n');
  const { report } = await json('a.S');
  expect(report.findings[0]).toMatchObject({ line: 1, column: 10, endColumn: 13 });
});

it('a byte-order mark counts for nothing', async () => {
  put('a.S', '\uFEFF\thlt\n');
  expect((await json('a.S')).report.findings[0]).toMatchObject({ line: 1, column: 2 });
});

it('text has one line for each finding with its place, and a summary', async () => {
  put('a.S', '\tcli\n\thlt\n');
  const { code, out } = await check('a.S');
  expect(code).toBe(1);
  expect(out).toContain('a.S:1:2: silent: cli [cli]');
  expect(out).toContain('a.S:2:2: fault: hlt [hlt]');
  expect(out.trimEnd().split('\n').at(-1)).toBe('2 findings in 1 file (1 silent, 1 fault, 0 emulated, 0 idiom), 0 warnings');
});

it.each([
  ['\tcli\n', { silent: 1, fault: 1, emulated: 1, idiom: 1, never: 0 }],
  ['\thlt\n', { silent: 0, fault: 1, emulated: 1, idiom: 1, never: 0 }],
  ['\twbinvd\n', { silent: 0, fault: 0, emulated: 1, idiom: 1, never: 0 }],
  ['\tnop\n', { silent: 0, fault: 0, emulated: 0, idiom: 0, never: 0 }],
])('exit code of %j by --fail-on', async (text, expected) => {
  put('a.S', text);
  for (const [level, code] of Object.entries(expected)) expect((await check('a.S', '--fail-on', level)).code, level).toBe(code);
  expect((await check('a.S')).code).toBe(expected.emulated);
});

it('an idiom fails only when asked for, and is printed always', async () => {
  put('a.c', 'void f(void) { outb(0x20, 0x20); }\n');
  expect((await check('a.c')).code).toBe(0);
  const { code, out } = await check('a.c', '--fail-on=idiom');
  expect(code).toBe(1);
  expect(out).toContain('idiom: outb(0x20, 0x20) [port-pic]');
});

it('folders are walked for C and assembly; hidden ones and other files are left out; a link in a circle does no harm', async () => {
  for (const path of ['k/a.c', 'k/b.h', 'k/deep/er/c.S', 'k/d.s'])
    put(path, path.endsWith('c') || path.endsWith('h') ? 'asm("hlt");' : 'hlt\n');
  for (const path of ['k/.git/x.c', 'k/node_modules/y.c', 'k/z.txt', 'k/w.rs']) put(path, 'asm("hlt");');
  symlinkSync(join(cwd, 'k'), join(cwd, 'k/loop'));
  const { report } = await json('k', 'k/a.c', './k');
  expect(report.findings.map((finding: { file: string }) => finding.file)).toEqual(['k/a.c', 'k/b.h', 'k/d.s', 'k/deep/er/c.S']);
});

it('a path above the working folder is shown relative to it', async () => {
  put('a.S', '\tcli\n');
  mkdirSync(join(cwd, 'sub'));
  const at = cwd;
  cwd = join(cwd, 'sub');
  const { report } = await json('../a.S');
  cwd = at;
  expect(report.findings[0].file).toBe('../a.S');
});

it.each([
  ['a missing path', ['missing.c'], /cannot read missing\.c: there is no such file or folder/],
  ['no path', [], /name at least one file or folder/],
  ['an unknown option', ['a.c', '--frobnicate'], /there is no option --frobnicate/],
  ['a wrong level', ['a.c', '--fail-on', 'high'], /--fail-on takes one of silent, fault, emulated, idiom, never, not 'high'/],
  ['a format without a value', ['a.c', '--format'], /--format takes one of text, json/],
  ['a device', ['/dev/null'], /neither a file nor a folder/],
])('%s is exit code 2 with a message that says what to do', async (_what, argv, message) => {
  put('a.c', '');
  const { code, err, out } = await check(...argv);
  expect(code).toBe(2);
  expect(err).toMatch(message);
  expect(out).toBe('');
});

it.each([
  ['an empty file', 'a.c', '', /empty/],
  ['white space', 'a.S', ' \n\t\n', /empty/],
  ['random bytes', 'a.c', Uint8Array.from({ length: 4096 }, (_, i) => (i * 2654435761) >>> 13), /not text/],
  [
    'random bytes without a zero',
    'a.S',
    Uint8Array.from({ length: 4096 }, (_, i) => ((i * 2654435761) >>> 13) | 1),
    /not text|could not be parsed/,
  ],
  ['an ELF file', 'a.S', readFileSync(process.execPath).subarray(0, 100_000), /not text/],
  ['C that ends in the middle', 'a.c', 'int main( {\n  if (x', /could not be parsed/],
  ['a file of another language', 'a.py', 'print(1)\n', /neither C .* nor assembly/],
])('%s is a warning, not a failure', async (_what, name, content, message) => {
  put(name, content);
  const { code, report } = await json(name);
  expect(code).toBe(0);
  expect(report.findings).toEqual([]);
  expect(report.warnings.map((warning: { message: string }) => warning.message).join()).toMatch(message);
});

it('--masm intel reads inline asm in Intel syntax', async () => {
  put('a.c', 'void f(long x) { asm("mov cr3, %0" :: "r"(x)); }\n');
  expect((await json('a.c', '--masm', 'intel')).report.findings[0]).toMatchObject({ rule: 'mov-to-cr3' });
});

it('--help says what the options are', async () => {
  const { code, out } = await check('--help');
  expect(code).toBe(0);
  for (const option of ['--format', '--fail-on', '--masm']) expect(out).toContain(option);
});

it('int $0x80 and a rdtsc are all that is left in the finished port: nothing silent, nothing that faults', async () => {
  cpSync(join(root, 'samples/tinykernel/xen'), join(cwd, 'xen'), { recursive: true });
  const { code, report } = await json('xen', '--fail-on', 'fault');
  expect(code).toBe(0);
  const of = (calls: boolean) => report.findings.filter(({ kind }: { kind?: string }) => (kind === 'call') === calls);
  expect(of(false).map(({ rule, severity }: { rule: string; severity: string }) => `${severity} ${rule}`)).toEqual([
    'emulated rdtsc',
    'idiom int-gate',
    'idiom int-gate',
  ]);
  for (const { rule } of of(true)) expect(rule).toMatch(/^(rdtsc|int-gate)$/);
});
