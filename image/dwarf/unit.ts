// A compilation, partial or type unit: its header, its root entry, and (when asked) its whole tree.

import { Reader, stringAt } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import type { Abbreviation, AbbreviationTable } from './abbreviations.ts';
import { AT, FORM, TAG } from './constants.table.ts';
import { Die } from './die.ts';
import type { Dwarf } from './dwarf.ts';
import { type RawValue, readForm, readOffset, type UnitEncoding } from './forms.ts';

export type UnitKind = 'compile' | 'type' | 'partial' | 'skeleton';
const MAX_DEPTH = 512;

export interface UnitHeader extends UnitEncoding {
  /** Offset one past the unit. */
  readonly end: number;
  readonly kind: UnitKind;
  readonly abbreviations: number;
  /** Offset of the root entry. */
  readonly first: number;
  readonly signature?: bigint;
  /** Offset of the type's entry in its section (type units). */
  readonly typeOffset?: number;
}

const KINDS: Readonly<Record<number, UnitKind>> = { 1: 'compile', 2: 'type', 3: 'partial', 4: 'skeleton', 5: 'compile', 6: 'type' };

/** Reads the header at `offset`. In .debug_types every unit is a type unit of DWARF 4. */
export function readUnitHeader(section: Uint8Array, sectionName: string, offset: number): UnitHeader {
  const r = new Reader(section, sectionName, offset);
  let length: number = r.u32();
  let offsetSize = 4;
  if (length === 0xffffffff) {
    length = r.size64();
    offsetSize = 8;
  }
  const end = r.offset + length;
  if (length < 7 || end > section.length) {
    throw new ImageError(
      'malformed',
      `${sectionName} has a unit at ${hex(offset)} that claims ${hex(length)} bytes. The debug information is damaged: build the kernel again.`,
    );
  }
  const version = r.u16();
  if (version < 2 || version > 5) {
    throw new ImageError(
      'malformed',
      `${sectionName} has a unit of DWARF version ${version} at ${hex(offset)}; 2 to 5 can be read. Build with -gdwarf-5 or -gdwarf-4.`,
    );
  }
  const isTypes = sectionName === '.debug_types';
  const unitType = version >= 5 ? r.u8() : isTypes ? 2 : 1;
  let addressSize: number;
  let abbreviations: number;
  if (version >= 5) {
    addressSize = r.u8();
    abbreviations = readOffset(r, offsetSize);
  } else {
    abbreviations = readOffset(r, offsetSize);
    addressSize = r.u8();
  }
  if (addressSize !== 4 && addressSize !== 8) {
    throw new ImageError(
      'malformed',
      `${sectionName} has a unit with ${addressSize}-byte addresses at ${hex(offset)}. The debug information is damaged: build the kernel again.`,
    );
  }
  const kind = KINDS[unitType] ?? 'compile';
  let signature: bigint | undefined;
  let typeOffset: number | undefined;
  if (unitType === 2 || unitType === 6) {
    signature = r.u64();
    typeOffset = offset + readOffset(r, offsetSize);
  } else if (unitType === 4 || unitType === 5) {
    r.u64(); // dwo id
  }
  return { version, addressSize, offsetSize, start: offset, end, kind, abbreviations, first: r.offset, signature, typeOffset };
}

export class Unit {
  readonly dwarf: Dwarf;
  readonly header: UnitHeader;
  readonly bytes: Uint8Array;
  readonly sectionName: string;
  private rootDie: Die | undefined;
  private byOffset: Map<number, Die> | undefined;
  private abbreviationTable: AbbreviationTable | undefined;

  constructor(dwarf: Dwarf, header: UnitHeader, bytes: Uint8Array, sectionName: string) {
    this.dwarf = dwarf;
    this.header = header;
    this.bytes = bytes;
    this.sectionName = sectionName;
  }

  private abbreviation(code: number, at: number): Abbreviation {
    this.abbreviationTable ??= this.dwarf.abbreviations(this.header.abbreviations);
    const abbreviation = this.abbreviationTable.get(code);
    if (!abbreviation) {
      throw new ImageError(
        'malformed',
        `${this.sectionName} uses abbreviation ${code} at ${hex(at)}, which is not defined. The debug information is damaged: build the kernel again.`,
      );
    }
    return abbreviation;
  }

  private readDie(r: Reader, parent: Die | null): Die | null {
    const at = r.offset;
    const code = r.uleb();
    if (code === 0) return null;
    const abbreviation = this.abbreviation(code, at);
    const { forms, constants } = abbreviation;
    const values: RawValue[] = new Array(forms.length);
    for (let i = 0; i < forms.length; i++) values[i] = readForm(r, forms[i]!, this.header, constants[i]);
    return new Die(this, at, abbreviation, values, parent);
  }

