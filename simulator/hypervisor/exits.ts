// What an exit of the engine means for a PV guest: hypercalls and system calls, faults, traps, emulation.

import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import { type Exit, Segment } from '../cpu/engine-types.ts';
import { hex } from '../memory/refuse.ts';
import { bounce, injectException, injectSoftware } from './bounce.ts';
import { emulateGate } from './compat/gate.ts';
import { sysenter32, systemCall32 } from './compat/system-call.ts';
import { deviceAccess } from './device-access.ts';
import type { PendingCall } from './dispatch.ts';
import { emulatePrivileged } from './emulate.ts';
import { deviceNotAvailable } from './emulate-fpu.ts';
import { reportEmulated } from './emulated.ts';
import { pageFaultDetail } from './fault-detail.ts';
import type { Hypervisor } from './hypervisor.ts';
import { startInfoAccess } from './start-info-guard.ts';
import { FLAT_CODE, FLAT_DATA, type VcpuState } from './vcpu.ts';
import { storeToTable } from './writable-tables.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSP = 4;
const R11 = 11;
const MAX_INSTRUCTION = 15;
/** The 32-bit guests' way into Xen: int 0x82, a gate for ring 1. */
const HYPERCALL_VECTOR = 0x82;
const IDT_ERROR = 2;
/** BS: the debug exception comes from TF. */
const DR6_SINGLE_STEP = 0x4000n;
const DR6_RESERVED_ONE = 0xffff0ff0n;
const TF = 0x100;
const DF = 0x400;
const FLAT_USER_SS = 0xe02b;
const NULL_RING3 = 3;
/** `ud2; .ascii "xen"`, which marks the instruction after it for forced emulation. */
const FORCED = [0x0f, 0x0b, 0x78, 0x65, 0x6e];

/** Handles an exit other than 'budget' and 'breakpoint'. A hypercall is returned, not carried out. */
export function handleExit(hv: Hypervisor, vcpu: VcpuState, exit: Exit): PendingCall | null {
  vcpu.entered = true;
  switch (exit.kind) {
    case 'syscall':
      if (vcpu.bits === 32) {
        systemCall32(hv, vcpu, exit);
        return null;
      }
      if (vcpu.kernelMode) return { vcpu, nr: vcpu.cpu.regLo(RAX) >>> 0, site: exit.instruction };
      systemCall(hv, vcpu, exit);
      return null;
    case 'sysenter':
      sysenter(hv, vcpu);
      return null;
    case 'interrupt':
      if (vcpu.bits === 32 && exit.vector === HYPERCALL_VECTOR && vcpu.kernelMode)
        return { vcpu, nr: vcpu.cpu.regLo(RAX) >>> 0, site: exit.instruction };
      softwareInterrupt(hv, vcpu, exit);
      return null;
    case 'exception':
      exception(hv, vcpu, exit);
      return null;
    case 'hlt':
      injectException(hv, vcpu, 13, 0);
      return null;
    default:
      return null;
  }
}

/** `syscall` in user mode: to the kernel's syscall callback, with the address behind it in rcx and DF clear; without one it is an
 * invalid opcode. The flag of the 64-bit callback decides for both whether events are masked. */
function systemCall(hv: Hypervisor, vcpu: VcpuState, exit: Exit): void {
  const { cpu } = vcpu;
  cpu.setReg(RCX, cpu.rip);
  cpu.setReg(R11, BigInt(cpu.rflags >>> 0));
  const { address } = cpu.mode().bits === 64 ? vcpu.syscall : vcpu.syscall32;
  if (address === 0n) {
    cpu.rip = exit.instruction;
    injectException(hv, vcpu, 6, -1, 0n, {
      byXen: true,
      reason: 'the guest kernel has no syscall callback (set_callbacks)',
    });
    return;
  }
  bounce(hv, vcpu, { address, masks: vcpu.syscall.masks, errorCode: null, what: 'the syscall callback' });
  cpu.rflags &= ~DF;
}

