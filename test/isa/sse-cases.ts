// Random MMX and SSE cases for the host-CPU oracle: values where floating point is difficult, every state of MXCSR, memory operands
// aligned and not, within pages and across, mapped and not.

import { DEFINITIONS } from '../../simulator/cpu/isa/all.ts';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { encodeRandom } from '../../x86/encode.ts';
import { ROWS } from '../../x86/rows.ts';
import { OperandKind as K } from '../../x86/types.ts';
import { type GeneratedCase, VECTOR_KEYS } from './cases.ts';
import { DATA, DATA_BYTES, FPU_IMAGE, MAX_CODE, READ_ONLY, START } from './host-cpu.ts';

const SINGLES = [
  0, 1, 2, 0x400000, 0x7fffff, 0x800000, 0x800001, 0xffffff, 0x1000000, 0x3f800000, 0x3f800001, 0x3f7fffff, 0x40000000, 0x3f000000,
  0x3fc00000, 0x4b000000, 0x4b800000, 0x4b7fffff, 0x4effffff, 0x4f000000, 0x5effffff, 0x5f000000, 0x7f000000, 0x7f7fffff, 0x7f800000,
  0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fc12345, 0x7fffffff, 0x20000000, 0x1fffffff, 0x34000000, 0x33800000,
].map(BigInt);
const DOUBLES = [
  0n,
  1n,
  2n,
  0x8000000000000n,
  0xfffffffffffffn,
  0x10000000000000n,
  0x10000000000001n,
  0x1fffffffffffffn,
  0x20000000000000n,
  0x3ff0000000000000n,
  0x3ff0000000000001n,
  0x3fefffffffffffffn,
  0x4000000000000000n,
  0x3fe0000000000000n,
  0x3ff8000000000000n,
  0x4330000000000000n,
  0x4340000000000000n,
  0x433fffffffffffffn,
  0x41dfffffffc00000n,
  0x41dfffffffe00000n,
  0x41dfffffffdfffffn,
  0x41e0000000000000n,
  0x43dfffffffffffffn,
  0x43e0000000000000n,
  0x7fe0000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0x7ff0000000000001n,
  0x7ff4000012345678n,
  0x7ff8000000000000n,
  0x7ff8dead0000beefn,
  0x7fffffffffffffffn,
  0x3810000000000000n,
  0x380fffffffffffffn,
  0x36a0000000000000n,
  0x3690000000000000n,
  0x3690000000000001n,
  0x47efffffe0000000n,
  0x47effffff0000000n,
  0x47efffffefffffffn,
  0x47f0000000000000n,
  0x1ff0000000000000n,
  0x3ca0000000000000n,
];
type Style = 'single' | 'double' | 'integer';
/** What all values of a case have in common: nothing; so many significant bits that products just fit, or just do not; products
 * next to the least normal number; next to the limits of integers. */
const THEMES = ['any', 'any', 'any', 'any', 'any', 'any', 'any', 'products', 'underflow', 'limits'] as const;
type Theme = (typeof THEMES)[number];
const SINGLE_LIMITS = [
  0x4effffff, 0x4f000000, 0x4f000001, 0x4e800000, 0x4e7fffff, 0x5effffff, 0x5f000000, 0x4b7fffff, 0x4b000001, 0x3f000000, 0x3effffff,
].map(BigInt);
const DOUBLE_LIMITS = [
  0x41dfffffffc00000n,
  0x41dfffffffbfffffn,
  0x41dfffffffe00000n,
  0x41dfffffffdfffffn,
  0x41dfffffffffffffn,
  0x41e0000000000000n,
  0x41e0000000100000n,
  0x41e0000000200000n,
  0x43dfffffffffffffn,
  0x43e0000000000000n,
  0x43d0000000000000n,
  0x43cfffffffffffffn,
  0x432fffffffffffffn,
  0x3fe0000000000000n,
];

const MXCSR_DEFAULT = 0x1f80;
/** A bit of MXCSR that newer AMD processors have and the engine's models do not. */
const MISALIGNED_MASK = 1 << 17;

/** Rows of the general table that move MXCSR. */
const CONTROL_KEYS: ReadonlySet<string> = new Set(['ldmxcsr', 'stmxcsr']);

