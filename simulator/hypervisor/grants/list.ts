// Lists of grant operations: each element is read, carried out and answered, with a break where one is due. Of a 32-bit guest's copies
// and transfers, whose structures Xen translates, as many as its buffer holds are read before the first is carried out, and their
// statuses are written, last first, after all are.
// Behaviour of Xen 4.17 (common/grant_table.c, common/compat/grant_table.c).

import { type StructureName, type StructView, sizeOf, slotOf } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { type Answer, type Call, no } from '../call.ts';
import { again } from '../continuation.ts';
import type { Outcome } from './facts.ts';

/** Work on a list, element by element. */
export interface ListWork {
  readonly name: StructureName;
  /** Elements after which a break is possible. */
  readonly batch: number;
  /** The whole structure is written back, not the status alone. */
  readonly whole: boolean;
  /** Null: the caller was ended, and nothing is written back. */
  one(op: StructView): Outcome | null;
  /** After each batch, and at the end of the round. */
  finish(): void;
}

/** A refusal of an element, told with the call although that returns 0. */
export function withElement(refusal: Refusal, name: StructureName, element: number): Refusal {
  return { ...refusal, facts: { operation: name.slice('gnttab_'.length), ...refusal.facts, request: element } };
}

export function runList(call: Call, work: ListWork, count: number): Answer {
  const { preemption } = call.hv.memory.types;
  const size = sizeOf(work.name, call.bits);
  const list = call.args[1]!;
  // A copy keeps what it claimed from one element to the next.
  const keeps = work.name === 'gnttab_copy';
  let refusal = call.carried?.refusal;
  for (let n = 0; n < count; n++) {
    if (n > 0 && n % work.batch === 0) {
      if (!keeps) work.finish();
      if (preemption.due()) {
        work.finish();
        const left = BigInt(count - n);
        return again({ nr: call.nr, args: [call.args[0]!, list + BigInt(n * size), left], ...(refusal ? { refusal } : {}) });
      }
    }
    preemption.work(1);
    const at = list + BigInt(n * size);
    const op = call.struct(work.name, at);
    const outcome = op && work.one(op);
    if (!op || (outcome && !tell(call, op, at, outcome, work.whole))) {
      work.finish();
      return unreadable(call, work, op === null, n, count);
    }
    refusal = latest(call, refusal, outcome, work.name, n);
  }
  work.finish();
  return refusal ? { ret: 0n, refusal } : { ret: 0n };
}

/** What is told of the call is its last refusal; Xen logs each. */
function latest(call: Call, before: Refusal | undefined, outcome: Outcome | null, name: StructureName, n: number): Refusal | undefined {
  if (!outcome?.refusal) return before;
  if (before) call.hv.logRefusal(before, call.vcpu);
  return withElement(outcome.refusal, name, n);
}

function unreadable(call: Call, { name }: ListWork, reading: boolean, n: number, count: number): Answer {
  const refusal = call.fault(name).refusal!;
  if (!reading || name !== 'gnttab_transfer') return no(refusal);
  return no({ ...refusal, xenLine: { template: 'grant-request', args: { index: `${n}`, asked: `${count}` } } });
}

/** Writes an element's outcome back. */
export function tell(call: Call, op: StructView, at: bigint, outcome: Outcome, whole: boolean): boolean {
  op.set('status', outcome.status);
  if (whole) return call.put(at, op);
  return putStatus(call, op, at);
}

/** The status alone, as Xen writes it. */
export function putStatus(call: Call, op: StructView, at: bigint): boolean {
  return call.write(at + BigInt(slotOf(op.name, op.bits, 'status').offset), op.slice('status'));
}

/** Bytes of the buffer that holds the translated structures. */
const BUFFER = 8192;

export function compatList(call: Call, work: ListWork, count: number): Answer {
  const { preemption } = call.hv.memory.types;
  const size = sizeOf(work.name, 32);
  const most = Math.floor(BUFFER / sizeOf(work.name, 64));
  const list = call.args[1]!;
  let refusal = call.carried?.refusal;
  for (let first = 0; first < count; first += most) {
    const ops: StructView[] = [];
    for (let n = first; n < Math.min(first + most, count); n++) {
      const op = call.struct(work.name, list + BigInt(n * size));
      if (!op) return call.fault(work.name);
      ops.push(op);
    }
    const outcomes: Outcome[] = [];
    for (const [n, op] of ops.entries()) {
      if (n > 0 && preemption.due()) break;
      preemption.work(1);
      const outcome = work.one(op)!;
      refusal = latest(call, refusal, outcome, work.name, first + n);
      op.set('status', outcome.status);
      outcomes.push(outcome);
    }
    work.finish();
    let written = true;
    for (let n = outcomes.length - 1; n >= 0; n--) if (!putStatus(call, ops[n]!, list + BigInt((first + n) * size))) written = false;
    if (!written) return call.fault(work.name);
    if (outcomes.length < ops.length) {
      const done = first + outcomes.length;
      return again({
        nr: call.nr,
        args: [call.args[0]!, list + BigInt(done * size), BigInt(count - done)],
        ...(refusal ? { refusal } : {}),
      });
    }
  }
  return refusal ? { ret: 0n, refusal } : { ret: 0n };
}
