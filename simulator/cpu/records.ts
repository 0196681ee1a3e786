// Writes decoded instructions as 32-byte records for tier 0: handler number, register offsets, address parts, immediate, next
// address. An address that the plain form cannot express is computed by a record of its own before the instruction.

import { ROWS } from '../../x86/rows.ts';
import { SSE_ROWS } from '../../x86/table/sse.table.ts';
import { X87_ROWS } from '../../x86/table/x87.table.ts';
import { type Decoded, OperandKind as K } from '../../x86/types.ts';
import type { Core } from './core.ts';
import { bitsOf } from './core.ts';
import { DEFINITIONS } from './isa/all.ts';
import type { Definition } from './isa/definitions.ts';
import * as L from './layout.ts';
import { type CaseList, FixedCase } from './tier0/cases.ts';

/** A copy of what a TypeScript body needs of its instruction. */
export interface RareInstruction {
  readonly key: string;
  readonly name: string;
  readonly d: Decoded;
  readonly length: number;
}

/** Decoding mode: 64-bit, 32-bit with flat segments, 32-bit with others, and with a code segment that is not flat. */
export type DecodeMode = 0 | 1 | 2 | 3;

/** What the block builder does after an instruction. `repeated`: it ends the block if it has a rep prefix. */
export const After = { goesOn: 0, ends: 1, leaves: 2, repeated: 3 } as const;

/** A row of the instruction table, with what is asked for every instruction decoded as plain numbers. */
interface RowInfo {
  readonly definition: Definition | null;
  readonly index: number;
  readonly key: string;
  readonly after: number;
  /** Which body runs depends on more than the operands' kinds and sizes. */
  readonly special: boolean;
  readonly bitString: boolean;
  readonly lea: boolean;
  /** `pop`, whose memory form is a row of its own here. */
  readonly pop: boolean;
  /** The operand size is the size of the counter register. */
  readonly counter: boolean;
  /** Operand sizes, each a power of two, in one number; the first of them. */
  readonly widths: number;
  readonly width: number;
  /** Size of the source; -1: that of the second operand. */
  readonly source: number;
  readonly conditional: boolean;
  readonly vector: boolean;
}

const SS = 2;
const DS = 3;
const FS = 4;
const ZERO = 8 * L.ZERO_REG;
/** Rows whose counter register follows the address size. */
const COUNTER_ROWS = new Set(['jcxz', 'loop', 'loopz', 'loopnz']);

/** Rows that raise #NM while the floating-point unit is disabled. */
const FPU_ROWS: ReadonlySet<string> = new Set([...X87_ROWS, ...SSE_ROWS].map((row) => row.key));
/** Rows with encodings that not every model has. */
const MODEL_ROWS: ReadonlySet<string> = new Set(['nop', 'pextrw']);
const BIT_STRING_ROWS = new Set(['bt', 'bts', 'btr', 'btc']);

/** Operand kinds as shapeCode() numbers them; a kind that no case has is NO_SHAPE. */
const NO_SHAPE = 255;
const SHAPES = new Uint8Array(256).fill(NO_SHAPE);
SHAPES[K.gpr] = SHAPES[K.gpr8] = 1;
SHAPES[K.memory] = 2;
SHAPES[K.immediate] = 3;
SHAPES[K.xmm] = 4;
SHAPES[K.mmx] = 5;
SHAPES[K.relative] = 0;

function afterOf(definition: Definition | null): number {
  if (definition === null || definition.jumps) return After.ends;
  if (definition.leaves) return After.leaves;
  return definition.rare !== null ? After.repeated : After.goesOn;
}

/** Target of a relative branch, truncated to its operand size. */
export function relativeLo(d: Decoded, nextLo: number): number {
  const lo = (nextLo + d.immLo) | 0;
  return d.operandSize === 2 ? lo & 0xffff : lo;
}
export function relativeHi(d: Decoded, nextLo: number, nextHi: number): number {
  if (d.operandSize !== 8) return 0;
  return (nextHi + d.immHi + ((nextLo >>> 0) + (d.immLo >>> 0) > 0xffffffff ? 1 : 0)) | 0;
}

