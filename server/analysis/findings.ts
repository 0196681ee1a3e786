// Turns the sites of a document into findings: the catalogue's words, refined by the rules that look closer.

import { findRule } from '../../abi/rules/catalogue.ts';
import type { InstructionRule } from '../../abi/rules/rule.ts';
import type { Finding, Fix } from './finding.ts';
import { REFINEMENTS } from './rules/all.ts';
import type { Hit, Idiom, Site } from './site.ts';

/** Quick fixes of one finding; the analysis knows no more of them than that they exist. */
export type FixesOf = (site: Site, subject: Hit | Idiom) => readonly Fix[];

function rowOf(id: string): InstructionRule {
  const rule = findRule(id);
  if (!rule || !('replacement' in rule)) throw new Error(`no instruction rule ${id} in the catalogue`);
  return rule;
}

/** `text`: the source that the sites are of. `fixesOf` null: findings without fixes, for a client that asks for them one by one. */
export function findingsOf(
  sites: readonly Site[],
  constants: ReadonlyMap<string, string>,
  text: string,
  fixesOf: FixesOf | null,
): Finding[] {
  return sites.flatMap((site) => [
    ...(site.redirected ? [] : site.hits).flatMap((hit) => findingOf(site, hit, constants, text, fixesOf) ?? []),
    ...site.idioms.map((idiom) => idiomFinding(site, idiom, fixesOf)),
  ]);
}

function findingOf(site: Site, hit: Hit, constants: ReadonlyMap<string, string>, text: string, fixesOf: FixesOf | null): Finding | null {
  const { instruction, sensitive } = hit;
  const row = rowOf(sensitive.rule);
  const refine = Object.hasOwn(REFINEMENTS, row.id) ? REFINEMENTS[row.id]! : null;
  const refined = refine?.(hit, site, constants, text) ?? null;
  if (refined === 'drop') return null;
  const note = sensitive.note ? ` (${sensitive.note})` : '';
  return {
    rule: row.id,
    severity: refined?.severity ?? sensitive.effect,
    start: instruction.start,
    end: instruction.end,
    instruction: instruction.text,
    message: [refined?.message, `${row.title}${refined?.message ? '' : note}.`, row.summary].filter(Boolean).join(' '),
    replacement: refined?.replacement ?? row.replacement,
    fixes: fixesOf?.(site, hit) ?? [],
  };
}

function idiomFinding(site: Site, idiom: Idiom, fixesOf: FixesOf | null): Finding {
  const row = rowOf(idiom.rule);
  return {
    rule: row.id,
    severity: 'idiom',
    start: idiom.start,
    end: idiom.end,
    instruction: idiom.text,
    message: `${row.title}. ${row.summary}`,
    replacement: row.replacement,
    fixes: fixesOf?.(site, idiom) ?? [],
  };
}
