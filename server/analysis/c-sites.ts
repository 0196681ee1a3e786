// Sites of a C source: inline asm statements wherever they stand, found by position and confirmed on the tree.

import type { Node } from 'web-tree-sitter';
import { type AsmStatement, readAsm } from '../syntax/c/asm-statement.ts';
import { type MacroLookup, splitArguments } from '../syntax/c/expand.ts';
import { macroBody } from '../syntax/c/prepass.ts';
import { readTemplate, type Template } from '../syntax/c/template.ts';
import { allInstructions, type SourceRange } from '../syntax/gas/instructions.ts';
import { type Grammars, parse } from '../syntax/grammars.ts';
import type { Dialect, Instruction } from '../syntax/instruction.ts';
import { callIdiom, IDIOM_CALL } from './idioms.ts';
import { INTRINSIC_CALL, intrinsicHit } from './intrinsics.ts';
import { candidates, hasEmulationPrefix, sensitivity } from './sensitive.ts';
import { type Hit, MOST_SITES, type Site, tooMany } from './site.ts';

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
  /** Macros that may be part of a template, of this file and of others. */
  readonly template: MacroLookup;
  /** Told of each macro whose text is part of a template with a sensitive instruction. */
  use(name: string): void;
  /** Asked before a statement is read without the tree's help: how far it goes depends on text far away. No: there were too many. */
  mayRecover(): boolean;
}

