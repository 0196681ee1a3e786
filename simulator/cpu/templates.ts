// Records of instructions seen before: all that the bytes up to the SIB byte decide (which case runs it, registers, sizes) is kept, so
// that another instruction that begins alike costs a look-up, its displacement and its immediate. What is kept comes from the decoder
// and the record writer, which see every beginning first.

import { OperandClass } from '../../x86/encoding.ts';
import { FORMS } from '../../x86/opcode-map.ts';
import { ROWS } from '../../x86/rows.ts';
import { type Decoded, OperandKind } from '../../x86/types.ts';
import type { Core } from './core.ts';

/** Whether an opcode of maps 0 and 1 has a ModRM byte; `not`: it is a prefix, an escape, or differs by encoding. */
const Modrm = { none: 0, has: 1, not: 2 } as const;
const MODRM = new Uint8Array(512).fill(Modrm.not);
for (const { encoding } of FORMS) {
  if (encoding.map > 1) continue;
  const has = encoding.hasModrm ? Modrm.has : Modrm.none;
  for (let i = 0; i < encoding.span; i++) {
    const at = encoding.map * 256 + encoding.opcode + i;
    MODRM[at] = MODRM[at] === Modrm.not || MODRM[at] === has ? has : 3;
  }
}
for (const prefix of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x0f, 0x138, 0x13a]) MODRM[prefix] = Modrm.not;

/** Immediates that the record writer takes from the operand's class. */
const IMMEDIATES: ReadonlySet<number> = new Set([OperandClass.I, OperandClass.signedByte, OperandClass.J]);
/** Operands with bytes of their own that are neither immediate nor displacement of a ModRM byte. */
const OTHERS: ReadonlySet<number> = new Set([OperandClass.A, OperandClass.O]);
/** Size codes of immediates that are extended with their sign: `v`, `z`. */
const SIGNED: ReadonlySet<number> = new Set([5, 6]);

const SLOTS = 1 << 15;
const SHIFT = 32 - 15;
const MOST = SLOTS / 4;
const FREE = -1;

/** Words of a template: handler and registers; address registers and length; third operand; FLAGS; what is added to the displacement;
 * a constant immediate. */
const WORDS = 8;
const FLAGS = 3;
const FIX = 4;
const CONSTANT = 5;
/** In FLAGS: bytes of the displacement, where it lies, bytes of the immediate, how it is extended, what follows in a block. */
const DISPLACEMENT = 4;
const POSITION = 8;
const IMMEDIATE = 12;
const SIGN = 1 << 16;
const RELATIVE = 1 << 17;
const RELATIVE_64 = 1 << 18;
const RIP = 1 << 19;
const AFTER = 20;

export class RecordTemplates {
  private readonly core: Core;
  private readonly wide: boolean;
  private readonly keys = new Int32Array(SLOTS).fill(FREE);
  private readonly numbers = new Uint16Array(SLOTS);
  private words = new Int32Array(256 * WORDS);
  private count = 0;
  /** Of the instruction that find() looked at: its key, and where what the key does not hold begins. */
  private key = FREE;
  private rest = 0;

  constructor(core: Core, bits: 64 | 32) {
    this.core = core;
    this.wide = bits === 64;
  }

  /** The template of the instruction at an address of the engine's memory, -1 none. */
  find(address: number): number {
    const { u8 } = this.core;
    let p = address;
    let byte = u8[p++]!;
    let key = 0;
    if (byte === 0x66) {
      key = 1 << 30;
      byte = u8[p++]!;
    }
    if (this.wide && (byte & 0xf0) === 0x40) {
      key |= (byte & 31) << 25;
      // 0x40 itself changes which byte registers are meant.
      key |= 1 << 29;
      byte = u8[p++]!;
      if ((byte & 0xf0) === 0x40) return this.unknown();
    }
    let at = byte;
    if (byte === 0x0f) {
      at = 256 | u8[p++]!;
      key |= 1 << 24;
    }
    const modrm = MODRM[at]!;
    if (modrm > Modrm.has) return this.unknown();
    key |= (at & 255) << 16;
    if (modrm === Modrm.has) {
      const m = u8[p++]!;
      key |= m << 8;
      if (m < 0xc0 && (m & 7) === 4) key |= u8[p++]!;
    }
    this.key = key;
    this.rest = p - address;
    for (let slot = Math.imul(key, 0x9e3779b1) >>> SHIFT; ; slot = (slot + 1) & (SLOTS - 1)) {
      const here = this.keys[slot];
      if (here === key) return this.numbers[slot]!;
      if (here === FREE) return -1;
    }
  }
  private unknown(): number {
    this.key = FREE;
    return -1;
  }

  lengthOf(template: number): number {
    return (this.words[template * WORDS + 1]! >>> 24) & 15;
  }
  handlerOf(template: number): number {
    return this.words[template * WORDS]! & 0xffff;
  }
  /** One of `After`. */
  afterOf(template: number): number {
    return this.words[template * WORDS + FLAGS]! >>> AFTER;
  }

