// From hypercall number to handler, with the trace records around it; multicall.

import { asMfn, type Mfn } from '../../abi/address.ts';
import { type DecodedHypercall, decodeHypercall } from '../../abi/decode-hypercall.ts';
import { hypercallByNumber } from '../../abi/hypercalls.ts';
import type { MemoryReader } from '../../abi/present.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { explainRefusal } from '../../explain/refusal.ts';
import { writableMappings } from '../memory/find-mappings.ts';
import { hex } from '../memory/refuse.ts';
import { type CapturedBytes, capture, NONE, planOf, sameBytes, valuesOf } from '../trace/captured-call.ts';
import type { Args } from '../trace/records.ts';
import { type Answer, Call, type Handler, type HandlerResult, noSuch } from './call.ts';
import { setGdt, updateDescriptor } from './calls/descriptors.ts';
import { eventChannelOp, eventChannelOpCompat } from './calls/events.ts';
import { grantTableOp } from './calls/grants.ts';
import { iret } from './calls/iret.ts';
import { memoryOp } from './calls/memory.ts';
import {
  consoleIo,
  fpuTaskSwitch,
  getDebugRegister,
  refuseAll,
  setDebugRegister,
  setSegmentBase,
  setTimerOp,
  stackSwitch,
  vmAssist,
} from './calls/misc.ts';
import { mmuUpdate } from './calls/mmu-update.ts';
import { mmuextOp } from './calls/mmuext.ts';
import { optionalHandlers } from './calls/optional.ts';
import { physdevOp, physdevOpCompat } from './calls/physdev.ts';
import { schedOp, schedOpCompat } from './calls/sched.ts';
import { toolstackHandlers } from './calls/toolstack.ts';
import { callbackOp, nmiOp, setCallbacks, setTrapTable } from './calls/traps.ts';
import { updateVaMapping, updateVaMappingOtherDomain } from './calls/update-va-mapping.ts';
import { vcpuOp } from './calls/vcpu-op.ts';
import { xenVersion } from './calls/version.ts';
import { wideArguments } from './compat/arguments.ts';
import { compatHandlers } from './compat/handlers.ts';
import { argumentRegisters, continueLater, isContinued, takeContinuing, toTheEnd } from './continuation.ts';
import { withHints } from './hints.ts';
import type { Hypervisor } from './hypervisor.ts';
import { MULTICALL, multicall } from './multicall.ts';
import type { VcpuState } from './vcpu.ts';

const IRET = 23;

const handlers: Readonly<Record<number, Handler>> = {
  0: setTrapTable,
  1: mmuUpdate,
  2: setGdt,
  3: stackSwitch,
  4: setCallbacks,
  5: fpuTaskSwitch,
  6: schedOpCompat,
  8: setDebugRegister,
  9: getDebugRegister,
  10: updateDescriptor,
  12: memoryOp,
  [MULTICALL]: (call) => multicall(call, answerOf),
  14: updateVaMapping,
  15: setTimerOp,
  16: eventChannelOpCompat,
  17: xenVersion,
  18: consoleIo,
  19: physdevOpCompat,
  20: grantTableOp,
  21: vmAssist,
  22: updateVaMappingOtherDomain,
  [IRET]: iret,
  24: vcpuOp,
  25: setSegmentBase,
  26: mmuextOp,
  28: nmiOp,
  29: schedOp,
  30: callbackOp,
  32: eventChannelOp,
  33: physdevOp,
  40: refuseAll('EOPNOTSUPP', 'no-virtual-pmu', 'xenpmu_op'),
  ...toolstackHandlers,
  ...optionalHandlers,
};

function carryOut(call: Call): HandlerResult {
  const handler = (call.bits === 32 ? compatHandlers[call.nr] : undefined) ?? handlers[call.nr];
  if (handler) return handler(call);
  return noSuch('hypercall', call.nr);
}

const asAnswer = (result: HandlerResult): Answer => (typeof result === 'object' ? result : { ret: BigInt(result) });

/** Carries one call out, and logs what a debug build of Xen logs of a refusal; a list of calls logs with its entries. */
function answerOf(call: Call): Answer {
  const answer = asAnswer(carryOut(call));
  if (answer.refusal && call.nr !== MULTICALL) call.hv.logRefusal(answer.refusal, call.vcpu);
  return answer;
}

const nameOf = (nr: number): string => hypercallByNumber(nr)?.name ?? `hypercall ${nr}`;

/** A call between entry and exit: its number and site are fixed, its arguments are read when it is carried out. */
export interface PendingCall {
  readonly vcpu: VcpuState;
  readonly nr: number;
  /** Address of the instruction: syscall, or int 0x82. */
  readonly site: bigint;
}

const readerOf = (hv: Hypervisor, root: Mfn): MemoryReader => {
  return (address, length) => (address === 0n ? null : hv.peek(root, address, length));
};

const decode = (hv: Hypervisor, vcpu: VcpuState, nr: number, args: readonly bigint[], phase: 'entry' | 'exit') =>
  decodeHypercall({ number: nr, args, bits: vcpu.bits, phase, read: readerOf(hv, vcpu.currentRoot()) });

/** The guest's side of a call while it is carried out: as bytes where its record can wait until somebody reads it, in words else. */
type Made = { readonly plan: NonNullable<ReturnType<typeof planOf>>; readonly before: readonly CapturedBytes[] } | DecodedHypercall;

function noteMade(hv: Hypervisor, vcpu: VcpuState, nr: number, args: readonly bigint[]): Made {
  const plan = hv.trace.observed('hypercall') ? null : planOf(nr, vcpu.bits, args);
  const before = plan && (NOTHING_BACK.has(nr) || plan.listed ? capture(plan, args, readerOf(hv, vcpu.currentRoot()), false) : NONE);
  return plan && before ? { plan, before } : decode(hv, vcpu, nr, args, 'entry');
}

