// Calls and uses of privileged wrappers in one source: what a porter changes besides the instructions themselves.

import { findRule } from '../../../abi/rules/catalogue.ts';
import type { InstructionRule } from '../../../abi/rules/rule.ts';
import type { Finding, Language, Redirection, Related } from '../finding.ts';
import type { Definition } from '../outline.ts';
import type { Site } from '../site.ts';
import type { Facts } from './facts.ts';
import type { Meaning, ProjectIndex, Wrapper } from './index.ts';
import { WELL_KNOWN } from './well-known.table.ts';

/** More calls than any source that people write has. */
const MOST_CALLS = 10_000;

/** The text with comments, strings and conditions of the preprocessor blanked; of the same length. */
export function codeOnly(text: string, language: Language): string {
  const blank = (found: string): string => found.replace(/[^\n]/g, ' ');
  if (language === 'nasm') return text.replace(/"[^"\n]*"|'[^'\n]*'|;[^\n]*/g, blank);
  const comments =
    language === 'c'
      ? /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\.|[^'\\\n]){1,8}'|^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|include|error|warning|pragma|undef|else|endif)\b(?:[^\n\\]|\\[\s\S])*/gm
      : /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|^[ \t]*#(?![ \t]*define\b)[^\n]*|(?<=\s)#[^\n]*/gm;
  return text.replace(comments, blank);
}

export interface CallsIn {
  readonly facts: Facts;
  readonly text: string;
  readonly sites: readonly Site[];
}

/** Findings of calls, in the order of their place. */
export function callFindings(index: ProjectIndex, { facts, text, sites }: CallsIn): Finding[] {
  const { language, path } = facts;
  const names = index.wrapperNames;
  const code = codeOnly(text, language);
  const bodies = facts.definitions.filter(({ kind }) => kind !== 'label').sort((a, b) => a.bodyStart - b.bodyStart);
  const defined = new Set(facts.definitions.map(({ start }) => start));
  const taken = new Set([
    ...sites.flatMap((site) => [...site.hits.map(({ instruction }) => instruction.start), ...site.idioms.map(({ start }) => start)]),
  ]);
  const meanings = new Map<string, Meaning | null>();
  const found: Finding[] = [];
  const token = /[A-Za-z_]\w*/g;
  let nextBody = 0;
  let open: Definition[] = [];
  for (let match = token.exec(code); match && found.length < MOST_CALLS; match = token.exec(code)) {
    const [name] = match;
    const wellKnown = language === 'c' && Object.hasOwn(WELL_KNOWN, name);
    if (!names.has(name) && !wellKnown) continue;
    const at = match.index;
    if (defined.has(at) || taken.has(at)) continue;
    while (nextBody < bodies.length && bodies[nextBody]!.bodyStart <= at) open.push(bodies[nextBody++]!);
    open = open.filter(({ end }) => end > at);
    let meaning = meanings.get(name);
    if (meaning === undefined) {
      meaning = index.meaning(name, path);
      meanings.set(name, meaning);
    }
    if (!meaning && !(wellKnown && !index.knows(name))) continue;
    if (meaning && (!meaning.wrapper || isOwnBody(open, meaning))) continue;
    const isUse = language === 'c' ? isCallInC(code, at, name, meaning, open.length > 0) : isUseInAssembly(code, at, name, meaning, path);
    if (!isUse) continue;
    found.push(
      meaning?.wrapper
        ? findingOf(text, code, at, name, index.label, path, meaning.wrapper)
        : unseenFinding(text, code, at, name, WELL_KNOWN[name]!),
    );
  }
  return found;
}

const isOwnBody = (open: readonly Definition[], { definition }: Meaning): boolean =>
  open.some((body) => body.start === definition.start && body.name === definition.name);

const before = (code: string, at: number): string => code.slice(Math.max(0, at - 40), at);

