// The instruction decoder: bytes to plain fields, for one processor's set of features. Sources: Intel SDM volume 2, chapter 2 and
// appendix A; where processors differ (66 on near branches in 64-bit mode) it follows Intel's.

import { OperandClass as C } from './encoding.ts';
import {
  buildOpcodeTables,
  FORM_FLAGS,
  FORM_INDEX,
  FORM_ROW,
  FormFlag,
  OPERAND_CLASS,
  OPERAND_COUNT,
  OPERAND_FIXED,
  OPERAND_MEMORY_SIZE,
  OPERAND_SIZE,
  SIZE_BYTES,
} from './opcode-map.ts';
import { FEATURES } from './rows.ts';
import { type Decoded, type DecodeStatus, OperandKind as K } from './types.ts';

/**
 * Decodes the instruction at bytes[offset]; `limit` is the first index that must not be read. Fills `out` in place.
 * - 'ok'
 * - 'invalid': #UD; out.row is -1, out.length counts the bytes looked at.
 * - 'too-long': more than 15 bytes (#GP).
 * - 'truncated': bytes end at `limit` within the instruction: the rest must be fetched first.
 */
export type Decode = (bytes: Uint8Array, offset: number, limit: number, mode: 64 | 32 | 16, out: Decoded) => DecodeStatus;

export const newDecoded = (): Decoded => ({
  row: -1,
  form: 0,
  length: 0,
  operandSize: 0,
  addressSize: 0,
  rep: 0,
  lock: false,
  segment: -1,
  cc: -1,
  count: 0,
  kind: new Uint8Array(4),
  reg: new Uint8Array(4),
  size: new Uint8Array(4),
  base: -1,
  index: -1,
  scale: 0,
  dispLo: 0,
  dispHi: 0,
  ripRelative: false,
  immLo: 0,
  immHi: 0,
  imm2: 0,
});

const Prefix = { none: 0, segment: 1, operandSize: 2, addressSize: 3, lock: 4, rep: 5, rex: 6 } as const;
const PREFIX_32 = new Uint8Array(256);
const SEGMENT_OF_PREFIX = new Int8Array(256);
[0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].forEach((byte, segment) => {
  PREFIX_32[byte] = Prefix.segment;
  SEGMENT_OF_PREFIX[byte] = segment;
});
PREFIX_32[0x66] = Prefix.operandSize;
PREFIX_32[0x67] = Prefix.addressSize;
PREFIX_32[0xf0] = Prefix.lock;
PREFIX_32[0xf2] = PREFIX_32[0xf3] = Prefix.rep;
const PREFIX_64 = PREFIX_32.slice().fill(Prefix.rex, 0x40, 0x50);

/** Base and index registers of the 16-bit addressing forms, by ModRM.rm. */
const BASE_16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEX_16 = [6, 7, 6, 7, -1, -1, -1, -1];

/** Valid control registers: cr0, cr2, cr3, cr4, cr8. */
const CONTROL_REGISTERS = 0x11d;

