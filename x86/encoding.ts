// Reads the `enc` column: one encoding string to opcode map, prefixes, ModRM conditions and operands.

/** Opcode maps: one-byte, 0f, 0f 38, 0f 3a. */
export type OpcodeMap = 0 | 1 | 2 | 3;
export type PrefixRule = 'any' | 'np' | 'nf' | '66' | 'f3' | 'f2';

/** What an operand is decoded from. `fixed` operands are named by the encoding, not by bits. */
export const OperandClass = {
  none: 0,
  E: 1,
  G: 2,
  M: 3,
  R: 4,
  I: 5,
  J: 6,
  Z: 7,
  S: 8,
  C: 9,
  D: 10,
  O: 11,
  string: 12,
  A: 13,
  V: 14,
  W: 15,
  U: 16,
  P: 17,
  Q: 18,
  N: 19,
  T: 20,
  fixedGpr: 21,
  fixedOne: 22,
  fixedSegment: 23,
  signedByte: 24,
  address: 25,
  addressRm: 26,
} as const;

/** Size letters of the operand notation, by code. */
export const SIZE_LETTERS = ['', 'b', 'w', 'd', 'q', 'v', 'z', 'y', 'n', 'p', 's', 'a', 't', 'x'] as const;

export interface OperandCode {
  readonly cls: number;
  /** Size code (index into SIZE_LETTERS) as a register, and as a memory operand. */
  readonly size: number;
  readonly memorySize: number;
  /** Register number of a fixed operand. */
  readonly fixed: number;
}

export interface Encoding {
  readonly map: OpcodeMap;
  readonly opcode: number;
  readonly prefix: PrefixRule;
  /** 8 for '+r', 16 for '+cc', else 1: how many opcodes it takes. */
  readonly span: 1 | 8 | 16;
  readonly hasModrm: boolean;
  /** ModRM.reg as opcode extension, -1 none. */
  readonly digit: number;
  /** The whole ModRM byte is opcode, -1 none. */
  readonly fixedModrm: number;
  /** Form for a register (`r`) or memory (`m`) in ModRM.rm only. */
  readonly rm: 'both' | 'r' | 'm';
  readonly rexW: boolean;
  readonly rexB: boolean;
  readonly mode: '64' | '32' | undefined;
  readonly operands: readonly OperandCode[];
}

const FIXED: Readonly<Record<string, readonly [cls: number, size: string, reg: number]>> = {
  AL: [OperandClass.fixedGpr, 'b', 0],
  CL: [OperandClass.fixedGpr, 'b', 1],
  DX: [OperandClass.fixedGpr, 'w', 2],
  AX: [OperandClass.fixedGpr, 'w', 0],
  eAX: [OperandClass.fixedGpr, 'z', 0],
  rAX: [OperandClass.fixedGpr, 'v', 0],
  '1': [OperandClass.fixedOne, 'b', 0],
  ES: [OperandClass.fixedSegment, 'w', 0],
  CS: [OperandClass.fixedSegment, 'w', 1],
  SS: [OperandClass.fixedSegment, 'w', 2],
  DS: [OperandClass.fixedSegment, 'w', 3],
  FS: [OperandClass.fixedSegment, 'w', 4],
  GS: [OperandClass.fixedSegment, 'w', 5],
  ST: [OperandClass.T, '', 8],
  Ibs: [OperandClass.signedByte, 'v', 0],
  Ga: [OperandClass.address, '', 0],
  Ra: [OperandClass.addressRm, '', 0],
};
const LETTERS: Readonly<Record<string, number>> = {
  E: OperandClass.E,
  G: OperandClass.G,
  M: OperandClass.M,
  R: OperandClass.R,
  I: OperandClass.I,
  J: OperandClass.J,
  Z: OperandClass.Z,
  S: OperandClass.S,
  C: OperandClass.C,
  D: OperandClass.D,
  O: OperandClass.O,
  X: OperandClass.string,
  Y: OperandClass.string,
  A: OperandClass.A,
  V: OperandClass.V,
  W: OperandClass.W,
  U: OperandClass.U,
  P: OperandClass.P,
  Q: OperandClass.Q,
  N: OperandClass.N,
  T: OperandClass.T,
};
const IN_MODRM = 'EGMRSCDVWUPQN';

