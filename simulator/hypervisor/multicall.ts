// multicall: a list of hypercalls, each with a result of its own. An entry that is to be continued is written back with what is
// left of it, and the list goes on from there.
// Behaviour of Xen 4.17 (common/multicall.c).

import { hypercallByNumber } from '../../abi/hypercalls.ts';
import { type StructView, sizeOf } from '../../abi/layout.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { refuse } from '../memory/refuse.ts';
import { type Answer, Call, NO_RETURN, no, noSuch } from './call.ts';
import { wideArguments } from './compat/arguments.ts';
import { again, listFault, registersOf, toTheEnd } from './continuation.ts';

export const MULTICALL = 13;
const IRET = 23;

export function multicall(call: Call, carryOut: (call: Call) => Answer): Answer {
  const list = call.args[0]!;
  const count = call.u32(1);
  const size = sizeOf('multicall_entry', call.bits);
  const before = call.carried?.entriesDone ?? 0;
  if (!call.addressOk(list)) return listFault(call, list);
  let refusal: Refusal | undefined = call.carried?.refusal;
  let unimplemented = false;
  const goOn = (n: number, inner?: Refusal): Answer =>
    again({
      nr: call.nr,
      args: [list + BigInt(n * size), BigInt(count - n)],
      entriesDone: before + n,
      ...(refusal ? { refusal } : {}),
      ...(inner ? { inner } : {}),
    });
  for (let n = 0; n < count; n++) {
    if (n > 0 && call.hv.memory.types.preemption.due()) return goOn(n);
    const at = list + BigInt(n * size);
    const entry = call.struct('multicall_entry', at);
    if (!entry) return call.fault(`multicall entry ${before + n}`);
    const op = entry.big('op');
    const nr = Number(op & 0xffff_ffffn);
    const raw = Array.from({ length: 6 }, (_, k) => entry.big(`args[${k}]`));
    const inner = new Call(call.hv, call.vcpu, nr, call.bits === 64 ? raw : wideArguments(nr, raw.slice(0, 5)));
    if (n === 0 && call.carried?.inner) inner.carried = { nr, args: inner.args, refusal: call.carried.inner };
    const name = hypercallByNumber(nr)?.name ?? `hypercall ${nr}`;
    call.hv.memory.frames.attribute(name, call.hv.icount);
    const answer = toTheEnd(inner, (one) => inMulticall(one, op, carryOut));
    if (call.domain.ending) return { ret: 0n };
    if (nr === IRET && op === BigInt(IRET)) return left(call, at, entry);
    const { continuation } = answer;
    for (const [k, value] of continuation ? registersOf(continuation, call.bits).entries() : []) entry.set(`args[${k}]`, value);
    entry.set('result', continuation ? BigInt(nr) : (answer.ret ?? 0n));
    const bytes = continuation ? entry.bytes : entry.bytes.subarray(call.word, 2 * call.word);
    if (!call.write(continuation ? at : at + BigInt(call.word), bytes)) return call.fault(`result of multicall entry ${before + n}`);
    if (continuation) return goOn(n, continuation.refusal);
    if (answer.refusal && !refusal) refusal = { ...answer.refusal, facts: { ...answer.refusal.facts, entry: before + n, call: name } };
    unimplemented ||= answer.unimplemented === true;
  }
  return refusal ? { ret: 0n, refusal, ...(unimplemented ? { unimplemented: true as const } : {}) } : { ret: 0n };
}

/** iret ended the list: what follows it is not carried out, for it would run for user mode. Its result is written if it can be. */
function left(call: Call, at: bigint, entry: StructView): Answer {
  entry.set('result', call.vcpu.cpu.reg(0));
  call.write(at + BigInt(call.word), entry.slice('result'));
  return NO_RETURN;
}

/** The number is 64 bits wide here. A list has no meaning inside another. */
function inMulticall(inner: Call, op: bigint, carryOut: (call: Call) => Answer): Answer {
  if (op === BigInt(MULTICALL)) {
    inner.hv.logMessage('multicall-reentry', {}, inner.vcpu);
    return no(refuse('EINVAL', 'no-such-operation', { what: 'multicall inside a multicall', number: MULTICALL }));
  }
  return op > 0xffff_ffffn ? noSuch('hypercall inside a multicall', Number(op)) : carryOut(inner);
}
