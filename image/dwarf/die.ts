// A debugging information entry: its attributes by name, resolved on demand, and its place in the tree of its unit.

import { stringAt } from '../bytes.ts';
import type { Abbreviation } from './abbreviations.ts';
import { AT, FORM } from './constants.table.ts';
import type { Indirect, RawValue } from './forms.ts';
import type { Unit } from './unit.ts';

export class Die {
  readonly unit: Unit;
  /** Offset in its section (.debug_info or .debug_types). */
  readonly offset: number;
  readonly abbreviation: Abbreviation;
  readonly parent: Die | null;
  readonly children: Die[] = [];
  private readonly values: readonly RawValue[];

  constructor(unit: Unit, offset: number, abbreviation: Abbreviation, values: readonly RawValue[], parent: Die | null) {
    this.unit = unit;
    this.offset = offset;
    this.abbreviation = abbreviation;
    this.values = values;
    this.parent = parent;
  }

  get tag(): number {
    return this.abbreviation.tag;
  }

  has(name: number): boolean {
    return this.abbreviation.names.includes(name);
  }

  /** The raw value and its form. */
  attribute(name: number): { readonly form: number; readonly value: RawValue } | undefined {
    const i = this.abbreviation.names.indexOf(name);
    if (i < 0) return undefined;
    const value = this.values[i];
    if (this.abbreviation.forms[i] === FORM.indirect) return value as Indirect;
    return { form: this.abbreviation.forms[i]!, value };
  }

  /** A constant or a flag as a number; undefined for other classes. */
  number(name: number): number | undefined {
    const value = this.attribute(name)?.value;
    if (typeof value === 'number') return value;
    if (typeof value === 'bigint') return Number(value);
    return undefined;
  }

  /** A constant as a bigint, as it was written (data forms unsigned, sdata signed). */
  integer(name: number): bigint | undefined {
    const value = this.attribute(name)?.value;
    if (typeof value === 'number') return BigInt(value);
    return typeof value === 'bigint' ? value : undefined;
  }

  /** A constant with its sign: data1 … data8 are sign-extended from their size, as gcc writes negative enumerators. */
  signedInteger(name: number): bigint | undefined {
    const value = this.integer(name);
    if (value === undefined) return undefined;
    const bits = { [FORM.data1]: 8, [FORM.data2]: 16, [FORM.data4]: 32, [FORM.data8]: 64 }[this.attribute(name)!.form];
    return bits ? BigInt.asIntN(bits, value) : value;
  }

  flag(name: number): boolean {
    const value = this.attribute(name)?.value;
    return value === true || value === 1;
  }

  block(name: number): Uint8Array | undefined {
    const value = this.attribute(name)?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  string(name: number): string | undefined {
    const attribute = this.attribute(name);
    if (!attribute || typeof attribute.value !== 'number') return undefined;
    const { sections } = this.unit.dwarf;
    const at = attribute.value;
    switch (attribute.form) {
      case FORM.string:
        return stringAt(this.unit.bytes, at);
      case FORM.strp:
        return stringAt(sections.debug('str'), at);
      case FORM.line_strp:
        return stringAt(sections.debug('line_str'), at);
      case FORM.strx:
      case FORM.strx1:
      case FORM.strx2:
      case FORM.strx3:
      case FORM.strx4:
      case FORM.GNU_str_index:
        return this.unit.indexedString(at);
      default:
        return undefined;
    }
  }

  /** A machine address; DW_AT_high_pc as an offset is no address (see ranges.ts). */
  address(name: number): bigint | undefined {
    const attribute = this.attribute(name);
    if (!attribute) return undefined;
    switch (attribute.form) {
      case FORM.addr:
        return attribute.value as bigint;
      case FORM.addrx:
      case FORM.addrx1:
      case FORM.addrx2:
      case FORM.addrx3:
      case FORM.addrx4:
      case FORM.GNU_addr_index:
        return this.unit.indexedAddress(attribute.value as number);
      default:
        return undefined;
    }
  }

  /** The entry that an attribute refers to; undefined when it lies in a supplementary file. */
  reference(name: number): Die | undefined {
    const attribute = this.attribute(name);
    if (!attribute) return undefined;
    switch (attribute.form) {
      case FORM.ref1:
      case FORM.ref2:
      case FORM.ref4:
      case FORM.ref8:
      case FORM.ref_udata:
        return this.unit.dieAt(attribute.value as number);
      case FORM.ref_addr:
        return this.unit.dwarf.dieAt(attribute.value as number);
      case FORM.ref_sig8:
        return this.unit.dwarf.typeBySignature(attribute.value as bigint);
      default:
        return undefined;
    }
  }

  /** The entry that holds an attribute: this one, or those it completes (abstract_origin, specification). */
  holderOf(name: number): Die | undefined {
    let die: Die | undefined = this;
    for (let steps = 0; die && steps < 16; steps++) {
      if (die.has(name)) return die;
      die = die.reference(AT.abstract_origin) ?? die.reference(AT.specification);
    }
    return undefined;
  }

  /** DW_AT_name, of this entry or of its origin. */
  get name(): string | undefined {
    return this.holderOf(AT.name)?.string(AT.name);
  }
}