  /** Writes the record of the instruction at `address` to `at`; false when its address needs a record of its own. */
  write(template: number, address: number, at: number, nextLo: number, nextHi: number): boolean {
    const { words } = this;
    const { u8, i32 } = this.core;
    const t = template * WORDS;
    const flags = words[t + FLAGS]!;
    const bytes = (flags >>> DISPLACEMENT) & 15;
    let p = address + ((flags >>> POSITION) & 15);
    let displacement = 0;
    if (bytes === 1) displacement = (u8[p]! << 24) >> 24;
    else if (bytes === 4) displacement = u8[p]! | (u8[p + 1]! << 8) | (u8[p + 2]! << 16) | (u8[p + 3]! << 24);
    p += bytes;
    if (flags & RIP) {
      const sum = (nextLo >>> 0) + (displacement >>> 0);
      const high = (nextHi + (displacement >> 31) + (sum > 0xffffffff ? 1 : 0)) | 0;
      if (high !== (sum | 0) >> 31) return false;
      displacement = sum | 0;
    }
    let lo = words[t + CONSTANT]!;
    let hi = words[t + CONSTANT + 1]!;
    const size = (flags >>> IMMEDIATE) & 15;
    if (size !== 0) {
      if (size === 1) lo = flags & SIGN ? (u8[p]! << 24) >> 24 : u8[p]!;
      else if (size === 2) lo = flags & SIGN ? ((u8[p]! | (u8[p + 1]! << 8)) << 16) >> 16 : u8[p]! | (u8[p + 1]! << 8);
      else lo = u8[p]! | (u8[p + 1]! << 8) | (u8[p + 2]! << 16) | (u8[p + 3]! << 24);
      hi = 0;
      if (size === 8) hi = u8[p + 4]! | (u8[p + 5]! << 8) | (u8[p + 6]! << 16) | (u8[p + 7]! << 24);
      else if (flags & SIGN) hi = lo >> 31;
      if (flags & RELATIVE) {
        const sum = (nextLo >>> 0) + (lo >>> 0);
        hi = flags & RELATIVE_64 ? (nextHi + hi + (sum > 0xffffffff ? 1 : 0)) | 0 : 0;
        lo = sum | 0;
      }
    }
    const w = at >> 2;
    i32[w] = words[t]!;
    i32[w + 1] = words[t + 1]!;
    i32[w + 2] = lo;
    i32[w + 3] = hi;
    i32[w + 4] = (displacement + words[t + FIX]!) | 0;
    i32[w + 5] = words[t + 2]!;
    i32[w + 6] = nextLo;
    i32[w + 7] = nextHi;
    return true;
  }

  /** Keeps the record at `at` of the instruction that find() did not know: its only one, with a body that is generated. */
  learn(d: Decoded, at: number, after: number): void {
    const { key } = this;
    if (key === FREE || this.count === MOST || d.row < 0) return;
    const { operands, hasModrm } = FORMS[formOf(d)]!.encoding;
    const immediates = operands.filter((o) => IMMEDIATES.has(o.cls));
    if (immediates.length > 1 || operands.some((o) => OTHERS.has(o.cls))) return;
    const displacement = hasModrm ? displacementBytes((key >> 8) & 255, key & 255) : 0;
    if (displacement > 0 && !d.kind.subarray(0, d.count).includes(OperandKind.memory)) return;
    const size = d.length - this.rest - displacement;
    if ((size === 0) !== (immediates.length === 0)) return;
    const relative = immediates.some((o) => o.cls === OperandClass.J);
    if (relative && d.operandSize === 2) return;
    const signed = relative || immediates.some((o) => o.cls === OperandClass.signedByte || SIGNED.has(o.size));
    const { i32 } = this.core;
    const w = at >> 2;
    if ((this.count + 1) * WORDS > this.words.length) {
      const more = new Int32Array(this.words.length * 2);
      more.set(this.words);
      this.words = more;
    }
    const t = this.count * WORDS;
    const { words } = this;
    words[t] = i32[w]!;
    words[t + 1] = i32[w + 1]!;
    words[t + 2] = i32[w + 5]!;
    words[t + FLAGS] =
      (displacement << DISPLACEMENT) |
      (this.rest << POSITION) |
      (size << IMMEDIATE) |
      (signed ? SIGN : 0) |
      (relative ? RELATIVE : 0) |
      (relative && d.operandSize === 8 ? RELATIVE_64 : 0) |
      (d.ripRelative ? RIP : 0) |
      (after << AFTER);
    words[t + FIX] = (i32[w + 4]! - d.dispLo - (d.ripRelative ? i32[w + 6]! : 0)) | 0;
    words[t + CONSTANT] = size === 0 ? i32[w + 2]! : 0;
    words[t + CONSTANT + 1] = size === 0 ? i32[w + 3]! : 0;
    let slot = Math.imul(key, 0x9e3779b1) >>> SHIFT;
    while (this.keys[slot] !== FREE) slot = (slot + 1) & (SLOTS - 1);
    this.keys[slot] = key;
    this.numbers[slot] = this.count++;
  }
}

/** Number of the first form of every row. */
const FIRST_FORM: Int32Array = (() => {
  const first = new Int32Array(ROWS.length);
  for (let form = FORMS.length - 1; form >= 0; form--) first[FORMS[form]!.row] = form;
  return first;
})();
const formOf = (d: Decoded): number => FIRST_FORM[d.row]! + d.form;

/** Bytes of the displacement behind a ModRM byte with 32- or 64-bit addressing. */
function displacementBytes(modrm: number, sib: number): number {
  const mod = modrm >> 6;
  if (mod === 1) return 1;
  if (mod === 2) return 4;
  return mod === 0 && ((modrm & 7) === 5 || ((modrm & 7) === 4 && (sib & 7) === 5)) ? 4 : 0;
}
