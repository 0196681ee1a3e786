// The parts of a C header that only the assembler reads: under __ASSEMBLY__ and bodies of .macro. Everything else is blanked, lengths kept.

interface Condition {
  /** The condition asks for the assembler itself. */
  readonly named: boolean;
  inner: boolean;
}

const blank = (line: string): string => line.replace(/[^\r\n]/g, ' ');

export function assemblyPart(text: string): string {
  const conditions: Condition[] = [];
  let inMacro = false;
  /** The line before went on into this one, and was kept or not. */
  let continued: boolean | null = null;
  return text.replace(/[^\n]*\n?/g, (line) => {
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
    const kept: boolean = continued ?? (isAssembly || inMacro);
    if (/^[ \t]*\.endm\b/.test(line)) inMacro = false;
    continued = /\\\r?\n?$/.test(line) ? kept : null;
    return kept ? line : blank(line);
  });
}
