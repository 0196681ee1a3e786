// Which location expression of a variable holds at an address: a single one, or an entry of .debug_loc or .debug_loclists.

import { Reader } from '../bytes.ts';
import { ImageError } from '../error.ts';
import { AT, FORM } from './constants.table.ts';
import type { Die } from './die.ts';
import type { Unit } from './unit.ts';

const MAX_ENTRIES = 1 << 20;
const baseOf = (unit: Unit): bigint => unit.root().address(AT.low_pc) ?? 0n;

function findOld(unit: Unit, offset: number, address: bigint): Uint8Array | undefined {
  const size = unit.header.addressSize;
  const r = new Reader(unit.dwarf.sections.debug('loc'), '.debug_loc', offset);
  const selector = size === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = baseOf(unit);
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const low = r.unsigned(size);
    const high = r.unsigned(size);
    if (low === 0n && high === 0n) return undefined;
    if (low === selector) {
      base = high;
      continue;
    }
    const expression = r.block(r.u16());
    if (address >= base + low && address < base + high) return expression;
  }
  return undefined;
}

function findNew(unit: Unit, offset: number, address: bigint): Uint8Array | undefined {
  const size = unit.header.addressSize;
  const r = new Reader(unit.dwarf.sections.debug('loclists'), '.debug_loclists', offset);
  let base = baseOf(unit);
  let fallback: Uint8Array | undefined;
  for (let i = 0; i < MAX_ENTRIES; i++) {
    let low = 0n;
    let high = 0n;
    const kind = r.u8();
    switch (kind) {
      case 0: // DW_LLE_end_of_list
        return fallback;
      case 1: // base_addressx
        base = unit.indexedAddress(r.uleb());
        continue;
      case 2: // startx_endx
        low = unit.indexedAddress(r.uleb());
        high = unit.indexedAddress(r.uleb());
        break;
      case 3: // startx_length
        low = unit.indexedAddress(r.uleb());
        high = low + r.uleb64();
        break;
      case 4: // offset_pair
        low = base + r.uleb64();
        high = base + r.uleb64();
        break;
      case 5: // default_location
        fallback = r.block(r.uleb());
        continue;
      case 6: // base_address
        base = r.unsigned(size);
        continue;
      case 7: // start_end
        low = r.unsigned(size);
        high = r.unsigned(size);
        break;
      case 8: // start_length
        low = r.unsigned(size);
        high = low + r.uleb64();
        break;
      case 9: // GNU_view_pair: view numbers of the entry after it
        r.uleb();
        r.uleb();
        continue;
      default:
        throw new ImageError(
          'malformed',
          `.debug_loclists has the unknown entry kind ${kind}. The debug information is damaged: build the kernel again.`,
        );
    }
    const expression = r.block(r.uleb());
    if (address >= low && address < high) return expression;
  }
  return undefined;
}

/**
 * The expression of attribute `name` (DW_AT_location, DW_AT_frame_base …) that holds at `address`.
 * @returns undefined when there is no attribute, or no entry for the address: the variable is optimised out there.
 */
export function expressionAt(die: Die, name: number, address: bigint): Uint8Array | undefined {
  const attribute = die.attribute(name);
  if (!attribute) return undefined;
  if (attribute.value instanceof Uint8Array) return attribute.value;
  if (typeof attribute.value !== 'number') return undefined;
  const { unit } = die;
  if (unit.header.version < 5) return findOld(unit, attribute.value, address);
  return findNew(unit, attribute.form === FORM.loclistx ? unit.listOffset('loclists', attribute.value) : attribute.value, address);
}