  /** The root entry, without its children until tree() was called. */
  root(): Die {
    if (!this.rootDie) {
      const die = this.readDie(new Reader(this.bytes, this.sectionName, this.header.first, this.header.end), null);
      if (!die)
        throw new ImageError(
          'malformed',
          `${this.sectionName} has an empty unit at ${hex(this.header.start)}. The debug information is damaged: build the kernel again.`,
        );
      this.rootDie = die;
    }
    return this.rootDie;
  }

  /** The root entry with the whole tree below it. */
  tree(): Die {
    this.index();
    return this.root();
  }

  private index(): Map<number, Die> {
    if (this.byOffset) return this.byOffset;
    const root = this.root();
    const found = new Map<number, Die>([[root.offset, root]]);
    const r = new Reader(this.bytes, this.sectionName, this.header.first, this.header.end);
    this.readDie(r, null);
    let parent: Die | null = root.abbreviation.hasChildren ? root : null;
    let depth = 1;
    while (parent && r.offset < r.end) {
      const die: Die | null = this.readDie(r, parent);
      if (!die) {
        parent = parent.parent;
        depth--;
        continue;
      }
      found.set(die.offset, die);
      parent.children.push(die);
      if (!die.abbreviation.hasChildren) continue;
      if (++depth > MAX_DEPTH) {
        throw new ImageError(
          'malformed',
          `${this.sectionName} nests entries deeper than ${MAX_DEPTH} at ${hex(die.offset)}. The debug information is damaged: build the kernel again.`,
        );
      }
      parent = die;
    }
    this.byOffset = found;
    return found;
  }

  /** The entry at an offset of the section, when it is in this unit. */
  dieAt(offset: number): Die | undefined {
    if (offset === this.header.first) return this.root();
    return this.index().get(offset);
  }

  /** One entry by itself, without parent and children and without building the tree. */
  peek(offset: number): Die | undefined {
    if (offset < this.header.first || offset >= this.header.end) return undefined;
    return this.byOffset?.get(offset) ?? this.readDie(new Reader(this.bytes, this.sectionName, offset, this.header.end), null) ?? undefined;
  }

  /**
   * Visits the children of the root without building the tree: entries below are skipped, by DW_AT_sibling where there is one.
   * The visitor gets entries without children and parent.
   */
  scan(visit: (die: Die) => void): void {
    if (this.byOffset) {
      this.root().children.forEach(visit);
      return;
    }
    const r = new Reader(this.bytes, this.sectionName, this.header.first, this.header.end);
    const root = this.readDie(r, null);
    if (!root?.abbreviation.hasChildren) return;
    let depth = 1;
    while (depth > 0 && r.offset < r.end) {
      const die = this.readDie(r, null);
      if (!die) {
        depth--;
        continue;
      }
      // Members of namespaces count as top level too.
      if (depth === 1) visit(die);
      if (!die.abbreviation.hasChildren) continue;
      const sibling = die.tag === TAG.namespace ? undefined : die.attribute(AT.sibling);
      if (typeof sibling?.value === 'number' && sibling.value > r.offset && sibling.value <= r.end) r.offset = sibling.value;
      else depth++;
    }
  }

  get name(): string {
    return this.root().string(AT.name) ?? '';
  }
  get directory(): string {
    return this.root().string(AT.comp_dir) ?? '';
  }

  private base(name: number): number | undefined {
    const value = this.root().attribute(name);
    return value?.form === FORM.sec_offset || value?.form === FORM.data4 ? (value.value as number) : undefined;
  }
  /** Default base of the DWARF 5 tables: behind their header. */
  private get tableHeader(): number {
    return this.header.version >= 5 ? (this.header.offsetSize === 8 ? 16 : 8) : 0;
  }

  indexedString(index: number): string | undefined {
    const { offsetSize } = this.header;
    const table = this.dwarf.sections.debug('str_offsets');
    const at = (this.base(AT.str_offsets_base) ?? this.tableHeader) + index * offsetSize;
    return stringAt(this.dwarf.sections.debug('str'), readOffset(new Reader(table, '.debug_str_offsets', at), offsetSize));
  }

  indexedAddress(index: number): bigint {
    const table = this.dwarf.sections.debug('addr');
    const at = (this.base(AT.addr_base) ?? this.tableHeader) + index * this.header.addressSize;
    return new Reader(table, '.debug_addr', at).unsigned(this.header.addressSize);
  }

  /** Offset of list number `index` in .debug_rnglists or .debug_loclists. */
  listOffset(section: 'rnglists' | 'loclists', index: number): number {
    const { offsetSize } = this.header;
    const header = offsetSize === 8 ? 20 : 12;
    const base = this.base(section === 'rnglists' ? AT.rnglists_base : AT.loclists_base) ?? header;
    const r = new Reader(this.dwarf.sections.debug(section), `.debug_${section}`, base + index * offsetSize);
    return base + readOffset(r, offsetSize);
  }
}
