// Quick fixes: what a port writes instead of a native instruction. Texts keep the operands, the indentation and the comments of the
// place. The names that they use and a port declares (this_vcpu, BUG_ON, HYPERVISOR_*) are listed in docs/rules/README.md.

import type { SourceDocument } from '../analysis/document.ts';
import type { Fix } from '../analysis/finding.ts';
import type { Hit, Idiom, Site } from '../analysis/site.ts';
import { idiomFixes } from './c/idioms.ts';
import { asmStatementFix } from './c/statement.ts';
import { onLongLine } from './facts.ts';
import { instructionFix } from './gas/instruction.ts';

/** The fixes of one hit or idiom of a site; empty where there is none that is right without knowing more of the kernel. */
export function fixesFor(document: SourceDocument, site: Site, subject: Hit | Idiom): readonly Fix[] {
  if (onLongLine(document.text, site.start)) return [];
  // The fixes' texts are C's and GNU as's.
  if (document.language === 'nasm' || document.language === 'plan9') return [];
  if (!('sensitive' in subject)) return idiomFixes(document, subject);
  const fix = document.language === 'gas' ? instructionFix(document, site, subject) : asmStatementFix(document, site, subject);
  return fix ? [fix] : [];
}
