// Random single-instruction cases for the host-CPU oracle: encodings from the table, registers so that memory operands fall
// where something can happen (inside, across pages, read-only, unmapped, non-canonical).

import { DEFINITIONS } from '../../simulator/cpu/isa/all.ts';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { encodeRandom } from '../../x86/encode.ts';
import { ROWS } from '../../x86/rows.ts';
import { SSE_ROWS } from '../../x86/table/sse.table.ts';
import { SHIFTS, undefinedFlags } from '../../x86/table/undefined-flags.table.ts';
import { X87_ROWS } from '../../x86/table/x87.table.ts';
import { OperandKind as K } from '../../x86/types.ts';
import { CODE, DATA, GS_BASE, HOST, type NativeCase, READ_ONLY, START } from './host-cpu.ts';
import { NOT_COMPARED } from './not-compared.table.ts';

export const VECTOR_KEYS: ReadonlySet<string> = new Set(SSE_ROWS.map((r) => r.key));
/** With those of the general table that move the same state. */
export const X87_KEYS: ReadonlySet<string> = new Set([...X87_ROWS.map((r) => r.key), 'fxsave', 'fxrstor']);

export interface GeneratedCase extends NativeCase {
  readonly row: number;
  readonly form: number;
  /** Arithmetic flags that are undefined after it, as bits of rflags. */
  readonly undefined: number;
}

/** Rows that read the descriptor of a selector. */
const SELECTOR_KEYS = new Set(['lar', 'lsl', 'verr', 'verw']);
/** Null, the descriptors that Linux has for user mode and for itself, a task, no descriptor, beyond the table, a local table. */
const SELECTORS = [0, 1, 3, 0x23, 0x2b, 0x33, 0x20, 0x28, 0x30, 0x32, 0x10, 0x13, 0x18, 0x40, 0x48, 0x58, 0x83, 0xfffb, 7, 0xffff];

/** Whose rules for undefined flags hold here: AMD's were measured on one family. */
const FLAGS_OF = HOST.amd && HOST.family === 25 ? 'amd' : 'intel';
const FLAG_BITS: Record<string, number> = { o: 0x800, s: 0x80, z: 0x40, a: 0x10, p: 4, c: 1 };
const STACK = new Set(['push', 'pop', 'call', 'call-ind', 'ret', 'enter', 'leave', 'pushf', 'popf', 'pusha', 'popa']);
const STRINGS = new Set(['movs', 'stos', 'lods', 'cmps', 'scas']);
const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  1n << 63n,
  (1n << 64n) - 1n,
];

export class CaseMaker {
  private readonly random: () => number;
  private readonly decoded = newDecoded();

  constructor(random: () => number) {
    this.random = random;
  }
  private chance(percent: number): boolean {
    return this.random() % 100 < percent;
  }
  private wide(): bigint {
    return (BigInt(this.random()) << 32n) | BigInt(this.random());
  }
  private value(bits: 64 | 32): bigint {
    const kind = this.random() % 4;
    const v = kind === 0 ? EDGES[this.random() % EDGES.length]! : kind === 1 ? BigInt(this.random() % 300) : this.wide();
    return BigInt.asUintN(bits, v);
  }
  /** An address worth accessing. */
  private address(bits: 64 | 32): bigint {
    const n = this.random() % 100;
    const r = BigInt(this.random());
    if (n < 66) return DATA + 0x100n + (r % 0x1e00n);
    if (n < 80) return DATA + 0xff1n + (r % 16n);
    if (n < 85) return DATA + 0x1ff1n + (r % 16n);
    if (n < 90) return READ_ONLY + (r % 0x1010n);
    if (n < 94) return READ_ONLY - 8n + (r % 16n);
    if (n < 97) return DATA + 0x4000n + r;
    return bits === 64 ? this.wide() | (1n << 62n) : BigInt(this.random());
  }

