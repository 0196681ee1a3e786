// Compares x87, MMX and SSE registers, as fxsave64 lays them out, with those of the processor.

import type { GeneratedCase } from './cases.ts';
import type { NativeResult } from './host-cpu.ts';

const C1 = 0x200;
const hex = (bytes: Uint8Array): string =>
  [...bytes]
    .reverse()
    .map((v) => v.toString(16).padStart(2, '0'))
    .join('');

/** Distance of two register images in units of the last place. */
function distance(a: Uint8Array, b: Uint8Array): bigint {
  const ordered = (bytes: Uint8Array): bigint => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 10);
    const top = view.getUint16(8, true);
    const key = (BigInt(top & 0x7fff) << 63n) + (view.getBigUint64(0, true) & ((1n << 63n) - 1n));
    return top & 0x8000 ? -key : key;
  };
  const d = ordered(a) - ordered(b);
  return d < 0n ? -d : d;
}

export interface ImageOptions {
  /** Compare the last instruction's address and operand too. */
  readonly pointers: boolean;
  /** The last bit of an x87 register and C1 are each processor's own. */
  readonly loose: boolean;
}

/** Fields of two images that differ, in words. */
export function imageDifferences(native: Uint8Array, engine: Uint8Array, { pointers, loose }: ImageOptions): string[] {
  const out: string[] = [];
  const ours = engine.slice();
  // Without a pending exception the processor does not show the pointers.
  if (!(ours[2]! & 0x80)) ours.fill(0, 6, 24);
  const field = (name: string, at: number, length: number): void => {
    const a = hex(ours.subarray(at, at + length));
    const b = hex(native.subarray(at, at + length));
    if (a !== b) out.push(`${name} ${a}, processor ${b}`);
  };
  field('control word', 0, 2);
  const word = (image: Uint8Array): number => (image[2]! | (image[3]! << 8)) & (loose ? ~C1 : ~0);
  if (word(native) !== word(ours)) out.push(`status word ${word(ours).toString(16)}, processor ${word(native).toString(16)}`);
  field('tags', 4, 1);
  if (pointers) {
    field('opcode', 6, 2);
    field('instruction', 8, 8);
    field('operand', 16, 8);
  }
  field('mxcsr', 24, 4);
  for (let n = 0; n < 8; n++) {
    const at = 32 + 16 * n;
    if (loose && distance(ours.subarray(at, at + 10), native.subarray(at, at + 10)) <= 1n) continue;
    field(`st${n}`, at, 10);
  }
  for (let n = 0; n < 16; n++) field(`xmm${n}`, 160 + 16 * n, 16);
  return out;
}

/** Registers that a case starts with. */
export function describeImage(c: GeneratedCase, native: NativeResult): string {
  const image = c.image!;
  const view = new DataView(image.buffer, image.byteOffset);
  const list = (name: string, count: number, at: number, bytes: number): string =>
    Array.from({ length: count }, (_, n) => `${name}${n}=${hex(image.subarray(at + 16 * n, at + 16 * n + bytes))}`).join(' ');
  const word = (at: number): string => view.getUint16(at, true).toString(16);
  const pokes = c.pokes.map(([at, v]) => `+${at.toString(16)}=${v.toString(16)}`).join(' ');
  return `cw=${word(0)} sw=${word(2)} tags=${image[4]!.toString(16)} mxcsr=${word(24)} ${pokes} trap ${native.trap}
    ${list('xmm', c.bits === 64 ? 16 : 8, 160, 16)}
    ${list('st', 8, 32, 10)}`;
}
