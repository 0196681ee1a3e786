// The pages of docs/rules are what the catalogue, the manual and the quick fixes make of them. UPDATE_RULE_PAGES=1 writes them.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findOperation } from '../../abi/hypercalls.ts';
import { instructionRules } from '../../abi/rules/instructions.table.ts';
import { MANUAL } from '../../server/analysis/manual.table.ts';
import { rulePage } from '../../server/analysis/rule-page.ts';
import { ROWS } from '../../x86/rows.ts';
import { testGrammars } from './load.ts';

const folder = fileURLToPath(new URL('../../docs/rules/', import.meta.url));

it('every rule of instructions has a page, and each page is up to date', async () => {
  const grammars = await testGrammars();
  if (process.env.UPDATE_RULE_PAGES) {
    mkdirSync(folder, { recursive: true });
    for (const rule of instructionRules) writeFileSync(folder + rule.page, rulePage(grammars, rule));
  }
  for (const rule of instructionRules) expect(readFileSync(folder + rule.page, 'utf8'), rule.id).toBe(rulePage(grammars, rule));
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && !['README.md', 'refusals.md'].includes(name));
  expect(pages.sort()).toEqual(instructionRules.map(({ page }) => page).sort());
});

it('every rule that the instruction table names is in the catalogue', () => {
  const ids = new Set(instructionRules.map(({ id }) => id));
  for (const { key, xen } of ROWS) if (xen) expect(ids.has(xen.rule), `${key}: ${xen.rule}`).toBe(true);
});

it('every rule has a native meaning, and the hypercalls that it names exist', () => {
  expect(Object.keys(MANUAL).sort()).toEqual(instructionRules.map(({ id }) => id).sort());
  for (const { id, hypercalls } of instructionRules)
    for (const name of hypercalls) expect(findOperation(name), `${id}: ${name}`).not.toBeNull();
});
