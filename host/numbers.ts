// Numbers as the protocol writes them: lower-case `0x…` strings for addresses and register values, base64 for bytes.

import { UserError } from './errors.ts';

/** `0x…`, unsigned 64 bits. */
export const hex = (value: bigint | number): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

/** `0x…` with all digits of `bytes` bytes. */
export const paddedHex = (value: bigint | number, bytes: number): string =>
  `0x${BigInt.asUintN(bytes * 8, BigInt(value))
    .toString(16)
    .padStart(bytes * 2, '0')}`;

/** An integer written as C does it (decimal, 0x…, 0b…, 0o… or leading 0, with suffixes u and l), null when it is none. */
export function parseInteger(text: string): bigint | null {
  const match = /^(-?)(0x[0-9a-f]+|0b[01]+|0o?[0-7]+|[1-9][0-9]*|0)(?:u|l)*$/i.exec(text.trim());
  if (!match) return null;
  const digits = /^0[0-7]+$/.test(match[2]!) ? `0o${match[2]!.slice(1)}` : match[2]!.toLowerCase();
  const value = BigInt(digits);
  return match[1] ? -value : value;
}

/** Base64 without Buffer: the host also runs in a web worker. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x2000) text += String.fromCharCode(...bytes.subarray(i, i + 0x2000));
  return btoa(text);
}

/** Throws UserError on what is not base64. */
export function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new UserError('The bytes must be written in base64.');
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
