// The debug key g: grants that another domain maps at the moment. Format: Xen 4.17, common/grant_table.c.

import type { LogFact, LogLine, LogNote } from './note.ts';
import { domainText } from './words.ts';

const HEAD = /^\s*grant-table for remote d(\d+) ?\(v(\d)\)/;
const FRAMES = /^\s*(\d+) frames \((\d+) max\), (\d+) maptrack frames \((\d+) max\)/;
const ENTRY = /^\s*\[0x([0-9a-f]+)\]\s+(-?\d+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(-?\d+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)/;
const DECORATION =
  /^\s*(-+ active -+\s+-+ shared -+|\[ref\] localdom .*|no active grant table entries|gnttab_usage_print_all (\[.*|\] done))\s*$/;

export const startsGrantDump = (line: LogLine): boolean => HEAD.test(line.text) || DECORATION.test(line.text);

/** Counters of the pin word: 8 bits each. */
function pins(word: number): string {
  const names = ['mapped writable', 'mapped read only', 'mapped writable for a device', 'mapped read only for a device'];
  return (
    names.flatMap((name, i) => ((word >>> (8 * i)) & 0xff ? [`${name} ${(word >>> (8 * i)) & 0xff} times`] : [])).join(', ') || 'not mapped'
  );
}
const TYPES = ['taken back by the granting domain while it is mapped', 'access', 'an offer to take a page', 'a transitive grant'];
function flags(word: number): string {
  return [
    TYPES[word & 3]!,
    ...(word & 4 ? ['read only'] : []),
    ...(word & 8 ? ['being read'] : []),
    ...(word & 16 ? ['being written'] : []),
  ].join(', ');
}

export function readGrantDump(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const facts: LogFact[] = [];
  let domain: string | undefined;
  let grants = 0;
  let back = 0;
  let next = start;
  for (; next < lines.length; next++) {
    const { text } = lines[next]!;
    const head = HEAD.exec(text);
    if (head) {
      // A second domain's table is a note of its own.
      if (domain !== undefined) break;
      domain = head[1]!;
      facts.push({ name: 'version', value: head[2]!, means: `layout of the grant table of ${domainText(domain)}` });
      continue;
    }
    const frames = FRAMES.exec(text);
    if (frames) {
      const full = frames[1] === frames[2];
      facts.push({
        name: 'frames',
        value: `${frames[1]} of ${frames[2]}`,
        means: full ? 'the table cannot grow any more' : 'pages of the grant table',
      });
      continue;
    }
    const entry = ENTRY.exec(text);
    if (entry) {
      grants++;
      const [, ref, local, mfn, pin, to, gfn, status] = entry as unknown as string[];
      const word = Number.parseInt(status!, 16);
      if ((word & 3) === 0) back++;
      facts.push({
        name: `grant 0x${ref}`,
        value: `mfn 0x${mfn}`,
        means: `${domainText(local!)} has it: ${pins(Number.parseInt(pin!, 16))}; granted to ${domainText(to!)}, frame 0x${gfn} of the granting domain, ${flags(word)}`,
      });
      continue;
    }
    if (!DECORATION.test(text)) break;
  }
  const whose = domain === undefined ? 'no domain' : domainText(domain);
  return {
    note: {
      kind: 'grants',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text.trim(),
      says:
        domain === undefined
          ? 'The head of a list of grants.'
          : `Grants of ${whose} that another domain maps at the moment: ${grants || 'none'}${back ? `; ${back} of them were taken back while mapped` : ''}.`,
      facts,
      ...(grants
        ? {
            advice:
              'A grant that stays here after the device is gone was never unmapped by the other side; its page cannot be reused until it is.',
          }
        : {}),
    },
    next,
  };
}
