// A dump of registers with the guest's stack behind it: what Xen prints when it ends a domain, and for the debug keys 0 and d.

import type { LogFact, LogFrame, LogLine, LogNote } from './note.ts';
import type { LogSymbols, StackWords } from './symbols.ts';
import { regionOf, rflagsText, selectorText } from './words.ts';

export interface Registers {
  readonly values: Readonly<Record<string, bigint>>;
  /** 'pv guest', 'hypervisor', 'hvm guest'. */
  readonly context: string;
  readonly subject?: string;
  /** Event upcalls masked. */
  readonly masked: boolean | null;
}
export interface ExecutionState {
  readonly registers: Registers;
  readonly stack: StackWords | null;
  readonly notes: readonly LogNote[];
  /** Index of the first line behind it. */
  readonly next: number;
}

const RIP = /^E?R?IP:\s+([0-9a-f]{4}):\[<([0-9a-f]+)>\](?: (\S+))?/;
const FLAGS = /^RFLAGS: ([0-9a-f]+)\s+(?:EM: (\d)\s+)?CONTEXT: ([a-z0-9 ]+?)(?: \((d\S+)\))?$/;
const PAIRS = /\b([a-z0-9]{2,3}):\s+([0-9a-f]{4,16})\b/g;
const GENERAL = new Set('rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15'.split(' '));
const STACK = /^(Guest|Xen) stack trace from ([er])sp=(?:0x)?([0-9a-f]+):/;
const WORDS = /^\s+(?:[0-9a-f]{8}(?:[0-9a-f]{8})?\b\s*)+$/;

export const startsState = (line: LogLine): boolean => RIP.test(line.text);

function readRegisters(lines: readonly LogLine[], start: number): { registers: Registers; next: number } {
  const values: Record<string, bigint> = {};
  const rip = RIP.exec(lines[start]!.text)!;
  values.cs = BigInt(`0x${rip[1]}`);
  values.rip = BigInt(`0x${rip[2]}`);
  let context = '';
  let subject: string | undefined;
  let masked: boolean | null = null;
  let next = start + 1;
  for (; next < lines.length && next < start + 16; next++) {
    const { text } = lines[next]!;
    const flags = FLAGS.exec(text);
    if (flags) {
      values.rflags = BigInt(`0x${flags[1]}`);
      masked = flags[2] === undefined ? null : flags[2] === '1';
      context = flags[3]!;
      subject = flags[4];
      continue;
    }
    const pairs = [...text.matchAll(PAIRS)];
    if (pairs.length === 0 || !/^[a-z0-9]{2,3}:/.test(text)) break;
    for (const [, name, value] of pairs) values[name!] = BigInt(`0x${value}`);
  }
  return { registers: { values, context, masked, ...(subject ? { subject } : {}) }, next };
}

function readStack(lines: readonly LogLine[], start: number): { stack: StackWords | null; text: string; next: number } | null {
  const head = STACK.exec(lines[start]?.text ?? '');
  if (head?.[1] !== 'Guest') return null;
  const words: bigint[] = [];
  let size: 8 | 4 = 8;
  let next = start + 1;
  let text = '';
  for (; next < lines.length; next++) {
    const line = lines[next]!.text;
    if (!WORDS.test(line)) {
      const said =
        /^\s+(Guest-inaccessible memory\.|Inaccessible guest memory\.|Fault while accessing guest memory\.|Stack empty\.|User mode stack)/.exec(
          line,
        );
      if (said) {
        text = said[1]!;
        next++;
      }
      break;
    }
    for (const word of line.trim().split(/\s+/)) {
      if (word.length === 8) size = 4;
      words.push(BigInt(`0x${word}`));
    }
  }
  return { stack: words.length > 0 ? { start: BigInt(`0x${head[3]}`), size, words } : null, text, next };
}

const hex = (v: bigint): string => v.toString(16).padStart(16, '0');

function registerFacts({ values, masked }: Registers, symbols: LogSymbols | null): LogFact[] {
  const facts: LogFact[] = [];
  const say = (name: string, means: string | null | undefined): void => {
    if (values[name] !== undefined && means) facts.push({ name, value: hex(values[name]), means });
  };
  say('rip', symbols?.nameOf(values.rip!));
  if (values.cs !== undefined) facts.push({ name: 'cs', value: values.cs.toString(16), means: selectorText(values.cs) });
  if (values.rflags !== undefined) facts.push({ name: 'rflags', value: hex(values.rflags), means: rflagsText(values.rflags) });
  if (masked !== null)
    facts.push({ name: 'EM', value: masked ? '1' : '0', means: masked ? 'event upcalls are masked' : 'event upcalls are not masked' });
  if (values.cr2 !== undefined && values.cr2 !== 0n) {
    const region = regionOf(values.cr2);
    say('cr2', `address of the last page fault${region ? `: ${region}` : ''}`);
  }
  say('cr3', `page tables: top-level table in machine frame 0x${((values.cr3 ?? 0n) >> 12n).toString(16)}`);
  for (const [name, value] of Object.entries(values)) {
    if (!GENERAL.has(name) || value === 0n) continue;
    // Small numbers are numbers, not null pointers.
    const region = value < 4096n ? null : regionOf(value);
    const symbol = symbols?.nameOf(value);
    if (region || symbol) say(name, region ?? symbol);
  }
  return facts;
}

