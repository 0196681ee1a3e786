// A machine frame in words: whose it is, what it is in use as, and who made it so.

import type { FactValue, FrameFact } from '../abi/refusal.ts';

export const isFrame = (value: FactValue): value is FrameFact => typeof value === 'object' && !Array.isArray(value) && 'mfn' in value;

const USES: Readonly<Record<string, string>> = {
  l1: 'a level 1 page table',
  l2: 'a level 2 page table',
  l3: 'a level 3 page table',
  l4: 'a top-level (level 4) page table',
  seg_desc: 'a page of segment descriptors (GDT or LDT)',
  writable: 'writable memory',
  shared: 'a shared page',
};

/** What a type is called in a sentence: 'a level 1 page table'. */
export const useOf = (type: string): string => USES[type] ?? type;

const OWNERS: Readonly<Record<number, string>> = { 32753: 'I/O memory', 32754: 'Xen' };
const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** 'frame 0x7bfda (pfn 0x25)'. */
export const nameOfFrame = ({ mfn, pfn }: FrameFact): string => `frame ${mfn}${pfn === undefined ? '' : ` (pfn ${pfn})`}`;

export function sentenceOfFrame(frame: FrameFact): string {
  const name = nameOfFrame(frame).replace(/^f/, 'F');
  if (frame.type === 'no RAM') return `${name} is not RAM of this machine.`;
  if (frame.owner === undefined) return `${name} is free: no domain owns it.`;
  const owner = OWNERS[frame.owner] ?? `domain ${frame.owner}`;
  const references = count(frame.references, 'reference');
  if (frame.typeCount === 0) return `${name} belongs to ${owner} and is in use as nothing in particular (${references}).`;
  const pinned = frame.pinned ? ', pinned' : '';
  const since = frame.heldSince
    ? `; ${frame.pinned ? 'pinned' : 'so'} since instruction ${frame.heldSince.icount.toLocaleString('en-US')}, by ${frame.heldSince.by}`
    : '';
  return `${name} belongs to ${owner} and is ${useOf(frame.type)} (type count ${frame.typeCount}, ${references}${pinned})${since}.`;
}
