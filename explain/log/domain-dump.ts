// The debug key q: domains, their pages and vCPUs; and frames by themselves. Formats: Xen 4.17, common/keyhandler.c, arch/x86/domain.c.

import type { LogFact, LogLine, LogNote } from './note.ts';
import { countWord, domainText, typeWord } from './words.ts';

const HEAD = /^\s*General information for domain (\d+):/;
const COUNTS = /^\s*refcnt=(\d+) dying=(\d) pause_count=(\d+)/;
const PAGES = /^\s*nr_pages=(\d+) xenheap_pages=(\d+).*max_pages=(\d+)/;
const ASSIST = /vm_assist=([0-9a-f]+)/;
const PAGE = /^\s*(DomPage|XenPage|ExtraPage) ([0-9a-f]+): caf=([0-9a-f]+), taf=([0-9a-f]+)/;
const VCPU = /^\s*VCPU(\d+): CPU(\d+) \[has=([TF])\] poll=(\d+) upcall_pend=([0-9a-f]+) upcall_mask=([0-9a-f]+)/;
const PAUSE = /^\s*pause_count=(\d+) pause_flags=([0-9a-f]+)/;
/** Lines of the dump that say nothing to a porter. */
const REST =
  /^\s*(handle=|watchdog \d+ expires|Rangesets belonging|Interrupts +\{|I\/O Memory +\{|I\/O Ports +\{|log-dirty +\{|Memory pages belonging|DomPage list too long|NODE affinity|VCPU information|UNIT\d+ affinities|No periodic timer|\d+ Hz periodic timer|paging assistance|No more)/;

const DYING = ['alive', 'being destroyed', 'dead: a zombie until the last reference to its pages is gone'];
const PAUSES = [
  'blocked: waits for an event',
  'down: not started, or offline',
  'waits for Xen',
  'moves to another processor',
  'waits for paged memory',
  'stopped by an introspection tool',
  'waits for shared memory',
  'in reset',
  'parked',
];
const ASSISTS: Readonly<Record<number, string>> = {
  0: '4gb_segments',
  1: '4gb_segments_notify',
  2: 'writable_pagetables',
  3: 'pae_extended_cr3',
  4: 'architectural_iopl',
  5: 'runstate_update_flag',
  32: 'm2p_strict',
};

const bits = (v: bigint, names: (n: number) => string | undefined): string =>
  Array.from({ length: 64 }, (_, n) => n)
    .filter((n) => ((v >> BigInt(n)) & 1n) !== 0n)
    .map((n) => names(n) ?? `bit ${n}`)
    .join(', ') || 'none';

export const startsDomainDump = (line: LogLine): boolean => HEAD.test(line.text) || VCPU.test(line.text) || PAGE.test(line.text);

export function readDomainDump(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const domain = HEAD.exec(lines[start]!.text)?.[1];
  const facts: LogFact[] = [];
  const waits: string[] = [];
  let next = domain === undefined ? start : start + 1;
  let vcpu = '';
  for (; next < lines.length; next++) {
    const { text } = lines[next]!;
    if (HEAD.test(text)) break;
    const counts = COUNTS.exec(text);
    const pages = PAGES.exec(text);
    const page = PAGE.exec(text);
    const state = VCPU.exec(text);
    const pause = PAUSE.exec(text);
    const assist = ASSIST.exec(text);
    if (counts)
      facts.push({
        name: 'state',
        value: `refcnt=${counts[1]} dying=${counts[2]}`,
        means: `${DYING[Number(counts[2])] ?? '?'}; ${counts[1]} references hold it${counts[3] === '0' ? '' : `; paused ${counts[3]} times`}`,
      });
    else if (pages)
      facts.push({
        name: 'pages',
        value: pages[1]!,
        means: `${Math.floor(Number(pages[1]) / 256)} MiB, ${pages[2]} of Xen’s shared with it; at most ${pages[3] === '4294967295' ? 'any number' : pages[3]}`,
      });
    else if (page)
      facts.push({
        name: `${page[1]} ${page[2]!.replace(/^0+(?=.)/, '')}`,
        value: `caf=${page[3]} taf=${page[4]}`,
        means: `${countWord(BigInt(`0x${page[3]}`))}; in use as ${typeWord(BigInt(`0x${page[4]}`))}`,
      });
    else if (state) {
      vcpu = state[1]!;
      const pending = Number.parseInt(state[5]!, 16) !== 0;
      const masked = Number.parseInt(state[6]!, 16) !== 0;
      const events = pending
        ? masked
          ? 'an event waits, and upcalls are masked'
          : 'an event waits and will be delivered when it runs'
        : masked
          ? 'upcalls are masked'
          : 'upcalls are not masked';
      if (pending && masked) waits.push(vcpu);
      facts.push({
        name: `vCPU ${vcpu}`,
        value: text.trim(),
        means: `${state[3] === 'T' ? `runs on processor ${state[2]}` : 'does not run'}; ${events}${state[4] === '0' ? '' : `; polls port ${state[4]}`}`,
      });
    } else if (pause) facts.push({ name: `vCPU ${vcpu} paused`, value: pause[2]!, means: bits(BigInt(`0x${pause[2]}`), (n) => PAUSES[n]) });
    else if (assist) facts.push({ name: 'vm_assist', value: assist[1]!, means: bits(BigInt(`0x${assist[1]}`), (n) => ASSISTS[n]) });
    else if (!REST.test(text) && text.trim() !== '') break;
  }
  return {
    note: {
      kind: 'domain',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text.trim(),
      says: `State of ${domain === undefined ? 'a domain' : domainText(domain)}${waits.length ? `; vCPU ${waits.join(', ')} has an event waiting with upcalls masked` : ''}.`,
      facts,
      ...(waits.length
        ? { advice: 'A kernel that clears its event mask must look for events that came meanwhile (or return with iret, which does).' }
        : {}),
    },
    next,
  };
}
