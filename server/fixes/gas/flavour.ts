// 64-bit and 32-bit spelling of the instructions that fixes are made of, and how a hypercall is written. AT&T syntax.

export interface Flavour {
  readonly bits: 64 | 32;
  /** Registers in the order of hypercall arguments. */
  readonly args: readonly string[];
  readonly suffix: 'q' | 'l';
  readonly ax: string;
  readonly cx: string;
  readonly sp: string;
  /** A memory operand that names a symbol. */
  at(symbol: string): string;
  /** Byte offset of arch.cr2 in vcpu_info. */
  readonly cr2: number;
}

const LONG: Flavour = {
  bits: 64,
  args: ['%rdi', '%rsi', '%rdx', '%r10', '%r8'],
  suffix: 'q',
  ax: '%rax',
  cx: '%rcx',
  sp: '%rsp',
  at: (symbol) => `${symbol}(%rip)`,
  cr2: 16,
};
const SHORT: Flavour = {
  bits: 32,
  args: ['%ebx', '%ecx', '%edx', '%esi', '%edi'],
  suffix: 'l',
  ax: '%eax',
  cx: '%ecx',
  sp: '%esp',
  at: (symbol) => symbol,
  cr2: 8,
};

/** The code size at a place, where the file does not say it by .code64 or .code32: by the registers that it uses. */
export function flavourOf(text: string, codeBits: 64 | 32 | 16 | 0): Flavour | null {
  if (codeBits === 16) return null;
  // Code before .code64 in the same file is protected-mode entry, which a port drops as a whole.
  if (codeBits === 32) return /^\s*\.code64\b/m.test(text) ? null : SHORT;
  if (codeBits === 64) return LONG;
  if (/\b(push|pop|mov|lea|iret|sysret|lret)f?q\b/.test(text)) return LONG;
  return /%r([a-ds][xpi]|bp|\d+)\b/.test(text) || !/%e[a-ds][xpi]\b/.test(text) ? LONG : SHORT;
}

/** A line of a fix with a comment in a column of its own. */
export const noted = (code: string, comment: string): string => `${code.padEnd(31)} /* ${comment} */`;

const low = (register: string): string => (/^%r\d+$/.test(register) ? `${register}d` : register.replace(/^%r/, '%e'));

/** Instructions that put a constant into a register without touching the flags. */
export const constant = (register: string, value: number | string): string => `movl $${value}, ${low(register)}`;

/** Saves registers around `body`. */
export const saving = (flavour: Flavour, registers: readonly string[], body: readonly string[]): string[] => [
  ...registers.map((register) => `push${flavour.suffix} ${register}`),
  ...body,
  ...[...registers].reverse().map((register) => `pop${flavour.suffix} ${register}`),
];

export const hypercall = (number: number, name: string): string => noted(`call hypercall_page + ${number} * 32`, name);
