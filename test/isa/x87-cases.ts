// Random x87 cases for the host-CPU oracle: register stacks full, partly empty and empty, values of every class, all control words,
// memory operands within pages, across them, read-only and unmapped; with the environment stored behind, and runs of instructions.

import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { encodeRandom } from '../../x86/encode.ts';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import { X87_ROWS } from '../../x86/table/x87.table.ts';
import { OperandKind as K } from '../../x86/types.ts';
import type { GeneratedCase } from './cases.ts';
import { DATA, DATA_BYTES, FPU_IMAGE, READ_ONLY } from './host-cpu.ts';

export const X87_KEYS: readonly string[] = [...X87_ROWS.map((row) => row.key), 'wait', 'fxsave', 'fxrstor'];
/** Their last bit is each processor's own, and with it C1. */
export const TRANSCENDENTAL: ReadonlySet<string> = new Set(['f2xm1', 'fyl2x', 'fyl2xp1', 'fpatan', 'fptan', 'fsin', 'fcos', 'fsincos']);
const MXCSR_DEFAULT = 0x1f80;
const INTEGER_BIT = 1n << 63n;
const SIGNIFICANDS = [
  INTEGER_BIT,
  INTEGER_BIT | 1n,
  (1n << 64n) - 1n,
  INTEGER_BIT | (1n << 62n),
  INTEGER_BIT | (1n << 62n) | 5n,
  INTEGER_BIT | 0x400n,
  INTEGER_BIT | 0x3ffn,
  INTEGER_BIT | 0x8000000000n,
  INTEGER_BIT | 0x7fffffffffn,
  0xfffffffffffff800n,
  0xffffff8000000000n,
  0xffffff7fffffffffn,
  0xaaaaaaaaaaaaaaaan,
  0xc90fdaa22168c235n,
];
const EXPONENTS = [
  1, 2, 63, 64, 65, 0x3fbe, 0x3fbf, 0x3fff, 0x403e, 0x403d, 0x4000, 0x401e, 0x3f81, 0x3f80, 0x3f6a, 0x407e, 0x407f, 0x3c01, 0x3c00, 0x3bcd,
  0x43fe, 0x43ff, 0x7ffe, 0x7ffd,
];
const STATUS_FLAGS = 0x3f;

export class X87CaseMaker {
  private readonly random: () => number;
  private readonly decoded = newDecoded();

