// An assembler of valid encodings picked from the table at random, for fuzzing: the caller fixes what matters to it and supplies the
// random numbers, so that a seed repeats a run.

import { decodeAny, newDecoded } from './decode.ts';
import { OperandClass as C, type Encoding, type OperandCode } from './encoding.ts';
import { FORMS } from './opcode-map.ts';
import { ROWS } from './rows.ts';

/** Address of a memory operand. base, index: general register or -1; scale: shift 0..3; disp: signed 32 bits. */
export interface EncodedAddress {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly disp: number;
  readonly ripRelative?: boolean;
}

export interface EncodeRequest {
  /** Index in ROWS, and in the row's `enc`. */
  readonly row: number;
  readonly form: number;
  readonly mode: 64 | 32;
  /** Uniform unsigned 32-bit numbers. */
  readonly random: () => number;
  /** Operand size in bytes of v forms; any that the mode has unless given. */
  readonly operandSize?: 2 | 4 | 8;
  /** General registers to choose from (default all of the mode); ah..bh may stand for 0..3. */
  readonly registers?: readonly number[];
  /** For r/m operands; either unless given. */
  readonly rm?: 'register' | 'memory';
  /** Chooses the address; default: any base and index, any displacement. */
  readonly memory?: (random: () => number) => EncodedAddress;
  /** An immediate, branch displacement or moffs of `bytes` bytes: its low 32 bits (sign-extended) or a [low, high] pair; default: corner
   * values and random ones. */
  readonly immediate?: (bytes: number, random: () => number) => number | readonly [lo: number, hi: number];
  readonly lock?: boolean;
  /** A rep prefix that is not part of the opcode: 0xf2 or 0xf3. */
  readonly rep?: number;
  /** Segment prefix 0..5. */
  readonly segment?: number;
  /** Condition code of a cc row; any unless given. */
  readonly cc?: number;
}

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const CORNERS = [0, 1, 2, -1, -2, 0x7f, -0x80, 0xff, 0x7fff, -0x8000, 0x7fffffff, -0x80000000, 31, 32, 33, 63, 64];

const pick = <T>(list: readonly T[], random: () => number): T => list[random() % list.length]!;
const cornerOrRandom = (bytes: number, random: () => number): number | readonly [number, number] =>
  random() & 1 ? pick(CORNERS, random) : bytes === 8 ? [random() | 0, random() | 0] : random() | 0;

const anyAddress =
  (registers: readonly number[]) =>
  (random: () => number): EncodedAddress => {
    const indexes = registers.filter((r) => r !== 4);
    return {
      base: pick(registers, random),
      index: random() & 1 ? pick(indexes, random) : -1,
      scale: random() & 3,
      disp: [0, (random() << 24) >> 24, random() | 0][random() % 3]!,
    };
  };

const little = (value: number | readonly [number, number], bytes: number): number[] => {
  const [lo, hi] = typeof value === 'number' ? [value, value >> 31] : value;
  return Array.from({ length: bytes }, (_, i) => ((i < 4 ? lo : hi) >>> (8 * (i & 3))) & 255);
};

/** The bytes of ModRM.mod, rm, SIB and displacement for an address; rex collects X and B. */
function addressBytes(a: EncodedAddress, reg: number, rex: { bits: number }, mode: 64 | 32): number[] {
  if (a.ripRelative) return [reg | 5, ...little(a.disp, 4)];
  if (a.base < 0 && a.index < 0 && mode === 32) return [reg | 5, ...little(a.disp, 4)];
  if (a.base >= 8) rex.bits |= 1;
  if (a.index >= 8) rex.bits |= 2;
  const needsSib = a.index >= 0 || a.base < 0 || (a.base & 7) === 4;
  const sib = needsSib ? [(a.scale << 6) | ((a.index < 0 ? 4 : a.index & 7) << 3) | (a.base < 0 ? 5 : a.base & 7)] : [];
  const rm = needsSib ? 4 : a.base & 7;
  if (a.base < 0) return [reg | rm, ...sib, ...little(a.disp, 4)];
  if (a.disp === 0 && (a.base & 7) !== 5) return [reg | rm, ...sib];
  if (a.disp >= -128 && a.disp <= 127) return [0x40 | reg | rm, ...sib, ...little(a.disp, 1)];
  return [0x80 | reg | rm, ...sib, ...little(a.disp, 4)];
}

/** Which of the ModRM or opcode fields an operand class fills. */
const IN_REG: readonly number[] = [C.G, C.V, C.P, C.S, C.C, C.D, C.address];
const IN_RM: readonly number[] = [C.E, C.M, C.R, C.W, C.U, C.Q, C.N, C.T, C.addressRm];

