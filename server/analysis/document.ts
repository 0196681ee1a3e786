// One source file under analysis: its text, its tree and the sites found in it. An edit re-parses and re-analyses what changed.

import { Edit, type Node, type Tree } from 'web-tree-sitter';
import { assemblyPart } from '../syntax/c/assembly-part.ts';
import type { MacroLookup } from '../syntax/c/expand.ts';
import { prepass } from '../syntax/c/prepass.ts';
import { type Grammars, parse } from '../syntax/grammars.ts';
import { LineIndex } from '../syntax/lines.ts';
import { type CFile, cSites } from './c-sites.ts';
import type { Language, Warning } from './finding.ts';
import { gasSites, modesOf } from './gas-sites.ts';
import { lineSites } from './line-sites.ts';
import { type Macros, readMacros } from './macros.ts';
import { moveSite, type Site } from './site.ts';
import { findErrors, type ParseError, refusalToParse, treeTrouble } from './trouble.ts';

export interface DocumentOptions {
  readonly language: Language;
  readonly masm: 'att' | 'intel';
  /** Macros of other files that may be part of an asm template. */
  readonly template?: MacroLookup;
}

/** Statements that are read without the tree's help in one search; the header that needs most of all known ones needs 30. */
const MOST_RECOVERIES = 500;

export class SourceDocument {
  readonly #grammars: Grammars;
  readonly #options: DocumentOptions;
  #text = '';
  #code = '';
  #tree: Tree | null = null;
  #macros: Macros = { strings: new Map(), constants: new Map(), templates: new Map() };
  #sites: readonly Site[] = [];
  #errors: readonly ParseError[] = [];
  #warnings: readonly Warning[] = [];
  #lines: LineIndex | null = null;
  readonly #used = new Set<string>();
  /** The last search read statements without the tree's help, so that an edit anywhere may change how far they go. */
  #recovered = false;

  constructor(grammars: Grammars, text: string, options: DocumentOptions) {
    this.#grammars = grammars;
    this.#options = options;
    this.replace(text);
  }

