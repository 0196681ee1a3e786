// The definitions and includes of one source, read by a scan of its characters: what an index over files is made of.
// No tree: an index reads every header of a kernel, and only needs to know where bodies begin and end.

import type { Language } from './finding.ts';

export interface Definition {
  /** `macro`: of the preprocessor, of GNU as or of NASM. `label`: a function in assembly. */
  readonly kind: 'macro' | 'function' | 'label';
  readonly name: string;
  /** Parameters of a macro that takes any in parentheses; null for one without. */
  readonly params: readonly string[] | null;
  /** The name, where it is defined. */
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  /** Seen by this file only. */
  readonly local: boolean;
}

export interface Include {
  readonly path: string;
  /** In quotes: the folder of the including file comes first. */
  readonly quoted: boolean;
}

export interface Outline {
  readonly definitions: readonly Definition[];
  readonly includes: readonly Include[];
}

/** More definitions than any source that people write has. */
const MOST = 100_000;

export function outlineOf(text: string, language: Language): Outline {
  if (language === 'c') return outlineC(text);
  return language === 'nasm' ? outlineNasm(text) : outlineGas(text);
}

const DEFINE = /[ \t]*define[ \t]+([A-Za-z_]\w*)(\(([^)\n]{0,300})\))?/y;
const INCLUDE = /[ \t]*(?:include|import|include_next)[ \t]*([<"])([^>"\n]{1,300})[>"]/y;

/** The end of a line of the preprocessor that may be continued; offset of its line end. */
function endOfDirective(text: string, from: number): number {
  let end = text.indexOf('\n', from);
  while (end !== -1 && (text[end - 1] === '\\' || (text[end - 1] === '\r' && text[end - 2] === '\\'))) end = text.indexOf('\n', end + 1);
  return end === -1 ? text.length : end;
}

interface Sink {
  readonly definitions: Definition[];
  readonly includes: Include[];
}

/** Reads the directive behind the `#` at `hash`; answers the offset of its line end. */
function directive(text: string, hash: number, sink: Sink): number {
  const end = endOfDirective(text, hash);
  DEFINE.lastIndex = INCLUDE.lastIndex = hash + 1;
  const define = DEFINE.exec(text);
  if (define && sink.definitions.length < MOST) {
    const bodyStart = hash + 1 + define[0].length;
    const params = define[2] === undefined ? null : define[3]!.split(',').map((each) => each.trim());
    sink.definitions.push({
      kind: 'macro',
      name: define[1]!,
      params,
      start: hash + 1 + define[0].indexOf(define[1]!, 7),
      bodyStart,
      end: Math.max(end, bodyStart),
      local: false,
    });
    return end;
  }
  const include = define ? null : INCLUDE.exec(text);
  if (include) sink.includes.push({ path: include[2]!, quoted: include[1] === '"' });
  return end;
}

const NO_FUNCTION =
  /^(?:if|for|while|switch|return|sizeof|typeof|__typeof__|__attribute__|__attribute|__declspec|asm|__asm__|__asm|_Static_assert|_Alignas)$/;

/** C: bodies of functions at the outermost level, macros and includes. Branches of #if are all read. */
function outlineC(text: string): Outline {
  const sink: Sink = { definitions: [], includes: [] };
  const depths: number[] = [];
  let depth = 0;
  let parens = 0;
  let lineStart = true;
  let word = '';
  let wordStart = 0;
  let before = '';
  let group: { name: string; start: number; typed: boolean } | null = null;
  let chosen: { name: string; start: number; typed: boolean } | null = null;
  let declared = 0;
  let assigned = false;
  let open: { name: string; start: number; bodyStart: number; local: boolean } | null = null;
  let isStatic = false;
  let afterGroup = false;
  const reset = (): void => {
    chosen = group = null;
    assigned = isStatic = afterGroup = false;
    declared = 0;
    before = word = '';
  };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10) {
      lineStart = true;
      continue;
    }
    if (code === 32 || code === 9 || code === 13 || code === 12) continue;
    if (code === 35 && lineStart) {
      const name = /[ \t]*(\w+)/y;
      name.lastIndex = i + 1;
      const kind = name.exec(text)?.[1];
      if (kind === 'if' || kind === 'ifdef' || kind === 'ifndef') depths.push(depth);
      else if (kind === 'else' || kind === 'elif') depth = depths.at(-1) ?? depth;
      else if (kind === 'endif') depths.pop();
      i = directive(text, i, sink) - 1;
      continue;
    }
    lineStart = false;
    if (code === 47) {
      const next = text.charCodeAt(i + 1);
      if (next === 42) {
        const end = text.indexOf('*/', i + 2);
        i = end === -1 ? text.length : end + 1;
        continue;
      }
      if (next === 47) {
        const end = text.indexOf('\n', i);
        i = end === -1 ? text.length : end - 1;
        continue;
      }
    }
    if (code === 34 || code === 39) {
      for (i++; i < text.length; i++) {
        const inner = text.charCodeAt(i);
        if (inner === 92) i++;
        else if (inner === code || inner === 10) break;
      }
      if (depth === 0 && word === 'extern') word = 'extern "C"';
      continue;
    }
    if (depth > 0) {
      if (code === 123) depth++;
      else if (code === 125 && --depth === 0) {
        if (open && sink.definitions.length < MOST)
          sink.definitions.push({
            kind: 'function',
            name: open.name,
            params: null,
            start: open.start,
            bodyStart: open.bodyStart,
            end: i + 1,
            local: open.local,
          });
        open = null;
        reset();
      }
      continue;
    }
    if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95) {
      let end = i + 1;
      while (end < text.length && isWord(text.charCodeAt(end))) end++;
      before = word;
      word = text.slice(i, end);
      wordStart = i;
      if (parens === 0) {
        if (word === 'static' || word === 'inline') isStatic = isStatic || word === 'static';
        if (afterGroup) declared++;
      }
      i = end - 1;
      continue;
    }
    if (code === 40) {
      if (parens++ === 0) group = word && !NO_FUNCTION.test(word) ? { name: word, start: wordStart, typed: before !== '' } : null;
    } else if (code === 41) {
      if (parens > 0 && --parens === 0 && group) {
        if (!chosen || (group.typed && !chosen.typed)) {
          chosen = group;
          declared = 0;
        }
        afterGroup = true;
        word = before = 'x';
      }
    } else if (parens === 0) {
      if (code === 123) {
        if (word === 'extern "C"') {
          reset();
          continue;
        }
        if (chosen && !assigned) open = { name: chosen.name, start: chosen.start, bodyStart: i, local: isStatic };
        depth = 1;
      } else if (code === 59) {
        // A declaration of a parameter, old style, when words stand between the parenthesis and here.
        if (!(chosen && declared >= 2 && !assigned)) reset();
      } else if (code === 125) reset();
      else if (code === 61) assigned = true;
      else if (code === 42) before = word = '*';
    }
  }
  return sink;
}

