// The grammar: hypercalls by the tables, and the chains of calls in which a guest builds, uses and takes down page tables and
// descriptor pages. A step is data, so that a failing run can be repeated and shortened.

import { argumentList, type Hypercall, hypercalls, type Operation } from '../../abi/hypercalls.ts';
import { isStructure, offsetOf, resolve, type StructureName, slotOf, writeBig } from '../../abi/layout.ts';
import { parseDeclaration } from '../../abi/structures/declaration.ts';
import { edge, entry, fill, pointerTo, type World } from './values.ts';

export type Step =
  | { readonly kind: 'call'; readonly nr: number; readonly args: readonly bigint[]; readonly vcpu: number }
  /** The guest stores into a page of its own. */
  | { readonly kind: 'store'; readonly mfn: number; readonly slot: number; readonly value: bigint }
  /** Arguments are put into memory before a call. */
  | { readonly kind: 'argument'; readonly address: bigint; readonly bytes: Uint8Array };

export interface Builder extends World {
  readonly steps: Step[];
  /** Frames that take all roles. */
  readonly pool: readonly number[];
  addressOf(mfn: number): bigint;
  /** Frames of the tables in use, and their levels' top. */
  readonly root: number;
  slot(): number;
}

/** Ends the guest, or leaves its registers to something else: rare. */
const RARE = new Set(['iret', 'sched_op', 'sched_op_compat']);

const call = (b: Builder, nr: number, ...args: (bigint | number)[]): void => {
  const vcpu = b.below(8) === 0 ? 1 : 0;
  b.steps.push({ kind: 'call', nr, args: args.map((value) => BigInt.asUintN(64, BigInt(value))), vcpu });
};

/** Any call of the tables, with arguments of its types. */
export function anyCall(b: Builder): void {
  const { below } = b;
  const all = hypercalls();
  const row = all[below(all.length)]!;
  if (RARE.has(row.name) && below(60)) return;
  const list = row.operations?.list ?? [];
  const operation = list.length ? list[below(list.length)]! : null;
  // Text of a fixed length: any bytes do.
  const members = parseDeclaration(argumentList(row, b.bits, operation).replace(/\w+\[\d+\](?= )/, 'xlong')).members;
  const args: bigint[] = [];
  for (const { name, type } of members) {
    if (operation && row.operations!.selector === name) args.push(BigInt(operation.number));
    else if (type.kind === 'pointer')
      args.push(pointerTo(b, name, type.to, 0, (bytes, size) => select(b, row, operation, name, type.to, bytes, size)));
    else {
      const bytes = new Uint8Array(8);
      const resolved = resolve(name, b.bits, type).type;
      if (resolved.size <= 8) fill(b, name, resolved, bytes, 0);
      args.push(new DataView(bytes.buffer).getBigUint64(0, true));
    }
  }
  if (below(12) === 0) args[below(args.length || 1)] = edge(below);
  call(b, row.number, ...args);
}

/** Puts the operation's number where the call looks for it: `op->cmd`, `uops[].cmd`. */
function select(b: Builder, row: Hypercall, operation: Operation | null, name: string, to: string, bytes: Uint8Array, size: number): void {
  const where = /^(\w+)(?:->|\[\]\.)(\w+)$/.exec(row.operations?.selector ?? '');
  if (!where || where[1] !== name || !operation || !isStructure(to) || row.name === 'mmu_update') return;
  const at = offsetOf(to as StructureName, b.bits, where[2]!);
  const { size: width } = slotOf(to as StructureName, b.bits, where[2]!).type;
  for (let n = 0; n + size <= bytes.length; n += size) {
    // Lists mix operations.
    const number = n === 0 ? operation.number : row.operations!.list[b.below(row.operations!.list.length)]!.number;
    writeBig(bytes, n + at, Math.min(width, 8), BigInt(number));
  }
}

const words = (b: Builder, ...values: (bigint | number)[]): bigint => {
  const bytes = new Uint8Array(values.length * 8);
  for (const [n, value] of values.entries()) writeBig(bytes, n * 8, 8, BigInt.asUintN(64, BigInt(value)));
  return b.place(bytes) ?? 0n;
};

const SELF = 0x7ff0;
const mmuext = (b: Builder, ...operations: [number, number | bigint, (number | bigint)?][]): void =>
  call(b, 26, words(b, ...operations.flatMap(([command, one, two = 0]) => [command, one, two])), operations.length, 0, SELF);
const updates = (b: Builder, ...list: [bigint, bigint][]): void => call(b, 1, words(b, ...list.flat()), list.length, 0, SELF);

const poolFrame = (b: Builder): number => b.pool[b.below(b.pool.length)]!;
const unmap = (b: Builder, mfn: number): void => call(b, 14, b.addressOf(mfn), b.below(4) ? 0n : (BigInt(mfn) << 12n) | 1n, 2);
const store = (b: Builder, mfn: number, slot: number, value: bigint): void => void b.steps.push({ kind: 'store', mfn, slot, value });