  get text(): string {
    return this.#text;
  }
  get language(): Language {
    return this.#options.language;
  }
  /** Macros whose text is part of a template with a sensitive instruction. */
  get usedMacros(): ReadonlySet<string> {
    return this.#used;
  }
  get macros(): Macros {
    return this.#macros;
  }
  /** In the order of their place. */
  get sites(): readonly Site[] {
    return this.#sites;
  }
  get warnings(): readonly Warning[] {
    const { length } = this.#text;
    return [...this.#warnings, ...this.#sites.flatMap((site) => site.warnings)].map(({ start, end, message }) => ({
      start: Math.min(start, length),
      end: Math.min(end, length),
      message,
    }));
  }
  get lines(): LineIndex {
    this.#lines ??= new LineIndex(this.#text);
    return this.#lines;
  }

  /** Frees the tree, which lives outside the garbage collector's reach. */
  dispose(): void {
    this.#tree?.delete();
    this.#tree = null;
  }

  /** Takes a new text and analyses all of it. */
  replace(text: string): void {
    this.dispose();
    this.#load(text);
    const { language } = this.#options;
    if (language === 'nasm' || language === 'plan9') {
      const refusal = refusalToParse(text);
      this.#warnings = refusal ? [{ start: 0, end: Math.min(1, text.length), message: refusal }] : [];
      this.#sites = refusal ? [] : lineSites(text, language);
      return;
    }
    this.#tree = this.#parseAll();
    this.#sites = this.#tree ? this.#searchAll(this.#tree.rootNode) : [];
  }

  /** Takes a new text that differs from the old one in one place or a few, and analyses what the difference touches. */
  update(text: string): void {
    const before = this.#code;
    const macros = this.#macros;
    const old = this.#tree;
    if (!old || refusalToParse(text)) {
      this.replace(text);
      return;
    }
    const oldLines = this.lines;
    this.#load(text);
    const edit = difference(before, this.#code);
    if (edit.start === edit.oldEnd && edit.start === edit.newEnd) return;
    const at = (lines: LineIndex, offset: number): { row: number; column: number } => {
      const { line, column } = lines.position(offset);
      return { row: line, column };
    };
    old.edit(
      new Edit({
        startIndex: edit.start,
        oldEndIndex: edit.oldEnd,
        newEndIndex: edit.newEnd,
        startPosition: at(oldLines, edit.start),
        oldEndPosition: at(oldLines, edit.oldEnd),
        newEndPosition: at(this.lines, edit.newEnd),
      }),
    );
    const tree = parse(this.#parser, this.#code, old);
    if (!tree) {
      this.replace(text);
      return;
    }
    const root = tree.rootNode;
    let from = edit.start;
    let to = edit.newEnd;
    for (const range of old.getChangedRanges(tree)) {
      from = Math.min(from, range.startIndex);
      to = Math.max(to, range.endIndex);
    }
    old.delete();
    this.#tree = tree;
    this.#updateErrors(root, edit, from, to);
    // A changed macro or dialect directive is felt elsewhere in the file.
    const near =
      sameMacros(macros, this.#macros) &&
      !/^\s*\.(intel_syntax|att_syntax|code\d\d)/m.test(lineAround(before, edit.start, edit.oldEnd) + lineAround(this.#code, from, to));
    const window: readonly [number, number] = near ? this.#window(root, from, to) : [0, this.#code.length];
    const delta = edit.newEnd - edit.oldEnd;
    const fragile = this.#recovered;
    this.#recovered = false;
    const merged = fragile ? [] : this.#merge(root, edit, delta, window);
    this.#sites = fragile || this.#recovered ? this.#searchAll(root) : merged;
  }

  /** Errors outside of what changed are moved, those inside looked for anew. */
  #updateErrors(
    root: Node,
    edit: { readonly start: number; readonly oldEnd: number; readonly newEnd: number },
    from: number,
    to: number,
  ): void {
    const { language } = this.#options;
    const delta = edit.newEnd - edit.oldEnd;
    const [first, last] = root.type === 'ERROR' ? [0, this.#code.length] : this.#window(root, from, to);
    const kept = this.#errors.flatMap(({ start, end }) => {
      if (end < first && end <= edit.start) return [{ start, end }];
      return start >= edit.oldEnd && start + delta > last ? [{ start: start + delta, end: end + delta }] : [];
    });
    this.#errors = [...kept, ...findErrors(root, language, this.#code, first, last)].sort((a, b) => a.start - b.start);
    this.#warnings = treeTrouble(this.#errors, language, this.#code);
  }

  /** The sites outside of the window, moved, and those found anew in it. A site that is given up takes its whole extent into the window. */
  #merge(root: Node, edit: { readonly start: number; readonly oldEnd: number }, delta: number, window: readonly [number, number]): Site[] {
    let [from, to] = window;
    const isBefore = (site: Site): boolean => site.end <= edit.start && site.end <= from;
    const isAfter = (site: Site): boolean => site.start >= edit.oldEnd && site.start + delta >= to;
    for (let grown = true; grown; ) {
      grown = false;
      for (const site of this.#sites) {
        if (isBefore(site) || isAfter(site)) continue;
        const start = Math.min(from, site.start);
        const end = Math.min(this.#code.length, Math.max(to, site.end + Math.max(delta, 0)));
        if (start < from || end > to) {
          [from, to] = this.#window(root, start, end);
          grown = true;
        }
      }
    }
    const kept = this.#sites.flatMap((site) => (isBefore(site) ? [site] : isAfter(site) ? [moveSite(site, delta)] : []));
    return [...kept, ...this.#search(root, from, to)].sort((a, b) => a.start - b.start);
  }

  /** Every site of the current tree, looked for anew: what the incremental result has to equal. */
  searchAgain(): readonly Site[] {
    const { language } = this.#options;
    if (language === 'nasm' || language === 'plan9') return refusalToParse(this.#text) ? [] : lineSites(this.#text, language);
    return this.#tree ? this.#searchAll(this.#tree.rootNode) : [];
  }

  #searchAll(root: Node): Site[] {
    this.#recovered = false;
    return this.#search(root, 0, this.#code.length);
  }

  get #parser() {
    return this.#options.language === 'c' ? this.#grammars.c : this.#grammars.gas;
  }

  #load(text: string): void {
    this.#text = text;
    this.#lines = null;
    // A statement of the assembly grammar ends with a line end, which the last line of a file may lack.
    this.#code = this.#options.language === 'c' ? prepass(text) : `${text.replace(DOTTED_LABEL, '$1_')}\n`;
    this.#macros = readMacros(text);
  }

  #parseAll(): Tree | null {
    const refusal = refusalToParse(this.#text);
    const tree = refusal ? null : parse(this.#parser, this.#code);
    const whole = { start: 0, end: Math.min(1, this.#text.length) };
    if (refusal) this.#warnings = [{ ...whole, message: refusal }];
    else if (!tree)
      this.#warnings = [{ ...whole, message: 'The file is too tangled to be parsed in reasonable time; nothing in it was checked.' }];
    else {
      this.#errors = findErrors(tree.rootNode, this.#options.language, this.#code);
      this.#warnings = treeTrouble(this.#errors, this.#options.language, this.#code);
    }
    return tree;
  }

  /** The range of whole top-level items that covers `from` to `to`. */
  #window(root: Node, from: number, to: number): readonly [number, number] {
    let start = this.#code.lastIndexOf('\n', Math.max(0, from - 1)) + 1;
    let end = this.#code.indexOf('\n', to);
    if (end === -1) end = this.#code.length;
    const first = root.firstChildForIndex(start);
    const last = root.firstChildForIndex(Math.max(start, end - 1));
    if (first && first.startIndex < start) start = first.startIndex;
    if (last && last.endIndex > end) end = last.endIndex;
    return [start, end];
  }

  /** Sites of the parts of a header that are for the assembler. */
  #assemblySites(from: number, to: number): Site[] {
    const part = `${assemblyPart(this.#text)}\n`;
    const tree = parse(this.#grammars.gas, part);
    if (!tree) return [];
    try {
      return gasSites(this.#grammars.gas, tree.rootNode, part, modesOf(part), 0, part.length).filter(
        ({ start }) => start >= from && start < to,
      );
    } finally {
      tree.delete();
    }
  }

  #search(root: Node, from: number, to: number): Site[] {
    if (this.#options.language === 'gas') return gasSites(this.#grammars.gas, root, this.#code, modesOf(this.#code), from, to);
    let recoveries = 0;
    const mayRecover = (): boolean => {
      this.#recovered = true;
      return ++recoveries <= MOST_RECOVERIES;
    };
    const file: CFile = {
      grammars: this.#grammars,
      text: this.#text,
      code: this.#code,
      masm: this.#options.masm,
      template: (name) => this.#macros.templates.get(name) ?? this.#options.template?.(name) ?? null,
      ...this.#macros,
      mayRecover,
      use: (name) => this.#used.add(name),
    };
    const sites = cSites(file, root, from, to);
    return ASSEMBLY_PART.test(this.#code) ? [...sites, ...this.#assemblySites(from, to)].sort((a, b) => a.start - b.start) : sites;
  }
}

/** `.Lname:` in front of an instruction; the grammar takes the dot for a directive's. */
const DOTTED_LABEL = /^([ \t]*)\.(?=[A-Za-z_][\w$]*:)/gm;

const ASSEMBLY_PART = /\b__ASSEMBL(?:Y|ER)__\b|^[ \t]*\.macro\b/m;

const lineAround = (text: string, from: number, to: number): string => {
  const end = text.indexOf('\n', to);
  return `${text.slice(text.lastIndexOf('\n', Math.max(0, from - 1)) + 1, end === -1 ? text.length : end)}\n`;
};

/** The one range in which two texts differ. */
export function difference(before: string, after: string): { start: number; oldEnd: number; newEnd: number } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let tail = 0;
  while (tail < shorter - start && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { start, oldEnd: before.length - tail, newEnd: after.length - tail };
}

function sameMacros(a: Macros, b: Macros): boolean {
  const same = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean =>
    one.size === other.size && [...one].every(([name, body]) => other.get(name) === body);
  const sameTemplates =
    a.templates.size === b.templates.size && [...a.templates].every(([name, { body }]) => b.templates.get(name)?.body === body);
  return sameTemplates && same(a.strings, b.strings) && same(a.constants, b.constants);
}
