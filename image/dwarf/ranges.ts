// The code ranges of an entry: low_pc/high_pc, .debug_ranges (DWARF 2 to 4) or .debug_rnglists (DWARF 5).

import { Reader } from '../bytes.ts';
import { ImageError } from '../error.ts';
import { AT, FORM } from './constants.table.ts';
import type { Die } from './die.ts';
import type { Unit } from './unit.ts';

/** [low, high). */
export interface AddressRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** A damaged list could go on for ever in overlapping bytes; no entry of a kernel has more pieces. */
const MAX_ENTRIES = 1 << 20;

function unitBase(unit: Unit): bigint {
  return unit.root().address(AT.low_pc) ?? 0n;
}

function readOldRanges(unit: Unit, offset: number): AddressRange[] {
  const size = unit.header.addressSize;
  const r = new Reader(unit.dwarf.sections.debug('ranges'), '.debug_ranges', offset);
  const selector = size === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  const ranges: AddressRange[] = [];
  let base = unitBase(unit);
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const low = r.unsigned(size);
    const high = r.unsigned(size);
    if (low === 0n && high === 0n) break;
    if (low === selector) base = high;
    else if (low !== high) ranges.push({ low: base + low, high: base + high });
  }
  return ranges;
}

function readRangeList(unit: Unit, offset: number): AddressRange[] {
  const size = unit.header.addressSize;
  const r = new Reader(unit.dwarf.sections.debug('rnglists'), '.debug_rnglists', offset);
  const ranges: AddressRange[] = [];
  let base = unitBase(unit);
  const add = (low: bigint, high: bigint): void => {
    if (low !== high) ranges.push({ low, high });
  };
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const kind = r.u8();
    switch (kind) {
      case 0: // DW_RLE_end_of_list
        return ranges;
      case 1: // base_addressx
        base = unit.indexedAddress(r.uleb());
        break;
      case 2: // startx_endx
        add(unit.indexedAddress(r.uleb()), unit.indexedAddress(r.uleb()));
        break;
      case 3: {
        // startx_length
        const low = unit.indexedAddress(r.uleb());
        add(low, low + r.uleb64());
        break;
      }
      case 4: // offset_pair
        add(base + r.uleb64(), base + r.uleb64());
        break;
      case 5: // base_address
        base = r.unsigned(size);
        break;
      case 6: // start_end
        add(r.unsigned(size), r.unsigned(size));
        break;
      case 7: {
        // start_length
        const low = r.unsigned(size);
        add(low, low + r.uleb64());
        break;
      }
      default:
        throw new ImageError(
          'malformed',
          `.debug_rnglists has the unknown entry kind ${kind}. The debug information is damaged: build the kernel again.`,
        );
    }
  }
  return ranges;
}

/** The ranges of an entry; empty when it has no code of its own (an abstract instance, a declaration). */
export function rangesOf(die: Die): readonly AddressRange[] {
  const { unit } = die;
  const list = die.attribute(AT.ranges);
  if (list && typeof list.value === 'number') {
    if (unit.header.version < 5) return readOldRanges(unit, list.value);
    return readRangeList(unit, list.form === FORM.rnglistx ? unit.listOffset('rnglists', list.value) : list.value);
  }
  const low = die.address(AT.low_pc);
  if (low === undefined || !die.has(AT.high_pc)) return [];
  // From DWARF 4 on high_pc is usually a length.
  const high = die.address(AT.high_pc) ?? low + (die.integer(AT.high_pc) ?? 0n);
  return high > low ? [{ low, high }] : [];
}

export const inRanges = (ranges: readonly AddressRange[], address: bigint): boolean =>
  ranges.some(({ low, high }) => address >= low && address < high);
