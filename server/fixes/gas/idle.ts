// sti directly before hlt in assembly: fixed as a pair. The processor takes no interrupt between the two; an unmask before SCHEDOP_block
// would deliver the event that the block is to wait for. SCHEDOP_block unmasks and waits in one step.

import type { SourceDocument } from '../../analysis/document.ts';
import type { Hit } from '../../analysis/site.ts';
import type { FlagsPair } from './flags.ts';
import type { Flavour } from './flavour.ts';
import { hlt } from './simple.ts';

/** The pair that a hit belongs to, with nothing but nop, pause, labels and comments between the two. */
export function idlePair(document: SourceDocument, hit: Hit, f: Flavour): FlagsPair | null {
  const { rule } = hit.sensitive;
  if (rule !== 'sti' && rule !== 'hlt') return null;
  const hits = document.sites.flatMap((site) => site.hits);
  const at = hits.findIndex(({ instruction }) => instruction.start === hit.instruction.start);
  const [sti, halt] = rule === 'sti' ? [hits[at], hits[at + 1]] : [hits[at - 1], hits[at]];
  if (sti?.sensitive.rule !== 'sti' || halt?.sensitive.rule !== 'hlt') return null;
  const between = document.text
    .slice(sti.instruction.end, halt.instruction.start)
    .replace(/\/\*.*?\*\/|(#|\/\/)[^\n]*/gs, '')
    .replace(/^\s*[.\w$]+:/gm, '');
  if (!/^(\s|;|\b(nop|pause)\b)*$/.test(between)) return null;
  return {
    title: 'Unmask events and wait with SCHEDOP_block',
    places: [
      { hit: sti, lines: [] },
      { hit: halt, lines: hlt(halt, f).lines },
    ],
  };
}