/** sysenter reaches the guest's callback; without one it is #GP. Neither rip, rsp nor cs of the caller are known to the processor. */
function sysenter(hv: Hypervisor, vcpu: VcpuState): void {
  if (vcpu.bits === 32) {
    sysenter32(hv, vcpu);
    return;
  }
  const { cpu } = vcpu;
  cpu.rip = 0n;
  cpu.setReg(RSP, 0n);
  cpu.setSegment(Segment.cs, NULL_RING3, FLAT_CODE);
  cpu.setSegment(Segment.ss, FLAT_USER_SS, FLAT_DATA);
  if (vcpu.sysenter.address === 0n) {
    injectException(hv, vcpu, 13, 0, 0n, { byXen: true, reason: 'the guest kernel has no sysenter callback (callback_op)' });
    return;
  }
  bounce(hv, vcpu, { address: vcpu.sysenter.address, masks: vcpu.sysenter.masks, errorCode: null, what: 'the sysenter callback' });
}

/** int3 and into reach the guest whatever its gates say; `int n` needs a gate whose privilege allows it. */
function softwareInterrupt(hv: Hypervisor, vcpu: VcpuState, exit: Exit): void {
  const { vector } = exit;
  if (vector === 3 || vector === 4 || vector === 1) {
    injectException(hv, vcpu, vector, -1);
    return;
  }
  const trap = vcpu.traps[vector]!;
  const allowed = (trap.flags & 3) >= (vcpu.kernelMode ? 1 : 3);
  if (allowed || (vector === 0x80 && trap.address !== 0n)) {
    injectSoftware(hv, vcpu, vector);
    return;
  }
  vcpu.cpu.rip = exit.instruction;
  injectException(hv, vcpu, 13, (vector << 3) | IDT_ERROR, 0n, {
    reason:
      trap.address === 0n
        ? `the guest has no gate for int ${hex(vector)}`
        : `the gate of int ${hex(vector)} does not allow it (DPL ${trap.flags & 3})`,
  });
}

function exception(hv: Hypervisor, vcpu: VcpuState, exit: Exit): void {
  switch (exit.vector) {
    case 1:
      vcpu.dr[6]! |= BigInt(exit.dr6);
      injectException(hv, vcpu, 1, -1);
      return;
    case 6:
      invalidOpcode(hv, vcpu, exit);
      return;
    case 7:
      if (deviceNotAvailable(vcpu)) injectException(hv, vcpu, 7, -1);
      return;
    case 13:
      if (exit.errorCode === 0 && emulate(hv, vcpu)) return;
      if (vcpu.bits === 32 && exit.errorCode !== 0 && (exit.errorCode & 3) !== IDT_ERROR) {
        emulateGate(hv, vcpu, exit.errorCode);
        return;
      }
      if (isRdtscp(hv, vcpu)) {
        injectException(hv, vcpu, 6, -1);
        return;
      }
      injectException(hv, vcpu, 13, exit.errorCode);
      return;
    case 14: {
      // The emulation runs the engine, which overwrites its one exit object.
      const { cr2, errorCode } = exit;
      if (hv.ldtFault !== null) ldtFault(hv, vcpu);
      else if (!startInfoAccess(hv, vcpu, cr2, errorCode)) faultAt(hv, vcpu, cr2, errorCode);
      return;
    }
    default:
      injectException(hv, vcpu, exit.vector, exit.errorCode);
      return;
  }
}

/** What Xen carries out for the guest, or the fault. An instruction that reads one device and writes another is not carried out. */
function faultAt(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): void {
  const carried = deviceAccess(hv, vcpu, address, errorCode);
  if (carried === true) return;
  const fault = carried || { address, errorCode };
  if (!storeToTable(hv, vcpu, fault.address, fault.errorCode)) pageFault(hv, vcpu, fault.address, fault.errorCode);
}

function pageFault(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): void {
  injectException(hv, vcpu, 14, errorCode, address, pageFaultDetail(hv, vcpu, address, errorCode));
}

/** A selector of the guest's LDT met a page that cannot be used: a page fault at the descriptor's address in the guest. */
function ldtFault(hv: Hypervisor, vcpu: VcpuState): void {
  const address = hv.ldtFault!;
  hv.ldtFault = null;
  pageFault(hv, vcpu, address, 0);
}

/** Up to 15 bytes at rip, as far as they are mapped. */
function instructionBytes(hv: Hypervisor, vcpu: VcpuState): Uint8Array {
  const bytes = new Uint8Array(MAX_INSTRUCTION);
  const base = vcpu.cpu.segment(Segment.cs).base;
  const count = hv.peekInto(vcpu.currentRoot(), BigInt.asUintN(64, base + vcpu.cpu.rip), bytes);
  return bytes.subarray(0, count);
}

