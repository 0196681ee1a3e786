// Bounce frames: how Xen enters a 64-bit PV kernel for an exception, an event or a system call of its user mode.
// Frame, lowest address first: rcx, r11, [error code,] rip, cs with the saved upcall mask in bits 32-39, rflags, rsp, ss.
// Behaviour observed on Xen 4.17 (arch/x86/x86_64/entry.S, pv/traps.c).

import { exceptionVectors, vectorsWithErrorCode } from '../../abi/constants/trap.table.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { Segment } from '../cpu/engine-types.ts';
import { addressAllowed } from '../memory/guest-memory.ts';
import { hex, refuse } from '../memory/refuse.ts';
import { bounce32 } from './compat/bounce.ts';
import type { Hypervisor } from './hypervisor.ts';
import { savedFlags } from './saved-flags.ts';
import { backInKernel } from './time.ts';
import { FLAT_CODE, FLAT_DATA, FLAT_KERNEL_CS, FLAT_KERNEL_SS, type VcpuState } from './vcpu.ts';

const VECTOR_NAMES = new Map<number, string>(Object.entries(exceptionVectors).map(([name, vector]) => [vector, name]));
const RCX = 1;
const RSP = 4;
const R11 = 11;

/** Flags that entering the guest kernel clears: AC, VM, RF, NT, TF. */
const CLEARED = 0x40000 | 0x20000 | 0x10000 | 0x4000 | 0x100;

interface Bounce {
  readonly address: bigint;
  /** Code segment of the handler: counts for 32-bit guests. */
  readonly cs?: number;
  readonly masks: boolean;
  readonly errorCode: number | null;
  /** The processor raised it as a fault: it saves the flags with RF set, so that the instruction is not stopped twice by a breakpoint. */
  readonly fault?: boolean;
  /** For the crash message: 'exception 14 (#PF)', 'event callback'. */
  readonly what: string;
}

/** Pushes a frame and enters the guest kernel. A kernel without handler or stack is killed, as by Xen. */
export function bounce(hv: Hypervisor, vcpu: VcpuState, to: Bounce): void {
  if (vcpu.bits === 32) {
    const fault = bounce32(hv, vcpu, { ...to, cs: to.cs ?? 0 });
    if (fault)
      injectException(hv, vcpu, fault.vector, fault.errorCode, hv.ldtFault ?? 0n, { byXen: true, reason: `the segments of ${to.what}` });
    if (fault) hv.ldtFault = null;
    return;
  }
  const { cpu } = vcpu;
  const events = vcpu.domain.events;
  let cs = cpu.selector(Segment.cs);
  let sp: bigint;
  if (vcpu.kernelMode) {
    sp = cpu.reg(RSP);
    cs &= ~3;
  } else {
    vcpu.toggleMode();
    backInKernel(hv, vcpu);
    sp = vcpu.kernelSp;
  }
  sp &= ~0xfn;
  const mask = events.upcallMask(vcpu.id);
  const words = [
    cpu.reg(RCX),
    cpu.reg(R11),
    ...(to.errorCode === null ? [] : [BigInt(to.errorCode >>> 0)]),
    cpu.rip,
    BigInt(cs & 0xffff) | (BigInt(mask & 0xff) << 32n),
    BigInt(savedFlags(vcpu, mask, to.fault === true)),
    cpu.reg(RSP),
    BigInt(cpu.selector(Segment.ss)),
  ];
  const frame = new Uint8Array(words.length * 8);
  const view = new DataView(frame.buffer);
  words.forEach((word, n) => {
    view.setBigUint64(n * 8, word, true);
  });
  const base = BigInt.asUintN(64, sp - BigInt(frame.length));
  if (!addressAllowed(sp) || !addressAllowed(base) || !hv.guest.write(vcpu.root, base, frame)) {
    const refusal = refuse('EFAULT', 'bounce-stack', { stack: hex(sp), for: to.what, rip: hex(cpu.rip), kernelStack: hex(vcpu.kernelSp) });
    hv.crash(vcpu, `the frame for ${to.what} cannot be pushed onto the stack at ${hex(sp)}`, refusal);
    return;
  }
  if (to.address === 0n) {
    const refusal = refuse('EINVAL', 'no-handler', { for: to.what, rip: hex(cpu.rip) });
    hv.crash(vcpu, `${to.what} at rip ${hex(cpu.rip)}, and the guest has no handler for it`, refusal);
    return;
  }
  if (to.masks) events.setUpcallMask(vcpu.id, mask | 1);
  const newFlags = cpu.rflags & ~CLEARED;
  cpu.rflags = newFlags;
  cpu.setReg(RSP, base);
  cpu.rip = to.address;
  // Xen leaves by sysret: rcx and r11 hold rip and flags.
  cpu.setReg(RCX, to.address);
  cpu.setReg(R11, BigInt(newFlags >>> 0));
  if (cpu.mode().bits !== 64) vcpu.applyMode();
  cpu.setSegment(Segment.cs, FLAT_KERNEL_CS, FLAT_CODE);
  cpu.setSegment(Segment.ss, FLAT_KERNEL_SS, FLAT_DATA);
}

