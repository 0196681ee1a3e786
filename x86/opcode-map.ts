// Builds the decoder's lookup tables from the `enc` column: (map, opcode, mode, prefix, ModRM) to form, as typed arrays.

import { type Encoding, OperandClass, parseEncoding } from './encoding.ts';
import { ROWS } from './rows.ts';

/** One entry per encoding string of every row; `enc` order within a row. */
export interface Form {
  readonly row: number;
  readonly index: number;
  readonly encoding: Encoding;
  readonly modes: readonly (0 | 1)[];
}

export const FORMS: readonly Form[] = ROWS.flatMap((row, rowIndex) =>
  row.enc.map((enc, index) => {
    const encoding = parseEncoding(enc);
    const mode = row.mode ?? encoding.mode;
    return { row: rowIndex, index, encoding, modes: mode === '64' ? [1] : mode === '32' ? [0] : [0, 1] } satisfies Form;
  }),
);

export const FormFlag = { modrm: 1, d64: 2, f64: 4, lock: 8, cc: 16, byte: 32, operandSizePrefixTaken: 64, repPrefixTaken: 128 } as const;

/** Column order of the prefix dimension. */
const PREFIX_COLUMNS = ['none', '66', 'f3', 'f2'] as const;

export interface OpcodeTables {
  /** By map * 256 + opcode: 0 nothing there, 1 decided by mode and prefix (8 cells), 2 also by ModRM (8 * 128 cells). */
  readonly kind: Uint8Array;
  /** By map * 256 + opcode: where its cells begin. */
  readonly base: Int32Array;
  /** Form number, or -1. Index: base + (mode64 * 4 + prefix column) [* 128 + ModRM cell]. */
  readonly cells: Int16Array;
  /** By form: the form to take instead with REX.W or REX.B, or -1. */
  readonly withRexW: Int16Array;
  readonly withRexB: Int16Array;
}

/** Cell of a ModRM byte: 0..63 memory (reg, rm), 64..127 register. */
export const modrmCell = (modrm: number): number => (modrm >= 0xc0 ? modrm & 0x7f : modrm & 0x3f);

const acceptsPrefix = (e: Encoding, column: number): boolean => {
  switch (e.prefix) {
    case 'any':
      return true;
    case 'np':
      return column === 0;
    case 'nf':
      return column <= 1;
    default:
      return PREFIX_COLUMNS[column] === e.prefix;
  }
};

const acceptsModrm = (e: Encoding, cell: number): boolean => {
  const isRegister = cell >= 64;
  if (e.fixedModrm >= 0) return isRegister && modrmCell(e.fixedModrm) === cell;
  if (e.rm !== 'both' && (e.rm === 'r') !== isRegister) return false;
  return e.digit < 0 || ((cell >> 3) & 7) === e.digit;
};

/** The more it asks for, the earlier it is chosen. */
const specificity = (e: Encoding): number =>
  (e.prefix === 'any' ? 0 : e.prefix === 'np' || e.prefix === 'nf' ? 50 : 100) +
  (e.fixedModrm >= 0 ? 30 : 0) +
  (e.digit >= 0 ? 10 : 0) +
  (e.rm === 'both' ? 0 : 5) +
  (e.span === 1 ? 1 : 0);

function choose(candidates: readonly number[], where: string): number {
  let best = -1;
  let bestScore = -1;
  for (const form of candidates) {
    const score = specificity(FORMS[form]!.encoding);
    if (score === bestScore) throw new Error(`${where}: '${name(best)}' and '${name(form)}' are the same encoding`);
    if (score > bestScore) {
      best = form;
      bestScore = score;
    }
  }
  return best;
}

const name = (form: number): string => ROWS[FORMS[form]!.row]!.enc[FORMS[form]!.index]!;

const isSpecial = (form: number): boolean => FORMS[form]!.encoding.rexW || FORMS[form]!.encoding.rexB;