function registerOffset(kind: number, reg: number): number {
  if (kind === K.gpr) return 8 * reg;
  if (kind === K.xmm || kind === K.mmx) return 16 * reg;
  if (kind === K.gpr8) return reg >= 16 ? 8 * (reg - 16) + 1 : 8 * reg;
  return ZERO;
}

/** A rip-relative address that 32 signed bits do not hold. */
function farFromZero(d: Decoded, nextLo: number, nextHi: number): boolean {
  const lo = (nextLo >>> 0) + (d.dispLo >>> 0);
  const hi = (nextHi + d.dispHi + (lo > 0xffffffff ? 1 : 0)) | 0;
  return hi !== (lo | 0) >> 31;
}

/** For the segment check: bytes accessed, and 256 when they are written; 0 when nothing is accessed. */
function accessOf(definition: Definition, d: Decoded, position: number): number {
  const use = definition.memory;
  if (use === 'a' && !BIT_STRING_ROWS.has(definition.key) && definition.key !== 'pop-memory' && definition.key !== 'cmpxchg16b') return 0;
  const writes = use === 'w' || (use === 'auto' && position === 0) || definition.key === 'pop-memory' || /^bt[src]$/.test(definition.key);
  return (definition.memorySize || d.size[position]!) | (writes ? 256 : 0);
}

export class RecordWriter {
  private readonly core: Core;
  private readonly list: CaseList;
  private readonly rows: readonly RowInfo[];
  private readonly popMemory: RowInfo;
  readonly rare: RareInstruction[] = [];
  /** Called for every MMX or SSE instruction: its function must be there before the block runs. */
  onVector: (mode: DecodeMode) => void = () => {};
  /** What select() found. */
  private selected: RowInfo;
  rareName = '';
  /** Handler of the instruction written last; 0 for a TypeScript body. */
  handler = 0;

  constructor(core: Core, list: CaseList) {
    this.core = core;
    this.list = list;
    const info = (key: string): RowInfo => {
      const definition = DEFINITIONS.get(key) ?? null;
      const bitString = BIT_STRING_ROWS.has(key);
      const sources = definition?.sourceSizes ?? [0];
      const sizes = definition?.sizes ?? [1];
      return {
        key,
        definition,
        index: list.definitionIndex.get(key) ?? -1,
        after: afterOf(definition),
        special: definition === null || definition.rare !== null || bitString || key === 'lea' || MODEL_ROWS.has(key),
        bitString,
        lea: key === 'lea',
        pop: key === 'pop',
        counter: COUNTER_ROWS.has(key),
        widths: sizes.reduce((all, size) => all | size, 0),
        width: sizes[0]!,
        source: definition?.narrows && core.model === 'amd' ? 4 : sources.length > 1 ? -1 : sources[0]!,
        conditional: definition?.conditional ?? false,
        vector: (definition?.vector ?? null) !== null,
      };
    };
    this.rows = ROWS.map((row) => info(row.key));
    this.popMemory = info('pop-memory');
    this.selected = this.popMemory;
  }

  /** Handler of the case that runs an instruction; 0: a body in TypeScript does, and `rareName` says which. */
  select(d: Decoded): number {
    let row = this.rows[d.row]!;
    if (row.pop && d.kind[0] === K.memory) row = this.popMemory;
    this.selected = row;
    if (row.special && this.selectRare(row, d)) return 0;
    const handler = this.handlerOf(row, d);
    if (handler === 0) this.rareName = 'unsupported';
    return handler;
  }
  /** Whether a body in TypeScript runs the instruction; sets `rareName`. */
  private selectRare(row: RowInfo, d: Decoded): boolean {
    const name = this.rareOf(row, d);
    if (name === null) return false;
    this.rareName = name;
    return true;
  }
  private rareOf(row: RowInfo, d: Decoded): string | null {
    const { definition } = row;
    // AMD's processors know 0f 0d with a memory operand only (prefetch, prefetchw).
    if (
      row.key === 'nop' &&
      this.core.model === 'amd' &&
      d.count > 0 &&
      d.kind[0] !== K.memory &&
      ROWS[d.row]!.enc[d.form]!.startsWith('0f 0d')
    )
      return 'undefined';
    // The encoding of pextrw with a memory form came with SSE4.1, which neither model has.
    if (row.key === 'pextrw' && d.form === 2) return 'undefined';
    if (definition === null) return FPU_ROWS.has(row.key) ? 'fpu-unsupported' : 'unsupported';
    if (definition.rare !== null) return definition.rare;
    // Limits hold for the word that the bit lies in, not for the operand's address.
    const limited = bitsOf(this.core) === 32 && d.segment >= FS;
    if (this.isBitString(row, d) && (limited || d.addressSize !== bitsOf(this.core) / 8)) return 'bit-string';
    return row.lea && bitsOf(this.core) === 32 && d.addressSize !== 4 ? 'lea' : null;
  }
  private isBitString(row: RowInfo, d: Decoded): boolean {
    return row.bitString && d.kind[0] === K.memory && d.kind[1] === K.gpr;
  }

