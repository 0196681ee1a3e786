// `hyperport explain`: text, JSON by its schema, and what it says to files that are no logs and no kernels.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { run } from '../../cli/explain.ts';
import { UsageError } from '../../cli/io.ts';
import { temporaryFolder } from '../image/compile.ts';

const root = join(import.meta.dirname, '../..');
const KEYS = 'test/explain/logs/debug-keys.txt';
const KERNEL = 'samples/tinykernel/prebuilt/tinykernel-xen.elf';

async function explain(...argv: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const code = await run(argv, { stdout: (text) => (out += text), stderr: () => {}, cwd: root, assets: root });
  return { code, out };
}

it('names the guest’s functions with --kernel', async () => {
  const { code, out } = await explain(KEYS, '--kernel', KERNEL);
  expect(code).toBe(0);
  expect(out).toMatch(/#5 0x[0-9a-f]+ echo at samples\/tinykernel\/xen\/shell\.c:\d+/);
});

it('sums a crash up first', async () => {
  const { out } = await explain('test/explain/logs/crash-no-handler.txt');
  expect(out).toMatch(/^What happened:\n {2}Domain 0, vCPU 0, was ended by Xen at ffffffff801033e8: #UD/);
});

it('the JSON of every recorded log follows the documented schema', async () => {
  const schema = JSON.parse(readFileSync(join(root, 'docs/schemas/explain.schema.json'), 'utf8'));
  const validate = new Ajv({ allErrors: true }).compile(schema);
  for (const name of ['debug-keys', 'crash-no-handler', 'crash-bounce-stack', 'crash-32-bit', 'crash-iret', 'refused-entries']) {
    const { out } = await explain(`test/explain/logs/${name}.txt`, '--json', '--kernel', KERNEL);
    validate(JSON.parse(out));
    expect(validate.errors, name).toBeNull();
  }
});

describe('bad input', () => {
  const folder = temporaryFolder();
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  it('a log without anything of Xen’s ends with 1', async () => {
    const { code, out } = await explain(file('other.txt', 'kernel: hello\n'));
    expect(code).toBe(1);
    expect(out).toMatch(/Nothing of Xen’s was recognized/);
  });
  it.each([
    ['no log', [], /no log is given/],
    ['two logs', ['a', 'b'], /only one log/],
    ['an unknown option', ['--colour', 'a'], /unknown option --colour/],
    ['a missing file', ['/nonexistent/log.txt'], /cannot read the log .*there is no such file/],
    ['a folder', ['test'], /is a folder/],
    ['--kernel without a file', [KEYS, '--kernel'], /--kernel needs/],
  ] as const)('%s is a usage error', async (_name, argv, message) => {
    await expect(explain(...argv)).rejects.toThrow(UsageError);
    await expect(explain(...argv)).rejects.toThrow(message);
  });
  it('a binary file is no log', async () => {
    await expect(explain(file('binary', new Uint8Array(100)))).rejects.toThrow(/is no text: it has zero bytes/);
  });
  it('a log as kernel is no kernel', async () => {
    await expect(explain(KEYS, '--kernel', KEYS)).rejects.toThrow(/is not a kernel/);
  });
});
