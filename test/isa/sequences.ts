// Sequences for the host-CPU oracle: what single instructions do not reach, flags kept lazily from one instruction to the next, pairs
// that tier 0 runs as one case, links between blocks, and loops, which a translator keeps in registers.

import { encodeRandom } from '../../x86/encode.ts';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import { DATA, MAX_CODE } from './host-cpu.ts';

// Auxiliary carry is undefined after some of them; none reads it. A name with a 1 behind: shifted by one.
const WORK =
  'add adc sub sbb cmp and or xor test inc dec neg mov movzx movsx lea setcc cmovcc xadd cmpxchg clc stc cmc not xchg cbw cwd shl1 shr1 sar1 rol1 ror1 rcl1 rcr1'.split(
    ' ',
  );
const LAST = ['jcc', 'jcc', 'jcc', 'setcc', 'cmovcc', 'adc', 'sbb', 'dec', 'call', 'jmp'];
const STACK_WORK = ['push', 'pop'];
const AUXILIARY = 0x10;
const FRAME = 5;
const COUNTER = 1;
/** Bytes behind which a loop cannot close with a short jump and its counter. */
const LOOP_TAIL = 4;

interface Encoded {
  readonly bytes: Uint8Array;
  readonly row: number;
  readonly form: number;
}

export class SequenceMaker {
  private readonly random: () => number;
  constructor(random: () => number) {
    this.random = random;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.random() % list.length]!;
  }

  private instruction(name: string, bits: 64 | 32, looping: boolean): Encoded | null {
    const { random } = this;
    const byOne = name.endsWith('1') ? name.slice(0, -1) : null;
    const row = ROW_BY_KEY.get(byOne ?? name)!;
    const forms = ROWS[row]!.enc.flatMap((enc, n) => ((byOne === null || enc.endsWith(',1')) && !/O[bv]| m(32|64)$/.test(enc) ? [n] : []));
    const form = this.pick(forms);
    const branch = name === 'jcc' || name === 'jmp' || name === 'call';
    const registers = (bits === 64 ? [0, 1, 2, 3, 6, 7, 8, 15] : [0, 1, 2, 3, 6, 7]).filter((n) => !looping || n !== COUNTER);
    const bytes = encodeRandom({
      row,
      form,
      mode: bits,
      random,
      registers,
      memory: () => ({ base: FRAME, index: -1, scale: 0, disp: (random() << 24) >> 24 }),
      // Branches land in the int3 bytes behind the sequence.
      ...(branch ? { immediate: () => 0x50 + (random() % 0x20) } : {}),
    });
    return bytes ? { bytes, row, form } : null;
  }

  /** Two to five instructions, or up to a dozen, or a loop of some that runs a few times. */
  make(bits: 64 | 32): GeneratedCase | null {
    const { random } = this;
    const kind = random() % 10;
    const looping = kind >= 8;
    const count = kind < 6 ? 1 + (random() % 4) : 4 + (random() % 9);
    const code: number[] = [];
    let last: Encoded | null = null;
    for (let n = count; n >= 0; n--) {
      const closing = n === 0 && !looping;
      const name = closing
        ? this.pick(LAST)
        : n === 1 && !looping && random() & 1
          ? this.pick(['cmp', 'test', 'dec', 'sub'])
          : kind >= 6 && random() % 12 === 0
            ? this.pick(STACK_WORK)
            : this.pick(WORK);
      const next = this.instruction(name, bits, looping);
      if (!next || code.length + next.bytes.length > MAX_CODE - LOOP_TAIL) return null;
      code.push(...next.bytes);
      last = next;
    }
    if (!last) return null;
    if (looping) code.push(0xff, 0xc8 | COUNTER, 0x75, -(code.length + LOOP_TAIL) & 0xff);
    const wide = (): bigint => (BigInt(random()) << 32n) | BigInt(random());
    const regs = Array.from({ length: 16 }, (_, i) =>
      BigInt.asUintN(bits, i < (bits === 64 ? 16 : 8) ? (random() & 1 ? wide() : BigInt(random() % 5) - 2n) : 0n),
    );
    regs[4] = DATA + 0x1800n;
    regs[FRAME] = DATA + 0x1000n + BigInt(random() % 8);
    if (looping) regs[COUNTER] = BigInt(1 + (random() % 40));
    return {
      bits,
      code: Uint8Array.from(code),
      regs,
      flags: 0x202 | (random() & 0x8d5),
      pokes: [],
      row: last.row,
      form: last.form,
      undefined: AUXILIARY,
    };
  }
}
