// Random values for the arguments of hypercalls, by the types of the interface tables: half of them sensible, the rest edges.

import type { Layout, LayoutType } from '../../abi/layout.ts';
import { isStructure, typeNamed, writeBig } from '../../abi/layout.ts';
import { scalarNames } from '../../abi/structures/declaration.ts';

export type Below = (limit: number) => number;

/** A small generator (xorshift), so that a failing seed can be named. */
export function generator(seed: number): Below {
  let state = seed | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const EDGES = [
  ...[0n, 1n, 2n, 3n, 8n, 0x10n, 0x20n, 0x40n, 0x7ff0n, 0xfffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0xffff800000000000n],
  ...[0xffffffff80000000n, 0x8000000000000000n, (1n << 64n) - 1n],
];
const DOMIDS = [0x7ff0, 0x7ff0, 0x7ff0, 0x7ff0, 0, 1, 7, 0x7ff1, 0x7ff2, 0x7ff4, 0xffff];

/** What the generator knows of the guest. */
export interface World {
  readonly below: Below;
  readonly bits: 64 | 32;
  frame(): number;
  /** A guest address, mapped more often than not. */
  address(): bigint;
  /** Room for an argument: where it lies. Null when the room is used up. */
  place(bytes: Uint8Array): bigint | null;
}

const pick = <T>(below: Below, list: readonly T[]): T => list[below(list.length)]!;

export const edge = (below: Below): bigint =>
  below(2) ? pick(below, EDGES) : (BigInt(below(2 ** 31)) << BigInt(below(33))) | BigInt(below(4096));

const FLAGS = [0n, 1n, 3n, 5n, 7n, 0x67n, 0x65n, 0x61n, 0x83n, 0x17n, 0x107n, 1n | (1n << 63n)];

/** A page-table entry. */
export function entry(world: World): bigint {
  const { below } = world;
  if (below(12) === 0) return BigInt(below(2 ** 30)) << 12n;
  return (BigInt(world.frame()) << 12n) | pick(below, FLAGS);
}

/** A number for a field. Its name says what the tables' types do not. */
function numberFor(world: World, name: string, type: LayoutType): bigint {
  const { below } = world;
  if (below(10) === 0) return edge(below);
  if (type.kind !== 'pointer' && 'style' in type && type.style === 'domid') return BigInt(pick(below, DOMIDS));
  if (/mfn|gfn|pfn|frame|maddr/.test(name)) return BigInt(world.frame());
  if (/^ptr$/.test(name)) return (BigInt(world.frame()) << 12n) | BigInt(below(512) * 8 + below(4));
  if (/^val/.test(name)) return entry(world);
  if (/addr|base|va$|eip|stack/.test(name)) return world.address();
  if (/port|vcpu|virq|ref|handle|order|nr_|count|size|cmd|op|type|space|flags|id$/.test(name)) return BigInt(below(below(4) ? 6 : 40));
  return below(2) ? BigInt(below(16)) : edge(below);
}

/** Fills `bytes` at `at` with a value of a type. */
export function fill(world: World, name: string, type: LayoutType, bytes: Uint8Array, at: number, depth = 0): void {
  switch (type.kind) {
    case 'uint':
    case 'int':
      writeBig(bytes, at, type.size, BigInt.asUintN(type.size * 8, numberFor(world, name, type)));
      return;
    case 'pointer':
      writeBig(bytes, at, type.size, BigInt.asUintN(type.size * 8, pointerTo(world, name, type.to, depth)));
      return;
    case 'array':
      for (let n = 0; n < Math.min(type.length, 64); n++) fill(world, name, type.of, bytes, at + n * type.of.size, depth);
      return;
    case 'struct':
      fillStruct(world, type.layout, bytes, at, depth);
  }
}

function fillStruct(world: World, layout: Layout, bytes: Uint8Array, at: number, depth: number): void {
  const fields = layout.union ? [pick(world.below, layout.fields)] : layout.fields;
  for (const field of fields) fill(world, field.name, field.type, bytes, at + field.offset, depth);
}

const MOST_ELEMENTS = 6;

/** Somewhere in the guest with what the call expects there, or somewhere else. */
export function pointerTo(
  world: World,
  name: string,
  to: string,
  depth: number,
  prepare?: (bytes: Uint8Array, size: number) => void,
): bigint {
  const { below } = world;
  if (below(8) === 0 || depth > 2) return below(3) ? world.address() : edge(below);
  const known = to !== 'void' && (isStructure(to) || scalarNames.has(to));
  const type = known ? typeNamed(to, world.bits) : null;
  const size = type?.size ?? 64;
  const bytes = new Uint8Array(Math.min(size, 2048) * (1 + below(MOST_ELEMENTS)));
  if (type && size <= 2048) for (let n = 0; n + size <= bytes.length; n += size) fill(world, name, type, bytes, n, depth + 1);
  prepare?.(bytes, size);
  return world.place(bytes) ?? edge(below);
}
