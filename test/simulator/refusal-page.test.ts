// The page of refusal rules is made from the catalogue: `UPDATE_RULE_PAGES=1 npx vitest run test/simulator/refusal-page.test.ts` writes it.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { refusalRules } from '../../abi/rules/refusals.table.ts';

const path = fileURLToPath(new URL('../../docs/rules/refusals.md', import.meta.url));

const HEAD = `# What the hypervisor refuses

Xen says no with a number. The simulator says it with one of these rules, the objects that were involved, and the line that a debug build of
Xen prints. \`fault\`: the guest gets an exception, or its domain ends. \`silent\`: Xen says nothing; the simulator names it in one line.
`;

function page(): string {
  const sections = refusalRules.map(({ id, title, severity, errnos, summary, advice, facts }) => {
    const given = Object.entries(facts).map(([name, meaning]) => `- \`${name}\`: ${meaning}`);
    const kind =
      severity === 'silent' ? 'silent' : severity === 'fault' ? 'fault' : `returns ${errnos.map((errno) => `-${errno}`).join(' or ')}`;
    return [
      `## ${id}`,
      '',
      `**${title}** (${kind})`,
      '',
      summary,
      '',
      advice,
      ...(given.length ? ['', 'Facts:', '', ...given] : []),
      '',
    ].join('\n');
  });
  return [HEAD, ...sections].join('\n');
}

test('docs/rules/refusals.md says what the catalogue says', () => {
  if (process.env.UPDATE_RULE_PAGES === '1') writeFileSync(path, page());
  expect(readFileSync(path, 'utf8')).toBe(page());
});
