// Both rule tables together: what makes them one catalogue.

import { describe, expect, test } from 'vitest';
import { errnos } from '../../abi/errno.table.ts';
import { errnoName, negative } from '../../abi/errno.ts';
import { findOperation } from '../../abi/hypercalls.ts';
import { allRules, atLeast, findRule } from '../../abi/rules/catalogue.ts';

describe('the rule catalogue', () => {
  test('has rules of both kinds, each found by its id', () => {
    expect(allRules().length).toBeGreaterThan(60);
    for (const rule of allRules()) expect(findRule(rule.id)).toBe(rule);
    expect(findRule('no-such-rule')).toBeNull();
    expect(allRules().some((rule) => 'replacement' in rule)).toBe(true);
    expect(allRules().some((rule) => 'advice' in rule)).toBe(true);
  });

  test.each(allRules().map((rule) => [rule.id, rule] as const))('%s is complete and refers to what exists', (_, rule) => {
    expect(rule.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(rule.title).toMatch(/\S/);
    expect(rule.title).not.toMatch(/\.$|\n/);
    expect(rule.summary).toMatch(/\.$/);
    expect(rule.page).toMatch(/^[a-z0-9-]+\.md$/);
    if ('hypercalls' in rule) for (const name of rule.hypercalls) expect(findOperation(name), name).not.toBeNull();
    if ('errnos' in rule) for (const name of rule.errnos) expect(negative(name)).toBeLessThan(0);
  });

  test('silent is worse than a fault, a fault worse than emulation, and that worse than an idiom', () => {
    expect(['silent', 'fault', 'emulated', 'idiom'].map((severity) => atLeast(severity as 'silent', 'emulated'))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

test('every error number has one name and comes back from it', () => {
  for (const row of errnos) {
    expect(negative(row.name)).toBe(-row.number);
    if (!('alias' in row)) expect(errnoName(-row.number)).toBe(row.name);
  }
  expect(errnoName(0)).toBeNull();
  expect(errnoName(-11)).toBe('EAGAIN');
});