  /** Writes the instruction at `p`; returns the address behind it. `nextLo`/`nextHi`: address of the following instruction. */
  write(p: number, d: Decoded, nextLo: number, nextHi: number, mode: DecodeMode): number {
    const handler = this.select(d);
    const row = this.selected;
    if (handler === 0) return this.writeRare(p, d, nextLo, nextHi, this.rareName, row.key);
    if (mode >= 2 && this.isBitString(row, d)) return this.writeRare(p, d, nextLo, nextHi, 'bit-string', row.key);
    const definition = row.definition!;
    if (row.vector) this.onVector(mode);

    const { kind, reg, count } = d;
    let at = p;
    let position = -1;
    let relative = false;
    for (let i = 0; i < count; i++) {
      if (kind[i] === K.memory) position = i;
      else if (kind[i] === K.relative) relative = true;
    }
    const usesAddress = position >= 0;
    const prefixed = usesAddress && this.needsAddressRecord(d, row, mode, nextLo, nextHi);
    const fix = row === this.popMemory && d.base === 4 ? d.operandSize : 0;
    const { i32 } = this.core;
    if (prefixed) {
      at = this.writeAddressRecord(at, d, nextLo, nextHi, definition, fix);
      i32[(at - L.RECORD.size + L.RECORD.link) >> 2] = accessOf(definition, d, position);
    }
    this.handler = usesAddress && (prefixed || d.index < 0) ? this.list.baseOnly(handler) : handler;
    const first = count > 0 ? registerOffset(kind[0]!, reg[0]!) : ZERO;
    const second = count > 1 ? registerOffset(kind[1]!, reg[1]!) : ZERO;
    // The fields of layout.ts, a word at a time.
    const w = at >> 2;
    i32[w] = this.handler | (first << 16) | (second << 24);
    let info = d.length;
    let address = 0;
    let displacement = 0;
    if (usesAddress) {
      if (this.stackSegment(d)) info |= L.INFO_STACK;
      if (prefixed) address = (8 * L.EA_REG) | (ZERO << 8);
      else {
        address = (d.base >= 0 ? 8 * d.base : ZERO) | ((d.index >= 0 ? 8 * d.index : ZERO) << 8) | (d.scale << 16);
        displacement = (d.dispLo + (d.ripRelative ? nextLo : 0) + fix) | 0;
      }
    }
    i32[w + 1] = address | (info << 24);
    i32[w + 2] = relative ? relativeLo(d, nextLo) : d.immLo;
    i32[w + 3] = relative ? relativeHi(d, nextLo, nextHi) : d.immHi;
    i32[w + 4] = displacement;
    i32[w + 5] = count > 2 ? registerOffset(kind[2]!, reg[2]!) : 0;
    i32[w + 6] = nextLo;
    i32[w + 7] = nextHi;
    return at + L.RECORD.size;
  }

  private handlerOf(row: RowInfo, d: Decoded): number {
    const { kind, count } = d;
    let shape = 0;
    for (let i = 0; i < count; i++) {
      const code = SHAPES[kind[i]!]!;
      if (code === NO_SHAPE) return 0;
      shape |= code << (3 * i);
    }
    const source = row.source >= 0 ? row.source : d.size[1]!;
    let w = row.counter ? d.addressSize : d.operandSize;
    if ((row.widths & w) === 0) w = row.width;
    return this.list.handler(row.index, shape, w, source, row.conditional ? d.cc : 0);
  }

  /** The segment is SS: by override, or because the address is based on rsp or rbp. */
  private stackSegment(d: Decoded): boolean {
    return d.segment === SS || (d.segment < 0 && (d.base === 4 || d.base === 5));
  }