/** A decoder for a processor that has exactly these features (names as in the `feature` column). */
export function makeDecoder(features: Iterable<string>): Decode {
  const { kind, base: cellBase, cells, withRexW, withRexB } = buildOpcodeTables(new Set(features));
  // State of the instruction at hand; the operand readers below share it.
  let b: Uint8Array;
  let p = 0;
  let end = 0;
  let short = false;
  let rex = 0;
  let modrm = 0;

  const immediate = (out: Decoded, bytes: number, signed: boolean): void => {
    if (p + bytes > end) {
      short = true;
      return;
    }
    let lo: number;
    let hi = 0;
    if (bytes === 1) lo = signed ? (b[p]! << 24) >> 24 : b[p]!;
    else if (bytes === 2) lo = signed ? ((b[p]! | (b[p + 1]! << 8)) << 16) >> 16 : b[p]! | (b[p + 1]! << 8);
    else lo = b[p]! | (b[p + 1]! << 8) | (b[p + 2]! << 16) | (b[p + 3]! << 24);
    if (bytes === 8) hi = b[p + 4]! | (b[p + 5]! << 8) | (b[p + 6]! << 16) | (b[p + 7]! << 24);
    else if (signed) hi = lo >> 31;
    p += bytes;
    out.immLo = lo;
    out.immHi = hi;
  };

  const displacement = (out: Decoded, bytes: number): void => {
    if (p + bytes > end) {
      short = true;
      return;
    }
    const lo =
      bytes === 1
        ? (b[p]! << 24) >> 24
        : bytes === 2
          ? ((b[p]! | (b[p + 1]! << 8)) << 16) >> 16
          : b[p]! | (b[p + 1]! << 8) | (b[p + 2]! << 16) | (b[p + 3]! << 24);
    p += bytes;
    out.dispLo = lo;
    out.dispHi = lo >> 31;
  };

  /** The memory operand of the ModRM byte: SIB and displacement. */
  const address = (out: Decoded, mode64: boolean): void => {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    if (out.addressSize === 2) {
      if (mod === 0 && rm === 6) {
        displacement(out, 2);
        return;
      }
      out.base = BASE_16[rm]!;
      out.index = INDEX_16[rm]!;
      if (mod !== 0) displacement(out, mod);
      return;
    }
    if (rm === 4) {
      if (p >= end) {
        short = true;
        return;
      }
      const sib = b[p++]!;
      const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
      if (index !== 4) {
        out.index = index;
        out.scale = sib >> 6;
      }
      if ((sib & 7) === 5 && mod === 0) {
        displacement(out, 4);
        return;
      }
      out.base = (sib & 7) | ((rex & 1) << 3);
    } else if (rm === 5 && mod === 0) {
      out.ripRelative = mode64;
      displacement(out, 4);
      return;
    } else out.base = rm | ((rex & 1) << 3);
    if (mod === 1) displacement(out, 1);
    else if (mod === 2) displacement(out, 4);
  };

  const register = (out: Decoded, i: number, n: number, size: number): void => {
    out.size[i] = size;
    if (size === 1) {
      out.kind[i] = K.gpr8;
      out.reg[i] = rex === 0 && n >= 4 ? n + 12 : n;
    } else {
      out.kind[i] = K.gpr;
      out.reg[i] = n;
    }
  };

  const plain = (out: Decoded, i: number, operandKind: number, n: number, size: number): void => {
    out.kind[i] = operandKind;
    out.reg[i] = n;
    out.size[i] = size;
  };

  return (bytes, offset, limit, mode, out) => {
    b = bytes;
    p = offset;
    const clipped = offset + 15 > limit;
    end = clipped ? limit : offset + 15;
    short = false;
    rex = 0;
    const mode64 = mode === 64;
    const prefixes = mode64 ? PREFIX_64 : PREFIX_32;
    let segment = -1;
    let prefix66 = false;
    let prefix67 = false;
    let rep = 0;
    let lock = false;
    let op = 0;
    out.row = -1;
    for (;;) {
      if (p >= end) return finishShort(out, clipped);
      op = bytes[p++]!;
      const prefix = prefixes[op]!;
      if (prefix === Prefix.none) break;
      if (prefix === Prefix.rex) {
        rex = op;
        continue;
      }
      rex = 0;
      if (prefix === Prefix.operandSize) prefix66 = true;
      else if (prefix === Prefix.rep) rep = op;
      else if (prefix === Prefix.lock) lock = true;
      else if (prefix === Prefix.addressSize) prefix67 = true;
      else if (!mode64 || op >= 0x64) segment = SEGMENT_OF_PREFIX[op]!;
    }
    let at = op;
    if (op === 0x0f) {
      if (p >= end) return finishShort(out, clipped);
      op = bytes[p++]!;
      at = 256 + op;
      if (op === 0x38 || op === 0x3a) {
        if (p >= end) return finishShort(out, clipped);
        at = op === 0x38 ? 512 : 768;
        op = bytes[p++]!;
        at += op;
      }
    }
    const how = kind[at]!;
    let form = -1;
    if (how !== 0) {
      const cell = (mode64 ? 4 : 0) + (rep !== 0 ? (rep === 0xf3 ? 2 : 3) : prefix66 ? 1 : 0);
      if (how === 1) form = cells[cellBase[at]! + cell]!;
      else {
        if (p >= end) return finishShort(out, clipped);
        modrm = bytes[p]!;
        form = cells[cellBase[at]! + cell * 128 + (modrm >= 0xc0 ? modrm & 0x7f : modrm & 0x3f)]!;
      }
    }
    if (form < 0) return invalid(out, offset);
    if (rex & 9) {
      if (rex & 8 && withRexW[form]! >= 0) form = withRexW[form]!;
      if (rex & 1 && withRexB[form]! >= 0) form = withRexB[form]!;
    }
    const flags = FORM_FLAGS[form]!;
    if (flags & FormFlag.modrm) {
      if (p >= end) return finishShort(out, clipped);
      modrm = bytes[p++]!;
    }
    if (flags & FormFlag.operandSizePrefixTaken) prefix66 = false;
    const size64 = (rex & 8) !== 0 || (mode64 && ((flags & FormFlag.f64) !== 0 || ((flags & FormFlag.d64) !== 0 && !prefix66)));
    const wide = size64 ? 2 : prefix66 !== (mode === 16) ? 0 : 1;
    const sizes = (mode64 ? 4 : 0) + wide;
    out.operandSize = flags & FormFlag.byte ? 1 : 2 << wide;
    out.addressSize = mode64 ? (prefix67 ? 4 : 8) : prefix67 !== (mode === 16) ? 2 : 4;
    out.rep = flags & FormFlag.repPrefixTaken ? 0 : rep;
    out.lock = lock;
    out.segment = segment;
    out.cc = flags & FormFlag.cc ? op & 15 : -1;
    out.form = FORM_INDEX[form]!;
    out.base = -1;
    out.index = -1;
    out.scale = 0;
    out.dispLo = 0;
    out.dispHi = 0;
    out.ripRelative = false;
    out.immLo = 0;
    out.immHi = 0;
    out.imm2 = 0;
    const count = OPERAND_COUNT[form]!;
    out.count = count;
    let haveImmediate = false;
    for (let i = 0; i < count; i++) {
      const o = form * 4 + i;
      const size = SIZE_BYTES[OPERAND_SIZE[o]! * 8 + sizes]!;
      switch (OPERAND_CLASS[o]) {
        case C.G:
          register(out, i, ((modrm >> 3) & 7) | ((rex & 4) << 1), size);
          break;
        case C.E:
          if (modrm >= 0xc0) {
            register(out, i, (modrm & 7) | ((rex & 1) << 3), size);
            break;
          }
          memory(out, i, o, sizes, mode64);
          break;
        case C.M:
          memory(out, i, o, sizes, mode64);
          break;
        case C.I:
          out.kind[i] = K.immediate;
          out.size[i] = size;
          if (haveImmediate) {
            if (p >= end) short = true;
            else out.imm2 = b[p++]!;
          } else if (OPERAND_SIZE[o] === 5) immediate(out, size, true);
          else if (OPERAND_SIZE[o] === 6) {
            immediate(out, size, true);
            out.size[i] = 2 << wide;
          } else immediate(out, size, false);
          haveImmediate = true;
          break;
        case C.signedByte:
          out.kind[i] = K.immediate;
          out.size[i] = size;
          immediate(out, 1, true);
          break;
        case C.Z:
          register(out, i, (op & 7) | ((rex & 1) << 3), size);
          break;
        case C.J:
          out.kind[i] = K.relative;
          out.size[i] = size;
          immediate(out, size, true);
          break;
        case C.W:
          if (modrm >= 0xc0) plain(out, i, K.xmm, (modrm & 7) | ((rex & 1) << 3), size);
          else memory(out, i, o, sizes, mode64);
          break;
        case C.V:
          plain(out, i, K.xmm, ((modrm >> 3) & 7) | ((rex & 4) << 1), size);
          break;
        case C.fixedGpr:
          plain(out, i, size === 1 ? K.gpr8 : K.gpr, OPERAND_FIXED[o]!, size);
          break;
        case C.fixedOne:
          plain(out, i, K.immediate, 0, 1);
          out.immLo = 1;
          break;
        case C.R:
          register(out, i, (modrm & 7) | ((rex & 1) << 3), size);
          break;
        case C.U:
          plain(out, i, K.xmm, (modrm & 7) | ((rex & 1) << 3), size);
          break;
        case C.P:
          plain(out, i, K.mmx, (modrm >> 3) & 7, size);
          break;
        case C.Q:
          if (modrm >= 0xc0) plain(out, i, K.mmx, modrm & 7, size);
          else memory(out, i, o, sizes, mode64);
          break;
        case C.N:
          plain(out, i, K.mmx, modrm & 7, size);
          break;
        case C.T:
          plain(out, i, K.st, OPERAND_FIXED[o]! === 8 ? 0 : modrm & 7, 10);
          break;
        case C.string:
          plain(out, i, K.string, 0, size);
          break;
        case C.fixedSegment:
          plain(out, i, K.segment, OPERAND_FIXED[o]!, 2);
          break;
        case C.S: {
          const n = (modrm >> 3) & 7;
          // cs cannot be loaded with mov; 6 and 7 are no segments.
          if (n > 5 || (n === 1 && i === 0)) return invalid(out, offset);
          plain(out, i, K.segment, n, 2);
          break;
        }
        case C.C: {
          const n = ((modrm >> 3) & 7) | ((rex & 4) << 1);
          if (!((CONTROL_REGISTERS >> n) & 1)) return invalid(out, offset);
          plain(out, i, K.control, n, size);
          break;
        }
        case C.D:
          if (rex & 4) return invalid(out, offset);
          plain(out, i, K.debug, (modrm >> 3) & 7, size);
          break;
        case C.O:
          plain(out, i, K.memory, 0, size);
          offsetOperand(out);
          break;
        case C.A:
          plain(out, i, K.far, 0, size);
          immediate(out, size - 2, false);
          if (p + 2 > end) short = true;
          else {
            out.imm2 = b[p]! | (b[p + 1]! << 8);
            p += 2;
          }
          break;
        case C.address:
          register(out, i, ((modrm >> 3) & 7) | ((rex & 4) << 1), out.addressSize);
          break;
        case C.addressRm:
          register(out, i, (modrm & 7) | ((rex & 1) << 3), out.addressSize);
          break;
        default:
          throw new Error(`operand class ${OPERAND_CLASS[o]} is not decoded`);
      }
    }
    if (short) return finishShort(out, clipped);
    if (lock && ((flags & FormFlag.lock) === 0 || out.kind[0] !== K.memory)) return invalid(out, offset);
    out.length = p - offset;
    out.row = FORM_ROW[form]!;
    return 'ok';
  };

  function memory(out: Decoded, i: number, operand: number, sizes: number, mode64: boolean): void {
    out.kind[i] = K.memory;
    out.reg[i] = 0;
    out.size[i] = SIZE_BYTES[OPERAND_MEMORY_SIZE[operand]! * 8 + sizes]!;
    address(out, mode64);
  }

  /** A moffs operand: an absolute offset of the address size, not sign-extended. */
  function offsetOperand(out: Decoded): void {
    immediate(out, out.addressSize, false);
    out.dispLo = out.immLo;
    out.dispHi = out.immHi;
    out.immLo = 0;
    out.immHi = 0;
  }

  function invalid(out: Decoded, offset: number): DecodeStatus {
    out.length = p - offset;
    return 'invalid';
  }

  function finishShort(out: Decoded, clipped: boolean): DecodeStatus {
    out.length = 0;
    return clipped ? 'truncated' : 'too-long';
  }
}

/** The decoder that knows every feature of the table: for analysis and disassembly. */
export const decodeAny: Decode = makeDecoder(FEATURES);
