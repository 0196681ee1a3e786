// 'Pagetable walk from …': the entries that Xen found for an address in the tables that are loaded.

import type { LogFact, LogLine, LogNote } from './note.ts';
import { entryWord, pfnText, regionOf } from './words.ts';

const HEAD = /^Pagetable walk from ([0-9a-f]+):/;
const ENTRY = /^\s*L([1-4])\[0x([0-9a-f]+)\] = ([0-9a-f]+) ([0-9a-f]+)(?: \(PSE\))?/;

export const startsWalk = (line: LogLine): boolean => HEAD.test(line.text);

export function readWalk(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const address = BigInt(`0x${HEAD.exec(lines[start]!.text)![1]}`);
  const facts: LogFact[] = [];
  let next = start + 1;
  let last: { level: number; entry: bigint } | null = null;
  let writable = true;
  let user = true;
  for (; next < lines.length; next++) {
    const match = ENTRY.exec(lines[next]!.text);
    if (!match) break;
    const level = Number(match[1]);
    const entry = BigInt(`0x${match[3]}`);
    const pfn = BigInt(`0x${match[4]}`);
    last = { level, entry };
    writable &&= (entry & 2n) !== 0n;
    user &&= (entry & 4n) !== 0n;
    const present = (entry & 1n) !== 0n;
    facts.push({
      name: `L${level}[0x${match[2]}]`,
      value: match[3]!,
      means: `${entryWord(entry, level)}${present ? `; pfn ${pfn < 1n << 40n ? `0x${pfn.toString(16)}` : pfnText(pfn)}` : ''}`,
    });
  }
  const region = regionOf(address);
  const where = `0x${address.toString(16)}${region ? ` (${region})` : ''}`;
  return {
    note: {
      kind: 'page-walk',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text,
      says: sentence(where, address, last, writable, user),
      facts,
    },
    next,
  };
}

function sentence(where: string, address: bigint, last: { level: number; entry: bigint } | null, writable: boolean, user: boolean): string {
  const top = address >> 47n;
  if (!last)
    return top !== 0n && top !== 0x1ffffn
      ? `${where} is no valid address: there is nothing to walk.`
      : `Nothing of the walk for ${where} is shown.`;
  if ((last.entry & 1n) === 0n) return `Nothing is mapped at ${where}: the walk ends at level ${last.level}, whose entry is not present.`;
  const rights = [writable ? 'writable' : 'read only', user ? 'for user mode too' : 'for the kernel only'].join(', ');
  return last.level === 1 || (last.entry & 0x80n) !== 0n
    ? `${where} is mapped, ${rights}: what failed is the kind of access, or the entry changed since.`
    : `The walk for ${where} ends at level ${last.level}: the table that the entry names is no frame of this machine.`;
}
