// The decoder against iced-x86 on random bytes, and what it says about bytes that are no instruction.

import { describe, expect, it } from 'vitest';
import { decodeAny, makeDecoder, newDecoded } from '../../x86/decode.ts';
import { FEATURES, ROWS } from '../../x86/rows.ts';
import { OperandKind as K } from '../../x86/types.ts';
import { compareStrings } from './decoder-oracle.ts';
import { difference } from './iced.ts';

/** `npm run fuzz -- --decoder` compares 10,000,000. */
const COUNT = 100_000;

const of = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/ /g, ''), 'hex'));
const out = newDecoded();
const decode = (hex: string, mode: 64 | 32 | 16 = 64) => {
  const bytes = of(hex);
  const status = decodeAny(bytes, 0, bytes.length, mode, out);
  return status === 'ok' ? ROWS[out.row]!.key : status;
};

describe('random bytes decode as iced-x86 decodes them', () => {
  it(`${COUNT} strings of a fixed seed`, () => {
    expect(compareStrings(COUNT, 20261122)).toEqual([]);
  });
  it(`${COUNT} strings of a new seed`, () => {
    const seed = (Math.random() * 2 ** 32) >>> 0;
    console.log(`x86 decoder: random seed ${seed}`);
    expect(compareStrings(COUNT, seed), `seed ${seed}`).toEqual([]);
  });
});

describe('every opcode of every map with every ModRM byte decodes as iced-x86 decodes it', () => {
  const maps = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
  const tail = [0x24, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x11];
  it.each([
    { mode: 64, prefixes: [[], [0x66], [0xf2], [0xf3], [0x48], [0x66, 0x4f]] },
    { mode: 32, prefixes: [[], [0x66], [0xf2], [0xf3]] },
  ] as const)('$mode-bit', ({ mode, prefixes }) => {
    const found = new Map<string, string>();
    for (const prefix of prefixes)
      for (const map of maps)
        for (let opcode = 0; opcode < 256; opcode++)
          for (let modrm = 0; modrm < 256; modrm++) {
            const bytes = Uint8Array.from([...prefix, ...map, opcode, modrm, ...tail]);
            const what = difference(bytes, 0, mode);
            if (what) found.set(what, `${Buffer.from(bytes).toString('hex')}: ${what}`);
          }
    expect([...found.values()]).toEqual([]);
  });
});

describe('what the mode, the prefixes and the features change', () => {
  it('40 to 4f count in 32-bit mode and are prefixes in 64-bit mode', () => {
    expect(decode('48 89 c8')).toBe('mov');
    expect(out.operandSize).toBe(8);
    expect(decode('48', 32)).toBe('dec');
    expect(out.length).toBe(1);
  });
  it('63 is movsxd in 64-bit mode and arpl else', () => {
    expect(decode('63 c8')).toBe('movsxd');
    expect(decode('63 c8', 32)).toBe('arpl');
  });
  it('90 is nop, pause or an exchange with r8', () => {
    expect([decode('90'), decode('f3 90'), decode('41 90'), decode('48 90')]).toEqual(['nop', 'pause', 'xchg', 'nop']);
  });
  it('a REX prefix that is not the last prefix does not count', () => {
    decode('48 66 89 c8');
    expect(out.operandSize).toBe(2);
  });
  it('a REX prefix turns ah into spl', () => {
    decode('88 e0');
    expect([out.kind[1], out.reg[1]]).toEqual([K.gpr8, 16]);
    decode('40 88 e0');
    expect([out.kind[1], out.reg[1]]).toEqual([K.gpr8, 4]);
  });
  it('near branches and stack operations are 64 bits wide in 64-bit mode', () => {
    for (const hex of ['50', 'c3', 'e8 00 00 00 00', 'ff d0', '9c']) {
      decode(hex);
      expect(out.operandSize, hex).toBe(8);
    }
    decode('66 9c');
    expect(out.operandSize).toBe(2);
  });
  it('moffs takes an address of the address size, not sign-extended', () => {
    decode('a1 88 77 66 55 44 33 22 f1');
    expect([out.length, out.dispLo >>> 0, out.dispHi >>> 0]).toEqual([9, 0x55667788, 0xf1223344]);
    decode('67 a1 88 77 66 f5');
    expect([out.length, out.dispLo >>> 0, out.dispHi]).toEqual([6, 0xf5667788, 0]);
  });
  it('16-bit addressing forms exist in 32-bit mode behind 67', () => {
    decode('67 8b 42 10', 32);
    expect([out.base, out.index, out.dispLo, out.addressSize]).toEqual([5, 6, 0x10, 2]);
  });
  it('lock is invalid where no memory is written', () => {
    expect(decode('f0 01 08')).toBe('add');
    expect(decode('f0 01 c8')).toBe('invalid');
    expect(decode('f0 03 08')).toBe('invalid');
    expect(decode('f0 39 08')).toBe('invalid');
    expect(decode('f0 90')).toBe('invalid');
  });
  it('tzcnt is bsf on a processor without BMI1, and rdrand does not exist without its feature', () => {
    const old = makeDecoder([...FEATURES].filter((f) => f !== 'bmi1' && f !== 'rdrand'));
    const tzcnt = of('f3 0f bc c1');
    expect(old(tzcnt, 0, 4, 64, out)).toBe('ok');
    expect(ROWS[out.row]!.key).toBe('bsf');
    expect(decode('f3 0f bc c1')).toBe('tzcnt');
    expect(old(of('0f c7 f0'), 0, 3, 64, out)).toBe('invalid');
    expect(decode('0f c7 f0')).toBe('rdrand');
  });
  it('moves to cs and to control registers that do not exist are invalid', () => {
    expect([decode('8e c8'), decode('0f 22 c8'), decode('44 0f 23 c0')]).toEqual(['invalid', 'invalid', 'invalid']);
  });
});

describe('bytes that end early', () => {
  const long = of('f0 48 81 84 8d 78 56 34 12 44 33 22 11');
  it('every proper beginning of an instruction is truncated, the whole is not', () => {
    for (let limit = 0; limit < long.length; limit++) expect(decodeAny(long, 0, limit, 64, out), `${limit} bytes`).toBe('truncated');
    expect(decodeAny(long, 0, long.length, 64, out)).toBe('ok');
    expect(out.length).toBe(13);
  });
  it('fifteen bytes are the most that an instruction may have', () => {
    expect(decodeAny(of(`${'66'.repeat(14)}90`), 0, 15, 64, out)).toBe('ok');
    expect(decodeAny(of(`${'66'.repeat(15)}90`), 0, 16, 64, out)).toBe('too-long');
    expect(decodeAny(of('66'.repeat(14)), 0, 14, 64, out)).toBe('truncated');
  });
  it('nothing is read at or beyond the limit', () => {
    const bytes = of('90 0f a2');
    expect(decodeAny(bytes, 1, 2, 64, out)).toBe('truncated');
  });
});
