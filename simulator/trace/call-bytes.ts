// Captured calls as bytes: how the ring keeps them. A call takes some 110 bytes and what its arguments lead to.

import type { CapturedBytes, CapturedCall } from './captured-call.ts';

/** bits, flags, vcpu, domain, nr, n, icount, ret, rip; then six registers. */
const FIXED = 8 + 4 + 8 + 8 + 8 + 8;
const REGISTERS = 6;
const Flag = { wide: 1, answered: 2, continued: 4, changed: 8 } as const;
const PLACE = 8 + 4 + 1;
const MISSING = 0;
const PRESENT = 1;

const sizeOfPlaces = (places: readonly CapturedBytes[]): number => {
  let size = 1;
  for (const { bytes } of places) size += PLACE + (bytes?.length ?? 0);
  return size;
};

/** Bytes that writeCall() writes. */
export const sizeOfCall = ({ before, after }: CapturedCall): number =>
  FIXED + REGISTERS * 8 + sizeOfPlaces(before) + (after === before ? 0 : sizeOfPlaces(after));

export function writeCall(view: DataView, bytes: Uint8Array, at: number, call: CapturedCall, n: number, icount: number): void {
  const { before, after } = call;
  view.setUint8(
    at,
    (call.bits === 64 ? Flag.wide : 0) |
      (call.ret === null ? 0 : Flag.answered) |
      (call.continued ? Flag.continued : 0) |
      (after === before ? 0 : Flag.changed),
  );
  view.setUint8(at + 1, call.args.length);
  view.setUint16(at + 2, call.domain, true);
  view.setUint16(at + 4, call.vcpu, true);
  view.setUint32(at + 8, call.nr, true);
  view.setFloat64(at + 12, n, true);
  view.setFloat64(at + 20, icount, true);
  view.setFloat64(at + 28, call.ret ?? 0, true);
  view.setBigUint64(at + 36, call.rip, true);
  let p = at + FIXED;
  for (let k = 0; k < REGISTERS; k++, p += 8) view.setBigUint64(p, call.args[k] ?? 0n, true);
  p = writePlaces(view, bytes, p, before);
  if (after !== before) writePlaces(view, bytes, p, after);
}

function writePlaces(view: DataView, into: Uint8Array, at: number, places: readonly CapturedBytes[]): number {
  let p = at;
  view.setUint8(p++, places.length);
  for (const { address, length, bytes } of places) {
    view.setBigUint64(p, address, true);
    view.setUint32(p + 8, length, true);
    view.setUint8(p + 12, bytes ? PRESENT : MISSING);
    p += PLACE;
    if (!bytes) continue;
    into.set(bytes, p);
    p += bytes.length;
  }
  return p;
}

export function readCall(view: DataView, at: number): { readonly call: CapturedCall; readonly n: number; readonly icount: number } {
  const flags = view.getUint8(at);
  const count = view.getUint8(at + 1);
  const args = Array.from({ length: count }, (_, k) => view.getBigUint64(at + FIXED + 8 * k, true));
  const [before, end] = readPlaces(view, at + FIXED + 8 * REGISTERS);
  const after = flags & Flag.changed ? readPlaces(view, end)[0] : before;
  return {
    n: view.getFloat64(at + 12, true),
    icount: view.getFloat64(at + 20, true),
    call: {
      domain: view.getUint16(at + 2, true),
      vcpu: view.getUint16(at + 4, true),
      bits: flags & Flag.wide ? 64 : 32,
      rip: view.getBigUint64(at + 36, true),
      nr: view.getUint32(at + 8, true),
      ...{ args, before, after },
      ret: flags & Flag.answered ? view.getFloat64(at + 28, true) : null,
      continued: (flags & Flag.continued) !== 0,
    },
  };
}

function readPlaces(view: DataView, at: number): [CapturedBytes[], number] {
  let p = at;
  const places: CapturedBytes[] = [];
  for (let left = view.getUint8(p++); left > 0; left--) {
    const address = view.getBigUint64(p, true);
    const length = view.getUint32(p + 8, true);
    const present = view.getUint8(p + 12) === PRESENT;
    p += PLACE;
    const bytes = present ? new Uint8Array(view.buffer, view.byteOffset + p, length).slice() : null;
    places.push({ address, length, bytes });
    if (present) p += length;
  }
  return [places, p];
}