function assemble(r: EncodeRequest, e: Encoding): number[] | undefined {
  const { random, mode } = r;
  const row = ROWS[r.row]!;
  const long = mode === 64;
  const registers = r.registers ?? Array.from({ length: long ? 16 : 8 }, (_, i) => i);
  const rex = { bits: e.rexW ? 8 : e.rexB ? 1 : 0 };
  let needsRex = false;
  let highByte = false;
  const sizes: readonly number[] = long ? (row.f64 ? [8] : row.d64 ? [2, 8] : [2, 4, 8]) : [2, 4];
  const usesSize = e.operands.some((o) => ['v', 'z', 'y', 'p', 'a'].includes('.bwdqvzynpsatx'[o.size]!)) || e.operands.length === 0;
  const wanted = r.operandSize ?? pick(sizes, random);
  if (!sizes.includes(wanted) && usesSize) return undefined;
  const noSizePrefix = e.prefix !== 'any' && e.prefix !== 'nf' && e.prefix !== 'f2' && e.prefix !== 'f3';
  const size = usesSize || r.operandSize ? wanted : long && row.d64 ? 8 : 4;
  if (noSizePrefix && size === 2) return undefined;
  if (size === 8 && !row.f64 && !row.d64) rex.bits |= 8;

  const general = (o: OperandCode): number => {
    const n = pick(registers, random);
    if (o.size !== 1) return n;
    if (n < 4 && random() % 4 === 0) {
      highByte = true;
      return n + 4;
    }
    if (n >= 4 && n < 8) {
      if (!long) return n & 3;
      needsRex = true;
    }
    return n;
  };
  const numberOf = (o: OperandCode): number => {
    switch (o.cls) {
      case C.V:
      case C.W:
      case C.U:
        return random() % (long ? 16 : 8);
      case C.P:
      case C.Q:
      case C.N:
      case C.T:
      case C.D:
        return random() % 8;
      case C.S:
        return pick(e.operands[0] === o ? [0, 2, 3, 4, 5] : [0, 1, 2, 3, 4, 5], random);
      case C.C:
        return pick(long ? [0, 2, 3, 4, 8] : [0, 2, 3, 4], random);
      default:
        return general(o);
    }
  };

  let modrm: number[] = [];
  if (e.fixedModrm >= 0) modrm = [e.fixedModrm];
  else if (e.hasModrm) {
    const regOperand = e.operands.find((o) => IN_REG.includes(o.cls));
    const rmOperand = e.operands.find((o) => IN_RM.includes(o.cls));
    const regNumber = e.digit >= 0 ? e.digit : regOperand ? numberOf(regOperand) : random() & 7;
    if (regNumber >= 8) rex.bits |= 4;
    const reg = (regNumber & 7) << 3;
    const asMemory =
      e.rm === 'm' || (e.rm === 'both' && rmOperand?.cls !== C.R && (r.rm ?? pick(['register', 'memory'] as const, random)) === 'memory');
    if ((r.rm === 'register' && e.rm === 'm') || (r.rm === 'memory' && !asMemory)) return undefined;
    if (asMemory) modrm = addressBytes((r.memory ?? anyAddress(registers))(random), reg, rex, mode);
    else {
      const n = rmOperand ? numberOf(rmOperand) : random() & 7;
      if (n >= 8) rex.bits |= 1;
      modrm = [0xc0 | reg | (n & 7)];
    }
  }
  let opcode = e.opcode;
  if (e.span === 16) opcode += r.cc ?? random() % 16;
  else if (e.span === 8) {
    const z = e.operands.find((o) => o.cls === C.Z);
    const n = z ? general(z) : random() & 7;
    if (n >= 8) rex.bits |= 1;
    opcode += n & 7;
  }
  // With a REX prefix 4..7 would mean spl..dil instead of ah..bh.
  if (highByte && (rex.bits !== 0 || needsRex)) return undefined;

  const immediate = r.immediate ?? cornerOrRandom;
  const tail: number[] = [];
  for (const o of e.operands) {
    const letter = '.bwdqvzynpsatx'[o.size];
    const bytes =
      letter === 'b' ? 1 : letter === 'w' ? 2 : letter === 'v' ? size : letter === 'p' ? (size === 2 ? 4 : 6) : size === 2 ? 2 : 4;
    if (o.cls === C.I || o.cls === C.J || o.cls === C.A) tail.push(...little(immediate(bytes, random), bytes));
    else if (o.cls === C.signedByte) tail.push(...little(immediate(1, random), 1));
    else if (o.cls === C.O) tail.push(...little(immediate(long ? 8 : 4, random), long ? 8 : 4));
  }
  const mandatory = e.prefix === '66' || e.prefix === 'f2' || e.prefix === 'f3' ? Number.parseInt(e.prefix, 16) : 0;
  return [
    ...(r.segment === undefined ? [] : [SEGMENT_PREFIX[r.segment]!]),
    ...(r.lock ? [0xf0] : []),
    ...(size === 2 ? [0x66] : []),
    ...(r.rep ? [r.rep] : []),
    ...(mandatory ? [mandatory] : []),
    ...(rex.bits || needsRex ? [0x40 | rex.bits] : []),
    ...(e.map === 0 ? [] : e.map === 1 ? [0x0f] : e.map === 2 ? [0x0f, 0x38] : [0x0f, 0x3a]),
    opcode,
    ...modrm,
    ...tail,
  ];
}

const ATTEMPTS = 64;
const firstForm = new Map<number, number>();
FORMS.forEach((form, n) => {
  if (form.index === 0) firstForm.set(form.row, n);
});

/**
 * Bytes that decode (with every feature) to this row and form, or undefined when the request cannot be met: a form that the mode does
 * not have, a register operand asked of a memory form, an operand size that the form has not.
 */
export function encodeRandom(request: EncodeRequest): Uint8Array | undefined {
  const form = FORMS[firstForm.get(request.row)! + request.form];
  if (!form || form.row !== request.row) throw new Error(`row ${request.row} has no form ${request.form}`);
  if (!form.modes.includes(request.mode === 64 ? 1 : 0) || (request.mode === 32 && request.operandSize === 8)) return undefined;
  const out = newDecoded();
  for (let i = 0; i < ATTEMPTS; i++) {
    const list = assemble(request, form.encoding);
    if (!list || list.length > 15) continue;
    const bytes = Uint8Array.from(list);
    if (decodeAny(bytes, 0, bytes.length, request.mode, out) !== 'ok') continue;
    if (out.row === request.row && out.form === request.form && out.length === bytes.length) return bytes;
  }
  return undefined;
}

/** A repeatable source of unsigned 32-bit numbers (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}
