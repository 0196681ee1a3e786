// Calls of port wrappers and IDT gate set-ups in C.

import { evaluate } from '../../analysis/constants.ts';
import type { SourceDocument } from '../../analysis/document.ts';
import type { Fix } from '../../analysis/finding.ts';
import { handlerOf } from '../../analysis/idioms.ts';
import type { Idiom } from '../../analysis/site.ts';
import { isData, isLineStatus, READY, REMOVE, writeConsole } from './ports.ts';
import { removal } from './statement.ts';

/** Vectors that programs may raise themselves: breakpoint, overflow and the system call. */
const USER_VECTORS = new Set([3, 4, 0x80]);

export function idiomFixes(document: SourceDocument, idiom: Idiom): readonly Fix[] {
  const fix = idiom.rule === 'idt-gate' ? gate(idiom) : port(document, idiom);
  return fix ? [fix] : [];
}

const call = (idiom: Idiom, title: string, text: string): Fix => ({ title, edits: [{ start: idiom.start, end: idiom.end, text }] });

function gate(idiom: Idiom): Fix | null {
  const handler = handlerOf(idiom.args);
  if (!handler || !idiom.statement) return null;
  const privilege = USER_VECTORS.has(idiom.number) ? 3 : 0;
  const entry = `{ ${idiom.args[0]!.trim()}, ${privilege}, FLAT_KERNEL_CS, (unsigned long)${handler} }`;
  return call(
    idiom,
    'Give the handler to Xen with set_trap_table',
    `BUG_ON(HYPERVISOR_set_trap_table((struct trap_info[]){ ${entry}, { 0 } }))`,
  );
}

function port(document: SourceDocument, idiom: Idiom): Fix | null {
  const input = idiom.callee.startsWith('in');
  if (input)
    return idiom.rule === 'port-uart' && isLineStatus(idiom.number)
      ? call(idiom, 'Always ready: a console call does not wait', READY)
      : null;
  if (idiom.rule === 'port-uart' && isData(idiom.number)) {
    const value = idiom.args.find((arg) => evaluate(arg, document.macros.constants) !== idiom.number);
    // A constant that goes to the data register while DLAB is set is a divisor, not a character.
    return value && evaluate(value, document.macros.constants) === null
      ? call(idiom, 'Write with console_io', writeConsole(value))
      : remove(document, idiom);
  }
  return remove(document, idiom);
}

const remove = (document: SourceDocument, idiom: Idiom): Fix | null =>
  idiom.statement ? removal(document, idiom.statement, REMOVE[idiom.rule]!) : null;
