// Hover on a sensitive instruction: what it does natively, what it does in a PV guest, and the hypercalls that replace it.

import type { Hover } from 'vscode-languageserver';
import { findOperation, signature } from '../../abi/hypercalls.ts';
import { findRule } from '../../abi/rules/catalogue.ts';
import { MANUAL } from '../analysis/manual.table.ts';
import { rangeOf } from './convert.ts';
import type { OpenAnalysis } from './documents.ts';

const SEVERITY_IN_WORDS = {
  silent: 'runs and does the wrong thing',
  fault: 'faults',
  emulated: 'emulated by Xen, slowly',
  idiom: 'native idiom',
} as const;

/** The hover at an offset, or null where there is no finding. */
export function hover({ source, findings }: OpenAnalysis, offset: number, ruleLink: string): Hover | null {
  const finding = findings.find(({ start, end }) => start <= offset && offset <= end);
  const rule = finding && findRule(finding.rule);
  if (!finding || !rule || !('replacement' in rule)) return null;
  const signatures = rule.hypercalls.flatMap((name) => {
    const found = findOperation(name);
    return found ? [signature(found.call, found.operation)] : [];
  });
  const value = [
    `**\`${finding.instruction}\`** (${SEVERITY_IN_WORDS[finding.severity]})`,
    `**Native:** ${MANUAL[rule.id]!.native}`,
    `**Xen PV:** ${finding.message}`,
    `**Instead:** ${finding.replacement}`,
    ...(signatures.length > 0 ? [`\`\`\`c\n${[...new Set(signatures)].join('\n')}\n\`\`\``] : []),
    ...(ruleLink ? [`[Rule ${rule.id}](${ruleLink}${rule.id})`] : []),
  ].join('\n\n');
  return { contents: { kind: 'markdown', value }, range: rangeOf(source.lines, finding.start, finding.end) };
}