const sizeCode = (letter: string, enc: string): number => {
  const code = SIZE_LETTERS.indexOf(letter as (typeof SIZE_LETTERS)[number]);
  if (code < 0) throw new Error(`unknown operand size '${letter}' in encoding '${enc}'`);
  return code;
};

function parseOperand(spec: string, enc: string): OperandCode {
  const fixed = FIXED[spec];
  if (fixed) return { cls: fixed[0], size: sizeCode(fixed[1], enc), memorySize: 0, fixed: fixed[2] };
  const [register, memory] = spec.split('/');
  if (memory !== undefined)
    return {
      cls: register![0] === 'U' ? OperandClass.W : OperandClass.E,
      size: sizeCode(register!.slice(1), enc),
      memorySize: sizeCode(memory.slice(1), enc),
      fixed: 0,
    };
  const cls = LETTERS[spec[0]!];
  if (cls === undefined) throw new Error(`unknown operand '${spec}' in encoding '${enc}'`);
  const size = sizeCode(spec.slice(1), enc);
  return { cls, size, memorySize: size, fixed: 0 };
}

/** Reads one string of the `enc` column; throws on a malformed one (a bug of the table). */
export function parseEncoding(enc: string): Encoding {
  const words = enc.split(' ');
  let at = 0;
  const take = (...names: string[]) => (names.includes(words[at] ?? '') ? words[at++] : undefined);
  const rex = take('w1', 'b1');
  const prefix = (take('np', 'nf', '66', 'f3', 'f2') ?? 'any') as PrefixRule;
  let map: OpcodeMap = 0;
  if (words[at] === '0f') {
    at++;
    map = 1;
    if (words[at] === '38' || words[at] === '3a') map = words[at++] === '38' ? 2 : 3;
  }
  const opcodeWord = /^([0-9a-f]{2})(\+r|\+cc)?$/.exec(words[at++] ?? '');
  if (!opcodeWord) throw new Error(`no opcode in encoding '${enc}'`);
  let digit = -1;
  let fixedModrm = -1;
  let rm: Encoding['rm'] = 'both';
  let hasModrm = false;
  if (/^[0-9a-f]{2}$/.test(words[at] ?? '')) {
    fixedModrm = Number.parseInt(words[at++]!, 16);
    hasModrm = true;
  } else if (words[at]?.startsWith('/')) {
    const [, kind, only] = /^\/([r0-7])([rm]?)$/.exec(words[at++]!) ?? [];
    if (!kind) throw new Error(`bad ModRM notation in encoding '${enc}'`);
    hasModrm = true;
    if (kind !== 'r') digit = Number(kind);
    if (only) rm = only as 'r' | 'm';
  }
  const specs = words[at] !== undefined && !/^m(32|64)$/.test(words[at]!) ? words[at++]!.split(',') : [];
  const mode = take('m32', 'm64')?.slice(1) as '64' | '32' | undefined;
  if (at !== words.length) throw new Error(`cannot read '${words[at]}' in encoding '${enc}'`);
  for (const spec of specs) {
    if (!FIXED[spec] && IN_MODRM.includes(spec[0]!) && !hasModrm)
      throw new Error(`operand '${spec}' needs a ModRM byte in encoding '${enc}'`);
    if (spec.includes('/')) continue;
    if (spec[0] === 'M') rm = 'm';
    else if ('RUNT'.includes(spec[0]!)) rm = rm === 'm' ? rm : 'r';
  }
  // Moves to and from control and debug registers take any ModRM.mod as 3.
  if (specs.some((s) => /^[CD]n$/.test(s))) rm = 'both';
  return {
    map,
    opcode: Number.parseInt(opcodeWord[1]!, 16),
    prefix,
    span: opcodeWord[2] === '+r' ? 8 : opcodeWord[2] === '+cc' ? 16 : 1,
    hasModrm,
    digit,
    fixedModrm,
    rm,
    rexW: rex === 'w1',
    rexB: rex === 'b1',
    mode,
    operands: specs.map((s) => parseOperand(s, enc)),
  };
}
