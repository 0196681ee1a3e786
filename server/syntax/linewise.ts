// Assembly without a grammar, read line by line: NASM (YASM, FASM and MASM share the shape of a line) and Plan 9's assembler.

import { classifyOperand } from './gas/operand.ts';
import type { Instruction, Operand } from './instruction.ts';

const PREFIX = /^(?:rep(?:e|ne|z|nz)?|lock|o16|o32|o64|a16|a32|a64|bnd|xacquire|xrelease|[c-gs]s)$/i;
/** Words that begin a line and are no instruction: data, directives, assignments. */
const NO_INSTRUCTION =
  /^(?:d[bwdqto]|res[bwdqto]|equ|times|bits|use16|use32|use64|section|segment|global|extern|common|org|align|alignb|cpu|default|struc|endstruc|istruc|iend|at|incbin|absolute|group|proc|endp|ends|end|assume|include|public|extrn)$/i;

/** The line without its comment; a semicolon in quotes is none. */
export function withoutComment(line: string): string {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote) {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') quote = char;
    else if (char === ';') return line.slice(0, i);
  }
  return line;
}

/** Parts between commas outside of brackets and quotes. */
function splitOperands(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote) {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '[' || char === '(') depth++;
    else if (char === ']' || char === ')') depth--;
    else if (char === ',' && depth === 0) {
      found.push(text.slice(from, i));
      from = i + 1;
    }
  }
  found.push(text.slice(from));
  return found.map((each) => each.trim()).filter(Boolean);
}

/** The instruction of one line of NASM, which begins at `offset` of the file; null for a line without one. */
export function nasmInstruction(line: string, offset: number): Instruction | null {
  const code = withoutComment(line);
  const head = /^[ \t]*(?:[\w.$?@~#%]+:[ \t]*)*(?:times[ \t]+\S+[ \t]+)?/i.exec(code)!;
  let at = head[0].length;
  const prefixes: string[] = [];
  const word = /[A-Za-z_]\w*/y;
  for (;;) {
    word.lastIndex = at;
    const found = word.exec(code)?.[0];
    if (!found || NO_INSTRUCTION.test(found)) return null;
    const next = at + found.length;
    if (!PREFIX.test(found) || /^\s*[,\]]/.test(code.slice(next))) {
      const rest = code.slice(next);
      // `name db 0`, `name equ 1`: a label without a colon.
      if (/^\s+(?:d[bwdqto]|res[bwdqto]|equ|=)\b/i.test(rest)) return null;
      return instruction(found, prefixes, rest, offset + head[0].length, offset + code.trimEnd().length);
    }
    prefixes.push(found.toLowerCase());
    at = next + /^[ \t]*/.exec(code.slice(next))![0].length;
  }
}

function instruction(name: string, prefixes: readonly string[], rest: string, start: number, end: number): Instruction {
  const operands = splitOperands(rest).map((text): Operand => {
    const classified = classifyOperand(
      text.replace(/^(?:strict[ \t]+)?(?:byte|word|dword|qword|short|near)[ \t]+(?!\[|ptr)/i, ''),
      'intel',
    );
    // `jmp dword 20h:start`: the selector makes it far.
    return /^(?:(?:d?word)\s+)?[\w.$+\-*() ]+:[\w.$+\-*() ]+$/.test(text)
      ? { kind: 'other', text }
      : { ...classified, text: classified.text };
  });
  const far = operands.some(({ kind, text }) => kind === 'other' && text.includes(':'));
  const mnemonic = spelled(name.toLowerCase(), far);
  return {
    mnemonic,
    prefixes,
    operands,
    dialect: 'intel',
    text: [...prefixes, name, rest.trim().replace(/\s+/g, ' ')].join(' ').trim(),
    start,
    end,
  };
}

/** The name as the table has it: NASM writes iretd and pushfd where Intel's manuals do, and others write iret. */
const spelled = (name: string, far: boolean): string => {
  if (far && (name === 'jmp' || name === 'call')) return `l${name}`;
  if (name === 'retf') return 'lret';
  return name;
};

const PLAN9_SPECIAL = /^(?:CR\d|DR\d|[C-GS]S|GDTR|IDTR|LDTR|TASK|MSW|TR\d)$/;

/** The instruction of one line of Plan 9's assembler, with its names in Intel's spelling. Names of registers stand bare and in capitals there. */
export function plan9Instruction(line: string, offset: number): Instruction | null {
  const code = line.replace(/\/\/.*$|\/\*.*?\*\//g, (comment) => ' '.repeat(comment.length));
  const match = /^[ \t]*(?:[\w·∕.]+:[ \t]*)?([A-Z][A-Z0-9]*)(?![\w·(])([^;]*)/.exec(code);
  if (!match || /^(?:TEXT|DATA|GLOBL|BYTE|WORD|LONG|PCALIGN|FUNCDATA|PCDATA|RET)$/.test(match[1]!)) return null;
  const operands = splitOperands(match[2]!);
  const special = operands.find((text) => PLAN9_SPECIAL.test(text));
  const mnemonic = plan9Name(match[1]!, special, operands.at(-1) === special);
  const start = offset + code.indexOf(match[1]!);
  const classified = operands
    .filter((text) => !/^(?:GDTR|IDTR|LDTR|TASK|MSW)$/.test(text))
    .map((text) => {
      // What moves to and from a special register is a general one, whatever the kernel calls it.
      const known = classifyOperand(text.toLowerCase(), 'intel');
      return special && known.kind === 'other' ? classifyOperand('rax', 'intel') : known;
    });
  return {
    mnemonic,
    prefixes: [],
    // The source stands first, as in AT&T syntax.
    operands: classified.reverse(),
    dialect: 'intel',
    text: `${match[1]} ${match[2]!.trim()}`.trim(),
    start,
    end: offset + match.index + match[0].trimEnd().length,
  };
}

function plan9Name(name: string, special: string | undefined, isTarget: boolean): string {
  switch (special) {
    case 'GDTR':
      return isTarget ? 'lgdt' : 'sgdt';
    case 'IDTR':
      return isTarget ? 'lidt' : 'sidt';
    case 'LDTR':
      return isTarget ? 'lldt' : 'sldt';
    case 'TASK':
      return isTarget ? 'ltr' : 'str';
    case 'MSW':
      return isTarget ? 'lmsw' : 'smsw';
    case undefined:
      break;
    default:
      return /^MOV/.test(name) ? 'mov' : name.toLowerCase().replace(/[bwlq]$/, '');
  }
  const lower = name.toLowerCase();
  const suffixed = /^(in|out|ins|outs|pushf|popf|iret|lret|retf|push|pop)[bwlq]$/.exec(lower);
  const plain = suffixed ? suffixed[1]! : lower;
  return plain === 'retf' ? 'lret' : plain;
}
