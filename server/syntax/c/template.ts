// The text of an inline asm template as the assembler gets it, with the place in the source of every character of it.

import type { Dialect } from '../instruction.ts';
import { closing, expandText, type MacroLookup } from './expand.ts';

export interface Template {
  /** Escapes decoded, literals joined, %% single, U+E001 for the percent sign of an operand, one dialect of `{att|intel}` chosen. */
  readonly text: string;
  /** Offset in the source of each character of `text`, and one past its end. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Macros between the literals that are not known: their text is missing. */
  readonly unknown: readonly string[];
  /** Macros whose text is part of it. */
  readonly used: readonly string[];
}

const SIMPLE: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f', a: '\u0007', b: '\b', e: '\u001b' };

interface Sink {
  text: string[];
  starts: number[];
  ends: number[];
  unknown: string[];
  used: string[];
}

/** Decodes the literal that starts at `at` (its quote); answers the offset after it. `place` overrides positions (a macro's use). */
function literal(source: string, at: number, limit: number, sink: Sink, place?: readonly [number, number]): number {
  let i = at + 1;
  while (i < limit && source[i] !== '"') {
    const from = i;
    let char = source[i++]!;
    if (char === '\\') {
      const escaped = source[i++] ?? '';
      if (escaped === '\n') continue;
      if (escaped === '\r' && source[i] === '\n') {
        i++;
        continue;
      }
      const number = /^(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3}))/.exec(source.slice(i - 1, i + 3));
      if (number) {
        i += number[0].length - 1;
        char = String.fromCharCode(number[1] ? Number.parseInt(number[1], 16) : Number.parseInt(number[2]!, 8));
      } else char = SIMPLE[escaped] ?? escaped;
    }
    sink.text.push(char);
    sink.starts.push(place?.[0] ?? from);
    sink.ends.push(place?.[1] ?? i);
  }
  return i + 1;
}

/**
 * @param source the file
 * @param extended the statement has operands, so % and {|} are GCC's; else the text goes to the assembler as it is
 * @param strings bodies of object-like macros of the same file that are string literals, by name
 * @param lookup any other macro that may be part of a template
 */
export function readTemplate(
  source: string,
  {
    templateStart: start,
    templateEnd: end,
    extended,
  }: { readonly templateStart: number; readonly templateEnd: number; readonly extended: boolean },
  dialect: Dialect,
  strings: ReadonlyMap<string, string>,
  lookup: MacroLookup = () => null,
): Template {
  const sink: Sink = { text: [], starts: [], ends: [], unknown: [], used: [] };
  let i = start;
  while (i < end) {
    const char = source[i]!;
    if (char === '"') i = literal(source, i, end, sink);
    else if (char === '/' && source[i + 1] === '*') i = skipTo(source, '*/', i + 2, end);
    else if (char === '/' && source[i + 1] === '/') i = skipTo(source, '\n', i + 2, end);
    else if (/[A-Za-z_]/.test(char)) i = macroName(source, i, end, sink, strings, lookup);
    else i++;
  }
  return extended
    ? substitute(sink, dialect)
    : { text: sink.text.join(''), starts: sink.starts, ends: sink.ends, unknown: sink.unknown, used: sink.used };
}

const skipTo = (source: string, mark: string, from: number, end: number): number => {
  const at = source.indexOf(mark, from);
  return at === -1 || at >= end ? end : at + mark.length;
};

/** A macro between two literals: the literals that it leaves, all at the place of its use; a blank keeps the place of one that is not known. */
function macroName(source: string, at: number, end: number, sink: Sink, strings: ReadonlyMap<string, string>, lookup: MacroLookup): number {
  const name = /\w+/y;
  name.lastIndex = at;
  const word = name.exec(source)![0];
  let stop = Math.min(at + word.length, end);
  if (/^(u8|[uUL])$/.test(word) && source[stop] === '"') return stop;
  const known = strings.get(word);
  const open = known === undefined ? /^\s*\(/.exec(source.slice(stop, Math.min(end, stop + 200))) : null;
  const closed = open ? closing(source, stop + open[0].length - 1, end) : -1;
  const use = source.slice(at, closed === -1 ? stop : closed);
  const macros: MacroLookup = (each) => {
    const body = strings.get(each);
    // What a macro turns into a string is not one yet.
    const bare = /str(?:ing)?/i.test(word) ? /^"(\w*)"$/.exec(body ?? '')?.[1] : undefined;
    return body === undefined ? lookup(each) : { params: null, body: bare ?? body };
  };
  const expanded = known ?? expandText(use, macros);
  if (known === undefined && expanded === use) {
    // Nothing is known of it. The strings among its arguments are most likely instructions: alternatives, wrappers of a template.
    sink.unknown.push(word);
    sink.text.push(closed === -1 ? ' ' : '\n');
    sink.starts.push(at);
    sink.ends.push(stop);
    if (closed === -1) return stop;
    for (let i = stop; i < closed; ) {
      if (source[i] !== '"') {
        i++;
        continue;
      }
      i = literal(source, i, closed, sink);
      sink.text.push('\n');
      sink.starts.push(i - 1);
      sink.ends.push(i);
    }
    return closed;
  }
  sink.used.push(...new Set(use.match(/[A-Za-z_]\w*/g) ?? []));
  if (closed !== -1) {
    // A macro that is defined in several ways drops an argument in one of them: what it drops is read where it stands.
    for (let i = stop; i < closed; ) {
      const dropped = source[i] === '"' ? /"(?:\\[\s\S]|[^"\\])*"/y : null;
      if (!dropped) {
        i++;
        continue;
      }
      dropped.lastIndex = i;
      const found = dropped.exec(source)?.[0];
      if (!found) break;
      if (found.length > 4 && !expanded.includes(found.slice(1, -1))) {
        literal(source, i, closed, sink);
        sink.text.push('\n');
        sink.starts.push(i);
        sink.ends.push(i + found.length);
      }
      i += found.length;
    }
    stop = closed;
  }
  for (let i = expanded.indexOf('"'); i !== -1; i = expanded.indexOf('"', i)) i = literal(expanded, i, expanded.length, sink, [at, stop]);
  return stop;
}

/** Percent signs and `{att|intel}` alternatives, as GCC prints a template. */
function substitute(sink: Sink, dialect: Dialect): Template {
  const { text, unknown, used } = sink;
  const out: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const put = (char: string, from: number, to = from): void => {
    out.push(char);
    starts.push(sink.starts[from]!);
    ends.push(sink.ends[to]!);
  };
  const wanted = dialect === 'att' ? 0 : 1;
  let alternative = -1;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const skipped = alternative !== -1 && alternative !== wanted;
    if (char === '%') {
      const next = text[i + 1] ?? '';
      if (/[%{|}]/.test(next)) {
        if (!skipped) put(next, i, i + 1);
        i++;
      } else if (next === '=') {
        if (!skipped) put('0', i, i + 1);
        i++;
      } else if (!skipped) put('\uE001', i);
    } else if (char === '{' && alternative === -1 && text.includes('}', i)) alternative = 0;
    else if (char === '|' && alternative !== -1) alternative++;
    else if (char === '}' && alternative !== -1) alternative = -1;
    else if (!skipped) put(char, i);
  }
  return { text: out.join(''), starts, ends, unknown, used };
}
