// The debug keys m and u: free memory of the machine by the width of addresses, and by node. Format: Xen 4.17, common/page_alloc.c,
// arch/x86/numa.c.

import type { LogFact, LogLine, LogNote } from './note.ts';
import { domainText } from './words.ts';

const HEAD = /^Physical memory information:|^'u' pressed -> dumping numa info/;
const HEAP = /^\s+(Xen heap|DMA heap|Dom heap|heap\[(\d+)\]): (\d+)kB free/;
const NODE = /^NODE(\d+) start->([0-9a-f]+) size->(\d+) free->(\d+)/;
const CPU = /^CPU(\d+)(?:\.\.\.(\d+))? -> NODE(\d+)/;
const DOMAIN = /^Domain (\d+) \(total: (\d+)\):/;
const SHARE = /^\s+Node (\d+): (\d+)/;
const REST = /^Memory location of each domain:/;

export const startsMemoryDump = (line: LogLine): boolean => HEAD.test(line.text);

const size = (kilobytes: number): string => (kilobytes < 4096 ? `${kilobytes} KiB` : `${Math.round(kilobytes / 1024)} MiB`);
/** Frames of zone N have numbers of N + 1 bits: addresses below 2^(N + 13). */
function below(zone: number): string {
  const bits = zone + 13;
  return bits <= 30 ? `${2 ** (bits - 20)} MiB` : `${2 ** (bits - 30)} GiB`;
}

export function readMemoryDump(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const facts: LogFact[] = [];
  let free: number | null = null;
  let domain = '';
  let next = start + 1;
  for (; next < lines.length; next++) {
    const { text } = lines[next]!;
    const heap = HEAP.exec(text);
    const node = NODE.exec(text);
    const cpu = CPU.exec(text);
    const owner = DOMAIN.exec(text);
    const share = SHARE.exec(text);
    if (heap) {
      const kilobytes = Number(heap[3]);
      if (heap[1] === 'Dom heap') free = kilobytes;
      const what =
        heap[2] === undefined
          ? heap[1] === 'Dom heap'
            ? 'free for domains in all'
            : heap[1] === 'DMA heap'
              ? 'free and kept for devices with short addresses'
              : 'free for Xen’s own use'
          : `free at addresses below ${below(Number(heap[2]))}, and not below half of it`;
      facts.push({ name: heap[1]!, value: `${heap[3]}kB`, means: `${size(kilobytes)} ${what}` });
    } else if (node) {
      free = Number(node[4]) * 4;
      facts.push({
        name: `node ${node[1]}`,
        value: text.trim(),
        means: `from machine frame 0x${node[2]} on, ${size(Number(node[3]) * 4)}, of which ${size(free)} are free`,
      });
    } else if (cpu) facts.push({ name: `processor ${cpu[1]}`, value: text.trim(), means: `belongs to node ${cpu[3]}` });
    else if (owner) {
      domain = owner[1]!;
      facts.push({ name: `domain ${domain}`, value: owner[2]!, means: `${domainText(domain)} has ${size(Number(owner[2]) * 4)} (pages)` });
    } else if (share)
      facts.push({ name: `domain ${domain}, node ${share[1]}`, value: share[2]!, means: `${size(Number(share[2]) * 4)} of it` });
    else if (!REST.test(text)) break;
  }
  return {
    note: {
      kind: 'memory',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text.trim(),
      says: `Memory of the machine${free === null ? '' : `: ${size(free)} free for domains`}.`,
      facts,
    },
    next,
  };
}