const FRAME_WORDS = {
  8: { kernel: [0xe030], user: [0xe033, 0xe023], stack: [0xe02b], mask: 32n },
  4: { kernel: [0xe019], user: [0xe023], stack: [0xe021, 0xe02b], mask: 16n },
} as const;

/** Exception frames that Xen pushed on the way: rip, cs with the saved event mask, rflags, and rsp and ss where it pushed them too. */
export function bounceFrames({ words, start, size }: StackWords, symbols: LogSymbols | null): LogFact[] {
  const out: LogFact[] = [];
  const known = FRAME_WORDS[size];
  const is = (list: readonly number[], v: bigint | undefined): boolean => v !== undefined && list.includes(Number(v & 0xffffn));
  const shown = (v: bigint): string => v.toString(16).padStart(2 * size, '0');
  for (let i = 0; i + 2 < words.length; i++) {
    const [rip, cs, rflags, rsp, ss] = words.slice(i, i + 5) as [bigint, bigint, bigint, bigint?, bigint?];
    const user = is(known.user, cs);
    if ((!user && !is(known.kernel, cs)) || (rflags & 2n) === 0n || rflags >> 22n !== 0n || rip === 0n) continue;
    const hasStack = is(known.stack, ss) && rsp !== undefined;
    // A 32-bit kernel's frame in its own ring has no stack pointer; all others have one.
    if (!hasStack && (size === 8 || user)) continue;
    const mask = (cs >> known.mask) & 0xffn;
    const name = symbols?.nameOf(rip);
    const stack = hasStack ? `, stack pointer ${shown(rsp)}` : '';
    out.push({
      name: `frame at ${shown(start + BigInt(i * size))}`,
      value: shown(rip),
      means: `an exception or event frame that Xen pushed: at ${shown(rip)}${name ? ` (${name})` : ''} in ${user ? 'user mode' : 'the kernel'}${stack}, events were ${mask ? 'masked' : 'not masked'}`,
    });
  }
  return out;
}

export function readState(lines: readonly LogLine[], start: number, symbols: LogSymbols | null): ExecutionState {
  const { registers, next } = readRegisters(lines, start);
  const isGuest = registers.context.includes('guest') || registers.values.cs !== 0xe008n;
  const stackPart = readStack(lines, next);
  const frames: LogFrame[] = isGuest && symbols ? symbols.stack(registers.values, stackPart?.stack ?? null) : [];
  const end = stackPart?.next ?? next;
  const { rip, rsp } = registers.values;
  const where = frames[0] ? ` in ${frames[0].function}${frames[0].file ? ` (${frames[0].file}:${frames[0].line ?? '?'})` : ''}` : '';
  const notes: LogNote[] = [
    {
      kind: 'registers',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text,
      says: isGuest
        ? `Registers of the guest${registers.subject ? ` (${registers.subject})` : ''}: it was at ${hex(rip!)}${where}.`
        : `Registers of Xen itself at ${hex(rip!)}.`,
      facts: isGuest ? registerFacts(registers, symbols) : [],
      ...(frames.length ? { frames } : {}),
    },
  ];
  if (stackPart) notes.push(stackNote(lines, next, stackPart, rsp, symbols));
  return { registers, stack: stackPart?.stack ?? null, notes, next: end };
}

function stackNote(
  lines: readonly LogLine[],
  start: number,
  part: { stack: StackWords | null; text: string; next: number },
  rsp: bigint | undefined,
  symbols: LogSymbols | null,
): LogNote {
  const { stack, text } = part;
  const region = rsp === undefined ? null : regionOf(rsp);
  const facts = stack ? bounceFrames(stack, symbols) : [];
  const unreadable = text !== '' && text !== 'Stack empty.';
  return {
    kind: 'stack',
    line: lines[start]!.number,
    lastLine: lines[part.next - 1]!.number,
    text: lines[start]!.text,
    says: unreadable
      ? `Xen could not read ${stack ? 'more of ' : ''}the guest’s stack${region ? `: the stack pointer is ${region}` : ': nothing is mapped there'}.`
      : stack
        ? `${stack.words.length} words of the guest’s stack, from the stack pointer up.`
        : 'The guest’s stack pointer stands at the end of a stack page: nothing is shown.',
    facts,
    ...(unreadable && !stack
      ? { advice: 'A kernel stack must be mapped and writable whenever an exception or event can come.', rule: 'bounce-stack' }
      : {}),
  };
}

export const isCallTrace = (line: LogLine): boolean => /^(Xen call trace:|Xen code around )/.test(line.text);

/** Xen's own stack, code bytes and call trace: of interest to those who debug Xen. */
export function readCallTrace(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  let next = start + 1;
  const functions: string[] = [];
  for (; next < lines.length; next++) {
    const { text } = lines[next]!;
    const call = /^\s+\[<[0-9a-f]+>\] [RSF] (\S+)/.exec(text);
    if (call) functions.push(call[1]!);
    else if (!/^\s+[<0-9a-f]/.test(text)) break;
  }
  const code = lines[start]!.text.startsWith('Xen code');
  return {
    note: {
      kind: 'call-trace',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text,
      says: code
        ? 'Bytes of Xen’s own code around the place.'
        : `Where Xen itself was: ${
            functions
              .slice(0, 4)
              .map((f) => f.replace(/\+.*/, ''))
              .join(', called by ') || 'no function is named'
          }.`,
      facts: [],
    },
    next,
  };
}