/** An asm keyword, or the name of a call. Names are bounded so that a file that is one endless name costs nothing. */
const KEYWORD = /\b(?:asm|__asm|__asm__)\b|\b[A-Za-z_]\w{0,60}(?=[ \t]*\()/g;
const ASM = /^(?:asm|__asm|__asm__)$/;
const CALL = new RegExp(`^(?:${INTRINSIC_CALL}|${IDIOM_CALL})$`);

/** Macros that take an instruction in a string and put it into an asm statement of theirs. */
const TAKES_INSTRUCTION = /^_*(?:alternative|pvop)\w*$/i;

const isKeyword = (word: string): boolean => ASM.test(word) || CALL.test(word) || TAKES_INSTRUCTION.test(word);

/** Sites between `from` and `to` of the tree's text. */
export function cSites(file: CFile, root: Node, from: number, to: number): Site[] {
  const sites: Site[] = [];
  let last = -1;
  KEYWORD.lastIndex = from;
  for (let match = KEYWORD.exec(file.code); match && match.index < to; match = KEYWORD.exec(file.code)) {
    if (match.index < last || !isKeyword(match[0])) continue;
    if (sites.length >= MOST_SITES) return [...sites, tooMany(match.index)];
    const found = sitesAt(file, root, match.index, 0, null);
    sites.push(...found.sites);
    last = Math.max(last, found.end);
  }
  return sites;
}

const NONE = { sites: [] as Site[], end: -1 };

/** The site of the keyword at `offset` of the file; `root` is a tree whose text starts `-shift` before. */
function sitesAt(file: CFile, root: Node, offset: number, shift: number, macroEnd: number | null): { sites: Site[]; end: number } {
  const leaf = root.descendantForIndex(offset - shift);
  if (!leaf || /^(comment|string_content|string_literal|char_literal|character|system_lib_string|escape_sequence)$/.test(leaf.type))
    return NONE;
  if (leaf.type === 'preproc_arg' && macroEnd === null)
    return /^preproc_(function_)?def$/.test(leaf.parent?.type ?? '') ? macroSites(file, leaf) : NONE;
  for (let node: Node | null = leaf, up = 0; node && up < 4; node = node.parent, up++) {
    if (node.type === 'gnu_asm_expression') return node.hasError ? recover(file, offset, macroEnd) : asmSites(file, node, shift, macroEnd);
    if (node.type === 'call_expression' && node.startIndex + shift === offset) return callSites(file, node, shift, macroEnd);
  }
  return /^(?:asm|__asm|__asm__)\b/.test(file.code.slice(offset, offset + 8)) ? recover(file, offset, macroEnd) : NONE;
}

function asmSites(file: CFile, node: Node, shift: number, macroEnd: number | null): { sites: Site[]; end: number } {
  const statement = readAsm(node, shift, macroEnd);
  if (!statement) return NONE;
  const site = siteOfAsm(file, statement);
  return { sites: site ? [site] : [], end: statement.end };
}

/** Null when the template has no sensitive instruction. */
function siteOfAsm(file: CFile, statement: AsmStatement): Site | null {
  const { hits, instructions } = hitsOf(file, readTemplate(file.text, statement, file.masm, file.strings, file.template));
  if (hits.length === 0) return null;
  return { start: statement.start, end: statement.end, hits, idioms: [], asm: { statement, instructions }, warnings: [] };
}

/** The instructions in the strings of a macro's body that other statements take into their templates. Null when none of them is sensitive. */
export function stringMacroSite(file: CFile, bodyStart: number, bodyEnd: number): Site | null {
  const template = readTemplate(file.text, { templateStart: bodyStart, templateEnd: bodyEnd, extended: true }, file.masm, NO_STRINGS);
  const { hits } = hitsOf(file, template);
  const [first] = hits;
  return first ? { start: first.instruction.start, end: hits.at(-1)!.instruction.end, hits, idioms: [], warnings: [] } : null;
}

const NO_STRINGS: ReadonlyMap<string, string> = new Map();

/** The instructions of a template, and the sensitive ones among them. */
function hitsOf(file: CFile, template: Template): { hits: Hit[]; instructions: Instruction[] } {
  const tree = candidates(template.text).length === 0 ? null : parse(file.grammars.gas, `${template.text}\n`);
  if (!tree) return { hits: [], instructions: [] };
  const range: SourceRange = (start, end) => [template.starts[start]!, template.ends[Math.max(start, end - 1)]!];
  const instructions = allInstructions(tree.rootNode, file.masm, range);
  tree.delete();
  const hits = instructions
    .filter(({ mnemonic }) => mnemonic !== 'cpuid' || !hasEmulationPrefix(template.text))
    .flatMap((instruction) => {
      const sensitive = sensitivity(instruction);
      return sensitive ? [{ instruction, sensitive }] : [];
    });
  if (hits.length > 0) for (const name of template.used) file.use(name);
  return { hits, instructions };
}

function callSites(file: CFile, node: Node, shift: number, macroEnd: number | null): { sites: Site[]; end: number } {
  const end = node.endIndex + shift;
  if (TAKES_INSTRUCTION.test(node.childForFieldName('function')?.text ?? '')) return argumentSite(file, node, shift);
  const hit = intrinsicHit(node, shift);
  const idiom = hit ? null : callIdiom(node, shift, macroEnd !== null, file.constants);
  if (!hit && !idiom) return NONE;
  // Arguments may hold calls of their own, so the search goes on inside.
  return { sites: [{ start: node.startIndex + shift, end, hits: hit ? [hit] : [], idioms: idiom ? [idiom] : [], warnings: [] }], end: -1 };
}

/** The instructions in the string arguments of a macro such as alternative(). Where the macro calls through a table of operations they are redirected. */
function argumentSite(file: CFile, call: Node, shift: number): { sites: Site[]; end: number } {
  const list = call.childForFieldName('arguments');
  const hits = (list?.namedChildren ?? []).flatMap((argument) => {
    if (!/^(?:string_literal|concatenated_string|identifier)$/.test(argument.type)) return [];
    const place = { templateStart: argument.startIndex + shift, templateEnd: argument.endIndex + shift, extended: true };
    return hitsOf(file, readTemplate(file.text, place, file.masm, file.strings, file.template)).hits;
  });
  if (hits.length === 0) return NONE;
  const name = call.childForFieldName('function')!.text;
  const end = call.endIndex + shift;
  const redirected = /^_*pvop/i.test(name) ? { redirected: name } : {};
  return { sites: [{ start: call.startIndex + shift, end, hits, idioms: [], warnings: [], ...redirected }], end };
}

const WRAPPER = 'void f(void){';

/**
 * In a macro that writes a register or a part of a mnemonic by a parameter (`"mov %%" #seg`), the parameter stands for the argument of a use in the
 * same file: one that names a special register, else the first.
 */
function withArguments(file: CFile, body: Node): CFile {
  const define = body.parent;
  const name = define?.childForFieldName('name')?.text;
  const params = define?.childForFieldName('parameters')?.namedChildren.map((param) => param.text) ?? [];
  const raw = file.text.slice(body.startIndex, body.endIndex);
  if (!name || params.length === 0 || !/\basm\b|__asm/.test(raw)) return file;
  const uses = [...file.code.matchAll(new RegExp(`\\b${name}\\s*\\(([^()\\n]{0,200})\\)`, 'g'))]
    .filter(({ index }) => index > body.endIndex || index < (define?.startIndex ?? 0))
    .map(([, given]) => splitArguments(given!));
  const use = uses.find((given) => given.some((each) => /^(?:[c-gs]s|[cd]r\d)$/i.test(each))) ?? uses[0] ?? guessed(params, name, raw);
  const strings = new Map(file.strings);
  params.forEach((param, i) => {
    // Handed on from a macro that calls its own parameter the same: nothing is known of it.
    const given = use[i] === param ? '' : (use[i] ?? '');
    if (/^"(?:[^"\\]|\\.)*"$/.test(given)) strings.set(param, given);
    else if (/^\w*$/.test(given) && new RegExp(`(?:#|\\b(?:__)?(?:x?str|stringify)\\w*\\s*\\()\\s*${param}\\b`, 'i').test(raw))
      strings.set(param, `"${given}"`);
  });
  return { ...file, strings };
}