  constructor(random: () => number) {
    this.random = random;
  }
  private chance(percent: number): boolean {
    return this.random() % 100 < percent;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.random() % list.length]!;
  }
  private wide(): bigint {
    return (BigInt(this.random()) << 32n) | BigInt(this.random());
  }
  private significand(): bigint {
    const kind = this.random() % 5;
    if (kind === 0) return this.pick(SIGNIFICANDS);
    if (kind === 1) return INTEGER_BIT | (BigInt(this.random() & 0xff) << 55n);
    if (kind === 2) return INTEGER_BIT | (this.wide() & ~0x7ffn);
    return INTEGER_BIT | this.wide();
  }
  /** Sign and exponent, and significand. */
  private extended(): [number, bigint] {
    const sign = (this.random() & 1) << 15;
    const kind = this.random() % 20;
    if (kind === 0) return [sign, 0n];
    if (kind === 1) return [sign | 0x7fff, INTEGER_BIT];
    if (kind === 2) return [sign | 0x7fff, INTEGER_BIT | (this.chance(50) ? this.wide() : 1n << BigInt(this.random() % 63))];
    if (kind === 3) return [sign, this.chance(70) ? this.wide() & (INTEGER_BIT - 1n) : INTEGER_BIT | this.wide()];
    // Unnormals, pseudo-infinities and pseudo-NaNs.
    if (kind === 4 && this.chance(60))
      return [sign | (this.chance(50) ? 0x7fff : 1 + (this.random() % 0x7ffe)), this.wide() & (INTEGER_BIT - 1n)];
    if (kind < 8) return [sign | this.pick(EXPONENTS), this.significand()];
    if (kind < 9) return [sign | (this.random() & 0x7fff), this.significand()];
    // Integers, halves.
    if (kind < 12) {
      const bits = this.random() % 64;
      return [sign | (0x3ffe + bits), INTEGER_BIT | ((this.wide() >> BigInt(64 - Math.min(63, bits + 1))) << BigInt(63 - bits))];
    }
    return [sign | (0x3fff - 8 + (this.random() % 24)), this.significand()];
  }
  private memoryValue(size: number, decimal: boolean): [bigint, bigint] {
    if (decimal && this.chance(80)) {
      let digits = 0n;
      const count = this.random() % 19;
      for (let n = 0; n < count; n++) digits = (digits << 4n) | BigInt(this.random() % (this.chance(95) ? 10 : 16));
      return [BigInt.asUintN(64, digits), (digits >> 64n) | (BigInt(this.random() & 0x80) << 8n)];
    }
    if (size >= 10) {
      const [top, significand] = this.extended();
      return [significand, BigInt(top) | (this.wide() << 16n)];
    }
    const sign = BigInt(this.random() & 1);
    const single = (): bigint => {
      const exponent = this.pick([0, 1, 127, 128, 126, 254, 255, 255, 0, this.random() & 0xff, 150]);
      const fraction = this.pick([0, 0, 1, 0x400000, 0x7fffff, this.random() & 0x7fffff, this.random() & 0x7fffff]);
      return (BigInt(this.random() & 1) << 31n) | (BigInt(exponent) << 23n) | BigInt(fraction);
    };
    if (size === 4 && this.chance(60)) return [(this.wide() << 32n) | single(), 0n];
    if (size === 8 && this.chance(60)) {
      const exponent = this.pick([0, 1, 1023, 1024, 1022, 2046, 2047, 2047, 0, this.random() & 0x7ff, 1075]);
      const fraction = this.pick([0n, 0n, 1n, 1n << 51n, (1n << 52n) - 1n, this.wide() >> 12n, this.wide() >> 12n]);
      return [(sign << 63n) | (BigInt(exponent) << 52n) | fraction, 0n];
    }
    return [this.chance(30) ? BigInt.asUintN(64, BigInt((this.random() << 20) >> 20)) : this.wide(), 0n];
  }
  private control(): number {
    const kind = this.random() % 10;
    if (kind < 3) return 0x37f;
    const masks = kind < 7 ? 0x3f : kind < 9 ? 0x3f & ~(1 << (this.random() % 6)) : this.random() & 0x3f;
    const precision = this.chance(50) ? 0x300 : (this.random() & 3) << 8;
    return masks | 0x40 | precision | ((this.random() & 3) << 10) | (this.chance(10) ? 0x1000 : 0);
  }
  /** Registers, words and tags to start with. */
  private image(): Uint8Array {
    const image = new Uint8Array(FPU_IMAGE);
    const view = new DataView(image.buffer);
    const control = this.control();
    view.setUint16(0, control, true);
    const pending = this.chance(4);
    let flags = this.random() & STATUS_FLAGS & (pending ? STATUS_FLAGS : control);
    if (this.chance(40)) flags = 0;
    const stack = this.chance(15) ? 0x40 : 0;
    const summary = flags & ~control ? 0x8080 : 0;
    view.setUint16(2, flags | stack | summary | ((this.random() & 7) << 11) | (this.random() & 0x4700), true);
    image[4] = this.chance(30) ? 0xff : this.chance(70) ? this.stackTags(view.getUint16(2, true) >> 11) : this.random();
    view.setUint32(24, MXCSR_DEFAULT, true);
    for (let n = 0; n < 8; n++) {
      const [top, significand] = this.extended();
      view.setBigUint64(32 + 16 * n, significand, true);
      view.setUint16(40 + 16 * n, top, true);
    }
    return image;
  }
  /** Some registers from the top on are in use. */
  private stackTags(top: number): number {
    const used = 2 + (this.random() % 6);
    let tags = 0;
    for (let n = 0; n < used; n++) tags |= 1 << ((top + n) & 7);
    return tags;
  }
  /** Values that the instruction is about, in the registers that it reads. */
  private adapt(key: string, image: Uint8Array): void {
    const view = new DataView(image.buffer);
    const put = (n: number, [top, significand]: readonly [number, bigint]): void => {
      view.setBigUint64(32 + 16 * n, significand, true);
      view.setUint16(40 + 16 * n, top, true);
    };
    const sign = (this.random() & 1) << 15;
    if (key === 'fscale' && this.chance(60)) put(1, [sign | (0x3fff + (this.random() % 16)), this.significand()]);
    if (key === 'f2xm1' && this.chance(80))
      put(0, [sign | (0x3ffe - (this.chance(80) ? this.random() % 12 : this.random() % 80)), this.significand()]);
    if (key === 'fyl2xp1' && this.chance(80)) {
      const range = (1n << 63n) | (this.wide() % 0x15000000_00000000n);
      put(0, [sign | (0x3ffd - (this.chance(50) ? 0 : this.random() % 80)), range]);
    }
    if (key === 'fyl2x' && this.chance(50)) put(0, [0x3ffe + (this.random() % 3), this.significand()]);
    if (/^(fsin|fcos|fptan|fsincos)$/.test(key) && this.chance(60))
      put(0, [sign | (0x3fff + (this.random() % 70) - 4), this.significand()]);
    if (/^fprem/.test(key) && this.chance(50)) {
      const exponent = 0x3f00 + (this.random() % 0x200);
      put(1, [sign | exponent, this.significand()]);
      put(0, [(this.random() & 0x8000) | (exponent - 3 + (this.random() % (this.chance(70) ? 70 : 300))), this.significand()]);
    }
    if (/^f(add|sub|i)/.test(key) && this.chance(30)) {
      const exponent = 0x3fff - 70 + (this.random() % 140);
      put(0, [sign | exponent, this.significand()]);
    }
  }

  private address(bits: 64 | 32): bigint {
    const n = this.random() % 100;
    const r = BigInt(this.random());
    if (n < 80) return DATA + 0x100n + (r % 0x1d00n);
    if (n < 87) return DATA + 0xf90n + (r % 112n);
    if (n < 89) return DATA + 0x1ff1n + (r % 16n);
    if (n < 93) return READ_ONLY + (r % 0x1010n);
    if (n < 95) return READ_ONLY - 8n + (r % 16n);
    if (n < 98) return DATA + 0x4000n + r;
    return bits === 64 ? this.wide() | (1n << 62n) : BigInt(this.random());
  }

  /** Sequence: register forms only, run one after the other. */
  sequence(bits: 64 | 32): GeneratedCase | null {
    const code: number[] = [];
    const parts = 2 + (this.random() % (this.chance(70) ? 5 : 24));
    let first = -1;
    for (let n = 0; n < parts; n++) {
      const { row, form } = this.pick(SEQUENCE_FORMS);
      const encoded = encodeRandom({ row, form, mode: bits, random: this.random, rm: 'register' });
      if (!encoded || encoded.length > 2) continue;
      if (first < 0) first = row;
      code.push(...encoded);
    }
    if (first < 0) return null;
    const regs = Array.from({ length: 16 }, (_, i) => (i < (bits === 64 ? 16 : 8) ? BigInt.asUintN(bits, this.wide()) : 0n));
    regs[4] = DATA + 0x1000n;
    const image = this.image();
    return {
      bits,
      code: Uint8Array.from(code),
      regs,
      flags: 0x202 | (this.random() & 0xcd5),
      pokes: [],
      row: first,
      form: 0,
      undefined: 0,
      image,
    };
  }

  make(row: number, form: number, bits: 64 | 32): GeneratedCase | null {
    const { random } = this;
    const { key } = ROWS[row]!;
    const limit = bits === 64 ? 16 : 8;
    const base = random() % limit;
    let index = this.chance(30) ? random() % limit : -1;
    if (index === 4 || index === base) index = -1;
    const short = key === 'fxsave';
    if (short) index = -1;
    const disp = short || this.chance(50) ? (random() << 24) >> 24 : random() | 0;
    const gs = bits === 64 && key !== 'fxsave' && this.chance(4);
    const sized = /env|save|rstor/.test(key) && this.chance(50);
    const encoded = encodeRandom({
      row,
      form,
      mode: bits,
      random,
      memory: () => ({ base, index, scale: random() & 3, disp }),
      ...(sized ? { operandSize: bits === 64 && this.chance(50) ? 8 : 2 } : {}),
      ...(gs ? { segment: 5 } : {}),
    });
    if (!encoded) return null;
    const d = this.decoded;
    if (decodeAny(encoded, 0, encoded.length, bits, d) !== 'ok') return null;
    let position = -1;
    for (let i = 0; i < d.count; i++) if (d.kind[i] === K.memory) position = i;
    const regs = Array.from({ length: 16 }, (_, i) => (i < limit ? BigInt.asUintN(bits, this.wide()) : 0n));
    regs[4] = DATA + 0x1000n + BigInt(random() % 0xe00);
    const pokes: [number, bigint][] = [];
    if (position >= 0 && d.base >= 0) {
      if (d.index >= 0) regs[d.index] = BigInt(random() % 64);
      let target = this.address(bits);
      if (key.startsWith('fx') && this.chance(90)) target &= ~15n;
      regs[d.base] = BigInt.asUintN(
        bits,
        target - (gs ? DATA + 0x800n : 0n) - (d.index >= 0 ? regs[d.index]! << BigInt(d.scale) : 0n) - BigInt(d.dispLo),
      );
      const put = (offset: number, v: bigint): void => {
        const at = Number(target - DATA) + offset;
        if (at >= 0 && at + 8 <= DATA_BYTES) pokes.push([at, BigInt.asUintN(64, v)]);
      };
      if (key === 'fxrstor') {
        put(0, this.chance(50) ? (this.wide() & ~0xbfn) | 0x3fn : this.wide());
        // Bit 17 of MXCSR is a feature that the models have not and newer AMD processors have.
        put(24, this.chance(90) ? this.wide() & 0xffffn : this.wide() & ~0x20000n);
      } else {
        const [low, high] = this.memoryValue(d.size[position]!, key === 'fbld');
        if (/env|rstor/.test(key)) {
          put(0, (this.wide() & ~0x3f00000000n) | 0x3fn);
          if (this.chance(50)) put(8, this.wide());
        } else {
          put(0, low);
          if (d.size[position]! > 8) put(8, high);
        }
      }
    }
    const image = this.image();
    this.adapt(key, image);
    const code = this.followed(key, encoded, position >= 0, bits, base, disp);
    if (code === null) return null;
    return { bits, code, regs, flags: 0x202 | (random() & 0xcd5), pokes, row, form, undefined: 0, image };
  }
  /** The instruction with what it needs around it; null: no room. */
  private followed(key: string, encoded: Uint8Array, memory: boolean, bits: 64 | 32, base: number, disp: number): Uint8Array | null {
    if (key === 'fxsave') {
      // Bit 17 of the mask of MXCSR is a feature that the models have not: the byte is cleared.
      if (base === 4 || base === 12 || disp + 30 > 127) return null;
      return Uint8Array.from([...encoded, ...(base >= 8 ? [0x41] : []), 0xc6, 0x40 | (base & 7), (disp + 30) & 0xff, 0]);
    }
    // They show the pointers, which must be those of this case.
    if (key === 'fnstenv' || key === 'fnsave') {
      const code = [...this.absolute(bits, 0xde, 2, DATA + 0x40n), ...encoded];
      return code.length <= 16 ? Uint8Array.from(code) : null;
    }
    if (TRANSCENDENTAL.has(key) || !this.chance(20)) return encoded;
    return this.withEnvironment(encoded, memory && !/^fldcw|^fnst/.test(key), bits);
  }
  private absolute(bits: 64 | 32, opcode: number, reg: number, address: bigint): number[] {
    const a = [0, 8, 16, 24].map((n) => Number((address >> BigInt(n)) & 0xffn));
    return bits === 64 ? [opcode, (reg << 3) | 4, 0x25, ...a] : [opcode, (reg << 3) | 5, ...a];
  }
  /** The instruction, then fnstenv; before one without memory operand, one that has, so that the last operand's address is known. */
  private withEnvironment(encoded: Uint8Array, memory: boolean, bits: 64 | 32): Uint8Array {
    const code = [
      ...(memory ? [] : this.absolute(bits, 0xde, 2, DATA + 0x40n)),
      ...encoded,
      ...this.absolute(bits, 0xd9, 6, DATA + 0x1e80n),
    ];
    return code.length <= 16 ? Uint8Array.from(code) : encoded;
  }
}

/** Forms on registers whose results are exact. */
const SEQUENCE_FORMS = x87Forms().filter(({ row, form }) => {
  const { key, enc } = ROWS[row]!;
  return !TRANSCENDENTAL.has(key) && !/ M/.test(enc[form]!);
});

export function x87Forms(): { row: number; form: number }[] {
  return X87_KEYS.flatMap((key) => {
    const row = ROW_BY_KEY.get(key)!;
    return ROWS[row]!.enc.map((_, form) => ({ row, form }));
  });
}
