// The decoder against iced-x86 on random byte strings and on the machine code of Debian's kernels and GRUB: a slice in the tests, all
// of it in `npm run fuzz -- --decoder`.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseElf } from '../../image/elf/parse.ts';
import { unpack } from '../../image/unpack.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { seededRandom } from '../../x86/encode.ts';
import { difference, lastLength } from './iced.ts';

const PREFIXES = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x3e, 0x64, 0x65, 0x40, 0x41, 0x44, 0x48, 0x4f];

/** Random bytes that reach the prefixes and the rarer opcode maps more often than chance would. */
function fillRandom(bytes: Uint8Array, random: () => number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = random();
  let at = 0;
  while (at < 3 && random() % 2) bytes[at++] = PREFIXES[random() % PREFIXES.length]!;
  if (random() % 2) {
    bytes[at++] = 0x0f;
    const map = random() % 6;
    if (map < 2) bytes[at] = map ? 0x38 : 0x3a;
  }
}

/** What differs on `count` random strings, one example of each kind. */
export function compareStrings(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const bytes = new Uint8Array(16);
  const found = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    fillRandom(bytes, random);
    const mode = ([64, 64, 32, 16] as const)[random() % 4]!;
    const what = difference(bytes, 0, mode);
    if (what && !found.has(what)) found.set(what, `${mode}-bit ${Buffer.from(bytes).toString('hex')}: ${what}`);
  }
  return [...found.values()];
}

/** Machine code, all of one mode. */
export interface Text {
  readonly name: string;
  readonly mode: 64 | 32;
  readonly bytes: Uint8Array;
}
export interface TextReport {
  readonly instructions: number;
  readonly differences: readonly string[];
}

/** Decodes from the start to the end, instruction after instruction as iced counts them; `everyOffset`: from every byte. */
export function compareText({ name, mode, bytes }: Text, everyOffset = false): TextReport {
  const found = new Map<string, string>();
  let instructions = 0;
  for (let at = 0; at < bytes.length; at += everyOffset ? 1 : lastLength) {
    const what = difference(bytes, at, mode);
    instructions++;
    if (what && !found.has(what)) found.set(what, `${name} at 0x${at.toString(16)}: ${what}`);
  }
  return { instructions, differences: [...found.values()] };
}

const EXECUTABLE = 4n;
const NOBITS = 8;
/** Every section of an ELF file that holds code. */
function codeOf(name: string, file: Uint8Array): Text[] {
  const elf = parseElf(file);
  return elf.sections
    .filter((s) => (BigInt(s.flags) & EXECUTABLE) !== 0n && s.type !== NOBITS && s.size > 0)
    .map((s) => ({ name: `${name} ${s.name}`, mode: elf.bits, bytes: file.subarray(s.offset, s.offset + s.size) }));
}

/** GRUB for Xen, both kinds: whole files. */
export async function grubTexts(): Promise<Text[]> {
  const folder = join(await ensureDebian(['grub-xen']), 'usr/lib/grub-xen');
  return [
    { name: 'grub-x86_64-xen.bin', mode: 64, bytes: readFileSync(join(folder, 'grub-x86_64-xen.bin')) },
    { name: 'grub-i386-xen.bin', mode: 32, bytes: readFileSync(join(folder, 'grub-i386-xen.bin')) },
  ];
}
export async function machTexts(): Promise<Text[]> {
  const root = await ensureDebian(['gnumach']);
  return codeOf('gnumach', unpack(new Uint8Array(readFileSync(join(root, 'boot/gnumach-1.8-xen-486.gz')))));
}
/** The kernel inside a bzImage: the header (Documentation/arch/x86/boot.rst) says where it lies; Debian packs it with xz. */
function unpackBzImage(image: Buffer): Uint8Array {
  const setup = (image[0x1f1]! + 1) * 512;
  const start = setup + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  if (payload.readUInt32BE(0) !== 0xfd377a58) throw new Error("Debian's kernel is not packed with xz any more: teach unpackBzImage");
  // Four bytes of length follow the stream, which xz takes for damage after it has written everything.
  return execFileSync('xz', ['-dcq', '--single-stream'], { input: payload, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] });
}
export async function linuxTexts(): Promise<Text[]> {
  const boot = join(await ensureDebian(['linux']), 'boot');
  const file = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'));
  if (!file) throw new Error(`no vmlinuz in ${boot}`);
  return codeOf(file.replace('vmlinuz', 'vmlinux'), unpackBzImage(readFileSync(join(boot, file))));
}

export interface DecoderRequest {
  readonly strings: number;
  readonly seed: number;
  log(line: string): void;
}
/** Everything: random strings, every offset of GRUB, the code of GNU Mach and of Linux. */
export async function compareDecoder({ strings, seed, log }: DecoderRequest): Promise<{ compared: number; differences: string[] }> {
  const STEP = 1_000_000;
  const differences: string[] = [];
  let compared = 0;
  for (let done = 0, n = 0; done < strings; done += STEP, n++) {
    const count = Math.min(STEP, strings - done);
    differences.push(...compareStrings(count, (seed + n) >>> 0));
    compared += count;
    log(`${compared} random strings, seed ${seed}: ${differences.length} kinds of difference`);
  }
  const texts: [Text[], boolean][] = [
    [await grubTexts(), true],
    [await machTexts(), true],
    [await linuxTexts(), false],
  ];
  for (const [list, everyOffset] of texts)
    for (const text of list) {
      const report = compareText(text, everyOffset);
      compared += report.instructions;
      differences.push(...report.differences);
      log(
        `${text.name}: ${report.instructions} ${everyOffset ? 'offsets' : 'instructions'} of ${text.bytes.length} bytes, ${report.differences.length} kinds of difference`,
      );
    }
  return { compared, differences };
}
