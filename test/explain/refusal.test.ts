// Refusals in words: the sentences a porter reads, for the refusals that ports meet most.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../abi/refusal.ts';
import { findRule } from '../../abi/rules/catalogue.ts';
import { refusalRules } from '../../abi/rules/refusals.table.ts';
import { xenMessages } from '../../abi/xen-messages.table.ts';
import { sentenceOfFrame } from '../../explain/frame.ts';
import { explainRefusal } from '../../explain/refusal.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));

describe('explanations', () => {
  test('a page table mapped writable: frame, type, counts, holder, way, advice and Xen’s line', () => {
    const refusal: Refusal = {
      errno: 'EBUSY',
      rule: 'table-mapped-writable',
      facts: {
        frame: {
          mfn: '0x7fd18',
          pfn: '0x118',
          owner: 1,
          type: 'l4',
          typeCount: 2,
          references: 5,
          pinned: true,
          heldSince: { icount: 190_412, by: 'mmuext_op.MMUEXT_PIN_L4_TABLE' },
        },
        wanted: 'writable',
        entry: '0x7fd18007',
        path: ['l1 table 0x7fd0e slot 280'],
        request: 2,
      },
      xenLine: { template: 'bad-type', args: { saw: '8c00000000000002', exp: 'e000000000000000', mfn: '7fd18', pfn: '118' } },
    };
    const { summary, details, hint, xenLine } = explainRefusal(refusal);
    expect(summary).toBe(
      'EBUSY (the object is in use): the entry 0x7fd18007 would map frame 0x7fd18 (pfn 0x118) writable, but it is in use as a top-level (level 4) page table.',
    );
    expect(details[0]).toBe(
      'Frame 0x7fd18 (pfn 0x118) belongs to domain 1 and is a top-level (level 4) page table (type count 2, 5 references, pinned); pinned since instruction 190,412, by mmuext_op.MMUEXT_PIN_L4_TABLE.',
    );
    expect(details[1]).toBe('The entry was reached through l1 table 0x7fd0e slot 280.');
    expect(details.join(' ')).toMatch(/request 2 of the list/);
    expect(hint).toMatch(/mmu_update/);
    expect(xenLine).toBe('(XEN) Bad type (saw 8c00000000000002 != exp e000000000000000) for mfn 7fd18 (pfn 118)');
  });

  test('frames that are no RAM, free, or used for nothing in particular are said to be so', () => {
    expect(sentenceOfFrame({ mfn: '0x10', type: 'no RAM', typeCount: 0, references: 0 })).toBe('Frame 0x10 is not RAM of this machine.');
    expect(sentenceOfFrame({ mfn: '0x10', type: 'none', typeCount: 0, references: 0 })).toBe('Frame 0x10 is free: no domain owns it.');
    expect(sentenceOfFrame({ mfn: '0x10', owner: 1, type: 'none', typeCount: 0, references: 1 })).toMatch(
      /in use as nothing in particular \(1 reference\)/,
    );
  });

  test('a fault is told as a sentence, without an errno that the guest never sees', () => {
    const { summary } = explainRefusal({
      errno: 'EFAULT',
      rule: 'page-not-present',
      facts: { address: '0x10', access: 'read', level: 4, walk: [] },
    });
    expect(summary).toBe('Read of 0x10: nothing is mapped there (level 4 entry not present).');
  });

  test('a rule without a sentence of its own names its facts', () => {
    expect(explainRefusal({ errno: 'EINVAL', rule: 'iopl', facts: { iopl: 9 } }).summary).toBe(
      'EINVAL (invalid argument): there is no such I/O privilege level (iopl 9).',
    );
  });
});

describe('the catalogue', () => {
  const code = [...sources('simulator/memory'), ...sources('simulator/hypervisor')].join('\n');

  test('has every rule that the simulator refuses by', () => {
    const used = [...code.matchAll(/refuse\(\s*'E\w+',\s*'([a-z0-9-]+)'/g), ...code.matchAll(/rule: '([a-z0-9-]+)'/g)].map(
      (match) => match[1]!,
    );
    expect(used.length).toBeGreaterThan(50);
    for (const rule of used) expect(findRule(rule), rule).not.toBeNull();
  });

  test('has the rule of every instruction that is emulated', () => {
    const emulated = [...code.matchAll(/report\(\s*hv,\s*vcpu,[^,]+,\s*'([a-z0-9-]+)'/g)].map((match) => match[1]!);
    expect(emulated.length).toBeGreaterThan(5);
    for (const rule of [...emulated, 'mov-cr0', 'mov-cr4', 'mov-from-cr2', 'mov-from-cr3', 'mov-to-cr2', 'mov-to-cr3', 'mov-dr', 'cpuid']) {
      expect(findRule(rule), rule).not.toBeNull();
    }
  });

  test('has no rule that nothing refuses by', () => {
    for (const { id } of refusalRules) expect(code.includes(`'${id}'`), id).toBe(true);
  });

  test('has every log line that a refusal names', () => {
    const used = [...code.matchAll(/template: '([a-z0-9-]+)'/g)].map((match) => match[1]!);
    expect(used.length).toBeGreaterThan(8);
    for (const id of used) expect(xenMessages.map((message) => message.id)).toContain(id);
  });

  test('says in every rule what to do', () => {
    for (const rule of refusalRules) {
      expect(rule.advice.length, rule.id).toBeGreaterThan(5);
      expect(rule.summary, rule.id).toMatch(/\.$/);
      expect(rule.title, rule.id).not.toMatch(/\.$/);
    }
  });
});
