// Sites of a C source: inline asm statements wherever they stand, found by position and confirmed on the tree.

import type { Node } from 'web-tree-sitter';
import { type AsmStatement, readAsm } from '../syntax/c/asm-statement.ts';
import { macroBody } from '../syntax/c/prepass.ts';
import { readTemplate } from '../syntax/c/template.ts';
import { allInstructions, type SourceRange } from '../syntax/gas/instructions.ts';
import { type Grammars, parse } from '../syntax/grammars.ts';
import type { Dialect, Instruction } from '../syntax/instruction.ts';
import { callIdiom, IDIOM_CALL } from './idioms.ts';
import { INTRINSIC_CALL, intrinsicHit } from './intrinsics.ts';
import { candidates, sensitivity } from './sensitive.ts';
import type { Site } from './site.ts';

/** What all sites of a file share. */
export interface CFile {
  readonly grammars: Grammars;
  /** The file's own text and the pre-passed one, of the same length. */
  readonly text: string;
  readonly code: string;
  readonly masm: Dialect;
  /** Object-like macros whose body is made of string literals. */
  readonly strings: ReadonlyMap<string, string>;
  /** Object-like macros whose body is a constant expression. */
  readonly constants: ReadonlyMap<string, string>;
}

const KEYWORD = new RegExp(`\\b(?:asm|__asm|__asm__)\\b|\\b(?:${INTRINSIC_CALL}|${IDIOM_CALL})\\s*\\(`, 'g');

/** Sites between `from` and `to` of the tree's text. */
export function cSites(file: CFile, root: Node, from: number, to: number): Site[] {
  const sites: Site[] = [];
  let last = -1;
  KEYWORD.lastIndex = from;
  for (let match = KEYWORD.exec(file.code); match && match.index < to; match = KEYWORD.exec(file.code)) {
    if (match.index < last) continue;
    const found = sitesAt(file, root, match.index, 0, false);
    sites.push(...found.sites);
    last = Math.max(last, found.end);
  }
  return sites;
}

const NONE = { sites: [] as Site[], end: -1 };

/** The site of the keyword at `offset` of the file; `root` is a tree whose text starts `-shift` before. */
function sitesAt(file: CFile, root: Node, offset: number, shift: number, inMacro: boolean): { sites: Site[]; end: number } {
  const leaf = root.descendantForIndex(offset - shift);
  if (!leaf || /^(comment|string_content|string_literal|char_literal|character|system_lib_string|escape_sequence)$/.test(leaf.type))
    return NONE;
  if (leaf.type === 'preproc_arg' && !inMacro) return macroSites(file, leaf);
  for (let node: Node | null = leaf, up = 0; node && up < 4; node = node.parent, up++) {
    if (node.type === 'gnu_asm_expression') return asmSites(file, node, shift, inMacro);
    if (node.type === 'call_expression' && node.startIndex + shift === offset) return callSites(file, node, shift, inMacro);
  }
  return /^(?:asm|__asm|__asm__)\b/.test(file.code.slice(offset, offset + 8)) ? recover(file, offset, inMacro) : NONE;
}

function asmSites(file: CFile, node: Node, shift: number, inMacro: boolean): { sites: Site[]; end: number } {
  const statement = readAsm(node, shift, inMacro);
  if (!statement) return NONE;
  const site = siteOfAsm(file, statement);
  return { sites: site ? [site] : [], end: statement.end };
}

/** Null when the template has no sensitive instruction. */
function siteOfAsm(file: CFile, statement: AsmStatement): Site | null {
  const template = readTemplate(file.text, statement.templateStart, statement.templateEnd, file.masm, file.strings);
  if (candidates(template.text).length === 0) return null;
  const tree = parse(file.grammars.gas, `${template.text}\n`);
  if (!tree) return null;
  const range: SourceRange = (start, end) => [template.starts[start]!, template.ends[Math.max(start, end - 1)]!];
  const instructions = allInstructions(tree.rootNode, file.masm, range);
  tree.delete();
  const hits = instructions
    .filter((i) => !isEmulationPrefix(template.text, i))
    .flatMap((instruction) => {
      const sensitive = sensitivity(instruction);
      return sensitive ? [{ instruction, sensitive }] : [];
    });
  if (hits.length === 0) return null;
  return { start: statement.start, end: statement.end, hits, idioms: [], asm: { statement, instructions }, warnings: [] };
}

