// Calls in C that stand for a native device or table: port I/O on the PIC, PIT or a UART, and the set-up of an IDT gate.
// They are no instructions of their own (those are found inside the wrappers) but they are the places that a port changes.

import type { Node } from 'web-tree-sitter';
import { evaluate } from './constants.ts';
import type { Idiom } from './site.ts';

/** Names, as a regular expression without groups. */
export const IDIOM_CALL = '(?:in|out)(?:port)?[bwl]?(?:_p)?|\\w*(?:gate|idt|trap|vector|intr)\\w*';

const OUT = /^out(port)?[bwl]?(_p)?$/;
const IN = /^in(port)?[bwl]?(_p)?$/;

/** The rule of a port number. 0x80 is the delay port that goes with PIC programming. */
export function ruleOfPort(port: number): string | null {
  if ([0x20, 0x21, 0xa0, 0xa1, 0x80].includes(port)) return 'port-pic';
  if (port >= 0x40 && port <= 0x43) return 'port-pit';
  return [0x3f8, 0x2f8, 0x3e8, 0x2e8].some((base) => port >= base && port < base + 8) ? 'port-uart' : null;
}

/** The idiom that a call expression is, or null. `shift` is added to every offset. */
export function callIdiom(call: Node, shift: number, inMacro: boolean, constants: ReadonlyMap<string, string>): Idiom | null {
  const callee = call.childForFieldName('function');
  const list = call.childForFieldName('arguments');
  if (callee?.type !== 'identifier' || !list) return null;
  const args = list.namedChildren.filter((arg) => arg.type !== 'comment').map((arg) => arg.text);
  const found = OUT.test(callee.text) || IN.test(callee.text) ? portAccess(callee.text, args, constants) : gateSetup(args, constants);
  if (!found) return null;
  const parent = call.parent;
  const alone = !inMacro && parent?.type === 'expression_statement' && !/^(if|else|for|while|do)_/.test(parent.parent?.type ?? '');
  return {
    ...found,
    start: call.startIndex + shift,
    end: call.endIndex + shift,
    text: call.text.replace(/\s+/g, ' '),
    callee: callee.text,
    args,
    statement: alone ? { start: parent.startIndex + shift, end: parent.endIndex + shift } : null,
  };
}

/** Ports of other devices that are also likely constants: keyboard, CMOS, A20 gate, coprocessor. */
const OTHER_PORTS = new Set([0x60, 0x61, 0x64, 0x70, 0x71, 0x92, 0xf0, 0xf1]);
/** Ports whose number is hardly ever written as a value. */
const UNMISTAKABLE = new Set([0x21, 0xa1, 0x43]);

/**
 * Kernels disagree on the order of out's arguments, so the port is the argument that is a constant of a known device; what could as
 * well be a value that goes to another device (a disk command 0x20, the NMI mask 0x80) is none.
 */
function portAccess(
  callee: string,
  args: readonly string[],
  constants: ReadonlyMap<string, string>,
): { rule: string; number: number } | null {
  const values = args.map((arg) => evaluate(arg, constants));
  const known = values.flatMap((number, i) => {
    const rule = number === null ? null : ruleOfPort(number);
    return rule
      ? [{ rule, number: number!, named: /[A-Za-z_]\w*/.test(args[i]!.replace(/0x[\da-f]+/gi, '')), other: values[1 - i] ?? null }]
      : [];
  });
  if (IN.test(callee)) return args.length === 1 && known[0] ? known[0] : null;
  if (args.length !== 2) return null;
  // A byte cannot be a UART's port.
  const sure = known.filter(({ number }) => number > 0xff);
  const likely = sure.length > 0 ? sure : known.filter((one) => isPort(one) && (one.number !== 0x80 || known.length === 1));
  if (likely.length === 0 || likely.some(({ rule }) => rule !== likely[0]!.rule)) return null;
  return likely[0]!;
}

function isPort({ number, named, other }: { readonly number: number; readonly named: boolean; readonly other: number | null }): boolean {
  if (number === 0x80) return other === 0;
  if (other === null) return named || UNMISTAKABLE.has(number);
  return other <= 0xff && (named || !OTHER_PORTS.has(other));
}

function gateSetup(args: readonly string[], constants: ReadonlyMap<string, string>): { rule: string; number: number } | null {
  if (args.length < 2) return null;
  const number = evaluate(args[0]!, constants);
  if (number === null || number < 0 || number > 255 || !handlerOf(args)) return null;
  return { rule: 'idt-gate', number };
}

/** The handler's name among a gate's arguments: a plain function, its address or a cast of either. */
export function handlerOf(args: readonly string[]): string | null {
  for (const arg of args.slice(1)) {
    const match = /^(?:\([^()]*\)\s*)*&?\s*([a-z_]\w*)$/.exec(arg.trim());
    if (match) return match[1]!;
  }
  return null;
}
