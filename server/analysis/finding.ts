// What the analysis says of a source file. Offsets are UTF-16 units into the file's text, ends exclusive.

export type Severity = 'silent' | 'fault' | 'emulated' | 'idiom';

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Fix {
  /** Imperative, one line: 'Replace by MMUEXT_NEW_BASEPTR'. */
  readonly title: string;
  /** In order of their place, not overlapping. */
  readonly edits: readonly TextEdit[];
}

export interface Finding {
  /** Id in the rule catalogue. */
  readonly rule: string;
  readonly severity: Severity;
  readonly start: number;
  readonly end: number;
  /** The instruction as the assembler reads it ('mov %0,%cr3'), or the call for an idiom. */
  readonly instruction: string;
  readonly message: string;
  /** What to write instead, one sentence. */
  readonly replacement: string;
  readonly fixes: readonly Fix[];
  /** `call`: not the instruction but a use of a function or macro that executes it. `well-known`: the same, by name only. Absent: itself. */
  readonly kind?: 'call' | 'well-known';
  /** For a call: the definition that makes it one, then what that goes through, to the instruction. */
  readonly related?: readonly Related[];
}

/** A place in this or another file that explains a finding. */
export interface Related {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Of the name there, in UTF-16 units. */
  readonly length: number;
  readonly message: string;
}

/** What reads like a sensitive instruction and is another thing: a name that the port has redefined, an entry of a table of operations. */
export interface Redirection {
  readonly start: number;
  readonly end: number;
  readonly instruction: string;
  readonly by: Related;
}

/** Something that kept the analysis from seeing all of a file. */
export interface Warning {
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/** `nasm` and `plan9` are read line by line. */
export type Language = 'c' | 'gas' | 'nasm' | 'plan9';

export interface Source {
  /** Only its name is used: messages and the choice of the language. */
  readonly path: string;
  readonly text: string;
  readonly language?: Language;
  /** Dialect of inline asm: `-masm=intel` makes it 'intel'. Default 'att'. */
  readonly masm?: 'att' | 'intel';
}

export interface Analysis {
  /** In the order of their place. */
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
  /** Present when the file was analysed as part of a tree. */
  readonly redirected?: readonly Redirection[];
}

const NASM_SIGN =
  /^[ \t]*(?:%(?:include|macro|imacro|define|if|ifdef|ifndef|assign|xdefine)\b|\[?bits[ \t]+(?:16|32|64)|(?:section|segment|global|extern|org|struc|use16|use32)\b|;)/im;
const ASSEMBLY_SIGN = /^[ \t]*(?:[\w.$]+:)?[ \t]*(?:mov|push|pop|call|jmp|int|ret)\b/im;
const PLAN9_SIGN = /^TEXT[ \t]+\S*\(SB\)/m;

/**
 * C by .c and .h (and C++'s names), assembly by .S and .s, NASM by .asm, .nasm and .inc; null for anything else. With the text, a header that holds
 * macros of the assembler and no C is known for what it is, and so are Plan 9's assembly and an .inc of another language.
 */
export function languageOf(path: string, text = ''): Language | null {
  if (/\.s$/i.test(path)) return PLAN9_SIGN.test(text) ? 'plan9' : 'gas';
  if (/\.(?:asm|nasm)$/i.test(path)) return /^[ \t]*\.(?:globl|text|section|code\d\d)\b/m.test(text) ? 'gas' : 'nasm';
  if (/\.inc$/i.test(path)) {
    if (text === '' || (NASM_SIGN.test(text) && (ASSEMBLY_SIGN.test(text) || /^[ \t]*%/m.test(text)))) return 'nasm';
    return null;
  }
  if (/\.(?:hh|hpp|hxx|cc|cpp|cxx)$/i.test(path)) return 'c';
  if (!/\.[ch]$/i.test(path)) return null;
  const assembler =
    /\.h$/i.test(path) && /^[ \t]*\.macro\b/m.test(text) && !/^[ \t]*(static|typedef|extern|struct|union|enum|void|int)\b/m.test(text);
  return assembler ? 'gas' : 'c';
}
