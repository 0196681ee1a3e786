// Cases that once differed from the processor, as files of test/isa/fixtures: `npm run fuzz` writes them, fixtures.test.ts replays them.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import type { Failure } from './oracle.ts';

/** All numbers as hexadecimal text, bytes as hexadecimal digits. */
export interface Fixture {
  readonly family: string;
  readonly instruction: string;
  readonly encoding: string;
  readonly bits: 64 | 32;
  readonly code: string;
  readonly flags: string;
  readonly undefinedFlags: string;
  readonly registers: readonly string[];
  /** 8-byte values in the data pages, by offset. */
  readonly memory: Readonly<Record<string, string>>;
  /** Registers as fxsave64 lays them out; absent: as fninit leaves them. */
  readonly image?: string;
  /** What differed when it was found, and on what. */
  readonly found: { readonly on: string; readonly variant: string; readonly differences: readonly string[] };
}

const hex = (v: bigint | number): string => `0x${v.toString(16)}`;
const digits = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function toFixture(failure: Failure, processor: string): Fixture {
  const { case: c } = failure;
  const { key, enc } = ROWS[c.row]!;
  return {
    family: failure.family,
    instruction: key,
    encoding: enc[c.form]!,
    bits: c.bits,
    code: digits(c.code),
    flags: hex(c.flags),
    undefinedFlags: hex(c.undefined),
    registers: c.regs.slice(0, c.bits === 64 ? 16 : 8).map(hex),
    memory: Object.fromEntries(c.pokes.map(([at, v]) => [hex(at), hex(v)])),
    ...(c.image ? { image: digits(c.image) } : {}),
    found: { on: processor, variant: failure.variant, differences: failure.differences },
  };
}

export function toCase(fixture: Fixture): GeneratedCase {
  const row = ROW_BY_KEY.get(fixture.instruction);
  if (row === undefined) throw new Error(`the table has no instruction ${fixture.instruction}`);
  return {
    bits: fixture.bits,
    code: Buffer.from(fixture.code, 'hex'),
    regs: Array.from({ length: 16 }, (_, i) => BigInt(fixture.registers[i] ?? 0)),
    flags: Number(fixture.flags),
    pokes: Object.entries(fixture.memory).map(([at, v]) => [Number(at), BigInt(v)]),
    row,
    form: Math.max(0, ROWS[row]!.enc.indexOf(fixture.encoding)),
    undefined: Number(fixture.undefinedFlags),
    ...(fixture.image ? { image: Uint8Array.from(Buffer.from(fixture.image, 'hex')) } : {}),
  };
}

/** Writes a failure to the folder; the same case always gets the same name. Answers the file. */
export function writeFixture(folder: string, failure: Failure, processor: string): string {
  const fixture = toFixture(failure, processor);
  const { found, ...content } = fixture;
  const name = `${fixture.instruction}-${createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 8)}.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${JSON.stringify(fixture, null, 2)}\n`);
  return join(folder, name);
}

export const readFixtures = (folder: string): { name: string; fixture: Fixture }[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => ({ name, fixture: JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture }));