/** What an exception record says beyond the numbers. */
export interface ExceptionDetail {
  /** Xen raises it where the processor met no fault in the guest: a call that it refuses, a state that it cannot return to. */
  readonly byXen?: true;
  readonly reason?: string;
  readonly refusal?: Refusal;
}

/** Injects a hardware exception. `errorCode` as the CPU gave it; U is corrected here for page faults. */
export function injectException(
  hv: Hypervisor,
  vcpu: VcpuState,
  vector: number,
  errorCode: number,
  cr2 = 0n,
  detail: ExceptionDetail = {},
): void {
  let code = errorCode;
  if (vector === 14) {
    hv.setCr2(vcpu, cr2);
    code = vcpu.kernelMode ? errorCode & ~4 : errorCode | 4;
  }
  const withCode = vectorsWithErrorCode.includes(vector);
  const trap = vcpu.traps[vector]!;
  const name = VECTOR_NAMES.get(vector) ?? `vector ${vector}`;
  hv.trace.emit('exception', {
    domain: vcpu.domain.id,
    vcpu: vcpu.id,
    rip: hex(vcpu.cpu.rip),
    vector,
    name,
    error: withCode ? hex(code) : null,
    address: vector === 14 ? hex(cr2) : null,
    reason: detail.reason ?? null,
    ...(detail.refusal ? { refusal: detail.refusal } : {}),
  });
  // A 32-bit guest's handler is told by its selector.
  const registered = vcpu.bits === 64 ? trap.address !== 0n : (trap.cs & ~3) !== 0;
  if (!registered) hv.log(unhandled(vcpu, vector, withCode ? code >>> 0 : NO_ERROR_CODE));
  const where = vector === 14 ? ` for address ${hex(cr2)}, error code ${hex(code)}` : withCode ? `, error code ${hex(code)}` : '';
  bounce(hv, vcpu, {
    address: trap.address,
    cs: trap.cs,
    masks: (trap.flags & 4) !== 0,
    errorCode: withCode ? code : null,
    fault: !TRAPS.has(vector) && !detail.byXen,
    what: `exception ${vector} (${name})${where}`,
  });
}

/** `int n` through a gate that the guest set: no error code. */
export function injectSoftware(hv: Hypervisor, vcpu: VcpuState, vector: number): void {
  const trap = vcpu.traps[vector]!;
  hv.trace.emit('exception', {
    domain: vcpu.domain.id,
    vcpu: vcpu.id,
    rip: hex(vcpu.cpu.rip),
    vector,
    name: `int ${hex(vector)}`,
    error: null,
    address: null,
    reason: null,
  });
  const masks = (trap.flags & 4) !== 0;
  bounce(hv, vcpu, { address: trap.address, cs: trap.cs, masks, errorCode: null, what: `int ${hex(vector)}` });
}

/** Enters the event callback when events are due. Called whenever a vCPU is about to go on after it was in the hypervisor. */
export function deliverEvents(hv: Hypervisor, vcpu: VcpuState): void {
  const { events } = vcpu.domain;
  // Xen comes back from an interrupt of its own only after the instruction behind a load of ss.
  if (vcpu.cpu.interruptShadow) {
    vcpu.entered = true;
    return;
  }
  if (vcpu.nmiPending && !vcpu.nmiMasked) deliverNmi(hv, vcpu);
  if (vcpu.domain.ending || !events.due(vcpu.id)) return;
  if (hv.trace.wants('upcall')) {
    const ports = events.deliverable().filter((port) => events.port(port)?.vcpu === vcpu.id);
    for (const port of ports) events.port(port)!.lastUpcall = hv.icount;
    const virqs = ports.flatMap((port) => {
      const channel = events.port(port)!.channel;
      return channel.kind === 'virq' ? [hv.virqName(channel.virq)] : [];
    });
    hv.trace.emit('upcall', { domain: vcpu.domain.id, vcpu: vcpu.id, rip: hex(vcpu.cpu.rip), ports, virqs });
  }
  bounce(hv, vcpu, { ...vcpu.event, masks: true, errorCode: null, what: 'the event callback' });
}

/** One NMI at a time, until the iret hypercall. Without a handler it is lost. */
function deliverNmi(hv: Hypervisor, vcpu: VcpuState): void {
  vcpu.nmiPending = false;
  if (vcpu.traps[NMI]!.address === 0n) {
    hv.log(unhandled(vcpu, NMI, NO_ERROR_CODE));
    return;
  }
  vcpu.nmiMasked = true;
  injectException(hv, vcpu, NMI, -1);
}

const NMI = 2;
/** #DB, NMI, #BP, #OF: what the processor raises after an instruction. (Intel SDM volume 3, 18.3.1.1: RF in the saved flags.) */
const TRAPS: ReadonlySet<number> = new Set([1, NMI, 3, 4]);
const NO_ERROR_CODE = 0xffff_ffff;
/** What Xen logs of an exception that the guest has no handler for. */
const unhandled = (vcpu: VcpuState, vector: number, code: number): string =>
  `d${vcpu.domain.id}v${vcpu.id} Unhandled: vec ${vector}, ${VECTOR_NAMES.get(vector) ?? '???'}[${code.toString(16).padStart(4, '0')}]`;
