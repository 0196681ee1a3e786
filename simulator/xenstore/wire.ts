// XenStore messages in bytes: a header of four 32-bit words (type, request id, transaction id, length of the payload), then the payload.
// Source: Xen's public/io/xs_wire.h.

import { type storeErrorNames, storeLimits, storeMessages } from '../../abi/constants/store.table.ts';

export type MessageName = keyof typeof storeMessages extends `XS_${infer Name}` ? Name : never;
export type StoreError = (typeof storeErrorNames)[number];

export const headerSize = 16;
export const payloadMax = storeLimits.XENSTORE_PAYLOAD_MAX;

export interface Header {
  readonly type: number;
  readonly requestId: number;
  readonly transactionId: number;
  readonly length: number;
}

const names = new Map<number, string>(Object.entries(storeMessages).map(([name, number]) => [number, name.slice(3)]));

/** 'READ' for 2; null for a number that is no message type. */
export const messageName = (type: number): MessageName | null => (names.get(type) as MessageName | undefined) ?? null;

export const messageType = (name: MessageName): number => storeMessages[`XS_${name}`];

/** Reads the header at the start of `bytes` (16 at least). */
export function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerSize);
  return {
    type: view.getUint32(0, true),
    requestId: view.getUint32(4, true),
    transactionId: view.getUint32(8, true),
    length: view.getUint32(12, true),
  };
}

/** A whole message. */
export function message(type: MessageName, requestId: number, transactionId: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerSize + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, messageType(type), true);
  view.setUint32(4, requestId, true);
  view.setUint32(8, transactionId, true);
  view.setUint32(12, payload.length, true);
  bytes.set(payload, headerSize);
  return bytes;
}

/** Text to bytes, one byte per character. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Bytes to text, one character per byte. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Strings, each closed by a NUL. */
export const strings = (...parts: readonly string[]): Uint8Array => bytesOf(parts.map((part) => `${part}\0`).join(''));

/** The strings of a payload that are closed by a NUL; bytes after the last NUL are left out. */
export const closedStrings = (payload: Uint8Array): string[] => textOf(payload).split('\0').slice(0, -1);

/** The one string of a payload with exactly one NUL, at its end; null for any other payload. */
export function onlyString(payload: Uint8Array): string | null {
  const parts = textOf(payload).split('\0');
  return parts.length === 2 && parts[1] === '' ? parts[0]! : null;
}