/** rdtscp with the TSC trapped: no processor modelled here has it, so it is an invalid opcode. */
function isRdtscp(hv: Hypervisor, vcpu: VcpuState): boolean {
  const bytes = instructionBytes(hv, vcpu);
  return bytes[0] === 0x0f && bytes[1] === 0x01 && bytes[2] === 0xf9;
}

/** True when the instruction was emulated (or a fault of its memory operand injected). */
function emulate(hv: Hypervisor, vcpu: VcpuState): boolean {
  const bytes = instructionBytes(hv, vcpu);
  const result = emulatePrivileged(hv, vcpu, bytes);
  if (!result) return false;
  if ('pageFault' in result) {
    pageFault(hv, vcpu, result.pageFault.address, result.pageFault.errorCode);
    return true;
  }
  if ('exception' in result) {
    injectException(hv, vcpu, result.exception.vector, result.exception.errorCode);
    return true;
  }
  hv.icount++;
  if (!result.again) vcpu.cpu.rip = BigInt.asUintN(64, vcpu.cpu.rip + BigInt(result.length));
  debugAfter(hv, vcpu, !result.again);
  return true;
}

/** The debug exception after an emulated instruction: from TF, and from I/O breakpoints. */
function debugAfter(hv: Hypervisor, vcpu: VcpuState, complete: boolean): void {
  const hits = vcpu.ioHits | (complete && vcpu.cpu.rflags & TF ? DR6_SINGLE_STEP : 0n);
  vcpu.ioHits = 0n;
  if (hits === 0n) return;
  vcpu.dr[6]! |= hits | DR6_RESERVED_ONE;
  injectException(hv, vcpu, 1, -1);
}

/** Instructions of a CPU feature that neither CPU model shows are invalid opcodes, as on a processor without it; so is xgetbv
 * while CR4.OSXSAVE is clear. */
function needsFeature(instruction: string): boolean {
  if (instruction === 'xgetbv') return true;
  const row = ROW_BY_KEY.get(instruction);
  return row !== undefined && ROWS[row]!.feature !== undefined;
}

function invalidOpcode(hv: Hypervisor, vcpu: VcpuState, exit: Exit): void {
  const bytes = instructionBytes(hv, vcpu);
  if (exit.unsupported !== null && !needsFeature(exit.unsupported)) {
    const text = [...bytes.subarray(0, exit.length || 8)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    hv.trace.emit('undecoded', {
      domain: vcpu.domain.id,
      vcpu: vcpu.id,
      rip: hex(vcpu.cpu.rip),
      bytes: text,
      instruction: exit.unsupported,
    });
    // Never a wrong result: the record names it, a debug session stops at the record, the guest gets the exception of an unknown opcode.
    injectException(hv, vcpu, 6, -1, 0n, { reason: `the simulator does not execute ${exit.unsupported} (${text})` });
    return;
  }
  if (FORCED.every((byte, n) => bytes[n] === byte) && bytes[5] === 0x0f && bytes[6] === 0xa2) {
    const { cpu } = vcpu;
    const leaf = cpu.regLo(RAX);
    const subleaf = cpu.regLo(RCX);
    const { eax, ebx, ecx, edx } = vcpu.domain.policy.guest(leaf, subleaf);
    reportEmulated(
      hv,
      vcpu,
      cpu.rip,
      'cpuid',
      'cpuid',
      () => `forced emulation, leaf ${hex(leaf >>> 0)}.${subleaf >>> 0}: ${[eax, ebx, ecx, edx].map((r) => hex(r >>> 0)).join(' ')}`,
    );
    cpu.setRegPair(RAX, eax, 0);
    cpu.setRegPair(RBX, ebx, 0);
    cpu.setRegPair(RCX, ecx, 0);
    cpu.setRegPair(RDX, edx, 0);
    cpu.rip = BigInt.asUintN(64, cpu.rip + 7n);
    hv.icount++;
    return;
  }
  const reason = exit.unsupported === null ? {} : { reason: `no processor model of the simulator has ${exit.unsupported}` };
  injectException(hv, vcpu, 6, -1, 0n, reason);
}