/** `ud2; .ascii "xen"; cpuid` is the forced emulation that a port wants. */
const isEmulationPrefix = (template: string, { mnemonic }: Instruction): boolean =>
  mnemonic === 'cpuid' && /\bud2a?\b[\s;]*\.(ascii\s*"xen"|byte\s+0x78\s*,\s*0x65\s*,\s*0x6e)/i.test(template);

function callSites(file: CFile, node: Node, shift: number, inMacro: boolean): { sites: Site[]; end: number } {
  const end = node.endIndex + shift;
  const hit = intrinsicHit(node, shift);
  const idiom = hit ? null : callIdiom(node, shift, inMacro, file.constants);
  if (!hit && !idiom) return NONE;
  // Arguments may hold calls of their own, so the search goes on inside.
  return { sites: [{ start: node.startIndex + shift, end, hits: hit ? [hit] : [], idioms: idiom ? [idiom] : [], warnings: [] }], end: -1 };
}

const WRAPPER = 'void f(void){';

/** Everything in the body of one #define, re-parsed as the body of a function. */
function macroSites(file: CFile, body: Node): { sites: Site[]; end: number } {
  const text = macroBody(file.code.slice(body.startIndex, body.endIndex));
  const tree = parse(file.grammars.c, `${WRAPPER}${text};}`);
  const sites: Site[] = [];
  if (tree) {
    KEYWORD.lastIndex = 0;
    let last = -1;
    const matches = [...text.matchAll(KEYWORD)];
    for (const match of matches) {
      const offset = match.index + body.startIndex;
      if (offset < last) continue;
      const found = sitesAt(file, tree.rootNode, offset, body.startIndex - WRAPPER.length, true);
      sites.push(...found.sites);
      last = Math.max(last, found.end);
    }
    tree.delete();
  }
  return { sites, end: body.endIndex };
}

/** An asm statement that the tree lost in an error: read alone, from its keyword to the parenthesis that ends it. */
function recover(file: CFile, offset: number, inMacro: boolean): { sites: Site[]; end: number } {
  const end = statementEnd(file.code, offset);
  const lost = (message: string): { sites: Site[]; end: number } => {
    const at = { start: offset, end: Math.max(offset + 3, Math.min(end, offset + 200)) };
    return { sites: [{ ...at, hits: [], idioms: [], warnings: [{ ...at, message }] }], end: at.end };
  };
  // `asm` as the name of something else has no parenthesis after it.
  if (end === -1) return NONE;
  const tree = parse(file.grammars.c, `${WRAPPER}${inMacro ? macroBody(file.code.slice(offset, end)) : file.code.slice(offset, end)};}`);
  const node = tree?.rootNode.descendantForIndex(WRAPPER.length);
  for (let up: Node | null | undefined = node; up; up = up.parent) {
    if (up.type !== 'gnu_asm_expression') continue;
    const statement = readAsm(up, offset - WRAPPER.length, inMacro);
    // How it stands among its neighbours is unknown: no fix may replace it.
    const site = statement && siteOfAsm(file, { ...statement, placement: 'expression' });
    tree?.delete();
    return { sites: site ? [site] : [], end };
  }
  tree?.delete();
  return lost('This asm statement could not be parsed; instructions in it are not checked.');
}

/** The longest asm statement that recovery reads. */
const LONGEST = 20_000;

/** Offset after the closing parenthesis of the asm statement at `offset`; -1 when it is none or does not end. */
function statementEnd(code: string, offset: number): number {
  const open = /^(?:asm|__asm|__asm__)\b(?:\s|\\\r?\n|volatile\b|__volatile__\b|inline\b|goto\b)*\(/.exec(code.slice(offset, offset + 200));
  if (!open) return -1;
  let depth = 1;
  const limit = Math.min(code.length, offset + LONGEST);
  for (let i = offset + open[0].length; i < limit; i++) {
    const char = code[i];
    if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return i + 1;
    else if (char === '"') {
      for (i++; i < limit && code[i] !== '"'; i++) if (code[i] === '\\') i++;
    }
  }
  return -1;
}