export class VectorCaseMaker {
  private readonly random: () => number;
  private readonly decoded = newDecoded();
  private theme: Theme = 'any';

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
  /** A value of the theme: `fraction` and `bias` describe the format. */
  private themed(fraction: number, bias: number): bigint {
    const width = BigInt(fraction);
    const at = (exponent: number, rest: bigint): bigint => (BigInt(exponent) << width) | rest;
    if (this.theme === 'limits') return this.pick(fraction === 23 ? SINGLE_LIMITS : DOUBLE_LIMITS);
    if (this.theme === 'underflow') {
      const ones = (1n << width) - 1n;
      return at((bias + 1) / 2 - 1 + (this.random() % 3), this.pick([0n, 0n, ones, ones, ones - 1n, 1n << (width - 1n), 1n]));
    }
    const bits = (fraction >> 1) + (this.random() % 4);
    const significand = (this.wide() & ((1n << BigInt(bits)) - 1n)) | 1n | (1n << BigInt(bits - 1));
    return at(bias - 3 + (this.random() % 6), (significand << BigInt(fraction + 1 - bits)) & ((1n << width) - 1n));
  }
  private single(): bigint {
    const sign = BigInt(this.random() & 1) << 31n;
    if (this.theme !== 'any') return sign | this.themed(23, 127);
    const kind = this.random() % 10;
    if (kind < 3) return sign | this.pick(SINGLES);
    if (kind < 5) return sign | (BigInt(120 + (this.random() % 16)) << 23n) | BigInt(this.random() & 0x7fffff);
    // Few significant bits: exact results.
    if (kind < 7) return sign | (BigInt(118 + (this.random() % 20)) << 23n) | BigInt((this.random() & 0xff) << 15);
    if (kind < 8) return sign | (BigInt(this.random() % 5) << 23n) | BigInt(this.random() & 0x7fffff);
    return BigInt(this.random());
  }
  private double(): bigint {
    const sign = BigInt(this.random() & 1) << 63n;
    if (this.theme !== 'any') return sign | this.themed(52, 1023);
    const fraction = this.wide() & 0xfffffffffffffn;
    const kind = this.random() % 10;
    if (kind < 3) return sign | this.pick(DOUBLES);
    if (kind < 5) return sign | (BigInt(1015 + (this.random() % 16)) << 52n) | fraction;
    if (kind < 7) return sign | (BigInt(1018 + (this.random() % 66)) << 52n) | (fraction & 0xff00000000000n);
    if (kind < 8) return sign | (BigInt(this.pick([0, 1, 2, 3, 4, 896, 873, 1150, 2040, 2046])) << 52n) | fraction;
    return this.wide();
  }
  private quad(style: Style): bigint {
    if (style === 'double') return this.double();
    if (style === 'single') return (this.single() << 32n) | this.single();
    const kind = this.random() % 4;
    if (kind === 0) return BigInt(this.random() % 80);
    if (kind === 1) return this.wide() & this.pick([0x7f7f80807fff8000n, 0xffff00ff8000n, 0x80000000ffffffffn]);
    return this.wide();
  }
  private mxcsr(): number {
    const flags = this.random() & 0x3f;
    const kind = this.random() % 10;
    if (kind < 3) return MXCSR_DEFAULT | 0x20 | flags;
    // Inexact not yet seen: results must be proved exact, or set it.
    if (kind < 6) return MXCSR_DEFAULT | (flags & 0x1f);
    const rounding = (this.random() & 3) << 13;
    const zeros = (this.chance(25) ? 0x40 : 0) | (this.chance(25) ? 0x8000 : 0);
    const masks = this.chance(60) ? 0x1f80 : this.random() & 0x1f80;
    return masks | rounding | zeros | (this.chance(70) ? flags : 0);
  }
  private image(style: Style, mmx: boolean): Uint8Array {
    const image = new Uint8Array(FPU_IMAGE);
    const view = new DataView(image.buffer);
    view.setUint16(0, 0x37f, true);
    if (mmx || this.chance(10)) {
      view.setUint16(2, this.chance(50) ? 0 : (this.random() & 7) << 11, true);
      image[4] = this.chance(50) ? 0xff : this.random();
      if (this.chance(4)) {
        // An unmasked x87 exception waits.
        view.setUint16(0, 0x37e, true);
        view.setUint16(2, view.getUint16(2, true) | 0x8081, true);
      }
    }
    view.setUint32(24, this.mxcsr(), true);
    for (let n = 0; n < 8; n++) {
      view.setBigUint64(32 + 16 * n, this.quad(style), true);
      view.setUint16(40 + 16 * n, this.chance(50) ? 0xffff : this.random() & 0xffff, true);
    }
    for (let at = 160; at < FPU_IMAGE; at += 8) view.setBigUint64(at, this.quad(style), true);
    return image;
  }
  /** An address for `size` bytes, aligned most of the time where that matters. */
  private address(bits: 64 | 32, size: number): bigint {
    const n = this.random() % 100;
    const r = BigInt(this.random());
    const align = (v: bigint): bigint => (size === 16 && this.chance(80) ? v & ~15n : v);
    if (n < 78) return align(DATA + 0x100n + (r % 0x1e00n));
    if (n < 86) return align(DATA + 0xff1n + (r % 16n));
    if (n < 89) return align(DATA + 0x1ff1n + (r % 16n));
    if (n < 93) return align(READ_ONLY + (r % 0x1010n));
    if (n < 95) return align(READ_ONLY - 8n + (r % 16n));
    if (n < 98) return align(DATA + 0x4000n + r);
    return align(bits === 64 ? this.wide() | (1n << 62n) : BigInt(this.random()));
  }

