// Every template of Xen's lines: `hyperport explain` takes a line of it apart into its fields again, and a recording of real Xen has one, or the
// table says why none has.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { xenMessages } from '../../../abi/xen-messages.table.ts';
import { explainLog } from '../../../explain/log/log.ts';
import { matchMessage } from '../../../explain/log/message.ts';
import { logMessages } from '../../../explain/log/messages.table.ts';
import { PREFIX, readPieces, recordedImages } from './lines.ts';
import { notProduced, otherFamilies } from './not-produced.table.ts';

const all = [...xenMessages, ...logMessages];
/** Values that a line of real Xen could have, by the field's name; other fields are numbers. */
const SAMPLES: Readonly<Record<string, string>> = {
  ...{
    level: '2',
    error: '-22',
    slot: '0x5',
    exception: '#GP',
    vector: '13',
    symbol: 'f+0x1/0x2',
    rest: 'bad ELF magic',
    place: 'mm.c:1234',
  },
  ...{ od: 'd7', rd: 'd1', user: 'serial', which: 'a', saw: '8c00000000000002', exp: 'e000000000000000', type: '2000000000000000' },
  ...{ caf: '8000000000000003', taf: 'e400000000000001', entry: '0010000000111007', expected: '0010000000112007', msr: '0xc0000082' },
  ...{
    mfn: '1ea3c',
    pfn: '0023c',
    gfn: '0x118',
    address: 'ffff888000001000',
    cr2: 'ffff888000001008',
    flags: '80',
    expectedFlags: '81',
    domain: '1',
  },
};

describe('each template', () => {
  test.each(all.map(({ text }) => text))('%s', (text) => {
    const values: Record<string, string> = {};
    const line = text.replace(/\{(\w+)\}/g, (_, name: string) => {
      values[name] = SAMPLES[name] ?? `${Object.keys(values).length + 3}`;
      return values[name];
    });
    const { notes, unread } = explainLog(`(XEN) ${line}`);
    expect(unread).toEqual([]);
    expect(notes).toHaveLength(1);
    expect(notes[0]!.says.length).toBeGreaterThan(15);
    // An exception without handler is a note of its own kind, made of the same line.
    if (notes[0]!.kind === 'exception') return;
    expect(matchMessage(line.replace(PREFIX, '')) ?? matchMessage(line)).toEqual({ template: expect.anything(), values });
    const shown = notes[0]!.facts.map(({ value }) => value);
    for (const value of Object.values(values)) expect(shown).toContain(value);
  });

  test('no two say the same', () => expect(new Set(all.map(({ text }) => text)).size).toBe(all.length));
});

const seen = new Set<string>();
const see = (line: string): void => {
  const found = matchMessage(line.replace(PREFIX, '')) ?? matchMessage(line);
  if (found) seen.add(found.template);
};
for (const image of recordedImages()) for (const { lines } of readPieces(image)) for (const line of lines) see(line);
const logs = join(import.meta.dirname, '../logs');
for (const file of readdirSync(logs))
  for (const line of readFileSync(join(logs, file), 'utf8').split('\n')) if (line.startsWith('(XEN) ')) see(line.slice(6));

test('each was logged by real Xen in a recording, or is listed with the reason why not', () => {
  const files = new Map(xenMessages.map(({ text, file }) => [text, file]));
  const missing = all
    .map(({ text }) => text)
    .filter((text) => !seen.has(text) && !(text in notProduced) && !(files.get(text)! in otherFamilies));
  expect(missing).toEqual([]);
  expect(seen.size).toBeGreaterThanOrEqual(70);
});

test('the list names templates that exist, with a reason', () => {
  const texts = new Set(all.map(({ text }) => text));
  for (const [text, reason] of Object.entries(notProduced)) {
    expect(texts.has(text), text).toBe(true);
    expect(reason.length).toBeGreaterThan(20);
  }
});
