// Explains a pasted log of Xen's: each line or dump that is recognized becomes a note, the crash among them a summary.

import { readDomainDump, startsDomainDump } from './domain-dump.ts';
import { readEventDump, startsEventDump } from './event-dump.ts';
import { type ExecutionState, isCallTrace, readCallTrace, readState, startsState } from './execution-state.ts';
import { readGrantDump, startsGrantDump } from './grant-dump.ts';
import { readKernelLayout, startsKernelLayout } from './kernel-layout.ts';
import { MOST_LINES, splitLog } from './lines.ts';
import { readMemoryDump, startsMemoryDump } from './memory-dump.ts';
import { readMessage, subjectText } from './message.ts';
import type { LogExplanation, LogFrame, LogLine, LogNote, UnreadLine } from './note.ts';
import { readWalk, startsWalk } from './page-walk.ts';
import { isPlain } from './plain-lines.table.ts';
import { readRunQueueDump, startsRunQueueDump } from './run-queue-dump.ts';
import type { LogSymbols } from './symbols.ts';
import { exceptionText, hexOf, regionOf } from './words.ts';

/** What is repeated more often is counted, not listed. */
const MOST_UNREAD = 500;
/** How far before a crash the line stands that says why. */
const LINES_TO_CAUSE = 4;

const UNHANDLED = /^Unhandled: vec (\d+), (\S+?)\[([0-9a-f]+)\]/;
interface Crash {
  note: LogNote;
  unhandled: LogNote | null;
  /** The message right before, which says why. */
  cause: LogNote | null;
  sync: boolean;
  state: ExecutionState | null;
}

/** Text of a log; `symbols`: of the user's kernel. Never throws on any text. */
export function explainLog(text: string, symbols: LogSymbols | null = null): LogExplanation {
  const { lines, cut } = splitLog(text);
  const notes: LogNote[] = [];
  const unread: UnreadLine[] = [];
  const states: ExecutionState[] = [];
  const crashes: Crash[] = [];
  let unhandled: LogNote | null = null;
  let sync = false;
  let cause: LogNote | null = null;
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    const block = readBlock(lines, at, symbols);
    if (block) {
      notes.push(...block.notes);
      if (block.state) {
        states.push(block.state);
        const crash = crashes.at(-1);
        if (crash && !crash.state) crash.state = block.state;
      }
      at = Math.max(at + 1, block.next);
      continue;
    }
    const note = readException(line) ?? readMessage(line);
    if (note) {
      notes.push(note);
      if (note.kind === 'exception') unhandled = note;
      if (/^domain_crash_sync/.test(note.text)) sync = true;
      if (note.kind === 'message') cause = note;
      if (/^Domain \d+ \(vcpu#\d+\) crashed/.test(note.text)) {
        const near = cause !== null && note.line - cause.line <= LINES_TO_CAUSE ? cause : null;
        crashes.push({ note, unhandled, cause: near, sync, state: null });
        cause = null;
        unhandled = null;
        sync = false;
      }
    } else if (line.isXen && !isPlain(line.text) && unread.length < MOST_UNREAD) unread.push({ line: line.number, text: line.raw });
    at++;
  }
  const remarks: string[] = [];
  if (cut) remarks.push(`Only the first ${MOST_LINES} lines were read.`);
  if (notes.length === 0)
    remarks.push(
      'Nothing of Xen’s was recognized: paste lines of `xl dmesg`, of the serial console or of debug keys, with or without (XEN).',
    );
  if (symbols) remarks.push(...fitRemarks(states, symbols));
  else if (states.some(isGuestState)) remarks.push('Addresses of the guest are not named: give the kernel’s ELF file with its symbols.');
  return { summary: summaryOf(notes, crashes), notes, unread, remarks };
}