/** No use in the file: `%%db` and `%%cr` want a number, and a parameter behind `%%` in a macro that speaks of segments is one. */
const guessed = (params: readonly string[], name: string, raw: string): readonly string[] =>
  params.map((param) => {
    if (new RegExp(`%%[cd][rb]"\\s*#\\s*${param}\\b`).test(raw)) return '0';
    return /seg|sreg|selector/i.test(name + param) && new RegExp(`%%"\\s*(?:#|\\w+\\()\\s*${param}\\b`).test(raw) ? 'ds' : '';
  });

/** Everything in the body of one #define, re-parsed as the body of a function. */
function macroSites(file: CFile, body: Node): { sites: Site[]; end: number } {
  const text = macroBody(file.code.slice(body.startIndex, body.endIndex));
  const inside = withArguments(file, body);
  const tree = parse(file.grammars.c, `${WRAPPER}${text};}`);
  const sites: Site[] = [];
  if (tree) {
    KEYWORD.lastIndex = 0;
    let last = -1;
    const matches = [...text.matchAll(KEYWORD)];
    for (const match of matches) {
      const offset = match.index + body.startIndex;
      if (offset < last || !isKeyword(match[0])) continue;
      const found = sitesAt(inside, tree.rootNode, offset, body.startIndex - WRAPPER.length, body.endIndex);
      sites.push(...found.sites);
      last = Math.max(last, found.end);
    }
    tree.delete();
  }
  return { sites, end: body.endIndex };
}

/** An asm statement that the tree lost in an error: read alone, from its keyword to the parenthesis that ends it. */
function recover(file: CFile, offset: number, macroEnd: number | null): { sites: Site[]; end: number } {
  const extent = file.mayRecover() ? statementExtent(file.code, offset) : null;
  // `asm` as the name of something else has no parenthesis after it.
  if (!extent) return NONE;
  // How the statement stands among its neighbours is unknown, so no fix may replace it.
  const statement = reparsed(file, offset, extent.end, macroEnd) ?? byHand(file.code, offset, extent);
  const site = siteOfAsm(file, { ...statement, placement: 'expression' });
  if (site) return { sites: [site], end: extent.end };
  const template = file.text.slice(statement.templateStart, statement.templateEnd);
  // A register variable names its register; a template that is one macro of another file cannot be read here.
  if (template.includes('"') || extent.alone) return { sites: [], end: extent.end };
  const at = { start: offset, end: Math.max(offset + 3, statement.templateEnd) };
  const message = `The template of this asm statement is not in this file (${template.trim().slice(0, 60)}); its instructions are not checked.`;
  return { sites: [{ start: offset, end: extent.end, hits: [], idioms: [], warnings: [{ ...at, message }] }], end: extent.end };
}

function reparsed(file: CFile, offset: number, end: number, macroEnd: number | null): AsmStatement | null {
  const text = file.code.slice(offset, end);
  const tree = parse(file.grammars.c, `${WRAPPER}${macroEnd !== null ? macroBody(text) : text};}`);
  let node: Node | null = tree?.rootNode.descendantForIndex(WRAPPER.length) ?? null;
  while (node && node.type !== 'gnu_asm_expression') node = node.parent;
  const statement = node && !node.hasError ? readAsm(node, offset - WRAPPER.length, macroEnd) : null;
  tree?.delete();
  return statement;
}

/** Only the template: from the opening parenthesis to the first colon. */
const byHand = (code: string, offset: number, extent: Extent): AsmStatement => ({
  start: offset,
  end: extent.end,
  hasSemicolon: code[extent.end] === ';',
  placement: 'expression',
  templateStart: extent.open,
  templateEnd: extent.templateEnd,
  extended: !extent.alone,
  operands: [],
});

/** The longest asm statement that recovery reads. */
const LONGEST = 20_000;

interface Extent {
  /** After the opening parenthesis. */
  readonly open: number;
  readonly templateEnd: number;
  /** After the closing parenthesis. */
  readonly end: number;
  /** There is one thing between the parentheses and no operand list. */
  readonly alone: boolean;
}

/** Null when the keyword at `offset` starts no asm statement or one without an end. */
function statementExtent(code: string, offset: number): Extent | null {
  const head = /^(?:asm|__asm|__asm__)\b(?:\s|\\\r?\n|volatile\b|__volatile__\b|inline\b|goto\b)*\(/.exec(code.slice(offset, offset + 200));
  if (!head) return null;
  const open = offset + head[0].length;
  let templateEnd = -1;
  let depth = 1;
  const limit = Math.min(code.length, offset + LONGEST);
  for (let i = open; i < limit; i++) {
    const char = code[i];
    if (char === '(') depth++;
    else if (char === ':' && depth === 1 && templateEnd === -1) templateEnd = i;
    else if (char === ')' && --depth === 0) {
      const alone = templateEnd === -1;
      return { open, templateEnd: alone ? i : templateEnd, end: i + 1, alone };
    } else if (char === '"') {
      for (i++; i < limit && code[i] !== '"'; i++) if (code[i] === '\\') i++;
    }
  }
  return null;
}
