// The page of a rule (docs/rules/<id>.md, and offline in the editor), made from the catalogue, the manual and the quick fix itself.

import { findOperation, signature } from '../../abi/hypercalls.ts';
import type { InstructionRule } from '../../abi/rules/rule.ts';
import type { Grammars } from '../syntax/grammars.ts';
import { analyse } from './analyser.ts';
import { MANUAL, type ManualEntry } from './manual.table.ts';

const SEVERITIES: Readonly<Record<InstructionRule['severity'], string>> = {
  silent: 'silent: it runs and does the wrong thing',
  fault: 'fault: the guest gets an exception',
  emulated: 'emulated: Xen carries it out, by a trap and within limits',
  idiom: 'idiom: native code around instructions, which a port replaces',
};

/** A C example is a function's body unless it has one of its own. */
const asSource = ({ language, before }: ManualEntry): string =>
  language === 'gas' || /^\s*(void|struct|#define)/.test(before) ? before : `void f(void)\n{\n${before.replace(/^/gm, '    ')}\n}\n`;

/** Applies the first fix of the rule's finding in a source; null when there is none. */
export function applyFirstFix(grammars: Grammars, path: string, text: string, rule: string): string | null {
  const fix = analyse(grammars, { path, text }).findings.find((finding) => finding.rule === rule)?.fixes[0];
  if (!fix) return null;
  return [...fix.edits]
    .reverse()
    .reduce((result, { start, end, text: inserted }) => result.slice(0, start) + inserted + result.slice(end), text);
}

function exampleAfter(grammars: Grammars, rule: InstructionRule, manual: ManualEntry): string {
  const fixed = applyFirstFix(grammars, manual.language === 'c' ? 'example.c' : 'example.S', asSource(manual), rule.id);
  if (fixed === null) {
    if (manual.after === undefined) throw new Error(`rule ${rule.id} has neither a quick fix nor an example of the replacement`);
    return manual.after;
  }
  const body = /^void f\(void\)\n\{\n([\s\S]*)\n\}\n$/.exec(fixed)?.[1];
  return asSource(manual) !== manual.before && body !== undefined ? body.replace(/^ {4}/gm, '') : fixed;
}

/** The page in markdown. Throws when the manual lacks the rule: that is a bug of the tables. */
export function rulePage(grammars: Grammars, rule: InstructionRule): string {
  const manual = MANUAL[rule.id];
  if (!manual) throw new Error(`rule ${rule.id} has no entry in the manual`);
  const fence = (code: string): string => `\`\`\`${manual.language === 'c' ? 'c' : 'asm'}\n${code.replace(/\n$/, '')}\n\`\`\``;
  const calls = rule.hypercalls.map((name) => {
    const found = findOperation(name);
    if (!found) throw new Error(`rule ${rule.id} names ${name}, which is no hypercall of abi/`);
    return `- \`${name}\`: \`${signature(found.call, found.operation)}\``;
  });
  return `${[
    `# ${rule.id}: ${rule.title}`,
    `Severity: ${SEVERITIES[rule.severity]}.`,
    `## On the bare machine\n\n${manual.native}`,
    `## In a Xen PV guest\n\n${rule.summary}`,
    `## What a port does\n\n${rule.replacement}`,
    ...(calls.length > 0 ? [`Hypercalls:\n\n${calls.join('\n')}`] : []),
    `## Example\n\nNative:\n\n${fence(manual.before)}\n\nPorted:\n\n${fence(exampleAfter(grammars, rule, manual))}`,
  ].join('\n\n')}\n`;
}