  /** A case of this row and form; null when the table has none for the mode. */
  make(row: number, form: number, bits: 64 | 32): GeneratedCase | null {
    const { random } = this;
    const key = ROWS[row]!.key;
    const relative = new Set(['jcc', 'jmp', 'call', 'loop', 'loopz', 'loopnz', 'jcxz']).has(key);
    const limit = bits === 64 ? 16 : 8;
    const base = random() % limit;
    const withIndex = this.chance(40);
    let index = random() % limit;
    if (index === 4 || index === base) index = -1;
    const noBase = this.chance(4);
    const ripRelative = bits === 64 && this.chance(8);
    const small = this.chance(50) ? (random() << 24) >> 24 : random() | 0;
    const disp = noBase || ripRelative ? Number(DATA - (ripRelative ? START : 0n)) + (random() % 0x1ff0) : small;
    const address = { base: noBase ? -1 : base, index: withIndex && !ripRelative ? index : -1, scale: random() & 3, disp, ripRelative };
    const rep = STRINGS.has(key) && this.chance(60) ? (this.chance(50) ? 0xf3 : 0xf2) : 0;
    const lock = ROWS[row]!.lock === true && this.chance(15);
    const gs = bits === 64 && this.chance(5);
    const encoded = encodeRandom({
      row,
      form,
      mode: bits,
      random,
      memory: () => address,
      ...(relative
        ? { immediate: (bytes: number) => (bytes === 1 ? 2 + (random() % 120) : this.chance(80) ? 8 + (random() % 0x400) : random() | 1) }
        : {}),
      ...(lock ? { lock: true, rm: 'memory' as const } : {}),
      ...(rep ? { rep } : {}),
      ...(gs ? { segment: 5 } : {}),
    });
    if (!encoded) return null;
    const code = bits === 64 && !ripRelative && encoded.length < 14 && this.chance(3) ? Uint8Array.from([0x67, ...encoded]) : encoded;
    const d = this.decoded;
    if (decodeAny(code, 0, code.length, bits, d) !== 'ok') return null;

    const double = key === 'shld' || key === 'shrd';
    // With 16-bit operands and a count above 16 the result is undefined.
    if (double && d.operandSize === 2 && d.kind[2] === K.immediate && (d.immLo & 31) > 16) return null;

    const regs = Array.from({ length: 16 }, (_, i) => (i < limit ? this.value(bits) : 0n));
    regs[4] = DATA + 0x1000n + BigInt(random() % 0xe00);
    if (STACK.has(key) && this.chance(25)) regs[4] = BigInt.asUintN(bits, this.address(bits));
    if ((key === 'leave' || key === 'enter') && this.chance(90)) regs[5] = BigInt.asUintN(bits, this.address(bits));
    if (STRINGS.has(key)) {
      regs[6] = BigInt.asUintN(bits, this.address(bits));
      regs[7] = BigInt.asUintN(bits, this.address(bits));
      regs[1] = this.chance(90) ? BigInt(random() % 40) : BigInt(random() % 3000);
    }
    if (key === 'xlat') regs[3] = BigInt.asUintN(bits, this.address(bits));
    let memory = false;
    for (let i = 0; i < d.count; i++) memory ||= d.kind[i] === K.memory;
    if (memory && d.base >= 0 && this.chance(97)) {
      if (d.index >= 0) regs[d.index] = this.chance(80) ? BigInt(random() % 64) : regs[d.index]!;
      let target = this.address(bits);
      if (gs) target -= DATA + 0x800n;
      const offset = (d.index >= 0 ? regs[d.index]! << BigInt(d.scale) : 0n) + BigInt(d.dispLo);
      regs[d.base] = BigInt.asUintN(bits, target - offset);
      if (key === 'cmpxchg16b' && this.chance(80)) regs[d.base] = BigInt.asUintN(bits, regs[d.base]! - ((target - (gs ? 0n : 0n)) & 15n));
    }
    if (d.kind[0] === K.gpr && (key === 'jmp-ind' || key === 'call-ind') && this.chance(60))
      regs[d.reg[0]!] = CODE + 0x900n + BigInt(random() % 0x600);
    if (SHIFTS.has(key) && this.chance(70)) regs[1] = (regs[1]! & ~0xffn) | BigInt(random() % 70);
    if (double && d.operandSize === 2) regs[1] = (regs[1]! & ~0xffn) | BigInt(random() % 17);
    const pokes: [number, bigint][] = [];
    if (SELECTOR_KEYS.has(key)) {
      const selector = BigInt(SELECTORS[random() % SELECTORS.length]!);
      const source = d.count - 1;
      if (d.kind[source] === K.gpr) regs[d.reg[source]!] = (regs[d.reg[source]!]! & ~0xffffn) | selector;
      else if (d.base >= 0) {
        const offset = (d.index >= 0 ? regs[d.index]! << BigInt(d.scale) : 0n) + BigInt(d.dispLo) + (gs ? GS_BASE : 0n);
        const at = BigInt.asUintN(bits, regs[d.base]! + offset) - DATA;
        if (at >= 0n && at < 0x1ff0n) pokes.push([Number(at), (this.wide() & ~0xffffn) | selector]);
      }
    }
    if (regs[4]! >= DATA && regs[4]! < DATA + 0x1ff0n) {
      // Flags on the stack: without TF, AC, NT and the identification flag (which the operating system keeps).
      if (key === 'popf') pokes.push([Number(regs[4]! - DATA), this.wide() & 0xed7n]);
      if (key === 'ret') pokes.push([Number(regs[4]! - DATA), this.chance(70) ? CODE + 0xa00n + BigInt(random() % 0x400) : this.wide()]);
    }
    if (key === 'popf' && pokes.length === 0) return null;
    if (memory && (key === 'jmp-ind' || key === 'call-ind') && d.base >= 0 && !gs) {
      const at = BigInt.asUintN(bits, regs[d.base]! + (d.index >= 0 ? regs[d.index]! << BigInt(d.scale) : 0n) + BigInt(d.dispLo)) - DATA;
      if (at >= 0n && at < 0x1ff0n) pokes.push([Number(at), CODE + 0xa00n + BigInt(random() % 0x400)]);
    }
    const flags = 0x202 | (random() & 0xcd5);
    return { bits, code, regs, flags, pokes, row, form, undefined: this.undefinedFlags(key, regs[1]!) };
  }

