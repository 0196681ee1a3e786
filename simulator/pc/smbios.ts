// What firmware leaves in low memory besides ACPI's tables: the BIOS data area, and SMBIOS tables that name the machine.
// Source: SMBIOS specification 2.8, 5.2 and 7; the BIOS data area as IBM's PC had it.

import type { Placed } from './acpi.ts';
import { EBDA } from './memory-map.ts';

const ENTRY_AT = 0xf_5a00;
const TABLES_AT = 0xf_5a40;
const BIOS_DATA = 0x400;

const ascii = (value: string): number[] => [...value].map((c) => c.charCodeAt(0));
const sum = (bytes: Uint8Array): number => -bytes.reduce((total, byte) => total + byte, 0) & 0xff;

/** A structure with its strings. */
function structure(type: number, handle: number, body: readonly number[], strings: readonly string[]): number[] {
  const texts = strings.length ? strings.flatMap((s) => [...ascii(s), 0]) : [0];
  return [type, 4 + body.length, handle & 0xff, handle >> 8, ...body, ...texts, 0];
}

function tables(): Uint8Array {
  const bios = [1, 2, 0x00, 0xf0, 3, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xff, 0xff];
  const system = [1, 2, 3, 0, ...new Array<number>(16).fill(0), 6, 0, 0];
  return Uint8Array.from([
    ...structure(0, 0, bios, ['Hyperport', '0.1', '01/01/2014']),
    ...structure(1, 0x100, system, ['Hyperport', 'Simulated PC', 'i440FX']),
    ...structure(127, 0x7f00, [], []),
  ]);
}

export function lowMemory(): Placed[] {
  const body = tables();
  const entry = new Uint8Array(31);
  const view = new DataView(entry.buffer);
  entry.set(ascii('_SM_'), 0);
  entry[5] = entry.length;
  entry.set([2, 8], 6);
  view.setUint16(8, 64, true);
  entry.set(ascii('_DMI_'), 16);
  view.setUint16(22, body.length, true);
  view.setUint32(24, TABLES_AT, true);
  view.setUint16(28, 3, true);
  entry[30] = 0x28;
  entry[21] = sum(entry.subarray(16));
  entry[4] = sum(entry);
  const data = new Uint8Array(0x100);
  const words = new DataView(data.buffer);
  words.setUint16(0x00, 0x3f8, true);
  words.setUint16(0x0e, EBDA >> 4, true);
  words.setUint16(0x13, EBDA >> 10, true);
  return [
    { at: ENTRY_AT, bytes: entry },
    { at: TABLES_AT, bytes: body },
    { at: BIOS_DATA, bytes: data },
  ];
}
