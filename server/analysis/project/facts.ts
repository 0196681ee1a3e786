// What an index over files keeps of one source: its macros, functions and labels, each with the sensitive instructions in its body and the
// names that the body uses. A pure function of the text and of the sites found in it.

import type { Language } from '../finding.ts';
import { type Definition, type Include, outlineOf } from '../outline.ts';
import type { Site } from '../site.ts';

export interface DefinitionFacts extends Definition {
  /** From 1. */
  readonly line: number;
  /** Rules of the instructions that stand in the body itself, with each instruction as it reads. */
  readonly hits: readonly { readonly rule: string; readonly instruction: string }[];
  /** Names that a short body or a macro's body uses; empty for a function that does more than call another. */
  readonly uses: readonly string[];
  /** The body of a macro that may be part of an asm template: it has a string or pastes one together. */
  readonly template?: string;
}

export interface Facts {
  readonly path: string;
  readonly language: Language;
  readonly includes: readonly Include[];
  readonly definitions: readonly DefinitionFacts[];
}

/** A function of more lines does something of its own: its callers are no callers of the instruction in it. */
const LONGEST_WRAPPER = 60;
/** A function of at most so many lines may hand its work on to a wrapper. */
const LONGEST_FORWARDER = 8;
const LONGEST_TEMPLATE = 4000;
const MOST_USES = 40;
/** Instructions up to the end of a label's body that make a label of assembly a wrapper. */
const LONGEST_LABEL = 60;

export function factsOf(path: string, text: string, language: Language, sites: readonly Site[]): Facts {
  const { definitions, includes } = outlineOf(text, language);
  const starts = sites.flatMap((site) => site.hits.map((hit) => ({ at: hit.instruction.start, hit })));
  starts.sort((a, b) => a.at - b.at);
  const lineOf = lineCounter(text);
  const known = definitions.map((definition): DefinitionFacts => {
    const line = lineOf(definition.start);
    const body = text.slice(definition.bodyStart, definition.end);
    const lines = countLines(body);
    const isMacro = definition.kind === 'macro';
    const short = isMacro || lines <= (definition.kind === 'label' ? LONGEST_LABEL : LONGEST_WRAPPER);
    const hits = short ? hitsBetween(starts, definition.bodyStart, definition.end) : [];
    const forwards = isMacro || (definition.kind === 'function' && lines <= LONGEST_FORWARDER);
    const template = isMacro && language !== 'nasm' && body.length <= LONGEST_TEMPLATE && /["#]|asm/.test(body);
    return {
      ...definition,
      line,
      hits,
      uses: forwards && body.length <= LONGEST_TEMPLATE ? namesIn(body, language === 'c') : [],
      ...(template ? { template: body } : {}),
    };
  });
  return {
    path,
    language,
    includes,
    definitions: language === 'c' ? [...known, ...known.flatMap((macro) => generated(text, macro, starts, lineOf))] : known,
  };
}

const HEAD =
  /\b(?:static|inline|extern|void|int|long|char|unsigned|u?int\d+_t|u8|u16|u32|u64|type|__always_inline)\b[\w \t*\\\r\n]*?[ \t*]((?:[A-Za-z_]\w*[ \t]*##[ \t]*)*[A-Za-z_]\w*(?:[ \t]*##[ \t]*\w+)*)[ \t]*\([^()]*\)[ \t\\\r\n]*\{/g;
const MOST_USES_OF_MACRO = 64;

/** Functions that a macro of the file makes where it is used at the outermost level: `BUILDIO(b, char)` makes outb and inb. */
function generated(
  text: string,
  macro: DefinitionFacts,
  starts: Parameters<typeof hitsBetween>[0],
  lineOf: (offset: number) => number,
): DefinitionFacts[] {
  if (macro.kind !== 'macro' || !macro.params || macro.hits.length === 0 || !macro.template) return [];
  const heads = [...macro.template.matchAll(HEAD)].filter(([, name]) => name!.includes('##'));
  if (heads.length === 0) return [];
  const uses = [...text.matchAll(new RegExp(`^${macro.name}[ \\t]*\\(([^()\\n]*)\\)`, 'gm'))].slice(0, MOST_USES_OF_MACRO);
  return uses.flatMap((use) => {
    const given = use[1]!.split(',').map((each) => each.trim());
    const argumentFor = (word: string): string => given[macro.params!.indexOf(word)] ?? word;
    return heads.map((head, i): DefinitionFacts => {
      const name = head[1]!
        .split('##')
        .map((part) => argumentFor(part.trim()))
        .join('');
      const from = macro.bodyStart + head.index;
      const to = i + 1 < heads.length ? macro.bodyStart + heads[i + 1]!.index : macro.end;
      return {
        kind: 'function',
        name,
        params: null,
        start: use.index,
        bodyStart: use.index,
        end: use.index,
        local: true,
        line: lineOf(use.index),
        hits: hitsBetween(starts, from, to),
        uses: [],
      };
    });
  });
}

function hitsBetween(starts: readonly { at: number; hit: Site['hits'][number] }[], from: number, to: number): DefinitionFacts['hits'] {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]!.at < from) low = middle + 1;
    else high = middle;
  }
  const found: { rule: string; instruction: string }[] = [];
  for (let i = low; i < starts.length && starts[i]!.at < to; i++)
    found.push({ rule: starts[i]!.hit.sensitive.rule, instruction: starts[i]!.hit.instruction.text });
  // The way into Xen: whoever calls that calls Xen already.
  return found.filter(({ rule, instruction }) => rule !== 'syscall' && !/^int\s+\$?0x82$/.test(instruction));
}

const KEYWORD =
  /^(?:if|else|do|while|for|return|sizeof|typeof|int|long|short|char|unsigned|signed|void|struct|union|const|volatile|static|inline|extern|goto|asm|__asm__|switch|case|break|default)$/;

/** `calls`: in C only what is called counts, and names in capitals, which are macros. */
function namesIn(body: string, calls: boolean): string[] {
  const names = new Set<string>();
  const code = body.replace(/"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ' ');
  const alone = /^\s*\w+\s*$/.test(code);
  for (const [name] of code.matchAll(calls && !alone ? /[A-Z_][A-Z0-9_]+\b|[A-Za-z_]\w*(?=\s*\()/g : /[A-Za-z_]\w*/g)) {
    if (!KEYWORD.test(name)) names.add(name);
    if (names.size >= MOST_USES) break;
  }
  // `name##x(`: whatever begins so.
  for (const [, name] of code.matchAll(/\b([A-Za-z_]\w{2,})\s*##\s*\w+\s*\(/g)) names.add(`${name}*`);
  return [...names];
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** Lines from 1 of offsets that mostly grow. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    if (offset < at) [line, at] = [1, 0];
    for (let next = text.indexOf('\n', at); next !== -1 && next < offset; next = text.indexOf('\n', at)) {
      line++;
      at = next + 1;
    }
    return line;
  };
}