function isCallInC(code: string, at: number, name: string, meaning: Meaning | null, inBody: boolean): boolean {
  const isCall = /^\s*\(/.test(code.slice(at + name.length, at + name.length + 40));
  const bare = meaning?.definition.kind === 'macro' && meaning.definition.params === null;
  if (!isCall && !bare) return false;
  const previous = before(code, at);
  if (/(?:\.|->)\s*$/.test(previous)) return false;
  // Outside of bodies a function's name is declared, not called; a macro may make a function there.
  if (!inBody)
    return (
      meaning?.definition.kind === 'macro' &&
      !/\b(?:void|int|long|char|short|unsigned|u?int\d+_t|u8|u16|u32|u64|struct\s+\w+|extern|static|inline)\s*\**\s*$/.test(previous)
    );
  return true;
}

/** Behind a comma of a macro in capitals: `ALTERNATIVE "", restore_state, FEATURE`. */
const ARGUMENT = /(?:^|[;:])\s*[A-Z_][A-Z0-9_]{3,}\s[^;]*,\s*$/;
const BRANCH =
  /(?:^|[\s;:])(?:l?callw?l?q?|l?jmp[lwq]?|j[a-z]{1,4}|loop\w*)[ \t]+(?:\*|\$|short[ \t]+|near[ \t]+|dword[ \t]+|word[ \t]+)?$/i;

function isUseInAssembly(code: string, at: number, name: string, meaning: Meaning | null, path: string): boolean {
  if (!meaning) return false;
  const line = code.slice(code.lastIndexOf('\n', at - 1) + 1, at);
  const rest = code.slice(at + name.length, at + name.length + 40);
  if (/^[\w.$@]/.test(rest) || /[\w.$@%]$/.test(line)) return false;
  if (meaning.definition.kind === 'macro') {
    // A statement of its own, in a file or in a body of a macro.
    return /(?:^|[;:{\\])\s*$/.test(line) || ARGUMENT.test(line) || /^\s*#\s*define\s+\w+(?:\([^)]*\))?\s*$/.test(line) || /^\(/.test(rest);
  }
  // A jump within a file is a way through its code; one to another file is a call in tail position.
  if (meaning.definition.kind === 'label' && meaning.path === path) return /(?:^|[\s;:])l?call[wlq]?[ \t]+$/i.test(line);
  return BRANCH.test(line);
}

function rowOf(id: string): InstructionRule {
  const rule = findRule(id);
  if (!rule || !('replacement' in rule)) throw new Error(`no instruction rule ${id} in the catalogue`);
  return rule;
}

/** The call as it reads, on one line. */
function shown(text: string, code: string, at: number, name: string): { text: string; end: number } {
  const open = /^\s*\(/.exec(code.slice(at + name.length, at + name.length + 40));
  if (!open) return { text: name, end: at + name.length };
  let depth = 0;
  const limit = Math.min(code.length, at + 400);
  for (let i = at + name.length; i < limit; i++) {
    if (code[i] === '(') depth++;
    else if (code[i] === ')' && --depth === 0)
      return {
        text: text
          .slice(at, i + 1)
          .replace(/\s+/g, ' ')
          .slice(0, 120),
        end: at + name.length,
      };
  }
  return { text: name, end: at + name.length };
}

const list = (instructions: readonly string[]): string => {
  const some = instructions.slice(0, 3).join(', ');
  return instructions.length > 3 ? `${some} and ${instructions.length - 3} more` : some;
};

function findingOf(
  text: string,
  code: string,
  at: number,
  name: string,
  label: (path: string) => string,
  path: string,
  wrapper: Wrapper,
): Finding {
  const row = rowOf(wrapper.rule);
  const related: Related[] = [];
  for (let step: Wrapper | null = wrapper; step; step = step.through) {
    const { definition, through } = step;
    const message = through
      ? `${definition.name} uses ${through.definition.name}`
      : `${definition.name} executes ${list(step.instructions)}`;
    related.push({ path: step.path, line: definition.line, length: definition.name.length, message });
  }
  const { text: call, end } = shown(text, code, at, name);
  const via = wrapper.through
    ? ` through ${related
        .slice(1)
        .map(({ message }) => message.split(' ')[0])
        .join(', ')}`
    : '';
  const where = wrapper.path === path ? `line ${wrapper.definition.line}` : `${label(wrapper.path)}:${wrapper.definition.line}`;
  return {
    rule: row.id,
    severity: 'idiom',
    start: at,
    end,
    instruction: call,
    message: `${name} (${where}) executes ${list(wrapper.instructions)}${via}: ${row.title}.`,
    replacement: row.replacement,
    fixes: [],
    kind: 'call',
    related,
  };
}

function unseenFinding(text: string, code: string, at: number, name: string, rule: string): Finding {
  const row = rowOf(rule);
  const { text: call, end } = shown(text, code, at, name);
  return {
    rule: row.id,
    severity: 'idiom',
    start: at,
    end,
    instruction: call,
    message: `${name} is a name that kernels give to such an instruction; its definition is not among the files that were read. ${row.title}.`,
    replacement: row.replacement,
    fixes: [],
    kind: 'well-known',
    related: [],
  };
}

/** Instructions of assembly whose name a macro of the preprocessor redefines: what is executed is the macro's body. */
export function redirectionOf(index: ProjectIndex, path: string, site: Site): Redirection | null {
  const [hit] = site.hits;
  if (!hit || site.asm) return null;
  if (site.redirected) {
    const table = index.meaning(site.redirected, path);
    const by = table ? { path: table.path, line: table.definition.line } : { path, line: 1 };
    const message = `${site.redirected} calls through a table of operations`;
    return { start: site.start, end: site.end, instruction: hit.instruction.text, by: { ...by, length: site.redirected.length, message } };
  }
  const meaning = index.meaning(hit.instruction.text.split(/\s/)[0]!, path);
  if (
    meaning?.definition.kind !== 'macro' ||
    (meaning.path === path && meaning.definition.bodyStart <= site.start && site.end <= meaning.definition.end)
  )
    return null;
  // A macro that holds the instruction itself is no way around it.
  if (meaning.wrapper) return null;
  return {
    start: site.start,
    end: site.end,
    instruction: hit.instruction.text,
    by: {
      path: meaning.path,
      line: meaning.definition.line,
      length: meaning.definition.name.length,
      message: `${meaning.definition.name} is redefined here`,
    },
  };
}
