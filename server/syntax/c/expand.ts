// Macros of the preprocessor inside an asm template: what string literals they leave. Only as much of the preprocessor as templates use.

export interface MacroText {
  /** Null: it takes none. The last may be `...` or `name...`. */
  readonly params: readonly string[] | null;
  readonly body: string;
}

/** The definition of a macro that the template may use, or null. */
export type MacroLookup = (name: string) => MacroText | null;

const DEEPEST = 16;
const LONGEST = 40_000;
const TOKEN = /"(?:\\[\s\S]|[^"\\])*"|'(?:\\.|[^'\\])+'|\/\*[\s\S]*?\*\/|\/\/[^\n]*|\\\r?\n|[A-Za-z_]\w*|\.?\d[\w.]*|##|#|\s+|[^\s]/g;

/** The end of the balanced parentheses that open at `open`, after the closing one; -1 when there is none. */
export function closing(text: string, open: number, limit = text.length): number {
  let depth = 0;
  for (let i = open; i < limit; i++) {
    const char = text[i];
    if (char === '"') {
      for (i++; i < limit && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return i + 1;
  }
  return -1;
}

/** Arguments between the parentheses of a call, as written. */
export function splitArguments(inner: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < inner.length; i++) {
    const char = inner[i]!;
    if (char === '"') {
      for (i++; i < inner.length && inner[i] !== '"'; i++) if (inner[i] === '\\') i++;
    } else if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ',' && depth === 0) {
      found.push(inner.slice(from, i));
      from = i + 1;
    }
  }
  found.push(inner.slice(from));
  return found.map((each) => each.trim());
}

const quoted = (text: string): string => `"${text.trim().replace(/\s+/g, ' ').replace(/[\\"]/g, '\\$&')}"`;

/** Everything in `text` expanded; what is not known stays as it is. Bounded in depth and length. */
export function expandText(text: string, lookup: MacroLookup, depth = 0, busy: ReadonlySet<string> = new Set()): string {
  if (depth > DEEPEST || text.length > LONGEST) return text;
  let out = '';
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length && out.length <= LONGEST) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) break;
    const [token] = match;
    at = match.index + token.length;
    if (/^(?:\/\*|\/\/|\\\r?\n)/.test(token)) out += ' ';
    else if (!/^[A-Za-z_]/.test(token) || busy.has(token)) out += token;
    else {
      const open = /^\s*\(/.exec(text.slice(at, at + 100));
      const end = open ? closing(text, at + open[0].length - 1) : -1;
      const macro = lookup(token);
      if (!macro && end !== -1 && /stringify|^_*x?str(?:ing)?$/i.test(token)) {
        out += quoted(expandText(text.slice(at + open![0].length, end - 1), lookup, depth + 1, busy));
        at = end;
        continue;
      }
      if (!macro || (macro.params !== null && end === -1)) {
        out += token;
        continue;
      }
      const within = new Set([...busy, token]);
      if (macro.params === null) out += expandText(macro.body, lookup, depth + 1, within);
      else {
        const given = splitArguments(text.slice(at + open![0].length, end - 1));
        at = end;
        out += expandText(
          substitute(macro, given, (arg) => expandText(arg, lookup, depth + 1, busy)),
          lookup,
          depth + 1,
          within,
        );
      }
    }
  }
  return out;
}

/** The body with its parameters replaced: `#x` by the argument in quotes, next to `##` as written, elsewhere expanded. */
function substitute({ params, body }: MacroText, given: readonly string[], expand: (text: string) => string): string {
  const names = (params ?? []).map((name) => name.replace(/\.\.\.$/, '').trim() || '__VA_ARGS__');
  const variadic = params?.at(-1)?.endsWith('...') ?? false;
  const values = names.map((_, i) => (variadic && i === names.length - 1 ? given.slice(i).join(', ') : (given[i] ?? '')));
  const argument = (name: string): string | null => {
    const i = names.indexOf(name);
    return i === -1 ? null : values[i]!;
  };
  const tokens = body.match(TOKEN) ?? [];
  let out = '';
  for (let i = 0; i < tokens.length && out.length <= LONGEST; i++) {
    const token = tokens[i]!;
    const ahead = tokens.slice(i + 1, i + 3).find((each) => each.trim() !== '');
    if (token === '##') {
      out = out.trimEnd();
      while (tokens[i + 1]?.trim() === '') i++;
      const next = tokens[++i] ?? '';
      out += argument(next) ?? next;
    } else if (token === '#' && ahead !== undefined && argument(ahead) !== null) {
      while (tokens[i + 1]?.trim() === '') i++;
      out += quoted(argument(tokens[++i]!)!);
    } else {
      const value = /^[A-Za-z_]/.test(token) ? argument(token) : null;
      out += value === null ? token : ahead === '##' ? value : expand(value);
    }
  }
  return out;
}
