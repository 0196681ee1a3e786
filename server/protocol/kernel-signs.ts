// Signs that a workspace holds a kernel: what `hyperport.enable: auto` goes by.

import { type FileEntry, type Files, walk } from './files.ts';

/** Files that are looked at before the search gives up. */
const MOST_FILES = 20_000;
const MOST_READ = 400;
const HEAD = 200_000;

interface Sign {
  readonly name: RegExp;
  readonly text: RegExp;
  readonly what: string;
}

const SIGNS: readonly Sign[] = [
  { name: /^(Kbuild|Kconfig)$/, text: /^\s*(obj-[ym$]|config\s|menu\s|source\s)/m, what: 'is of the kernel build system' },
  { name: /\.(lds|ld|lds\.S|ld\.S|x)$/, text: /\bSECTIONS\s*\{[\s\S]*\.\s*=|\bENTRY\s*\(/, what: 'is a linker script' },
  { name: /\.(s|S)$/, text: /^[^#\n]*\b(lgdt[lq]?\b|mov[lq]?\s+[^\n]*%cr3\b|mov\s+cr3\s*,)/m, what: 'has lgdt or cr3' },
  { name: /\.(s|S|c|h)$/, text: /0x1badb002|0xe85250d6/i, what: 'has a multiboot header' },
  { name: /\.(s|S|c|h)$/, text: /XEN_ELFNOTE_|\bELFNOTE\s*\(\s*Xen|__xen_guest/, what: 'has Xen ELF notes' },
];

export interface KernelSign {
  readonly uri: string;
  readonly what: string;
}

/** The first sign that is found, or null. */
export async function findKernelSign(files: Files, roots: readonly string[], stopped: () => boolean): Promise<KernelSign | null> {
  let read = 0;
  for await (const entry of walk(files, roots, MOST_FILES, stopped)) {
    const fitting = SIGNS.filter(({ name }) => name.test(entry.name));
    // Most C files of a tree hold no sign, so only so many of them are opened.
    if (fitting.length === 0 || (isPlainC(entry) && ++read > MOST_READ)) continue;
    const text = await files.read(entry.uri, HEAD);
    const sign = text === null ? undefined : fitting.find((candidate) => candidate.text.test(text));
    if (sign) return { uri: entry.uri, what: sign.what };
  }
  return null;
}

const isPlainC = ({ name }: FileEntry): boolean => /\.[ch]$/.test(name);