  make(row: number, form: number, bits: 64 | 32): GeneratedCase | null {
    const { random } = this;
    const { key, enc } = ROWS[row]!;
    const limit = bits === 64 ? 16 : 8;
    const style: Style = this.chance(85)
      ? /p?s[sd]|ps|pd/.test(key.replace(/^(cvt|cvtt)/, '')) && !/^(ps[rl]|psub|psad|pshuf)/.test(key)
        ? /^cvtt?(sd|pd)|(sd|pd)$/.test(key)
          ? 'double'
          : 'single'
        : 'integer'
      : this.pick(['single', 'double', 'integer'] as const);
    this.theme = this.pick(THEMES);
    const base = random() % limit;
    const ripRelative = bits === 64 && this.chance(5);
    let index = this.chance(30) ? random() % limit : -1;
    if (index === 4 || index === base) index = -1;
    const ripTarget = Number(DATA - START) + ((random() % 0x1e0) << 4);
    const disp = ripRelative ? ripTarget : this.chance(50) ? (random() << 24) >> 24 : random() | 0;
    const gs = bits === 64 && this.chance(5);
    const encoded = encodeRandom({
      row,
      form,
      mode: bits,
      random,
      memory: () => ({ base, index: ripRelative ? -1 : index, scale: random() & 3, disp, ripRelative }),
      ...(gs ? { segment: 5 } : {}),
    });
    if (!encoded) return null;
    let code = encoded;
    const d = this.decoded;
    if (decodeAny(code, 0, code.length, bits, d) !== 'ok') return null;
    if (ripRelative && d.ripRelative && this.chance(85)) {
      // Count from the end of the instruction, so that the operand is aligned.
      const changed = code.slice();
      const at = changed.length - 4 - (d.kind[d.count - 1] === K.immediate ? 1 : 0);
      new DataView(changed.buffer).setInt32(at, disp - changed.length, true);
      code = changed;
      decodeAny(code, 0, code.length, bits, d);
    }
    const regs = Array.from({ length: 16 }, (_, i) =>
      i < limit ? BigInt.asUintN(bits, this.chance(40) ? BigInt((random() << 20) >> 20) : this.wide()) : 0n,
    );
    regs[4] = DATA + 0x1000n + BigInt(random() % 0xe00);
    let target = -1n;
    let size = 0;
    for (let i = 0; i < d.count; i++) if (d.kind[i] === K.memory) size = d.size[i]!;
    if (size > 0 && d.ripRelative) target = BigInt.asUintN(64, START + BigInt(code.length) + BigInt(d.dispLo));
    else if (size > 0 && d.base >= 0) {
      if (d.index >= 0) regs[d.index] = BigInt(random() % 64);
      target = this.address(bits, size);
      const from = gs ? DATA + 0x800n : 0n;
      regs[d.base] = BigInt.asUintN(bits, target - from - (d.index >= 0 ? regs[d.index]! << BigInt(d.scale) : 0n) - BigInt(d.dispLo));
    }
    if (key.startsWith('maskmov')) {
      target = this.address(bits, d.size[0]!);
      regs[7] = BigInt.asUintN(bits, target - (gs ? DATA + 0x800n : 0n));
    }
    const pokes: [number, bigint][] = [];
    if (key === 'ldmxcsr') {
      const at = Number(target - DATA);
      const v = BigInt(this.chance(85) ? this.mxcsr() : this.random() & ~MISALIGNED_MASK);
      if (at >= 0 && at + 8 <= DATA_BYTES) pokes.push([at, v & 0xffffffffn]);
      size = 0;
    }
    for (let part = 0; part < size; part += 8) {
      const at = Number(target - DATA) + part;
      if (at >= 0 && at + 8 <= DATA_BYTES) pokes.push([at, this.quad(style)]);
    }
    const image = this.image(style, enc[form]!.match(/[PQN][qd]/) !== null || key === 'emms');
    return { bits, code, regs, flags: 0x202 | (random() & 0xcd5), pokes, row, form, undefined: 0, image };
  }