/** A table of a level, its entries filled by stores, made read only, pinned, perhaps hooked into the tables in use. */
function buildTable(b: Builder): void {
  const level = 1 + b.below(4);
  const table = poolFrame(b);
  for (let n = b.below(6); n >= 0; n--) store(b, table, b.slot(), entry(b));
  unmap(b, table);
  if (b.below(3)) mmuext(b, [level - 1, table]);
  if (b.below(3) === 0) updates(b, [(BigInt(b.root) << 12n) | BigInt(b.slot() * 8), (BigInt(table) << 12n) | 0x67n]);
  if (b.below(3) === 0) mmuext(b, [4, table]);
  if (b.below(2)) call(b, 14, b.addressOf(table), (BigInt(table) << 12n) | 3n, 2);
}

/** Two or three levels over each other. */
function buildTree(b: Builder): void {
  const [l1, l2, l3, l4] = [poolFrame(b), poolFrame(b), poolFrame(b), poolFrame(b)];
  for (let n = b.below(4); n >= 0; n--) store(b, l1, b.slot(), entry(b));
  for (let n = b.below(3); n >= 0; n--) store(b, l2, b.slot(), (BigInt(l1) << 12n) | 0x67n);
  store(b, l3, b.slot(), (BigInt(l2) << 12n) | (b.below(4) ? 0x67n : 0x65n));
  store(b, l4, b.below(256), (BigInt(l3) << 12n) | 0x67n);
  if (b.below(3) === 0) store(b, l4, b.slot(), (BigInt(poolFrame(b)) << 12n) | 0x65n);
  for (const table of [l1, l2, l3, l4]) unmap(b, table);
  const top = 1 + b.below(3);
  mmuext(b, [top, [l2, l3, l4][top - 1]!]);
  if (b.below(3) === 0) mmuext(b, [15, l4]);
  if (b.below(3) === 0) mmuext(b, [4, [l2, l3, l4][top - 1]!]);
}

const slotOfPool = (b: Builder): bigint =>
  (BigInt(b.below(6) ? poolFrame(b) : b.root) << 12n) | BigInt(b.slot() * 8 + (b.below(6) ? 0 : b.below(4)));

const chains: readonly ((b: Builder) => void)[] = [
  buildTable,
  buildTree,
  (b) => updates(b, ...Array.from({ length: 1 + b.below(6) }, (): [bigint, bigint] => [slotOfPool(b), entry(b)])),
  (b) => call(b, 14, b.address(), entry(b), b.below(6)),
  (b) => mmuext(b, ...Array.from({ length: 1 + b.below(4) }, (): [number, number, number] => [b.below(20), poolFrame(b), poolFrame(b)])),
  (b) => {
    for (let n = b.below(3); n >= 0; n--) store(b, poolFrame(b), b.below(512), b.below(3) ? 0x00cffb000000ffffn : edge(b.below));
    const page = poolFrame(b);
    unmap(b, page);
    call(b, 2, words(b, page, poolFrame(b)), 512 * b.below(3));
  },
  (b) => call(b, 10, (BigInt(poolFrame(b)) << 12n) | BigInt(8 * b.below(512)), b.below(2) ? 0x00cffb000000ffffn : edge(b.below)),
  (b) => {
    const operation = [0, 1, 6][b.below(3)]!;
    const pages = words(b, poolFrame(b), b.below(4000), poolFrame(b));
    call(
      b,
      12,
      operation,
      words(b, pages, 1 + b.below(3), BigInt(b.below(3)) | (b.below(6) === 0 ? BigInt(b.below(64)) << 32n : 0n), SELF),
    );
  },
  (b) => {
    const given = words(b, poolFrame(b), poolFrame(b), poolFrame(b), poolFrame(b));
    const wanted = words(b, b.below(4000), b.below(4000), b.below(4000), b.below(4000));
    const [one, other] = [b.below(3), b.below(3)];
    unmap(b, poolFrame(b));
    call(b, 12, 11, words(b, given, 4 >> one, BigInt(one), SELF, wanted, 4 >> other, BigInt(other), SELF, 0));
  },
  (b) => call(b, 24, 10, b.below(2), words(b, poolFrame(b), BigInt(b.below(64) * 64))),
  (b) => {
    // A list of calls on tables.
    const list = Array.from({ length: 1 + b.below(3) }, () => [1, 0, words(b, slotOfPool(b), entry(b)), 1, 0, SELF, 0, 0]);
    call(b, 13, words(b, ...list.flat()), list.length);
  },
];

/** One production of the grammar. */
export function produce(b: Builder): void {
  if (b.below(5) < 2) anyCall(b);
  else chains[b.below(chains.length)]!(b);
}
