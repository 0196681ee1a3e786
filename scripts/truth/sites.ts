// From instructions of a binary to places of the source: the line that holds the instruction, and the lines that call or expand it.

import { existsSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { normalisePath } from '../../image/dwarf/paths.ts';
import type { SourceFrame } from '../../image/symbolizer.ts';
import { type Disassembled, disassemble } from './disassemble.ts';
import { type Places, placesOf } from './places.ts';
import { spelling, stem } from './sensitive.ts';
import { type SourceText, statementAt } from './source-text.ts';
import type { Binary, Tree } from './tree.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
  /** Stems of the instructions that the binary has from here. */
  readonly stems: Set<string>;
  /** One instruction as the disassembly shows it, for the list of misses. */
  readonly example: string;
}

export interface Truth {
  /** Lines whose text is the instruction, by `file:line`. */
  readonly sites: Map<string, Place>;
  /** Lines that call the inline function or expand the macro that holds an instruction. */
  readonly calls: Map<string, Place>;
  /** Instructions that no line of the sources accounts for, one sentence each: every one is a miss of the first kind. */
  readonly unmapped: Map<string, string>;
  /** Bytes that the source writes as data. */
  data: number;
  /** Instructions of sources outside of what is measured. */
  outside: number;
}

/** Beyond this a function is no wrapper of an instruction, and its callers call what it does. */
const WRAPPER_BYTES = 48n;

const DATA =
  /^\s*(?:[\w.$]+:\s*)*(?:\.(?:ascii|asciz|string|byte|word|short|value|long|int|quad|octa|skip|space|zero|fill|org|align|balign|p2align|incbin|code)|d[bwdq]\b|times\b|res[bwdq]\b|align\b|%?incbin\b)/i;

const put = (map: Map<string, Place>, file: string, line: number, mnemonic: string, example: string): void => {
  const key = `${file}:${line}`;
  const known = map.get(key);
  if (known) known.stems.add(stem(mnemonic));
  else map.set(key, { file, line, stems: new Set([stem(mnemonic)]), example });
};