  /** Several register forms in a row, MMX among them now and then. */
  sequence(bits: 64 | 32): GeneratedCase | null {
    const style = this.pick(['single', 'double', 'integer'] as const);
    this.theme = this.pick(THEMES);
    const mmx = this.chance(20);
    const code: number[] = [];
    let first: { row: number; form: number } | null = null;
    for (let n = 2 + (this.random() % 9); n > 0; n--) {
      const ref = this.pick(mmx ? SEQUENCE_FORMS.mmx : SEQUENCE_FORMS.xmm);
      const bytes = encodeRandom({ ...ref, mode: bits, random: this.random, rm: 'register', registers: SEQUENCE_REGISTERS });
      if (!bytes || code.length + bytes.length > MAX_CODE) continue;
      first ??= ref;
      code.push(...bytes);
    }
    if (!first) return null;
    const regs = Array.from({ length: 16 }, (_, i) => (i < (bits === 64 ? 16 : 8) ? BigInt.asUintN(bits, this.wide()) : 0n));
    regs[4] = DATA + 0x1000n;
    const flags = 0x202 | (this.random() & 0xcd5);
    return { bits, code: Uint8Array.from(code), regs, flags, pokes: [], ...first, undefined: 0, image: this.image(style, mmx) };
  }
}

/** General registers of moves in sequences: the stack pointer stays. */
const SEQUENCE_REGISTERS = [0, 1, 2, 3, 5, 6, 7];
/** Forms on registers only, with results that are the same on every processor. */
const SEQUENCE_FORMS = (() => {
  const forms = vectorForms(64).filter(({ row, form }) => {
    const { key, enc } = ROWS[row]!;
    return !/^(maskmov|rcp|rsqrt|emms)/.test(key) && !/ M|,M/.test(enc[form]!) && !CONTROL_KEYS.has(key);
  });
  const usesMmx = ({ row, form }: { row: number; form: number }): boolean => /[PQN]q/.test(ROWS[row]!.enc[form]!);
  return { mmx: forms, xmm: forms.filter((ref) => !usesMmx(ref)) };
})();

/** Forms of MMX and SSE rows that the processor models have. */
export function vectorForms(bits: 64 | 32): { row: number; form: number }[] {
  const out: { row: number; form: number }[] = [];
  ROWS.forEach((r, row) => {
    if (
      (!VECTOR_KEYS.has(r.key) && !CONTROL_KEYS.has(r.key)) ||
      r.feature !== undefined ||
      (r.mode !== undefined && r.mode !== String(bits))
    )
      return;
    if (!DEFINITIONS.has(r.key)) throw new Error(`${r.key} has no body`);
    r.enc.forEach((enc, form) => {
      // This form of pextrw is SSE4.1's.
      if (enc.startsWith('66 0f 3a')) return;
      out.push({ row, form });
    });
  });
  return out;
}
