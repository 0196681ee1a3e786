// What one operand means. The grammar only cuts operands out; their sense depends on the dialect.

import type { Dialect, Operand } from '../instruction.ts';

const SEGMENTS = /^(cs|ds|es|fs|gs|ss)$/;
const CONTROL = /^cr(\d|1[0-5])$/;
const DEBUG = /^(dr|db)(\d|1[0-5])$/;
const GPR = /^([re]?(ax|bx|cx|dx|si|di|bp|sp|ip)|[abcd][lh]|(si|di|bp|sp)l|r([89]|1[0-5])[dwb]?)$/;

function register(name: string, text: string): Operand | null {
  const lower = name.toLowerCase();
  if (SEGMENTS.test(lower)) return { kind: 'segment', text, register: lower };
  if (CONTROL.test(lower)) return { kind: 'control', text, register: lower };
  if (DEBUG.test(lower)) return { kind: 'debug', text, register: lower.replace('db', 'dr') };
  if (GPR.test(lower)) return { kind: 'gpr', text, register: lower };
  return null;
}

/** `raw` is the operand's text in the parsed source, where U+E001 stands for the percent sign of a template operand. */
export function classifyOperand(raw: string, dialect: Dialect): Operand {
  const text = raw
    .replace(/\uE001/g, '%')
    .replace(/\s+/g, ' ')
    .trim();
  const template = /^\uE001[a-zA-Z]?(\d+|\[\w+\])$/.exec(raw.trim());
  if (template) return { kind: 'template', text, value: template[1]!.replace(/[[\]]/g, '') };
  const named = /^%([a-z]\w*)$/i.exec(text);
  if (named) return register(named[1]!, text) ?? { kind: 'other', text };
  if (text.startsWith('$')) return { kind: 'immediate', text, value: text.slice(1).trim() };
  if (dialect === 'att') return /^\*?%/.test(text) && !/[(:]/.test(text) ? { kind: 'other', text } : { kind: 'memory', text };
  const bare = register(text, text);
  if (bare) return bare;
  if (/\[|\bptr\b/i.test(text)) return { kind: 'memory', text };
  if (/^[-+~]?\s*(0x[0-9a-f]+|\d\w*)$/i.test(text)) return { kind: 'immediate', text, value: text };
  return { kind: 'other', text };
}
