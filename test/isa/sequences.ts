// Short sequences for the host-CPU oracle: what single instructions do not reach, flags kept lazily from one instruction to the
// next, pairs that tier 0 runs as one case, links between blocks.

import { encodeRandom } from '../../x86/encode.ts';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import { DATA } from './host-cpu.ts';

// Auxiliary carry is undefined after some of them; none reads it.
const WORK = [
  'add',
  'adc',
  'sub',
  'sbb',
  'cmp',
  'and',
  'or',
  'xor',
  'test',
  'inc',
  'dec',
  'neg',
  'mov',
  'movzx',
  'lea',
  'setcc',
  'cmovcc',
  'xadd',
  'clc',
  'stc',
  'cmc',
  'not',
  'xchg',
  'shl1',
  'sar1',
];
const LAST = ['jcc', 'jcc', 'jcc', 'setcc', 'cmovcc', 'adc', 'sbb', 'dec', 'call', 'jmp'];
const AUXILIARY = 0x10;
const MAX_BYTES = 16;
const FRAME = 5;

export class SequenceMaker {
  private readonly random: () => number;
  constructor(random: () => number) {
    this.random = random;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.random() % list.length]!;
  }

  private instruction(name: string, bits: 64 | 32): { bytes: Uint8Array; row: number; form: number } | null {
    const { random } = this;
    const byOne = name.endsWith('1') ? name.slice(0, -1) : null;
    const row = ROW_BY_KEY.get(byOne ?? name)!;
    const forms = ROWS[row]!.enc.flatMap((enc, n) => ((byOne === null || enc.endsWith(',1')) && !/O[bv]| m(32|64)$/.test(enc) ? [n] : []));
    const form = this.pick(forms);
    const branch = name === 'jcc' || name === 'jmp' || name === 'call';
    const bytes = encodeRandom({
      row,
      form,
      mode: bits,
      random,
      registers: bits === 64 ? [0, 1, 2, 3, 6, 7, 8, 15] : [0, 1, 2, 3, 6, 7],
      memory: () => ({ base: FRAME, index: -1, scale: 0, disp: (random() << 24) >> 24 }),
      // Branches land in the int3 bytes behind the sequence.
      ...(branch ? { immediate: () => 0x20 + (random() % 0x50) } : {}),
    });
    return bytes ? { bytes, row, form } : null;
  }

  make(bits: 64 | 32): GeneratedCase | null {
    const { random } = this;
    const code: number[] = [];
    let last = null;
    for (let n = 1 + (random() % 4); n >= 0; n--) {
      const next = this.instruction(
        n === 0 ? this.pick(LAST) : n === 1 && random() & 1 ? this.pick(['cmp', 'test', 'dec', 'sub']) : this.pick(WORK),
        bits,
      );
      if (!next || code.length + next.bytes.length > MAX_BYTES) return null;
      code.push(...next.bytes);
      last = next;
    }
    const wide = (): bigint => (BigInt(random()) << 32n) | BigInt(random());
    const regs = Array.from({ length: 16 }, (_, i) =>
      BigInt.asUintN(bits, i < bits / 4 ? (random() & 1 ? wide() : BigInt(random() % 5) - 2n) : 0n),
    );
    regs[4] = DATA + 0x1800n;
    regs[FRAME] = DATA + 0x1000n + BigInt(random() % 8);
    return {
      bits,
      code: Uint8Array.from(code),
      regs,
      flags: 0x202 | (random() & 0x8d5),
      pokes: [],
      row: last!.row,
      form: last!.form,
      undefined: AUXILIARY,
    };
  }
}
