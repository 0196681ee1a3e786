// Real machine code: Debian's GRUB for Xen (kernel and all modules), decoded at every byte offset as iced-x86 does; GNU Mach and Linux
// in a straight line; GRUB and our own kernel as objdump does.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureDebian } from '../../scripts/debian.mjs';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { findInstruction, PREFIX_NAMES } from '../../x86/mnemonics.ts';
import { classifyOperand } from '../../x86/registers.ts';
import { ROWS } from '../../x86/rows.ts';
import { compareText, grubTexts, linuxTexts, machTexts } from './decoder-oracle.ts';

let grub = '';
beforeAll(async () => {
  grub = join(await ensureDebian(['grub-xen']), 'usr/lib/grub-xen');
});

interface Line {
  readonly address: number; // low 32 bits
  readonly length: number;
  readonly text: string;
}

/** objdump's lines of one section: address, number of bytes, text. */
function objdump(file: string, section: string): readonly Line[] {
  const text = execFileSync('objdump', ['-d', '-w', '-j', section, file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return [...text.matchAll(/^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$/gm)].map((m) => ({
    // The low half is enough, sections are small; a kernel address as a whole is beyond exact numbers.
    address: Number.parseInt(m[1]!.slice(-8), 16),
    length: m[2]!.trim().split(' ').length,
    text: m[3] ?? '',
  }));
}

function sectionBytes(file: string, section: string): Uint8Array {
  const headers = execFileSync('objdump', ['-h', '-w', '-j', section, file], { encoding: 'utf8' });
  const row = headers
    .split('\n')
    .find((line) => line.trim().split(/\s+/)[1] === section)!
    .trim()
    .split(/\s+/);
  const offset = Number.parseInt(row[5]!, 16);
  return readFileSync(file).subarray(offset, offset + Number.parseInt(row[2]!, 16));
}

function lengthMismatches(file: string, section: string, mode: 64 | 32): { readonly lines: number; readonly wrong: readonly string[] } {
  const lines = objdump(file, section);
  const bytes = sectionBytes(file, section);
  const start = lines[0]!.address;
  const out = newDecoded();
  const wrong: string[] = [];
  for (const line of lines) {
    if (line.text.includes('(bad)')) continue;
    const status = decodeAny(bytes, line.address - start, bytes.length, mode, out);
    // objdump writes a prefix that belongs to nothing, and fwait before an x87 instruction, in its own way.
    const ours = status === 'ok' ? out.length : 0;
    if (ours !== line.length && !/^(fs|cs|ds|es|gs|ss|rex\S*|lock|repz?|data16|addr(16|32)|f(st|clex|init|save)\w*)\b/.test(line.text))
      wrong.push(`${line.address.toString(16)} ${line.text}: ${line.length} bytes, we ${ours || status}`);
  }
  return { lines: lines.length, wrong };
}

/** Lines whose text names another row than their bytes. */
function nameMismatches(file: string, section: string, mode: 64 | 32): readonly string[] {
  const lines = objdump(file, section);
  const bytes = sectionBytes(file, section);
  const out = newDecoded();
  const wrong = new Set<string>();
  for (const { address, text } of lines) {
    // Strings between the functions: prefixes that belong to nothing.
    if (text.startsWith('rex')) continue;
    const words = text.replace(/\s*(#.*|<[^>]*>)$/, '').split(/\s+/);
    while (PREFIX_NAMES.has(words[0]!)) words.shift();
    const name = words.shift();
    if (!name || name === '(bad)' || decodeAny(bytes, address - lines[0]!.address, bytes.length, mode, out) !== 'ok') continue;
    const operands = words
      .join(' ')
      .split(/,(?![^(]*\))/)
      .filter((o) => o !== '');
    const byText = findInstruction(
      name,
      operands.map((o) => classifyOperand(o, 'att')),
      'att',
    )?.row.key;
    const byBytes = ROWS[out.row]!.key;
    // objdump shows the no-operations as the exchanges that they were.
    if (byText !== byBytes && !(byBytes === 'nop' && text.startsWith('xchg'))) wrong.add(`${text}: ${byText}, bytes ${byBytes}`);
  }
  return [...wrong];
}

describe('GRUB for Xen', () => {
  it('every offset of both files decodes as iced-x86 decodes it', async () => {
    const texts = await grubTexts();
    expect(texts.map(({ mode }) => mode)).toEqual([64, 32]);
    for (const text of texts) expect(compareText(text, true).differences).toEqual([]);
  });
  it("x86_64: instruction lengths of .text are objdump's", () => {
    const { lines, wrong } = lengthMismatches(join(grub, 'grub-x86_64-xen.bin'), '.text', 64);
    expect(lines).toBeGreaterThan(10_000);
    expect(wrong).toEqual([]);
  });
  it("i386: instruction lengths of .text are objdump's", () => {
    const { lines, wrong } = lengthMismatches(join(grub, 'grub-i386-xen.bin'), '.text', 32);
    expect(lines).toBeGreaterThan(10_000);
    expect(wrong).toEqual([]);
  });
  it.each([
    ['x86_64', 64],
    ['i386', 32],
  ] as const)('%s: every line of the disassembly names the row of its bytes', (name, mode) => {
    expect(nameMismatches(join(grub, `grub-${name}-xen.bin`), '.text', mode)).toEqual([]);
  });
});

describe('kernels', () => {
  it('all code of GNU Mach decodes as iced-x86 decodes it', async () => {
    const reports = (await machTexts()).map((text) => compareText(text));
    expect(reports.flatMap(({ differences }) => differences)).toEqual([]);
    expect(reports.reduce((sum, { instructions }) => sum + instructions, 0)).toBeGreaterThan(50_000);
  });
  it("a quarter of Linux's code decodes as iced-x86 decodes it: npm run fuzz -- --decoder takes all of it", async () => {
    const quarter = Math.floor(Math.random() * 4);
    let instructions = 0;
    for (const text of await linuxTexts()) {
      // Each quarter begins anywhere within an instruction: both decoders read the same bytes.
      const size = Math.ceil(text.bytes.length / 4);
      const report = compareText({ ...text, bytes: text.bytes.subarray(size * quarter, size * (quarter + 1)) });
      instructions += report.instructions;
      expect(report.differences, `quarter ${quarter}`).toEqual([]);
    }
    console.log(`quarter ${quarter} of Linux: ${instructions} instructions`);
    expect(instructions).toBeGreaterThan(700_000);
  });
});

describe('tinykernel', () => {
  it.each(['tinykernel-native.elf', 'tinykernel-xen.elf'])("%s: instruction lengths of .text are objdump's", (name) => {
    const { lines, wrong } = lengthMismatches(join('samples/tinykernel/prebuilt', name), '.text', 64);
    expect(lines).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
    expect(nameMismatches(join('samples/tinykernel/prebuilt', name), '.text', 64)).toEqual([]);
  });
});
