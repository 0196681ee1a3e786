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

interface RowInfo {
  readonly definition: Definition | null;
  readonly index: number;
  readonly key: string;
}

const SS = 2;
const DS = 3;
const FS = 4;
const ZERO = 8 * L.ZERO_REG;
/** Rows whose counter register follows the address size. */
const COUNTER_ROWS = new Set(['jcxz', 'loop', 'loopz', 'loopnz']);

/** Rows that raise #NM while the floating-point unit is disabled. */
const FPU_ROWS: ReadonlySet<string> = new Set([...X87_ROWS, ...SSE_ROWS].map((row) => row.key));
const BIT_STRING_ROWS = new Set(['bt', 'bts', 'btr', 'btc']);

/** Target of a relative branch, truncated to its operand size. */
export function relativeLo(d: Decoded, nextLo: number): number {
  const lo = (nextLo + d.immLo) | 0;
  return d.operandSize === 2 ? lo & 0xffff : lo;
}
export function relativeHi(d: Decoded, nextLo: number, nextHi: number): number {
  if (d.operandSize !== 8) return 0;
  return (nextHi + d.immHi + ((nextLo >>> 0) + (d.immLo >>> 0) > 0xffffffff ? 1 : 0)) | 0;
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
    const info = (key: string): RowInfo => ({ key, definition: DEFINITIONS.get(key) ?? null, index: list.definitionIndex.get(key) ?? -1 });
    this.rows = ROWS.map((row) => info(row.key));
    this.popMemory = info('pop-memory');
    this.selected = this.popMemory;
  }

  /** Handler of the case that runs an instruction; 0: a body in TypeScript does, and `rareName` says which. */
  select(d: Decoded): number {
    const row = this.rowOf(d);
    const { definition } = row;
    this.selected = row;
    const rare = (name: string): number => {
      this.rareName = name;
      return 0;
    };
    // AMD's processors know 0f 0d with a memory operand only (prefetch, prefetchw).
    if (
      row.key === 'nop' &&
      this.core.model === 'amd' &&
      d.count > 0 &&
      d.kind[0] !== K.memory &&
      ROWS[d.row]!.enc[d.form]!.startsWith('0f 0d')
    )
      return rare('undefined');
    // The encoding of pextrw with a memory form came with SSE4.1, which neither model has.
    if (row.key === 'pextrw' && d.form === 2) return rare('undefined');
    if (definition === null) return rare(FPU_ROWS.has(row.key) ? 'fpu-unsupported' : 'unsupported');
    if (definition.rare !== null) return rare(definition.rare);
    // Limits hold for the word that the bit lies in, not for the operand's address.
    const limited = bitsOf(this.core) === 32 && d.segment >= FS;
    if (this.isBitString(row, d) && (limited || d.addressSize !== bitsOf(this.core) / 8)) return rare('bit-string');
    if (row.key === 'lea' && bitsOf(this.core) === 32 && d.addressSize !== 4) return rare('lea');
    return this.handlerOf(row, d) || rare('unsupported');
  }
  private isBitString(row: RowInfo, d: Decoded): boolean {
    return BIT_STRING_ROWS.has(row.key) && d.kind[0] === K.memory && d.kind[1] === K.gpr;
  }
  private rowOf(d: Decoded): RowInfo {
    const row = this.rows[d.row]!;
    return row.key === 'pop' && d.kind[0] === K.memory ? this.popMemory : row;
  }

  /** Writes the instruction at `p`; returns the address behind it. `nextLo`/`nextHi`: address of the following instruction. */
  write(p: number, d: Decoded, nextLo: number, nextHi: number, mode: DecodeMode): number {
    const handler = this.select(d);
    const row = this.selected;
    if (handler === 0) return this.writeRare(p, d, nextLo, nextHi, this.rareName, row.key);
    if (mode >= 2 && this.isBitString(row, d)) return this.writeRare(p, d, nextLo, nextHi, 'bit-string', row.key);
    const definition = row.definition!;
    if (definition.vector) this.onVector(mode);

    let at = p;
    let position = -1;
    for (let i = 0; i < d.count; i++) if (d.kind[i] === K.memory) position = i;
    const usesAddress = position >= 0;
    const prefixed = usesAddress && this.needsAddressRecord(d, definition, mode);
    const fix = row === this.popMemory && d.base === 4 ? d.operandSize : 0;
    if (prefixed) {
      at = this.writeAddressRecord(at, d, nextLo, nextHi, definition, fix);
      this.core.i32[(at - L.RECORD.size + L.RECORD.link) >> 2] = accessOf(definition, d, position);
    }
    const { u8, i32, view } = this.core;
    const baseOnly = usesAddress && (prefixed || d.index < 0);
    this.handler = baseOnly ? this.list.baseOnly(handler) : handler;
    view.setUint16(at, this.handler, true);
    u8[at + 2] = this.registerOffset(d, 0);
    u8[at + 3] = this.registerOffset(d, 1);
    i32[(at + L.RECORD.displacement) >> 2] = 0;
    i32[(at + L.RECORD.link) >> 2] = d.count > 2 ? this.registerOffset(d, 2) : 0;
    let info = d.length;
    if (usesAddress) {
      if (this.stackSegment(d)) info |= L.INFO_STACK;
      if (prefixed) {
        u8[at + 4] = 8 * L.EA_REG;
        u8[at + 5] = ZERO;
        u8[at + 6] = 0;
      } else {
        u8[at + 4] = d.base >= 0 ? 8 * d.base : ZERO;
        u8[at + 5] = d.index >= 0 ? 8 * d.index : ZERO;
        u8[at + 6] = d.scale;
        i32[(at + L.RECORD.displacement) >> 2] = (d.dispLo + (d.ripRelative ? nextLo : 0) + fix) | 0;
      }
    }
    u8[at + L.RECORD.info] = info;
    this.setImmediate(at, d, nextLo, nextHi);
    i32[(at + L.RECORD.next) >> 2] = nextLo;
    i32[(at + L.RECORD.next + 4) >> 2] = nextHi;
    return at + L.RECORD.size;
  }

  private handlerOf(row: RowInfo, d: Decoded): number {
    const definition = row.definition!;
    let shape = 0;
    let at = 0;
    for (let i = 0; i < d.count; i++) {
      const kind = d.kind[i]!;
      if (kind === K.gpr || kind === K.gpr8) shape |= 1 << at;
      else if (kind === K.xmm) shape |= 4 << at;
      else if (kind === K.mmx) shape |= 5 << at;
      else if (kind === K.memory) shape |= 2 << at;
      else if (kind === K.immediate) shape |= 3 << at;
      else if (kind !== K.relative) return 0;
      at += 3;
    }
    const sources = definition.sourceSizes;
    let sw = sources.length > 1 ? d.size[1]! : sources[0]!;
    if (definition.narrows && this.core.model === 'amd') sw = 4;
    let w = COUNTER_ROWS.has(row.key) ? d.addressSize : d.operandSize;
    if (!definition.sizes.includes(w as 1)) w = definition.sizes[0]!;
    return this.list.handler(row.index, shape, w, sw, definition.conditional ? d.cc : 0);
  }

  private registerOffset(d: Decoded, i: number): number {
    if (i >= d.count) return ZERO;
    const kind = d.kind[i]!;
    const reg = d.reg[i]!;
    if (kind === K.gpr) return 8 * reg;
    if (kind === K.xmm || kind === K.mmx) return 16 * reg;
    if (kind === K.gpr8) return reg >= 16 ? 8 * (reg - 16) + 1 : 8 * reg;
    return ZERO;
  }

  private setImmediate(at: number, d: Decoded, nextLo: number, nextHi: number): void {
    const { i32 } = this.core;
    const w = (at + L.RECORD.immediate) >> 2;
    let relative = false;
    for (let i = 0; i < d.count; i++) if (d.kind[i] === K.relative) relative = true;
    if (!relative) {
      i32[w] = d.immLo;
      i32[w + 1] = d.immHi;
      return;
    }
    i32[w] = relativeLo(d, nextLo);
    i32[w + 1] = relativeHi(d, nextLo, nextHi);
  }

  /** The segment is SS: by override, or because the address is based on rsp or rbp. */
  private stackSegment(d: Decoded): boolean {
    return d.segment === SS || (d.segment < 0 && (d.base === 4 || d.base === 5));
  }

  private needsAddressRecord(d: Decoded, definition: Definition, mode: DecodeMode): boolean {
    const lea = definition.memory === 'a' && definition.key === 'lea';
    if (bitsOf(this.core) === 64) {
      if ((d.segment >= FS && !lea) || d.addressSize !== 8) return true;
      // The displacement (absolute for rip-relative operands) must fit in 32 signed bits.
      return d.ripRelative ? this.farFromZero(d) : d.dispHi !== d.dispLo >> 31;
    }
    if (d.addressSize !== 4) return true;
    if (lea) return false;
    return d.segment >= FS || mode >= 2;
  }

  private ripNextLo = 0;
  private ripNextHi = 0;
  /** Called before write() where the instruction may be rip-relative. */
  setNext(lo: number, hi: number): void {
    this.ripNextLo = lo;
    this.ripNextHi = hi;
  }
  private farFromZero(d: Decoded): boolean {
    const lo = (this.ripNextLo >>> 0) + (d.dispLo >>> 0);
    const hi = (this.ripNextHi + d.dispHi + (lo > 0xffffffff ? 1 : 0)) | 0;
    return hi !== (lo | 0) >> 31;
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
    const { i32, view, u8 } = this.core;
    view.setUint16(at, leave ? FixedCase.leave : FixedCase.next, true);
    u8[at + L.RECORD.info] = L.INFO_PREFIX;
    const w = at >> 2;
    i32[w + 2] = lo;
    i32[w + 3] = hi;
    i32[w + 5] = 0;
    // `next` - 1 must lie in the page that the block ends in.
    i32[w + 6] = lo;
    i32[w + 7] = hi;
    return at + L.RECORD.size;
  }

  /** What the block builder must know of an instruction. */
  definitionOf(d: Decoded): Definition | null {
    return this.rows[d.row]!.definition;
  }
}