function readBlock(
  lines: readonly LogLine[],
  at: number,
  symbols: LogSymbols | null,
): { notes: readonly LogNote[]; next: number; state?: ExecutionState } | null {
  const line = lines[at]!;
  if (startsState(line)) {
    const state = readState(lines, at, symbols);
    return { notes: state.notes, next: state.next, state };
  }
  const one = (read: { note: LogNote; next: number }) => ({ notes: [read.note], next: read.next });
  if (startsWalk(line)) return one(readWalk(lines, at));
  if (isCallTrace(line)) return one(readCallTrace(lines, at));
  if (startsEventDump(line)) return one(readEventDump(lines, at));
  if (startsGrantDump(line)) return one(readGrantDump(lines, at));
  if (startsDomainDump(line)) return one(readDomainDump(lines, at));
  if (startsRunQueueDump(line)) return one(readRunQueueDump(lines, at));
  if (startsMemoryDump(line)) return one(readMemoryDump(lines, at));
  if (startsKernelLayout(line)) return one(readKernelLayout(lines, at));
  return null;
}

function readException(line: LogLine): LogNote | null {
  const match = UNHANDLED.exec(line.text);
  if (!match) return null;
  const code = hexOf(match[3]!);
  const { name, full, code: means } = exceptionText(Number(match[1]), code);
  return {
    kind: 'exception',
    line: line.number,
    lastLine: line.number,
    text: line.text,
    says: `${name} (${full}) came, and the guest has no handler registered for it.`,
    facts: [
      ...(line.subject ? [{ name: 'on behalf of', value: line.subject, means: subjectText(line.subject) }] : []),
      ...(means ? [{ name: 'error code', value: match[3]!, means }] : []),
    ],
    advice:
      'Register a handler for every exception with set_trap_table before anything can raise one; the registers below say where this one came.',
    rule: 'no-handler',
  };
}

const isGuestState = (s: ExecutionState): boolean => s.registers.values.cs !== 0xe008n;

function fitRemarks(states: readonly ExecutionState[], symbols: LogSymbols): string[] {
  const guest = states.filter(isGuestState);
  if (guest.length === 0) return [];
  const known = guest.filter((s) => symbols.isCode(s.registers.values.rip ?? 0n));
  if (known.length > 0) return [];
  return ['None of the guest’s instruction pointers lies in code of the kernel that was given: is it the one that ran?'];
}

const placeOf = (frame: LogFrame): string => `${frame.function}${frame.file ? ` at ${frame.file}:${frame.line ?? '?'}` : ''}`;

function summaryOf(notes: readonly LogNote[], crashes: readonly Crash[]): string[] {
  const out: string[] = [];
  for (const { note, unhandled, cause: why, sync, state } of crashes) {
    const who = /^Domain (\d+) \(vcpu#(\d+)\)/.exec(note.text)!;
    const rip = state?.registers.values.rip;
    const frame = state?.notes.find((n) => n.frames)?.frames?.[0];
    const where = rip === undefined ? '' : ` at ${rip.toString(16).padStart(16, '0')}${frame ? ` (${placeOf(frame)})` : ''}`;
    const rsp = state?.registers.values.rsp;
    const region = rsp === undefined ? null : regionOf(rsp);
    const cause = unhandled
      ? `: ${unhandled.says.replace(/^(\S+ \([^)]*\)) came, and.*/, '$1 came')} and no handler is registered for it`
      : why
        ? `: ${why.says.replace(/\.$/, '')}`
        : sync
          ? `: Xen could not push an exception or event frame on its kernel stack${region ? `, whose pointer is ${region}` : ''}`
          : '';
    out.push(`Domain ${who[1]}, vCPU ${who[2]}, was ended by Xen${where}${cause}.`);
  }
  const refused = notes.filter((n) => n.kind === 'message' && n.rule !== undefined);
  if (refused.length > 0) {
    const rules = new Map<string, number>();
    for (const { rule } of refused) rules.set(rule!, (rules.get(rule!) ?? 0) + 1);
    out.push(`Xen refused something: ${[...rules].map(([rule, n]) => `${rule}${n > 1 ? ` (${n} lines)` : ''}`).join(', ')}.`);
  }
  for (const n of notes) if (n.advice && (n.kind === 'event-channels' || n.kind === 'domain')) out.push(n.says);
  if (notes.some((n) => /^Panic on CPU/.test(n.text))) out.push('Xen itself panicked.');
  return out;
}
