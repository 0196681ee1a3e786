// `hyperport notes`: text and JSON for real guests, exit codes and messages for what is no kernel.

import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../cli/io.ts';
import { run } from '../../cli/notes.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { compile, FREESTANDING, temporaryFolder } from './compile.ts';

let debian = '';
beforeAll(async () => {
  debian = await ensureDebian(['grub-xen']);
}, 600_000);

async function notes(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  try {
    const code = await run(argv, {
      stdout: (text) => (out += text),
      stderr: (text) => (error += text),
      cwd: debian || process.cwd(),
      assets: '',
    });
    return { code, out, error };
  } catch (caught) {
    if (!(caught instanceof UsageError)) throw caught;
    return { code: 2, out, error: caught.message };
  }
}

const GRUB = 'usr/lib/grub-xen/grub-x86_64-xen.bin';

describe('a kernel that Xen loads', () => {
  it('is described in words, exit 0', async () => {
    const { code, out } = await notes(GRUB);
    expect(code).toBe(0);
    expect(out).toContain('XEN_VERSION  "xen-3.0"');
    expect(out).toContain('There is no HYPERCALL_PAGE');
    expect(out).toContain('Starts vCPU 0 at 0x0');
  });

  it('is described in JSON with hexadecimal strings', async () => {
    const { code, out } = await notes(GRUB, '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'hyperport/notes/1',
      file: GRUB,
      source: 'pt-note',
      loads: true,
      elf: { bits: 64, machine: 'AMD x86-64', entry: '0x0' },
      layout: { kernelStart: '0x0', kernelEnd: '0x613dc8', hypercallPage: null },
      notes: expect.arrayContaining([expect.objectContaining({ name: 'VIRT_BASE', number: 3, value: '0x0', read: true })]),
    });
  });
});

it('the JSON of accepted and of refused kernels follows the documented schema', async () => {
  const schema = JSON.parse(readFileSync(new URL('../../docs/schemas/notes.schema.json', import.meta.url), 'utf8'));
  const validate = new Ajv({ allErrors: true }).compile(schema);
  for (const name of ['grub-x86_64-xen.bin', 'grub-i386-xen.bin', 'grub-i386-xen_pvh.bin']) {
    const { out } = await notes(`usr/lib/grub-xen/${name}`, '--format=json');
    validate(JSON.parse(out));
    expect(validate.errors, name).toBeNull();
  }
});

describe('what Xen does not load', () => {
  const folder = temporaryFolder();
  const file = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const native = compile({ 'start.S': '.globl _start\n.balign 4\n.long 0x1badb002, 0, -0x1badb002\n_start: hlt\n' }, FREESTANDING);

  it('an ELF file without notes: what to add, exit 2', async () => {
    const { code, out } = await notes(native.path);
    expect(code).toBe(2);
    expect(out).toMatch(/no Xen notes.*multiboot header, so it is a kernel for bare machines.*Add at least/s);
    expect(out).toContain('Refuses the image');
  });

  it.each([
    [
      'a truncated ELF file',
      () => file('cut', native.bytes.slice(0, native.bytes.length - 100)),
      /section header table.*build or copy it again/,
    ],
    ['an empty file', () => file('empty', ''), /empty/],
    ['text', () => file('text', 'hello'), /not a kernel|no ELF file/],
    [
      'another machine',
      () =>
        file(
          'arm',
          native.bytes.map((b, i) => (i === 18 ? 183 : b)),
        ),
      /AArch64/,
    ],
    [
      'a folder',
      () => {
        mkdirSync(join(folder, 'dir'), { recursive: true });
        return join(folder, 'dir');
      },
      /folder/,
    ],
    ['a missing file', () => join(folder, 'missing'), /no such file/],
    [
      'a gigabyte of zeros',
      () => {
        const path = file('zeros', '');
        truncateSync(path, 2 ** 30);
        return path;
      },
      /not a kernel|no ELF file/,
    ],
  ] as const)('%s: a sentence, exit 2', async (_name, make, message) => {
    const start = performance.now();
    const { code, error } = await notes(make());
    expect(code).toBe(2);
    expect(error).toMatch(message);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it.each([[[]], [['a', 'b']], [['--format', 'xml', GRUB]], [['--colour', GRUB]]])('wrong arguments %j: usage, exit 2', async (argv) => {
    const { code, error } = await notes(...argv);
    expect(code).toBe(2);
    expect(error).toContain('usage: hyperport notes KERNEL');
  });
});
