// Attribute values: how each DW_FORM is read. Strings, addresses by index and lists are resolved later, when they are asked for.

import type { Reader } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import { FORM } from './constants.table.ts';

/** A value whose form stands beside it in the data (DW_FORM_indirect). */
export interface Indirect {
  readonly form: number;
  readonly value: RawValue;
}

/**
 * What is kept of a value: numbers for small constants, offsets, indices and string positions; bigints for addresses, 8-byte
 * and LEB constants and signatures; bytes for blocks and expressions; booleans for flags.
 */
export type RawValue = number | bigint | boolean | Uint8Array | Indirect | undefined;

export interface UnitEncoding {
  readonly version: number;
  readonly addressSize: number;
  /** 4 or 8: the size of section offsets (32- or 64-bit DWARF). */
  readonly offsetSize: number;
  /** Offset of the unit in its section: unit-relative references are made absolute. */
  readonly start: number;
}

export const readOffset = (r: Reader, size: number): number => (size === 8 ? r.size64() : r.u32());

export function readForm(r: Reader, form: number, unit: UnitEncoding, constant: bigint | undefined): RawValue {
  switch (form) {
    case FORM.addr:
      return r.unsigned(unit.addressSize);
    case FORM.data1:
    case FORM.strx1:
    case FORM.addrx1:
      return r.u8();
    case FORM.data2:
    case FORM.strx2:
    case FORM.addrx2:
      return r.u16();
    case FORM.strx3:
    case FORM.addrx3:
      return r.u24();
    case FORM.data4:
    case FORM.strx4:
    case FORM.addrx4:
      return r.u32();
    case FORM.data8:
    case FORM.ref_sig8:
      return r.u64();
    case FORM.data16:
      return r.block(16);
    case FORM.sdata:
      return r.sleb64();
    case FORM.udata:
      return r.uleb64();
    case FORM.implicit_const:
      return constant;
    case FORM.string: {
      // The position is the value; skipping is all that is needed here.
      const at = r.offset;
      const stop = r.bytes.indexOf(0, at);
      r.take((stop < 0 ? r.end : stop) + 1 - at);
      return at;
    }
    case FORM.strp:
    case FORM.line_strp:
    case FORM.sec_offset:
    case FORM.strp_sup:
    case FORM.GNU_strp_alt:
    case FORM.GNU_ref_alt:
      return readOffset(r, unit.offsetSize);
    case FORM.ref_addr:
      // DWARF 2 gave it the size of an address.
      return unit.version <= 2 ? Number(r.unsigned(unit.addressSize)) : readOffset(r, unit.offsetSize);
    case FORM.ref1:
      return unit.start + r.u8();
    case FORM.ref2:
      return unit.start + r.u16();
    case FORM.ref4:
      return unit.start + r.u32();
    case FORM.ref8:
      return unit.start + r.size64();
    case FORM.ref_udata:
      return unit.start + r.uleb();
    case FORM.ref_sup4:
      return r.u32();
    case FORM.ref_sup8:
      return r.size64();
    case FORM.strx:
    case FORM.addrx:
    case FORM.loclistx:
    case FORM.rnglistx:
    case FORM.GNU_addr_index:
    case FORM.GNU_str_index:
      return r.uleb();
    case FORM.flag:
      return r.u8() !== 0;
    case FORM.flag_present:
      return true;
    case FORM.block1:
      return r.block(r.u8());
    case FORM.block2:
      return r.block(r.u16());
    case FORM.block4:
      return r.block(r.u32());
    case FORM.block:
    case FORM.exprloc:
      return r.block(r.uleb());
    case FORM.indirect: {
      const actual = r.uleb();
      if (actual === FORM.indirect || actual === FORM.implicit_const) break;
      return { form: actual, value: readForm(r, actual, unit, undefined) };
    }
  }
  throw new ImageError(
    'malformed',
    `${r.what} uses the unknown form ${hex(form)} at ${hex(r.offset)}. The debug information is damaged or newer than DWARF 5: build with -gdwarf-5 or -gdwarf-4.`,
  );
}
