// rdmsr and wrmsr of the segment bases in C.

import { msrOf, SEGMENT_BASES } from '../../analysis/rules/msr.ts';
import { byLetter, primary } from './operands.ts';
import type { AsmCase, Family, Replacement } from './statement.ts';

export const segmentBase: Family = (asm) => {
  if (asm.names !== 'wrmsr' && asm.names !== 'rdmsr') return null;
  const number = msrOf(asm.site, asm.document.macros.constants);
  const base = number === null ? undefined : SEGMENT_BASES.get(number);
  if (!base) return null;
  return asm.names === 'wrmsr' ? write(asm, base) : read(asm, base);
};

function write({ statement }: AsmCase, base: string): Replacement | null {
  const low = byLetter(statement, 'a', false);
  const high = byLetter(statement, 'd', false);
  if (!low || !high) return null;
  return {
    title: `Set the base with set_segment_base ${base}`,
    lines: [`BUG_ON(HYPERVISOR_set_segment_base(${base}, ${joined(low.value, high.value)}));`],
  };
}

/** X when the halves are X and X >> 32, with or without casts; else the two put together. */
function joined(low: string, high: string): string {
  const bare = (text: string): string => {
    let inner = text
      .trim()
      .replace(/^\(\s*[a-z][\w ]*\)\s*(?=[\w(])/, '')
      .trim();
    while (inner.startsWith('(') && inner.endsWith(')') && primary(inner) === inner) inner = inner.slice(1, -1).trim();
    return inner;
  };
  const one = bare(low).replace(/\s*&\s*0xffffffff[uUlL]*$/i, '');
  const other = /^(.*?)\s*>>\s*32$/s.exec(bare(high))?.[1];
  if (other !== undefined && bare(other) === bare(one)) return one;
  return `((unsigned long)${primary(high)} << 32) | (unsigned int)${primary(low)}`;
}

/** Xen has no call that answers a base: segment_base() stands for the value that the port last set. */
function read({ statement }: AsmCase, base: string): Replacement | null {
  const low = byLetter(statement, 'a', true);
  const high = byLetter(statement, 'd', true);
  if (!low || !high) return null;
  return {
    title: 'Use the base that was last given to Xen',
    lines: [`${low.value.trim()} = segment_base(${base});`, `${high.value.trim()} = segment_base(${base}) >> 32;`],
  };
}