/** 16 or 32 by the directives above a line of assembly; null in C and where none says. */
function codeSize(lines: readonly string[], line: number): CodeSize | null {
  for (let i = line - 1; i >= 0; i--) {
    const found = /^\s*(?:\.code(16|32|64)|\[?bits\s+(16|32|64)|\.code16gcc)/i.exec(lines[i]!);
    if (found) return Number(found[1] ?? found[2] ?? 16) as CodeSize;
  }
  return null;
}

type CodeSize = 16 | 32 | 64;

/** As what the code was disassembled, and what the binary is. */
interface Reading {
  readonly size: CodeSize;
  readonly own: CodeSize;
  /** Parts of the binary are of another size: the source says which. */
  readonly mixed: boolean;
}

const isAssembly = (file: string): boolean => /\.(S|s|asm|inc|mac)$/.test(file);

class Mapper {
  readonly #tree: Tree;
  readonly #source: SourceText;
  readonly #truth: Truth;
  readonly #paths = new Map<string, string | null>();
  readonly #resolved = new Map<string, Resolution | null>();

  constructor(tree: Tree, source: SourceText, truth: Truth) {
    this.#tree = tree;
    this.#source = source;
    this.#truth = truth;
  }

  async map(binary: Binary): Promise<void> {
    const places = placesOf(binary);
    const elf = places.bits;
    const sizes: readonly CodeSize[] =
      binary.code === 'mixed' ? (elf === 64 ? [64, 32, 16] : [32, 16]) : [binary.code === 'real' ? 16 : elf];
    for (const size of sizes) {
      const { sensitive, calls } = await disassemble(binary.path, size === elf ? null : size);
      const holders = new Map<string, Set<string>>();
      for (const instruction of sensitive) this.#one(places, instruction, { size, own: elf, mixed: binary.code === 'mixed' }, holders);
      for (const [name, mnemonics] of holders) {
        for (const { address, isJump } of calls.get(name) ?? []) {
          const [frame] = places.framesAt(address);
          const file = frame && this.#relative(frame.file);
          if (!file || !this.#measures(file) || this.#source.lines(file) === null) continue;
          // A compiler's jump to a function is a call in tail position; a jump in assembly is a way within the code.
          if (isJump && isAssembly(file)) continue;
          for (const mnemonic of mnemonics) put(this.#truth.calls, file, frame.line, mnemonic, `call ${name}`);
        }
      }
    }
  }

  #measures(file: string): boolean {
    return this.#tree.measured?.(file) ?? true;
  }

  /** Path below the tree, links resolved, or null for a file elsewhere. */
  #relative(file: string | undefined): string | null {
    if (!file) return null;
    let known = this.#paths.get(file);
    if (known === undefined) {
      known = this.#below(file);
      this.#paths.set(file, known);
    }
    return known;
  }

  #below(file: string): string | null {
    const { root, builtIn } = this.#tree;
    const moved = builtIn instanceof RegExp ? builtIn.exec(file)?.[0] : builtIn;
    const base = [root, moved].find((each) => each && file.startsWith(`${each}/`));
    if (!base && file.startsWith('/')) return null;
    const path = join(this.#tree.root, normalisePath(base ? file.slice(base.length + 1) : file));
    if (!existsSync(path)) {
      // Some assemblers leave out the folder: a name that only one file has tells it.
      const named = isAssembly(path) ? this.#source.files.filter((each) => basename(each) === basename(path)) : [];
      if (named.length === 1) return named[0]!;
      return base ? path.slice(this.#tree.root.length + 1) : null;
    }
    return realpathSync(path).slice(realpathSync(this.#tree.root).length + 1);
  }

  #one(places: Places, { address, mnemonic, text }: Disassembled, reading: Reading, holders: Map<string, Set<string>>): void {
    const frames = places.framesAt(address);
    const top = frames[0];
    const file = top && this.#relative(top.file);
    if (!top?.file || top.line === 0) {
      // Neither a symbol nor a line: assemblers give every instruction its line, so these are bytes in front of the code.
      if (!top) this.#truth.data++;
      // In a mixed binary one of the two readings of a place is wrong, and data in a section of code is neither.
      else if (top.function !== '?' && this.#byFunction(top.function, mnemonic, text)) return;
      else if (reading.size === reading.own)
        this.#unmapped(`${top?.function ?? '?'}: ${text}`, `0x${address.toString(16)} ${text}: no line (${top?.function ?? '?'})`);
      return;
    }
    if (file === null) {
      // A header of the compiler: the line that uses it is a call, and the instruction's own line is not in the tree.
      this.#truth.outside++;
      this.#callOf(frames, 0, mnemonic, text);
      return;
    }
    // C is compiled for the binary's own size.
    if (reading.mixed && !isAssembly(file) && reading.size !== reading.own) return;
    const lines = this.#source.lines(file);
    if (!lines && /(?:^|\/)generated\//.test(file)) {
      this.#truth.outside++;
      return;
    }
    if (!lines) {
      this.#unmapped(`${file}:${top.line}`, `${file}:${top.line}: ${text}: the source of this line is not there`);
      return;
    }
    if (reading.mixed && ((isAssembly(file) && codeSize(lines, top.line)) || reading.own) !== reading.size) return;
    const said = lines[top.line - 1] ?? '';
    // Assemblers begin a row for each instruction; what stands behind one in its row is data that follows it.
    if (isAssembly(file) && (DATA.test(said) || !places.beginsRow(address))) {
      this.#truth.data++;
      return;
    }
    // The bytes that make Xen emulate what follows spell a word; a disassembler reads instructions in it.
    if (/EMULATE_PREFIX/.test(said) && mnemonic.startsWith('outs')) {
      this.#truth.data++;
      return;
    }
    let resolution = this.#resolve(file, top.line, mnemonic, lines);
    // What is patched over bytes that an assembler skipped stands behind the line of the instruction before.
    for (let next = 1; !resolution && isAssembly(file) && places.isAlternative(address) && next <= 8; next++)
      resolution = this.#resolve(file, top.line + next, mnemonic, lines);
    if (!resolution) {
      if (this.#measures(file)) this.#unmapped(`${file}:${top.line}`, `${file}:${top.line}: ${text}: the line does not show it`);
      return;
    }
    if (this.#measures(resolution.file)) put(this.#truth.sites, resolution.file, resolution.line, mnemonic, text);
    else this.#truth.outside++;
    for (const use of resolution.uses) if (this.#measures(use.file)) put(this.#truth.calls, use.file, use.line, mnemonic, text);
    if (resolution.uses.length > 0) return;
    this.#callOf(frames, 0, mnemonic, text);
    const holder = frames.length === 1 ? places.functionAt(address) : undefined;
    if (holder && holder.high - holder.low <= WRAPPER_BYTES) {
      const names = holders.get(holder.name) ?? new Set();
      holders.set(holder.name, names.add(mnemonic));
    }
  }

  /** An instruction without a line, in a section that an asm statement switched to: looked for in the C function of its symbol. */
  #byFunction(symbol: string, mnemonic: string, text: string): boolean {
    const place = this.#source.functionNamed(symbol.replace(/\.(?:isra|part|constprop|cold)\b.*$/, ''));
    const found = place && this.#search(place.lines, place.file, place.line, spelling(mnemonic), 0, new Set(), false, false);
    if (!found || !this.#measures(found.file)) return false;
    put(this.#truth.sites, found.file, found.line, mnemonic, text);
    for (const use of found.uses) put(this.#truth.calls, use.file, use.line, mnemonic, text);
    return true;
  }

  /** Frame `at` was inlined: the line that calls it. */
  #callOf(frames: readonly SourceFrame[], at: number, mnemonic: string, text: string): void {
    const caller = frames[at]!.isInlined ? frames[at + 1] : undefined;
    const file = caller && this.#relative(caller.file);
    // A function that the compiler has split calls its own rest.
    if (!caller || !file || caller.line === 0 || !this.#measures(file) || caller.function === frames[at]!.function) return;
    put(this.#truth.calls, file, caller.line, mnemonic, `${text} in ${frames[at]!.function}`);
  }

  #unmapped(key: string, sentence: string): void {
    this.#truth.unmapped.set(key, sentence);
  }

  #resolve(file: string, line: number, mnemonic: string, lines: readonly string[]): Resolution | null {
    const key = `${file}:${line}:${mnemonic}`;
    let known = this.#resolved.get(key);
    if (known === undefined) {
      const text = isAssembly(file) ? [lines[line - 1] ?? ''] : statementAt(lines, line);
      known = this.#search(text, file, line, spelling(mnemonic), 0, new Set(), isAssembly(file), true);
      this.#resolved.set(key, known);
    }
    return known;
  }

  /** The place of the instruction in `text`, which begins at `line`, or in a macro that it uses. */
  #search(
    text: readonly string[],
    file: string,
    line: number,
    wanted: RegExp,
    depth: number,
    seen: Set<string>,
    assembly: boolean,
    whole: boolean,
  ): Resolution | null {
    const inside = text.findIndex((each) => (assembly ? showsInAssembly(each, wanted) : showsInC(each, wanted)));
    // A statement of C has one line in the debug information: its first.
    if (inside !== -1) return { file, line: assembly || !whole ? line + inside : line, uses: [] };
    if (depth >= 8) return null;
    for (const [i, each] of text.entries()) {
      const own = /^\s*\(([^)]*)\)/.exec(depth > 0 ? text[0]! : '')?.[1]?.split(/[\s,]+/) ?? [];
      for (const [, name, paste] of each.replace(/"(?:\\.|[^"\\])*"/g, '').matchAll(/([A-Za-z_]\w*)(\s*##)?/g)) {
        if (!name || seen.has(name) || own.includes(name)) continue;
        const named = paste && name.length > 4 ? this.#source.macrosFrom(name) : this.#source.macros(name);
        const bodies = named.filter((body) => body.file !== file || body.line !== line);
        if (bodies.length === 0) continue;
        seen.add(name);
        // The same file's definition before the others'.
        const ordered = [...bodies].sort((a, b) => Number(b.file === file) - Number(a.file === file));
        for (const body of ordered) {
          const own = [body.lines[0]!.replace(/^\s*[#%.]?\s*\w+\s+\w+/, ''), ...body.lines.slice(1)];
          const found = this.#search(own, body.file, body.line, wanted, depth + 1, seen, assembly || body.kind === 'macro', false);
          if (found) return { ...found, uses: [{ file, line: whole && !assembly ? line : line + i }, ...found.uses] };
        }
      }
    }
    return null;
  }
}

interface Resolution {
  readonly file: string;
  readonly line: number;
  /** Lines that expand a macro on the way, outermost first. */
  readonly uses: readonly { readonly file: string; readonly line: number }[];
}

/** In C the instruction stands in a string, or its name is glued together by a macro's #. */
const showsInC = (line: string, wanted: RegExp): boolean =>
  BYTES.test(line) || [...line.matchAll(/"((?:\\.|[^"\\])*)"/g)].some(([, inner]) => wanted.test(inner!.replace(/\\[nt]/g, ' ')));

/** An instruction that is written as bytes; which one they are is not asked, since the binary has it. */
const BYTES = /\.byte\b.*\b0x0f\b/i;

const showsInAssembly = (line: string, wanted: RegExp): boolean =>
  wanted.test(line.replace(/\/\*.*?\*\//g, ' ').replace(/(?:\/\/|;|(?<!\S)#).*$/, (rest) => (rest.startsWith(';') ? rest : ''))) ||
  showsInC(line, wanted);

/** Everything that the tree's binaries say. */
export async function truthOf(tree: Tree, source: SourceText): Promise<Truth> {
  const truth: Truth = { sites: new Map(), calls: new Map(), unmapped: new Map(), data: 0, outside: 0 };
  const mapper = new Mapper(tree, source, truth);
  for (const binary of tree.binaries) await mapper.map(binary);
  return truth;
}
