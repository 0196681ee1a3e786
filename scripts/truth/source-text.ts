// The sources of a tree as text, and their macros by name: what a recorded line says, and which macro body an instruction stands in.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MacroBody {
  readonly file: string;
  /** Line of the definition, from 1, and its text lines. */
  readonly line: number;
  readonly lines: readonly string[];
  readonly kind: 'define' | 'macro';
}

const SOURCE = /\.(c|h|S|s|asm|inc|lds|mac)$/;

export class SourceText {
  readonly root: string;
  readonly files: readonly string[];
  readonly #lines = new Map<string, readonly string[] | null>();
  readonly #functions = new Map<string, MacroBody | null>();
  #macros: Map<string, MacroBody[]> | null = null;

  constructor(root: string, read: (file: string) => boolean) {
    this.root = root;
    this.files = (readdirSync(root, { recursive: true, withFileTypes: true }) as { name: string; parentPath: string; isFile(): boolean }[])
      .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter(read)
      .sort();
  }

  text(file: string): string | null {
    const path = join(this.root, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  }

  lines(file: string): readonly string[] | null {
    let known = this.#lines.get(file);
    if (known === undefined) {
      known = this.text(file)?.split('\n') ?? null;
      this.#lines.set(file, known);
    }
    return known;
  }

  /** Definitions of a macro of the preprocessor, of GNU as or of NASM. */
  macros(name: string): readonly MacroBody[] {
    this.#macros ??= this.#readMacros();
    return this.#macros.get(name) ?? [];
  }

  /** Definitions of the macros whose name begins so: what a paste of `name##x` may mean. */
  macrosFrom(start: string): readonly MacroBody[] {
    this.#macros ??= this.#readMacros();
    return [...this.#macros].flatMap(([name, bodies]) => (name.startsWith(start) ? bodies : []));
  }

  /** The body of the one C function of that name; null when there is none or several. */
  functionNamed(name: string): MacroBody | null {
    const known = this.#functions.get(name);
    if (known !== undefined) return known;
    const found = this.#findFunction(name);
    this.#functions.set(name, found);
    return found;
  }

  #findFunction(name: string): MacroBody | null {
    const head = new RegExp(`^(?:[A-Za-z_][\\w \\t*]*[ \\t*])?${name}\\s*\\([^;{]*\\)\\s*\\{`, 'm');
    const found = this.files.flatMap((file): MacroBody[] => {
      if (!/\.[ch]$/.test(file)) return [];
      const text = this.text(file) ?? '';
      const match = text.includes(name) ? head.exec(text) : null;
      if (!match) return [];
      const end = text.indexOf('\n}', match.index);
      const line = text.slice(0, match.index).split('\n').length;
      return [{ file, line, lines: text.slice(match.index, end === -1 ? text.length : end).split('\n'), kind: 'define' }];
    });
    return found.length === 1 ? found[0]! : null;
  }

  #readMacros(): Map<string, MacroBody[]> {
    const found = new Map<string, MacroBody[]>();
    for (const file of this.files) {
      const lines = this.text(file)?.split('\n') ?? [];
      for (let i = 0; i < lines.length; i++) {
        const define = /^\s*[#%]\s*x?i?define\s+(\w+)/.exec(lines[i]!);
        const macro = define ? null : /^\s*(?:\.macro\s+(\w+)|%i?macro\s+(\w+))/.exec(lines[i]!);
        const name = define?.[1] ?? macro?.[1] ?? macro?.[2];
        if (!name) continue;
        let end = i;
        if (define) while (end < lines.length - 1 && /\\\s*$/.test(lines[end]!)) end++;
        else while (end < lines.length - 1 && end - i < 400 && !/^\s*(?:\.endm|%endmacro)\b/.test(lines[end]!)) end++;
        const body: MacroBody = { file, line: i + 1, lines: lines.slice(i, end + 1), kind: define ? 'define' : 'macro' };
        const same = found.get(name);
        if (same) same.push(body);
        else found.set(name, [body]);
      }
    }
    return found;
  }
}

/** The statement that begins on a line of C: to the semicolon that ends it, at most 80 lines. */
export function statementAt(lines: readonly string[], line: number): readonly string[] {
  let depth = 0;
  const found: string[] = [];
  for (let i = line - 1; i < Math.min(lines.length, line + 79); i++) {
    const text = lines[i]!;
    found.push(text);
    const code = text.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|\/\*.*?\*\/|\/\/.*$/g, '""');
    for (const char of code) {
      if (char === '(') depth++;
      else if (char === ')') depth--;
      else if (char === ';' && depth <= 0) return found;
    }
    // A label or the head of a block stands alone.
    if (depth <= 0 && /[{}]\s*$/.test(code)) return found;
  }
  return found;
}
