// Random encodings made from the table are what they claim to be. Oracle: iced-x86.

import { describe, expect, it } from 'vitest';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { encodeRandom, seededRandom } from '../../x86/encode.ts';
import { FORMS } from '../../x86/opcode-map.ts';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import { OperandKind as K } from '../../x86/types.ts';
import { difference, icedName } from './iced.ts';

const out = newDecoded();

describe('every form of every row', () => {
  it.each([64, 32] as const)('can be encoded in %s-bit mode where it exists, and iced-x86 reads the same instruction', (mode) => {
    const random = seededRandom(mode);
    const missing: string[] = [];
    const differences = new Set<string>();
    for (const form of FORMS) {
      if (!form.modes.includes(mode === 64 ? 1 : 0) || (form.encoding.rexB && mode === 32)) continue;
      for (let i = 0; i < 12; i++) {
        const bytes = encodeRandom({ row: form.row, form: form.index, mode, random });
        if (!bytes) {
          missing.push(`${ROWS[form.row]!.key}: ${ROWS[form.row]!.enc[form.index]}`);
          break;
        }
        const what = difference(bytes, 0, mode);
        if (what) differences.add(`${Buffer.from(bytes).toString('hex')}: ${what}`);
        if (icedName(bytes, mode).length !== bytes.length) differences.add(`${Buffer.from(bytes).toString('hex')}: length ${bytes.length}`);
      }
    }
    expect(missing).toEqual([]);
    expect([...differences]).toEqual([]);
  });
});

describe('what the caller fixes', () => {
  const add = ROW_BY_KEY.get('add')!;
  it('holds: size, registers, address, immediate, lock', () => {
    const random = seededRandom(3);
    for (let i = 0; i < 200; i++) {
      const bytes = encodeRandom({
        row: add,
        form: 7,
        mode: 64,
        random,
        operandSize: 8,
        rm: 'memory',
        lock: true,
        memory: () => ({ base: 13, index: 12, scale: 2, disp: 0x80 }),
        immediate: () => -5,
      })!;
      expect(decodeAny(bytes, 0, bytes.length, 64, out)).toBe('ok');
      expect([out.operandSize, out.lock, out.base, out.index, out.scale, out.dispLo, out.immLo, out.immHi]).toEqual([
        8,
        true,
        13,
        12,
        2,
        0x80,
        -5,
        -1,
      ]);
    }
  });
  it('registers outside the list never appear, high bytes stand for theirs', () => {
    const random = seededRandom(4);
    const allowed = [0, 1, 3, 9];
    const seen = new Set<number>();
    for (let i = 0; i < 400; i++) {
      const bytes = encodeRandom({ row: add, form: i % 4, mode: 64, random, rm: 'register', registers: allowed })!;
      decodeAny(bytes, 0, bytes.length, 64, out);
      for (let n = 0; n < 2; n++) {
        const register = out.kind[n] === K.gpr8 && out.reg[n]! >= 16 ? out.reg[n]! - 16 : out.reg[n]!;
        seen.add(register);
      }
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(allowed);
  });
  it('a request that cannot be met gives nothing', () => {
    const random = seededRandom(5);
    const lea = ROW_BY_KEY.get('lea')!;
    const push = ROW_BY_KEY.get('push')!;
    expect(encodeRandom({ row: lea, form: 0, mode: 64, random, rm: 'register' })).toBeUndefined();
    expect(encodeRandom({ row: push, form: 0, mode: 64, random, operandSize: 4 })).toBeUndefined();
    expect(encodeRandom({ row: ROW_BY_KEY.get('daa')!, form: 0, mode: 64, random })).toBeUndefined();
  });
  it('the same seed gives the same bytes', () => {
    const run = () => {
      const random = seededRandom(77);
      return Array.from({ length: 50 }, (_, i) =>
        Buffer.from(encodeRandom({ row: add, form: i % 10 === 8 ? 0 : i % 10, mode: 64, random })!).toString('hex'),
      );
    };
    expect(run()).toEqual(run());
  });
});