  private needsAddressRecord(d: Decoded, row: RowInfo, mode: DecodeMode, nextLo: number, nextHi: number): boolean {
    const { lea } = row;
    if (bitsOf(this.core) === 64) {
      if ((d.segment >= FS && !lea) || d.addressSize !== 8) return true;
      // The displacement (absolute for rip-relative operands) must fit in 32 signed bits.
      return d.ripRelative ? farFromZero(d, nextLo, nextHi) : d.dispHi !== d.dispLo >> 31;
    }
    if (d.addressSize !== 4) return true;
    if (lea) return false;
    return d.segment >= FS || mode >= 2;
  }

  private writeAddressRecord(at: number, d: Decoded, nextLo: number, nextHi: number, definition: Definition, fix: number): number {
    const { u8, i32, view } = this.core;
    let lo = d.dispLo;
    let hi = d.dispHi;
    if (d.ripRelative) {
      const sum = (nextLo >>> 0) + (d.dispLo >>> 0);
      lo = sum | 0;
      hi = (nextHi + d.dispHi + (sum > 0xffffffff ? 1 : 0)) | 0;
      if (d.addressSize === 4) hi = 0;
    }
    const absolute = d.base < 0 && d.index < 0;
    const segment = this.segmentOf(d, definition);
    view.setUint16(at, absolute ? FixedCase.absolute : FixedCase.address, true);
    u8[at + 2] = 8 * segment;
    u8[at + 3] = 4 * segment;
    u8[at + 4] = d.base >= 0 ? 8 * d.base : ZERO;
    u8[at + 5] = d.index >= 0 ? 8 * d.index : ZERO;
    u8[at + 6] = d.scale;
    u8[at + L.RECORD.info] = d.length | L.INFO_PREFIX;
    const w = at >> 2;
    i32[w + 2] = absolute ? (d.addressSize === 2 ? lo & 0xffff : lo) : d.addressSize === 2 ? 0xffff : -1;
    i32[w + 3] = absolute ? (d.addressSize === 8 ? hi : 0) : d.addressSize === 8 ? -1 : 0;
    i32[w + 4] = (lo + fix) | 0;
    i32[w + 5] = 0;
    i32[w + 6] = nextLo;
    i32[w + 7] = nextHi;
    return at + L.RECORD.size;
  }

  /** Index into the segment bases; NO_SEGMENT for a base of zero. */
  private segmentOf(d: Decoded, definition: Definition): number {
    if (definition.key === 'lea') return L.NO_SEGMENT;
    if (d.segment >= FS) return d.segment;
    if (bitsOf(this.core) === 64) return L.NO_SEGMENT;
    return d.segment >= 0 ? d.segment : this.stackSegment(d) ? SS : DS;
  }

  /** A record that runs a body in TypeScript. */
  writeRare(at: number, d: Decoded, nextLo: number, nextHi: number, name: string, key: string): number {
    const { u8, i32, view } = this.core;
    this.handler = 0;
    view.setUint16(at, FixedCase.rare, true);
    u8[at + L.RECORD.info] = d.length;
    i32[(at + L.RECORD.link) >> 2] = this.rare.length;
    i32[(at + L.RECORD.next) >> 2] = nextLo;
    i32[(at + L.RECORD.next + 4) >> 2] = nextHi;
    this.rare.push({ key, name, d: { ...d, kind: d.kind.slice(), reg: d.reg.slice(), size: d.size.slice() }, length: d.length });
    return at + L.RECORD.size;
  }

  /** A record that goes on at an address: by block lookup, or through the engine when `leave`. */
  writeNext(at: number, lo: number, hi: number, leave: boolean): number {
    const { i32 } = this.core;
    const w = at >> 2;
    i32[w] = leave ? FixedCase.leave : FixedCase.next;
    i32[w + 1] = L.INFO_PREFIX << 24;
    i32[w + 2] = lo;
    i32[w + 3] = hi;
    i32[w + 5] = 0;
    // `next` - 1 must lie in the page that the block ends in.
    i32[w + 6] = lo;
    i32[w + 7] = hi;
    return at + L.RECORD.size;
  }

  /** What the block builder does after an instruction: one of `After`. */
  afterOf(d: Decoded): number {
    return this.rows[d.row]!.after;
  }
}
