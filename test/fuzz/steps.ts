// The grammar: any hypercall by the tables, and the chains of calls of chains.ts. A step is data, so that a failing run can be
// repeated and shortened.

import { argumentList, type Hypercall, hypercalls, type Operation } from '../../abi/hypercalls.ts';
import { isStructure, offsetOf, resolve, type StructureName, slotOf, writeBig } from '../../abi/layout.ts';
import { parseDeclaration } from '../../abi/structures/declaration.ts';
import { registersOf } from './calls.ts';
import { chain } from './chains.ts';
import { edge, fill, pointerTo, type World } from './values.ts';

export type Step =
  | { readonly kind: 'call'; readonly nr: number; readonly args: readonly bigint[]; readonly vcpu: number }
  /** The guest stores into a page of its own. */
  | { readonly kind: 'store'; readonly mfn: number; readonly slot: number; readonly value: bigint }
  /** Arguments are put into memory before a call. */
  | { readonly kind: 'argument'; readonly address: bigint; readonly bytes: Uint8Array };

export interface Builder extends World {
  readonly steps: Step[];
  /** The domain's number. */
  readonly domid: number;
  /** Its grant table at this moment: frames, and the version. */
  grantTable(): { readonly frames: readonly number[]; readonly version: 1 | 2 };
  /** Frames that take all roles. */
  readonly pool: readonly number[];
  addressOf(mfn: number): bigint;
  /** Frames of the tables in use, and their levels' top. */
  readonly root: number;
  slot(): number;
}

/** Ends the guest, or leaves its registers to something else: rare. */
const SELDOM = 25;
const RARE = new Set(['iret', 'sched_op', 'sched_op_compat']);

/** Any call of the tables, with arguments of its types. */
export function anyCall(b: Builder): void {
  const { below } = b;
  const all = hypercalls();
  const row = all[below(all.length)]!;
  if (RARE.has(row.name) && below(SELDOM)) return;
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
      const value = new DataView(bytes.buffer).getBigUint64(0, true);
      args.push(value);
      // A 32-bit guest passes it in two registers.
      if (resolved.size * 8 > b.bits) args.push(value >> 32n);
    }
  }
  if (below(12) === 0) args[below(args.length || 1)] = edge(below);
  b.steps.push({ kind: 'call', nr: row.number, args: registersOf(b.bits, args), vcpu: below(8) === 0 ? 1 : 0 });
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

/** One production of the grammar. */
export function produce(b: Builder): void {
  if (b.below(5) < 2) anyCall(b);
  else chain(b);
}