const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || (code >= 48 && code <= 57);

/** GNU as behind the preprocessor: macros of both, and labels that other files may call. */
function outlineGas(text: string): Outline {
  const sink: Sink = { definitions: [], includes: [] };
  const exported = new Set([...text.matchAll(/^[ \t]*\.glob[a]?l[ \t]+([\w.$, \t]+)/gm)].flatMap(([, names]) => names!.split(/[\s,]+/)));
  const labels: { name: string; start: number; bodyStart: number }[] = [];
  let macro: { name: string; params: string[]; start: number; bodyStart: number } | null = null;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(at, Math.min(end, at + 400));
    const hash = /^[ \t]*#/.exec(line);
    if (hash) {
      at = directive(text, at + hash[0].length - 1, sink) + 1;
      continue;
    }
    const opened: RegExpExecArray | null = macro ? null : /^[ \t]*\.macro[ \t]+([\w.$]+)[ \t,]*(.*)$/.exec(line);
    if (opened)
      macro = {
        name: opened[1]!,
        params: opened[2]!
          .split(/[\s,]+/)
          .map((each) => each.replace(/[:=].*$/, ''))
          .filter(Boolean),
        start: at + line.indexOf(opened[1]!, line.indexOf('.macro') + 6),
        bodyStart: end,
      };
    else if (macro && /^[ \t]*\.endm\b/.test(line)) {
      sink.definitions.push({ ...macro, kind: 'macro', end: at, local: false });
      macro = null;
    } else if (!macro) {
      const label = /^[ \t]*(?:([A-Za-z_.$][\w.$]*):|([A-Z_]+)\(\s*([A-Za-z_]\w*)\s*[,)])/.exec(line);
      const name = label?.[1] ?? (label && /START|ENTRY|FUNC|GLOBAL|PROC/.test(label[2]!) && !/END/.test(label[2]!) ? label[3] : undefined);
      if (name && !/^\.?L/.test(name)) {
        labels.push({ name, start: at + line.indexOf(name), bodyStart: at + label![0].length });
        if (label![2]) exported.add(name);
      }
    }
    at = end + 1;
  }
  labels.forEach((label, i) => {
    const end = labels[i + 1]?.start ?? text.length;
    if (sink.definitions.length < MOST)
      sink.definitions.push({ ...label, kind: 'label', params: null, end, local: !exported.has(label.name) });
  });
  return sink;
}

/** NASM and its relatives: %macro, %define, labels. */
function outlineNasm(text: string): Outline {
  const sink: Sink = { definitions: [], includes: [] };
  const exported = new Set([...text.matchAll(/^[ \t]*global[ \t]+([\w.$?, \t]+)/gim)].flatMap(([, names]) => names!.split(/[\s,]+/)));
  const labels: { name: string; start: number; bodyStart: number }[] = [];
  let macro: { name: string; start: number; bodyStart: number } | null = null;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(at, Math.min(end, at + 400));
    const opened: RegExpExecArray | null = macro ? null : /^[ \t]*%[ir]?macro[ \t]+([\w.$?]+)/i.exec(line);
    const define = opened || macro ? null : /^[ \t]*%x?i?define[ \t]+([\w.$?]+)(\(([^)]*)\))?/i.exec(line);
    const include = /^[ \t]*%include[ \t]+["'<]([^"'>]+)["'>]/i.exec(line);
    if (opened) macro = { name: opened[1]!, start: at + opened[0].length - opened[1]!.length, bodyStart: end };
    else if (macro && /^[ \t]*%endmacro\b/i.test(line)) {
      sink.definitions.push({ ...macro, kind: 'macro', params: [], end: at, local: false });
      macro = null;
    } else if (define) {
      const bodyStart = at + define[0].length;
      const params = define[2] === undefined ? null : define[3]!.split(',').map((each) => each.trim());
      sink.definitions.push({
        kind: 'macro',
        name: define[1]!,
        params,
        start: at + line.indexOf(define[1]!, 7),
        bodyStart,
        end,
        local: false,
      });
    } else if (include) sink.includes.push({ path: include[1]!, quoted: true });
    else if (!macro) {
      const label = /^([A-Za-z_$?][\w$?.]*):/.exec(line);
      if (label) labels.push({ name: label[1]!, start: at, bodyStart: at + label[0].length });
    }
    at = end + 1;
  }
  labels.forEach((label, i) => {
    const end = labels[i + 1]?.start ?? text.length;
    if (sink.definitions.length < MOST)
      sink.definitions.push({ ...label, kind: 'label', params: null, end, local: !exported.has(label.name) });
  });
  return sink;
}
