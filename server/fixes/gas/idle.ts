// sti or cli directly before hlt in assembly: fixed as a pair. After sti the processor takes no interrupt between the two; an unmask
// before SCHEDOP_block would deliver the event that the block is to wait for. SCHEDOP_block unmasks and waits in one step. With cli
// the processor stops for good, which under Xen is a shutdown: SCHEDOP_block would unmask.

import type { SourceDocument } from '../../analysis/document.ts';
import type { Hit } from '../../analysis/site.ts';
import type { FlagsPair } from './flags.ts';
import type { Flavour } from './flavour.ts';
import { hlt, stop } from './simple.ts';

/** The pair that a hit belongs to, with nothing but nop, pause, labels and comments between the two. */
export function idlePair(document: SourceDocument, hit: Hit, f: Flavour): FlagsPair | null {
  const { rule } = hit.sensitive;
  if (rule !== 'sti' && rule !== 'cli' && rule !== 'hlt') return null;
  const hits = document.sites.flatMap((site) => site.hits);
  const at = hits.findIndex(({ instruction }) => instruction.start === hit.instruction.start);
  const [first, halt] = rule === 'hlt' ? [hits[at - 1], hits[at]] : [hits[at], hits[at + 1]];
  if (halt?.sensitive.rule !== 'hlt' || (first?.sensitive.rule !== 'sti' && first?.sensitive.rule !== 'cli')) return null;
  const between = document.text
    .slice(first.instruction.end, halt.instruction.start)
    .replace(/\/\*.*?\*\/|(#|\/\/)[^\n]*/gs, '')
    .replace(/^\s*[.\w$]+:/gm, '');
  if (!/^(\s|;|\b(nop|pause)\b)*$/.test(between)) return null;
  const made = first.sensitive.rule === 'cli' ? stop(f) : { ...hlt(halt, f), title: 'Unmask events and wait with SCHEDOP_block' };
  return {
    title: made.title,
    places: [
      { hit: first, lines: [] },
      { hit: halt, lines: made.lines },
    ],
  };
}
