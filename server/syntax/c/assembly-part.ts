// The parts of a C header that only the assembler reads: under __ASSEMBLY__ and bodies of .macro. Everything else is blanked, lengths kept.

interface Condition {
  /** The condition asks for the assembler itself. */
  readonly named: boolean;
  inner: boolean;
}

const blank = (line: string): string => line.replace(/[^\r\n]/g, ' ');

/** A macro that both languages see, of instructions: it names registers as the assembler does and has no asm statement. */
function isDefine(text: string, at: number, line: string): boolean {
  if (!/^[ \t]*#[ \t]*define\b/.test(line)) return false;
  let end = text.indexOf('\n', at);
  while (end !== -1 && text[end - 1] === '\\') end = text.indexOf('\n', end + 1);
  const body = text.slice(at, end === -1 ? text.length : end);
  return body.length < 8000 && /(?<![%\w])%[re]?[abcds][xhlip]\b/.test(body) && !/\basm\b|__asm|"[^"\n]*%/.test(body);
}

export function assemblyPart(text: string): string {
  const conditions: Condition[] = [];
  let inMacro = false;
  /** The line before went on into this one, and was kept or not. */
  let continued: boolean | null = null;
  return text.replace(/[^\n]*\n?/g, (line, at: number) => {
    const neutral = conditions.every(({ named }) => !named);
    const directive = continued === null ? /^[ \t]*#[ \t]*(ifdef|ifndef|if|else|elif|endif)\b(.*)/.exec(line) : null;
    const isAssembly = conditions.at(-1)?.inner ?? false;
    if (directive) {
      const [, kind, rest] = directive;
      const named = /\b__ASSEMBL(?:Y|ER)__\b/.test(rest!);
      if (kind === 'endif') conditions.pop();
      else if (kind === 'else' || kind === 'elif') {
        const top = conditions.at(-1);
        if (top?.named) top.inner = !top.inner;
      } else {
        const negated = kind === 'ifndef' || /!\s*defined/.test(rest!);
        conditions.push({ named, inner: named ? !negated : isAssembly });
      }
      return blank(line);
    }
    if (continued === null && /^[ \t]*\.macro\b/.test(line)) inMacro = true;
    const kept: boolean = continued ?? (isAssembly || inMacro || (neutral && isDefine(text, at, line)));
    if (/^[ \t]*\.endm\b/.test(line)) inMacro = false;
    continued = /\\\r?\n?$/.test(line) ? kept : null;
    return kept ? line : blank(line);
  });
}
