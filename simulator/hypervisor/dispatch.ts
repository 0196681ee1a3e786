// From hypercall number to handler, with the trace records around it; multicall.

import { asMfn } from '../../abi/address.ts';
import { decodeHypercall } from '../../abi/decode-hypercall.ts';
import { hypercallByNumber } from '../../abi/hypercalls.ts';
import { sizeOf } from '../../abi/layout.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { explainRefusal } from '../../explain/refusal.ts';
import { writableMappings } from '../memory/find-mappings.ts';
import { hex, refuse } from '../memory/refuse.ts';
import type { Args } from '../trace/records.ts';
import { type Answer, Call, type Handler, type HandlerResult, no, noSuch, notImplemented, notPrivileged } from './call.ts';
import { setGdt, updateDescriptor } from './calls/descriptors.ts';
import { eventChannelOp, eventChannelOpCompat } from './calls/events.ts';
import { grantTableOp } from './calls/grants.ts';
import { iret } from './calls/iret.ts';
import { memoryOp } from './calls/memory.ts';
import {
  consoleIo,
  fpuTaskSwitch,
  getDebugRegister,
  physdevOp,
  refuseAll,
  setDebugRegister,
  setSegmentBase,
  setTimerOp,
  stackSwitch,
  vmAssist,
} from './calls/misc.ts';
import { mmuUpdate, updateVaMapping, updateVaMappingOtherDomain } from './calls/mmu-update.ts';
import { mmuextOp } from './calls/mmuext.ts';
import { schedOp, schedOpCompat } from './calls/sched.ts';
import { callbackOp, nmiOp, setCallbacks, setTrapTable } from './calls/traps.ts';
import { vcpuOp } from './calls/vcpu-op.ts';
import { xenVersion } from './calls/version.ts';
import { wideArguments } from './compat/arguments.ts';
import { compatHandlers } from './compat/handlers.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

const MULTICALL = 13;
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
  [MULTICALL]: multicall,
  14: updateVaMapping,
  15: setTimerOp,
  16: eventChannelOpCompat,
  17: xenVersion,
  18: consoleIo,
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
};

/** Calls that Xen 4.17 (Debian's configuration) does not have, although they have numbers. */
const REMOVED = new Set([11, 38, 39]);
/** Calls that only a privileged domain may make. */
const PRIVILEGED = new Set([7, 35, 36, 37, 42, 48]);

function carryOut(call: Call): HandlerResult {
  const handler = (call.bits === 32 ? compatHandlers[call.nr] : undefined) ?? handlers[call.nr];
  if (handler) return handler(call);
  const row = hypercallByNumber(call.nr);
  if (!row || REMOVED.has(call.nr) || call.nr >= 49) return noSuch('hypercall', call.nr);
  if (PRIVILEGED.has(call.nr) && !call.domain.isDom0) return notPrivileged(row.name);
  return notImplemented(row.name);
}

const asAnswer = (result: HandlerResult): Answer => (typeof result === 'object' ? result : { ret: BigInt(result) });

function multicall(call: Call): HandlerResult {
  const list = call.args[0]!;
  const count = call.u32(1);
  let refusal: Answer['refusal'];
  let unimplemented = false;
  for (let n = 0; n < count; n++) {
    const at = list + BigInt(n * sizeOf('multicall_entry', call.bits));
    const entry = call.struct('multicall_entry', at);
    if (!entry) return call.fault(`multicall entry ${n}`);
    const op = entry.big('op');
    const nr = Number(op & 0xffff_ffffn);
    const raw = Array.from({ length: 6 }, (_, k) => entry.big(`args[${k}]`));
    const inner = new Call(call.hv, call.vcpu, nr, call.bits === 64 ? raw : wideArguments(nr, raw.slice(0, 5)));
    call.hv.memory.frames.attribute(nameOf(nr), call.hv.icount);
    // The number is 64 bits wide here. iret has no meaning inside a list, and a list none inside another.
    const answer = inMulticall(inner, op);
    if (call.domain.ending) return 0;
    entry.set('result', answer.ret ?? 0n);
    if (!call.writeWord(at + BigInt(call.word), entry.big('result'))) return call.fault(`result of multicall entry ${n}`);
    if (answer.refusal && !refusal) refusal = { ...answer.refusal, facts: { ...answer.refusal.facts, entry: n, call: nameOf(nr) } };
    unimplemented ||= answer.unimplemented === true;
  }
  return refusal ? { ret: 0n, refusal, ...(unimplemented ? { unimplemented: true as const } : {}) } : 0;
}

