// Numbers, characters, enumerations and strings as one line of text.

import { ENCODING } from '../dwarf/constants.table.ts';
import { type CType, stripAliases } from '../dwarf/types.ts';
import { hex } from '../error.ts';

export function unsignedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

export function floatText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return String(view.getFloat32(0, true));
  if (bytes.length === 8) return String(view.getFloat64(0, true));
  if (bytes.length < 10) return '<floating point of an unknown size>';
  // x87 extended precision: 64-bit mantissa with its integer bit, 15-bit exponent.
  const mantissa = Number(view.getBigUint64(0, true));
  const high = view.getUint16(8, true);
  const exponent = (high & 0x7fff) - 16383 - 63;
  return String((high & 0x8000 ? -1 : 1) * mantissa * 2 ** exponent);
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\', '\0': '\\0' };
export const quote = (text: string): string =>
  `"${[...text].map((c) => ESCAPES[c] ?? (c >= ' ' && c <= '~' ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)).join('')}"`;

export function charText(code: number): string {
  const c = String.fromCharCode(code & 255);
  const shown = ESCAPES[c] ?? (c >= ' ' && c <= '~' ? c : `\\x${(code & 255).toString(16).padStart(2, '0')}`);
  return c === "'" ? "'\\''" : c === '"' ? `'"'` : `'${shown}'`;
}

export function isChar(type: CType): boolean {
  const plain = stripAliases(type);
  return (
    plain.kind === 'base' && plain.size === 1 && (plain.encoding === ENCODING.signed_char || plain.encoding === ENCODING.unsigned_char)
  );
}

export function enumText(type: CType & { kind: 'enum' }, raw: bigint): string {
  const mask = (value: bigint): bigint => BigInt.asUintN(type.size * 8, value);
  const enumerators = type.enumerators();
  const exact = enumerators.find(({ value }) => mask(value) === raw);
  const number = type.signed ? BigInt.asIntN(type.size * 8, raw) : raw;
  if (exact) return `${exact.name} (${number})`;
  // Flags: every bit must have a name.
  let rest = raw;
  const names: string[] = [];
  for (const { name, value } of enumerators) {
    const bits = mask(value);
    if (bits !== 0n && (bits & (bits - 1n)) === 0n && (rest & bits) !== 0n) {
      names.push(name);
      rest &= ~bits;
    }
  }
  return names.length > 0 && rest === 0n ? `${names.join(' | ')} (${hex(raw)})` : String(number);
}

export function baseText(type: CType & { kind: 'base' }, bytes: Uint8Array): string {
  const raw = unsignedOf(bytes);
  const width = type.size * 8;
  switch (type.encoding) {
    case ENCODING.float:
      return floatText(bytes);
    case ENCODING.boolean:
      return raw === 0n ? 'false' : raw === 1n ? 'true' : `${raw} (no valid bool)`;
    case ENCODING.signed:
      return String(BigInt.asIntN(width, raw));
    case ENCODING.signed_char:
    case ENCODING.unsigned_char:
    case ENCODING.UTF: {
      if (type.size > 1) return String(raw);
      const number = type.encoding === ENCODING.signed_char ? BigInt.asIntN(width, raw) : raw;
      return `${number} ${charText(Number(raw))}`;
    }
    case ENCODING.address:
      return hex(raw);
    default:
      return raw < 10n ? String(raw) : `${raw} (${hex(raw)})`;
  }
}