/** Builds the tables of a processor with these features; rows that need another feature do not exist for it. */
export function buildOpcodeTables(features: ReadonlySet<string>): OpcodeTables {
  const byOpcode: number[][] = Array.from({ length: 1024 }, () => []);
  FORMS.forEach((form, number) => {
    const feature = ROWS[form.row]!.feature;
    if (feature !== undefined && !features.has(feature)) return;
    for (let i = 0; i < form.encoding.span; i++) byOpcode[form.encoding.map * 256 + form.encoding.opcode + i]!.push(number);
  });
  const kind = new Uint8Array(1024);
  const base = new Int32Array(1024);
  const withRexW = new Int16Array(FORMS.length).fill(-1);
  const withRexB = new Int16Array(FORMS.length).fill(-1);
  const cells: number[] = [];
  byOpcode.forEach((numbers, at) => {
    if (numbers.length === 0) return;
    const byModrm = numbers.some((n) => {
      const e = FORMS[n]!.encoding;
      return e.fixedModrm >= 0 || e.digit >= 0 || e.rm !== 'both';
    });
    kind[at] = byModrm ? 2 : 1;
    base[at] = cells.length;
    for (const mode of [0, 1] as const)
      for (let column = 0; column < 4; column++) {
        const here = numbers.filter((n) => FORMS[n]!.modes.includes(mode) && acceptsPrefix(FORMS[n]!.encoding, column));
        const where = `opcode ${at.toString(16)} mode ${mode} prefix ${PREFIX_COLUMNS[column]}`;
        const decide = (fits: readonly number[]): number => {
          const chosen = choose(
            fits.filter((n) => !isSpecial(n)),
            where,
          );
          if (chosen >= 0) for (const n of fits) if (isSpecial(n)) (FORMS[n]!.encoding.rexW ? withRexW : withRexB)[chosen] = n;
          return chosen;
        };
        if (!byModrm) {
          cells.push(here.length === 0 ? -1 : decide(here));
          continue;
        }
        // Eight cells share ModRM.mod and reg; they differ only where a whole ModRM byte is opcode.
        const fixed = here.some((n) => FORMS[n]!.encoding.fixedModrm >= 0);
        for (let row = 0; row < 128; row += 8) {
          const each = fixed && row >= 64;
          let chosen = -1;
          for (let cell = row; cell < row + 8; cell++) {
            if (each || cell === row) {
              const fits = here.filter((n) => acceptsModrm(FORMS[n]!.encoding, cell));
              chosen = fits.length === 0 ? -1 : decide(fits);
            }
            cells.push(chosen);
          }
        }
      }
  });
  return { kind, base, cells: Int16Array.from(cells), withRexW, withRexB };
}

/** Is this a form on bytes? Decided by its first register or memory operand. */
function isByteForm(e: Encoding): boolean {
  const sized = e.operands.find(
    (o) => o.size !== 0 && o.cls !== OperandClass.I && o.cls !== OperandClass.J && !(o.cls === OperandClass.fixedGpr && o.fixed === 2),
  );
  return sized !== undefined && sized.size === 1 && sized.memorySize <= 1 && sized.cls !== OperandClass.fixedOne;
}

/** By form: FormFlag bits. */
export const FORM_FLAGS: Uint8Array = Uint8Array.from(FORMS, ({ row, encoding: e }) => {
  const r = ROWS[row]!;
  return (
    (e.hasModrm ? FormFlag.modrm : 0) |
    (r.d64 ? FormFlag.d64 : 0) |
    (r.f64 ? FormFlag.f64 : 0) |
    (r.lock ? FormFlag.lock : 0) |
    (e.span === 16 ? FormFlag.cc : 0) |
    (isByteForm(e) ? FormFlag.byte : 0) |
    (e.prefix === '66' ? FormFlag.operandSizePrefixTaken : 0) |
    (e.prefix === 'f2' || e.prefix === 'f3' ? FormFlag.repPrefixTaken : 0)
  );
});

const column = (pick: (o: Encoding['operands'][number]) => number): Uint8Array => {
  const out = new Uint8Array(FORMS.length * 4);
  FORMS.forEach((form, n) => {
    form.encoding.operands.forEach((o, i) => {
      out[n * 4 + i] = pick(o);
    });
  });
  return out;
};
/** By form * 4 + operand number. */
export const OPERAND_CLASS = column((o) => o.cls);
export const OPERAND_SIZE = column((o) => o.size);
export const OPERAND_MEMORY_SIZE = column((o) => o.memorySize);
export const OPERAND_FIXED = column((o) => o.fixed);
export const OPERAND_COUNT: Uint8Array = Uint8Array.from(FORMS, (f) => f.encoding.operands.length);
export const FORM_ROW: Int16Array = Int16Array.from(FORMS, (f) => f.row);
export const FORM_INDEX: Uint8Array = Uint8Array.from(FORMS, (f) => f.index);

/** By size code * 8 + mode64 * 4 + (operand size 2: 0, 4: 1, 8: 2): size in bytes. */
export const SIZE_BYTES: Uint8Array = (() => {
  const table = new Uint8Array(14 * 8);
  for (const mode64 of [0, 1])
    [2, 4, 8].forEach((v, i) => {
      const n = mode64 ? 8 : 4;
      const sizes = [0, 1, 2, 4, 8, v, Math.min(v, 4), v === 8 ? 8 : 4, n, v + 2, n + 2, 2 * v, 10, 16];
      sizes.forEach((bytes, code) => {
        table[code * 8 + mode64 * 4 + i] = bytes;
      });
    });
  return table;
})();
