// A refusal in plain sentences: what was refused and why, the objects in it, what to do, and the line that real Xen prints.

import { errnoMeaning } from '../abi/errno.ts';
import type { FactValue, FrameFact, Refusal } from '../abi/refusal.ts';
import { findRule } from '../abi/rules/catalogue.ts';
import { xenLinesOf } from '../abi/xen-messages.table.ts';
import { isFrame, sentenceOfFrame } from './frame.ts';
import { summaries } from './summaries.ts';

export interface Explanation {
  /** One sentence: errno, its meaning, and what exactly was wrong. */
  readonly summary: string;
  /** Further sentences: frames with counts and holders, the way to the entry, what the rule is about. */
  readonly details: readonly string[];
  /** What to do. */
  readonly hint: string;
  /** As real Xen logs it (most lines only in a debug build). */
  readonly xenLine?: string;
  /** All lines that a debug build of Xen logs for it, in order, where there is one at least. */
  readonly xenLines?: readonly string[];
  /** Id of the rule, for its page. */
  readonly rule: string;
}

export function explainRefusal(refusal: Refusal): Explanation {
  const rule = findRule(refusal.rule);
  const { facts } = refusal;
  const specific = summaries[refusal.rule]?.(facts) ?? (rule ? `${rule.title}${namedFacts(facts)}` : refusal.rule);
  const lines = xenLinesOf(refusal).map((line) => `(XEN) ${line}`);
  return {
    summary: rule?.severity === 'fault' ? sentence(specific) : `${answerOf(refusal)}: ${specific}.`,
    details: [...frames(facts), ...grants(facts), ...way(facts, refusal.rule), ...position(facts), ...(rule ? [rule.summary] : [])],
    hint: rule && 'advice' in rule ? rule.advice : '',
    ...(lines[0] ? { xenLine: lines[0], xenLines: lines } : {}),
    rule: refusal.rule,
  };
}

/** What the guest gets: an errno, or, of an element of a list of grant operations, a status. */
function answerOf({ errno, facts: { status, operation } }: Refusal): string {
  if (typeof status === 'string' && status.startsWith('GNTST_')) return `${operation ?? 'grant operation'}: status ${status}`;
  return `${errno} (${errnoMeaning(errno)})`;
}

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

/** The simple facts of a rule without a sentence of its own. */
function namedFacts(facts: Refusal['facts']): string {
  const shown = Object.entries(facts).filter(
    ([name, value]) => typeof value !== 'object' && name !== 'request' && name !== 'entry' && name !== 'call',
  );
  return shown.length ? ` (${shown.map(([name, value]) => `${name} ${value}`).join(', ')})` : '';
}

function frames(facts: Refusal['facts']): string[] {
  return Object.values(facts)
    .filter(isFrame)
    .map((frame: FrameFact) => sentenceOfFrame(frame));
}

/** Both domains' side of a grant: the entry, the granting domain's table, what the other maps, and when it was mapped. */
function grants({ granted, table, handles, mapped, used }: Refusal['facts']): string[] {
  const lines = [granted, table, handles, used, mapped === undefined ? undefined : `it was mapped ${mapped}`];
  return lines.filter((line) => typeof line === 'string').map((line) => sentence(`${line}.`));
}

const list = (value: FactValue | undefined): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Bytes that one missing entry of a level leaves unmapped. */
const COVERED: Readonly<Record<number, string>> = { 1: '4 KiB', 2: '2 MiB', 3: '1 GiB', 4: '512 GiB' };

function way(facts: Refusal['facts'], rule: string): string[] {
  const lines: string[] = [];
  if (typeof facts.mistake === 'string') lines.push(`${facts.mistake[0]!.toUpperCase()}${facts.mistake.slice(1)}.`);
  if (typeof facts.asPfn === 'string')
    lines.push(
      `As a pseudo-physical number it is a page of this domain: its machine frame is ${facts.asPfn}. A pfn stands where an mfn is meant.`,
    );
  if (typeof facts.device === 'string')
    lines.push(
      `At this frame a PC has ${facts.device}; the domain was given no I/O memory (xl: iomem=, pci=), so none of it may be mapped.`,
    );
  if (typeof facts.deviceAddress === 'string')
    lines.push(
      `As a machine address it is ${facts.deviceAddress}: physical addresses are not mapped for a PV guest, and a domU without devices may not map this one.`,
    );
  if (rule === 'page-not-present' && typeof facts.level === 'number' && facts.level > 1 && COVERED[facts.level])
    lines.push(`Nothing is mapped in the whole ${COVERED[facts.level]} around it.`);
  const elsewhere = list(facts.elsewhere);
  if (elsewhere.length)
    lines.push(
      `The address is mapped in another top-level table of the domain (frame ${elsewhere.join(', ')}), but not in the one that is loaded: an entry of the kernel’s own tables was not copied into it.`,
    );
  if (typeof facts.region === 'string') lines.push(`The address lies ${facts.region.startsWith('0x') ? '' : 'in '}${facts.region}.`);
  if (rule === 'address-of-xen' && facts.access === 'write' && String(facts.region).startsWith('the machine-to-physical'))
    lines.push('A guest changes entries of that table with mmu_update and MMU_MACHPHYS_UPDATE.');
  const mapped = list(facts.mappedAt);
  if (mapped.length) lines.push(`It is mapped writable at ${mapped.join(', ')}${mapped.length === 4 ? ' and perhaps elsewhere' : ''}.`);
  const path = list(facts.path);
  if (path.length) lines.push(`The entry was reached through ${path.join(', then ')}.`);
  const walk = list(facts.walk);
  if (walk.length) lines.push(`Walk: ${walk.join('; ')}.`);
  return lines;
}

/** Which element of a batch it was. */
function position(facts: Refusal['facts']): string[] {
  const lines: string[] = [];
  if (typeof facts.call === 'string' && typeof facts.entry === 'number')
    lines.push(`It was entry ${facts.entry} of the multicall (${facts.call}).`);
  if (typeof facts.request === 'number')
    lines.push(`It was request ${facts.request} of the list (counted from 0); those before it were carried out.`);
  return lines;
}