/** Announces a call. True: the machine stops here, before anything is done. */
export function enterHypercall(hv: Hypervisor, call: PendingCall): boolean {
  if (!hv.trace.wants('hypercall-entry')) return false;
  // A call that is gone on with was announced when it was made.
  if (isContinued(call.vcpu, call.site, call.nr, argumentRegisters(call.vcpu))) return false;
  const decoded = decode(hv, call.vcpu, call.nr, argumentRegisters(call.vcpu), 'entry');
  return hv.trace.emit('hypercall-entry', {
    domain: call.vcpu.domain.id,
    vcpu: call.vcpu.id,
    rip: hex(call.site),
    nr: call.nr,
    name: decoded.name,
    operation: decoded.operation,
    args: decoded.args as Args,
  });
}

/** Carries a call out and sets rax. */
export function performHypercall(hv: Hypervisor, pending: PendingCall): void {
  const { vcpu, nr } = pending;
  const { cpu } = vcpu;
  const args = argumentRegisters(vcpu);
  if (!isContinued(vcpu, pending.site, nr, args)) vcpu.domain.hypercalls++;
  if (!WAITING.has(nr)) hv.progress++;
  const row = nameOf(nr);
  // Operations by name only where a reference may be taken: it is shown with what holds a frame.
  hv.memory.frames.attribute(row, hv.icount);
  const { bits } = vcpu;
  if (bits === 64) {
    // `syscall` leaves rip in rcx and the flags in r11.
    cpu.setReg(1, cpu.rip);
    cpu.setReg(11, BigInt(cpu.rflags >>> 0));
  }
  const call = new Call(hv, vcpu, nr, bits === 64 ? args : wideArguments(nr, args));
  const resumed = takeContinuing(vcpu, pending.site, nr, args);
  call.carried = resumed;
  const first = resumed?.first ?? args;
  const made = noteMade(hv, vcpu, nr, first);
  const { preemption } = hv.memory.types;
  preemption.begin();
  const answer = toTheEnd(call, answerOf);
  preemption.end();
  if (answer.continuation) continueLater(vcpu, answer.continuation, pending.site, first);
  if (answer.ret !== null) cpu.setReg(0, BigInt.asUintN(bits, answer.ret));
  hv.checker?.afterCall();
  noteAnswer(hv, pending, first, made, answer);
}

/** The record of a call, or what it is made of later. */
function noteAnswer(hv: Hypervisor, { vcpu, nr, site }: PendingCall, args: readonly bigint[], made: Made, answer: Answer): void {
  const { bits } = vcpu;
  const ret = answer.ret === null ? null : Number(BigInt.asIntN(bits, answer.ret));
  const continued = answer.continuation !== undefined;
  let values: Pick<DecodedHypercall, 'name' | 'operation' | 'args'>;
  if ('plan' in made) {
    const { plan, before } = made;
    let after = NOTHING_BACK.has(nr) ? before : capture(plan, args, readerOf(hv, vcpu.currentRoot()), true);
    if (after && plan.listed && sameBytes(before, after)) after = before;
    if (after && !answer.refusal) {
      hv.trace.keepCall({ domain: vcpu.domain.id, vcpu: vcpu.id, bits, rip: site, nr, args, before, after, ret, continued });
      return;
    }
    values = after ? valuesOf({ nr, args, bits, before, after }) : decode(hv, vcpu, nr, args, 'exit');
  } else values = NOTHING_BACK.has(nr) ? made : { ...made, args: decode(hv, vcpu, nr, args, 'exit').args };
  const refusal = answer.refusal && withHints(hv, vcpu, withMappings(hv, vcpu, answer.refusal));
  hv.trace.emit('hypercall', {
    domain: vcpu.domain.id,
    vcpu: vcpu.id,
    rip: hex(site),
    nr,
    name: values.name,
    operation: values.operation,
    args: values.args as Args,
    ret,
    reason: answer.unimplemented ? 'not implemented by the simulator' : refusal ? explainRefusal(refusal).summary : null,
    ...(refusal ? { refusal } : {}),
    ...(answer.unimplemented ? { unimplemented: true as const } : {}),
    ...(continued ? { continued: true as const } : {}),
  });
}

const MAPPINGS_SHOWN = 4;
/** What an idle loop does: multicall, stack_switch, fpu_taskswitch, set_timer_op, xen_version, iret, vcpu_op, sched_op, events. */
const WAITING: ReadonlySet<number> = new Set([MULTICALL, 3, 5, 15, 17, IRET, 24, 29, 32]);
/** Calls whose arguments say the same afterwards: stack_switch, set_callbacks, fpu_taskswitch, the debug registers,
 * update_descriptor, update_va_mapping, set_timer_op, vm_assist, iret, set_segment_base, callback_op, sched_op. */
const NOTHING_BACK: ReadonlySet<number> = new Set([3, 4, 5, 8, 9, 10, 14, 15, 21, 22, IRET, 25, 29, 30]);

/** A frame that cannot become a table because it is mapped writable: where. */
function withMappings(hv: Hypervisor, vcpu: VcpuState, refusal: Refusal): Refusal {
  const { frame } = refusal.facts;
  if (refusal.rule !== 'frame-has-other-type' || typeof frame !== 'object' || !('mfn' in frame) || frame.type !== 'writable')
    return refusal;
  const mappings = writableMappings(hv.memory.ram, vcpu.currentRoot(), asMfn(Number(frame.mfn)), MAPPINGS_SHOWN, vcpu.bits).map(
    ({ address }) => hex(address),
  );
  return mappings.length ? { ...refusal, facts: { ...refusal.facts, mappedAt: mappings } } : refusal;
}
