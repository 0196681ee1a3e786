// What the chains of the grammar are made of: one call, its arguments in memory, the common calls on page tables.

import { type StructureName, StructView, writeBig } from '../../abi/layout.ts';
import type { Builder } from './steps.ts';

/** An argument of 64 bits, which takes two registers of a 32-bit guest. */
export class Wide {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export type Argument = bigint | number | Wide;

/** The registers that arguments take. */
export function registersOf(bits: 64 | 32, args: readonly Argument[]): bigint[] {
  return args.flatMap((one) => {
    const value = BigInt.asUintN(64, BigInt(one instanceof Wide ? one.value : one));
    if (bits === 64) return [value];
    return one instanceof Wide ? [value & 0xffff_ffffn, value >> 32n] : [value & 0xffff_ffffn];
  });
}

export const call = (b: Builder, nr: number, ...args: Argument[]): void => {
  b.steps.push({ kind: 'call', nr, args: registersOf(b.bits, args), vcpu: b.below(8) === 0 ? 1 : 0 });
};

export const wordsOf = (b: Builder, size: 8 | 4, values: readonly (bigint | number)[]): bigint => {
  const bytes = new Uint8Array(values.length * size);
  for (const [n, value] of values.entries()) writeBig(bytes, n * size, size, BigInt.asUintN(64, BigInt(value)));
  return b.place(bytes) ?? 0n;
};
/** The guest's own words, and words of 64 bits. */
export const words = (b: Builder, ...values: (bigint | number)[]): bigint => wordsOf(b, b.bits === 64 ? 8 : 4, values);
export const quads = (b: Builder, ...values: (bigint | number)[]): bigint => wordsOf(b, 8, values);

export const structure = (b: Builder, name: StructureName, fields: Readonly<Record<string, bigint | number>>): bigint => {
  const view = new StructView(name, b.bits);
  for (const [path, value] of Object.entries(fields)) view.set(path, value);
  return b.place(view.bytes) ?? 0n;
};

export const SELF = 0x7ff0;
/** Operations of mmuext_op and of others. */
export const NEW_BASEPTR = 5;
export const NEW_USER_BASEPTR = 15;
export const UNPIN = 4;

export type Extended = readonly [command: number, one: number | bigint, two?: number | bigint];
export const mmuext = (b: Builder, ...operations: Extended[]): void =>
  call(b, 26, words(b, ...operations.flatMap(([command, one, two = 0]) => [command, one, two])), operations.length, 0, SELF);
export const updates = (b: Builder, ...list: [bigint, bigint][]): void => call(b, 1, quads(b, ...list.flat()), list.length, 0, SELF);

export const poolFrame = (b: Builder): number => b.pool[b.below(b.pool.length)]!;
export const mapTo = (b: Builder, address: bigint, value: bigint, flags = 2): void => call(b, 14, address, new Wide(value), flags);
export const unmap = (b: Builder, mfn: number): void => mapTo(b, b.addressOf(mfn), b.below(4) ? 0n : (BigInt(mfn) << 12n) | 1n);
export const mapWritable = (b: Builder, mfn: number): void => mapTo(b, b.addressOf(mfn), (BigInt(mfn) << 12n) | 3n);
export const store = (b: Builder, mfn: number, slot: number, value: bigint): void => void b.steps.push({ kind: 'store', mfn, slot, value });
export const levels = (b: Builder): number => (b.bits === 64 ? 4 : 3);
