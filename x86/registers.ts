// Register names of the assemblers, and operands of a source line sorted into the table's kinds.

export type TextKind = 'gpr' | 'segment' | 'control' | 'debug' | 'mmx' | 'xmm' | 'st' | 'immediate' | 'memory' | 'symbol' | 'unknown';

/** An operand as the source text shows it. */
export interface TextOperand {
  readonly kind: TextKind;
  /** Register number (cr3: 3, ds: 3, r9d: 9, ah: 4) of the register kinds. */
  readonly register?: number;
  /** Size of a general register in bytes. */
  readonly size?: number;
  /** Value of an immediate that is a plain number. */
  readonly value?: number;
  /** AT&T `*`: the branch goes through this register or memory. */
  readonly indirect?: boolean;
  /** Intel `far ptr` or `selector:offset`. */
  readonly far?: boolean;
}

const NAMES = new Map<string, TextOperand>();
const add = (name: string, kind: TextKind, register: number, size?: number): void => {
  NAMES.set(name, { kind, register, ...(size ? { size } : {}) });
};

'ax cx dx bx sp bp si di'.split(' ').forEach((name, n) => {
  add(name, 'gpr', n, 2);
  add(`e${name}`, 'gpr', n, 4);
  add(`r${name}`, 'gpr', n, 8);
});
'al cl dl bl ah ch dh bh'.split(' ').forEach((name, n) => {
  add(name, 'gpr', n, 1);
});
'spl bpl sil dil'.split(' ').forEach((name, n) => {
  add(name, 'gpr', n + 4, 1);
});
for (let n = 8; n < 16; n++) {
  add(`r${n}`, 'gpr', n, 8);
  add(`r${n}d`, 'gpr', n, 4);
  add(`r${n}w`, 'gpr', n, 2);
  add(`r${n}b`, 'gpr', n, 1);
  add(`r${n}l`, 'gpr', n, 1);
}
'es cs ss ds fs gs'.split(' ').forEach((name, n) => {
  add(name, 'segment', n);
});
for (let n = 0; n < 16; n++) {
  add(`cr${n}`, 'control', n);
  add(`dr${n}`, 'debug', n);
  add(`db${n}`, 'debug', n);
  add(`xmm${n}`, 'xmm', n);
  if (n < 8) {
    add(`mm${n}`, 'mmx', n);
    add(`st(${n})`, 'st', n);
  }
}
add('st', 'st', 0);

/** The register of this name (any case, without `%`), or undefined. */
export const registerByName = (name: string): TextOperand | undefined => NAMES.get(name.toLowerCase().replace(/\s+/g, ''));

/** Value of a C or assembler integer literal, or undefined. */
function integer(text: string): number | undefined {
  const match = /^([-~]?)\s*(0x[0-9a-f]+|0b[01]+|[0-9a-f]+h|\d+)$/i.exec(
    text
      .trim()
      .replace(/^\((.*)\)$/, '$1')
      .trim(),
  );
  if (!match) return undefined;
  const digits = match[2]!.toLowerCase();
  const value =
    digits.endsWith('h') && !digits.startsWith('0x')
      ? Number.parseInt(digits, 16)
      : /^0[0-7]+$/.test(digits)
        ? Number.parseInt(digits, 8)
        : Number(digits);
  return match[1] === '-' ? -value : match[1] === '~' ? ~value : value;
}

const immediate = (text: string): TextOperand => {
  const value = integer(text);
  return value === undefined ? { kind: 'immediate' } : { kind: 'immediate', value };
};

function attOperand(text: string): TextOperand {
  if (text.startsWith('*')) return { ...attOperand(text.slice(1).trim()), indirect: true };
  if (text.startsWith('$')) return immediate(text.slice(1));
  if (text.startsWith('%')) {
    const register = /^%\s*([a-z][a-z0-9]*(?:\s*\(\s*\d\s*\))?)$/i.exec(text);
    const known = register && registerByName(register[1]!);
    if (known) return known;
    // %fs:0 and %gs:(%rax) are memory; %0, %k1, %[name] are operands of an inline asm.
    return /^%\s*[c-g]s\s*:/i.test(text) ? { kind: 'memory' } : { kind: 'unknown' };
  }
  if (text.startsWith('\\')) return { kind: 'unknown' };
  if (text.includes('(') && /%[a-z\d[]/i.test(text)) return { kind: 'memory' };
  if (integer(text) !== undefined) return { kind: 'memory' };
  return { kind: 'symbol' };
}

function intelOperand(text: string): TextOperand {
  const bare = text.replace(/^%/, '');
  const register = registerByName(bare);
  if (register) return register;
  const far = /\b(far|fword)\b/i.test(text);
  if (text.includes('[') || /\bptr\b/i.test(text) || /^[c-g]s\s*:/i.test(bare)) return { kind: 'memory', ...(far ? { far } : {}) };
  if (integer(text) !== undefined) return immediate(text);
  if (/^\s*\w+\s*:\s*\w+/.test(text)) return { kind: 'immediate', far: true };
  if (/^[%\\]/.test(text)) return { kind: 'unknown' };
  if (/^offset\b/i.test(text)) return { kind: 'immediate' };
  return { kind: 'symbol', ...(far ? { far } : {}) };
}

/** Sorts one operand of a source line. Registers of inline asm templates must come with a single `%` (`%%eax` as `%eax`). */
export const classifyOperand = (text: string, syntax: 'att' | 'intel'): TextOperand =>
  (syntax === 'att' ? attOperand : intelOperand)(text.trim());