function inMulticall(inner: Call, nr: bigint): Answer {
  if (nr === BigInt(MULTICALL))
    return no(refuse('EINVAL', 'no-such-operation', { what: 'multicall inside a multicall', number: MULTICALL }));
  return nr > 0xffff_ffffn || nr === BigInt(IRET) ? noSuch('hypercall inside a multicall', Number(nr)) : asAnswer(carryOut(inner));
}

const nameOf = (nr: number): string => hypercallByNumber(nr)?.name ?? `hypercall ${nr}`;

/** A call between entry and exit: its number and site are fixed, its arguments are read when it is carried out. */
export interface PendingCall {
  readonly vcpu: VcpuState;
  readonly nr: number;
  /** Address of the instruction: syscall, or int 0x82. */
  readonly site: bigint;
}

const ARGUMENT_REGISTERS = [7, 6, 2, 10, 8, 9] as const;
/** ebx, ecx, edx, esi, edi. */
const ARGUMENT_REGISTERS_32 = [3, 1, 2, 6, 7] as const;
/** The argument registers as the guest filled them. */
const argumentsOf = (vcpu: VcpuState): bigint[] =>
  vcpu.bits === 64
    ? ARGUMENT_REGISTERS.map((register) => vcpu.cpu.reg(register))
    : ARGUMENT_REGISTERS_32.map((register) => vcpu.cpu.reg(register) & 0xffff_ffffn);

function decode(hv: Hypervisor, vcpu: VcpuState, nr: number, args: readonly bigint[], phase: 'entry' | 'exit') {
  const root = vcpu.currentRoot();
  return decodeHypercall({
    number: nr,
    args,
    bits: hv.domain.bits,
    phase,
    read: (address, length) => (address === 0n ? null : hv.peek(root, address, length)),
  });
}

/** Announces a call. True: the machine stops here, before anything is done. */
export function enterHypercall(hv: Hypervisor, call: PendingCall): boolean {
  if (!hv.trace.wants('hypercall-entry')) return false;
  const decoded = decode(hv, call.vcpu, call.nr, argumentsOf(call.vcpu), 'entry');
  return hv.trace.emit('hypercall-entry', {
    domain: hv.domain.id,
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
  const args = argumentsOf(vcpu);
  hv.domain.hypercalls++;
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
  const before = hv.trace.wants('hypercall') ? decode(hv, vcpu, nr, args, 'entry') : null;
  const answer = asAnswer(carryOut(call));
  if (answer.ret !== null) cpu.setReg(0, BigInt.asUintN(bits, answer.ret));
  if (!before) return;
  const refusal = answer.refusal && withMappings(hv, vcpu, answer.refusal);
  const decoded = nr === IRET ? before : decode(hv, vcpu, nr, args, 'exit');
  hv.trace.emit('hypercall', {
    domain: hv.domain.id,
    vcpu: vcpu.id,
    rip: hex(pending.site),
    nr,
    name: before.name,
    operation: before.operation,
    args: decoded.args as Args,
    ret: answer.ret === null ? null : Number(BigInt.asIntN(bits, answer.ret)),
    reason: answer.unimplemented ? 'not implemented by the simulator' : refusal ? explainRefusal(refusal).summary : null,
    ...(refusal ? { refusal } : {}),
    ...(answer.unimplemented ? { unimplemented: true as const } : {}),
  });
}

const MAPPINGS_SHOWN = 4;

/** A frame that cannot become a table because it is mapped writable: where. */
function withMappings(hv: Hypervisor, vcpu: VcpuState, refusal: Refusal): Refusal {
  const { frame } = refusal.facts;
  if (refusal.rule !== 'frame-has-other-type' || typeof frame !== 'object' || !('mfn' in frame) || frame.type !== 'writable')
    return refusal;
  const mappings = writableMappings(hv.memory.ram, vcpu.currentRoot(), asMfn(Number(frame.mfn)), MAPPINGS_SHOWN).map(({ address }) =>
    hex(address),
  );
  return mappings.length ? { ...refusal, facts: { ...refusal.facts, mappedAt: mappings } } : refusal;
}