  /** What the table leaves undefined, sharpened for shifts: a count of 1 defines o, a count of 0 changes nothing. */
  private undefinedFlags(key: string, rcx: bigint): number {
    let bits = 0;
    for (const letter of undefinedFlags(this.decoded.row, FLAGS_OF)) bits |= FLAG_BITS[letter] ?? 0;
    if (!SHIFTS.has(key)) return bits;
    const d = this.decoded;
    const last = d.count - 1;
    const raw = d.kind[last] === K.immediate ? d.immLo : Number(rcx & 0xffn);
    const count = raw & (d.operandSize === 8 ? 63 : 31);
    if (count === 0) return 0;
    if (count === 1) return bits & ~FLAG_BITS.o!;
    // Counts beyond the operand leave carry undefined too, but on AMD's.
    return count > 8 * d.operandSize && FLAGS_OF === 'intel' ? bits | FLAG_BITS.c! : bits;
  }
}

/** Rows and forms that have a body and can be compared. */
export function comparableForms(bits: 64 | 32): { row: number; form: number }[] {
  const out: { row: number; form: number }[] = [];
  ROWS.forEach((r, row) => {
    // MMX, SSE and x87 are compared with their registers, by sse.test.ts and x87.test.ts.
    if (!DEFINITIONS.has(r.key) || NOT_COMPARED.has(r.key) || r.feature !== undefined || VECTOR_KEYS.has(r.key) || X87_KEYS.has(r.key))
      return;
    if (r.mode !== undefined && r.mode !== String(bits)) return;
    r.enc.forEach((enc, form) => {
      if (enc.endsWith(bits === 64 ? ' m32' : ' m64')) return;
      out.push({ row, form });
    });
  });
  return out;
}
