// pushf and popf in assembly: fixed as a pair, since what one pushes the other takes. The slot on the stack holds the event mask.

import type { SourceDocument } from '../../analysis/document.ts';
import type { Hit } from '../../analysis/site.ts';
import { type Flavour, noted, saving } from './flavour.ts';
import { force } from './simple.ts';

export interface FlagsPair {
  readonly title: string;
  readonly places: readonly { readonly hit: Hit; readonly lines: readonly string[] }[];
}

/** The pair that a hit belongs to: the next popf after a pushf, without a label or a return of control between them. */
export function flagsPair(document: SourceDocument, hit: Hit, f: Flavour): FlagsPair | null {
  const rule = hit.sensitive.rule;
  if (rule !== 'pushf' && rule !== 'popf') return null;
  const hits = document.sites
    .flatMap((site) => site.hits)
    .filter(({ sensitive }) => sensitive.rule === 'pushf' || sensitive.rule === 'popf');
  const at = hits.findIndex(({ instruction }) => instruction.start === hit.instruction.start);
  const [push, pop] = rule === 'pushf' ? [hits[at], hits[at + 1]] : [hits[at - 1], hits[at]];
  if (push?.sensitive.rule !== 'pushf' || pop?.sensitive.rule !== 'popf') return null;
  if (!balanced(document.text.slice(push.instruction.end, pop.instruction.start))) return null;
  return {
    title: 'Save and restore the event mask',
    places: [
      { hit: push, lines: save(f) },
      { hit: pop, lines: restore(f) },
    ],
  };
}

/** Straight code whose pushes and pops even out, so that popf takes what pushf left. */
function balanced(between: string): boolean {
  const code = between.replace(/\/\*.*?\*\/|(#|\/\/)[^\n]*/gs, '');
  if (/^\s*[.\w$]+:|^\s*(ret|iret|jmp)\w*\b|%[er]?sp\b/m.test(code)) return false;
  const count = (name: RegExp): number => code.match(name)?.length ?? 0;
  return count(/\bpush[lqw]?\b/g) === count(/\bpop[lqw]?\b/g);
}

const save = (f: Flavour): string[] => {
  const word = f.bits / 8;
  return [
    noted(`push${f.suffix} ${f.cx}`, 'the slot'),
    ...saving(
      f,
      [f.cx],
      [
        `mov${f.suffix} ${f.at('this_vcpu')}, ${f.cx}`,
        noted(`movzbl 1(${f.cx}), %ecx`, 'evtchn_upcall_mask'),
        `mov${f.suffix} ${f.cx}, ${word}(${f.sp})`,
      ],
    ),
  ];
};

/** Masked: the mask is set again. Not masked: as for sti. The slot is given up without touching the flags. */
const restore = (f: Flavour): string[] => {
  const word = f.bits / 8;
  const jump = f.bits === 64 ? 'jrcxz' : 'jecxz';
  return [
    ...saving(
      f,
      [f.cx, f.ax],
      [
        `mov${f.suffix} ${f.at('this_vcpu')}, ${f.ax}`,
        noted(`mov${f.suffix} ${2 * word}(${f.sp}), ${f.cx}`, 'the slot: 1 is masked'),
        noted(`movb %cl, 1(${f.ax})`, 'evtchn_upcall_mask'),
        `${jump} 772f`,
        'jmp 773f',
        '772:',
        noted(`movzbl 0(${f.ax}), %ecx`, 'evtchn_upcall_pending'),
        `${jump} 773f`,
        ...force(f),
        '773:',
      ],
    ),
    `lea${f.suffix} ${word}(${f.sp}), ${f.sp}`,
  ];
};
