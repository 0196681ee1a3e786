// Far calls and jumps of a 32-bit guest through its own call gates. In long mode the processor knows 64-bit gates only, so Xen keeps
// the guest's gates with DPL 0, gets #GP with the gate's selector, and carries the transfer out.
// Behaviour of Xen 4.17 built with PV32 (arch/x86/pv/emul-gate-op.c); Intel SDM volume 3, 5.8.

import { decodeAny, newDecoded } from '../../../x86/decode.ts';
import { OperandKind } from '../../../x86/types.ts';
import { segmentCacheOf } from '../../cpu/descriptors.ts';
import { Segment, type SegmentNumber } from '../../cpu/engine-types.ts';
import { hex } from '../../memory/refuse.ts';
import { injectException } from '../bounce.ts';
import { reportEmulated } from '../emulated.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { readDescriptor } from '../selectors.ts';
import type { VcpuState } from '../vcpu.ts';
import { returnTo } from './return.ts';

const [GP, NP, SS_FAULT, TS, PF] = [13, 11, 12, 10, 14];
const RSP = 4;
const MAX_INSTRUCTION = 15;
const FAR_CALL = 3;
const FAR_JUMP = 5;
const WRITE = 2;

interface Gate {
  readonly selector: number;
  readonly offset: number;
  readonly dpl: number;
  readonly present: boolean;
  readonly parameters: number;
}

interface Descriptor {
  readonly base: number;
  readonly limit: number;
  readonly dpl: number;
  readonly segment: boolean;
  readonly present: boolean;
  readonly code: boolean;
  readonly writable: boolean;
  readonly expandDown: boolean;
}

/** A fault in place of the transfer. */
class GateFault {
  readonly vector: number;
  readonly errorCode: number;
  readonly address: bigint;

  constructor(vector: number, errorCode: number, address = 0n) {
    this.vector = vector;
    this.errorCode = errorCode;
    this.address = address;
  }
}

const decoded = newDecoded();

function gateBehind(hv: Hypervisor, vcpu: VcpuState, selector: number): Gate | null {
  const entries = selector & 4 ? vcpu.ldtEntries : vcpu.gdtEntries;
  if (selector < 4 || selector >> 3 >= entries) return null;
  const raw = readDescriptor(hv, vcpu, selector);
  if (raw === null) return null;
  const high = Number(raw >> 32n);
  const low = Number(raw & 0xffff_ffffn);
  // Xen took the DPL out and keeps it in the target's RPL.
  if ((high & 0x1f00) !== 0x0c00 || high & 0x6000) return null;
  return {
    selector: (low >>> 16) & 0xfffc,
    offset: ((low & 0xffff) | (high & 0xffff_0000)) >>> 0,
    dpl: (low >>> 16) & 3,
    present: (high & 0x8000) !== 0,
    parameters: high & 0x1f,
  };
}

function describe(hv: Hypervisor, vcpu: VcpuState, selector: number): Descriptor | null {
  const raw = (selector & ~3) === 0 ? null : readDescriptor(hv, vcpu, selector);
  if (raw === null) return null;
  const { base, limit, attributes } = segmentCacheOf(raw);
  return {
    base: Number(base),
    limit,
    dpl: (attributes >> 5) & 3,
    segment: (attributes & 0x10) !== 0,
    present: (attributes & 0x80) !== 0,
    code: (attributes & 8) !== 0,
    writable: (attributes & 2) !== 0,
    expandDown: (attributes & 4) !== 0,
  };
}

const fits = (d: Descriptor, esp: number, bytes: number): boolean => {
  const low = (esp - bytes) >>> 0;
  const last = (esp - 1) >>> 0;
  return low < last && (d.expandDown ? low > d.limit : last <= d.limit);
};

const isStack = (d: Descriptor | null, ring: number): d is Descriptor => d !== null && d.dpl === ring && d.segment && !d.code && d.writable;

/** The selector that the instruction names, whether it is a jump, and its length; null when it is no far transfer. */
function farInstruction(hv: Hypervisor, vcpu: VcpuState): { selector: number; jump: boolean; length: number } | null {
  const bytes = new Uint8Array(MAX_INSTRUCTION);
  const { cpu } = vcpu;
  const base = cpu.segment(Segment.cs).base;
  const count = hv.peekInto(vcpu.currentRoot(), BigInt.asUintN(32, base + cpu.rip), bytes);
  if (decodeAny(bytes, 0, count, 32, decoded) !== 'ok') return null;
  const { length } = decoded;
  const first = bytes
    .subarray(0, length)
    .find((byte) => ![0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3].includes(byte));
  if (first === 0x9a || first === 0xea) return { selector: decoded.imm2 & 0xffff, jump: first === 0xea, length };
  if (first !== 0xff || decoded.kind[0] !== OperandKind.memory) return null;
  const opcodeAt = bytes.indexOf(0xff);
  const extension = (bytes[opcodeAt + 1]! >> 3) & 7;
  if (extension !== FAR_CALL && extension !== FAR_JUMP) return null;
  let offset = BigInt(decoded.dispLo);
  if (decoded.base >= 0) offset += cpu.reg(decoded.base);
  if (decoded.index >= 0) offset += cpu.reg(decoded.index) << BigInt(decoded.scale);
  offset = BigInt.asUintN(8 * decoded.addressSize, offset) + BigInt(decoded.operandSize);
  const onStack = decoded.base === 4 || decoded.base === 5;
  const segment = (decoded.segment >= 0 ? decoded.segment : onStack ? Segment.ss : Segment.ds) as SegmentNumber;
  const address = BigInt.asUintN(32, cpu.base(segment) + offset);
  const word = hv.guest.read(vcpu.currentRoot(), address, 2);
  if (!word) throw new GateFault(PF, hv.guest.fault.errorCode, hv.guest.fault.address);
  return { selector: word[0]! | (word[1]! << 8), jump: extension === FAR_JUMP, length };
}

/** Carries out the transfer that met #GP with this error code, or injects the fault that is right for it. */
export function emulateGate(hv: Hypervisor, vcpu: VcpuState, errorCode: number): void {
  try {
    transfer(hv, vcpu, errorCode);
  } catch (fault) {
    if (!(fault instanceof GateFault)) throw fault;
    injectException(hv, vcpu, fault.vector, fault.errorCode, fault.address);
  }
}

function transfer(hv: Hypervisor, vcpu: VcpuState, errorCode: number): void {
  const { cpu } = vcpu;
  const oldCs = cpu.selector(Segment.cs);
  const ring = oldCs & 3;
  const gate = gateBehind(hv, vcpu, errorCode);
  if (!gate || gate.dpl < ring) throw new GateFault(GP, errorCode);
  if (!gate.present) throw new GateFault(NP, errorCode);
  const instruction = farInstruction(hv, vcpu);
  if (!instruction || (instruction.selector & ~3) !== errorCode || gate.dpl < (instruction.selector & 3))
    throw new GateFault(GP, errorCode);
  const { jump, length } = instruction;
  const target = describe(hv, vcpu, gate.selector);
  const conforming = target?.expandDown === true;
  if (!target?.segment || !target.code || (!jump || conforming ? target.dpl > ring : target.dpl !== ring))
    throw new GateFault(GP, gate.selector);
  if (!target.present) throw new GateFault(NP, gate.selector);
  if (gate.offset > target.limit) throw new GateFault(GP, 0);
  const rip = cpu.rip;
  let selector = gate.selector | ring;
  let ss = cpu.selector(Segment.ss);
  let esp = Number(cpu.reg(RSP) & 0xffff_ffffn);
  if (!jump) {
    const inner = target.dpl < ring;
    if (inner) selector = gate.selector | target.dpl;
    const words = [Number(rip) + length, oldCs];
    if (inner) {
      if ((selector & 3) !== vcpu.kernelRing) throw new GateFault(GP, errorCode);
      words.push(...parameters(hv, vcpu, gate.parameters, esp, ss, ring, errorCode), esp, ss);
      ss = vcpu.kernelSs;
      esp = Number(vcpu.kernelSp & 0xffff_ffffn);
      const stack = describe(hv, vcpu, ss);
      if ((ss & 3) !== (selector & 3) || !isStack(stack, selector & 3)) throw new GateFault(TS, ss & ~3);
      if (!stack.present || !fits(stack, esp, (4 + gate.parameters) * 4)) throw new GateFault(SS_FAULT, ss & ~3);
      esp = push(hv, vcpu, stack.base, esp, words);
    } else {
      const stack = describe(hv, vcpu, ss);
      if (!stack || stack.dpl !== (selector & 3)) throw new GateFault(GP, errorCode);
      if (!fits(stack, esp, 8)) throw new GateFault(SS_FAULT, 0);
      esp = push(hv, vcpu, stack.base, esp, words);
    }
  }
  cpu.setReg(RSP, BigInt(esp));
  cpu.rip = BigInt(gate.offset);
  hv.icount++;
  reportEmulated(
    hv,
    vcpu,
    rip,
    jump ? 'far jmp' : 'far call',
    'far-transfer',
    () => `gate ${hex(errorCode)} to ${hex(selector)}:${hex(gate.offset)}`,
  );
  const fault = returnTo(hv, vcpu, selector, ss);
  if (fault) throw new GateFault(fault.vector, fault.errorCode);
}

/** Words that the gate copies from the caller's stack, lowest address first. */
function parameters(hv: Hypervisor, vcpu: VcpuState, count: number, esp: number, ss: number, ring: number, errorCode: number): number[] {
  if (count === 0) return [];
  const stack = describe(hv, vcpu, ss);
  if (!isStack(stack, ring)) throw new GateFault(GP, errorCode);
  const bytes = hv.guest.read(vcpu.currentRoot(), BigInt((stack.base + esp) >>> 0), count * 4);
  if (!bytes) throw new GateFault(PF, hv.guest.fault.errorCode, hv.guest.fault.address);
  return Array.from({ length: count }, (_, n) => new DataView(bytes.buffer).getUint32(n * 4, true));
}

/** Pushes words given lowest address first; the new stack pointer. */
function push(hv: Hypervisor, vcpu: VcpuState, base: number, esp: number, words: readonly number[]): number {
  const bytes = new Uint8Array(words.length * 4);
  words.forEach((word, n) => {
    new DataView(bytes.buffer).setUint32(n * 4, word >>> 0, true);
  });
  const sp = (esp - bytes.length) >>> 0;
  if (!hv.guest.write(vcpu.currentRoot(), BigInt((base + sp) >>> 0), bytes))
    throw new GateFault(PF, hv.guest.fault.errorCode | WRITE, hv.guest.fault.address);
  return sp;
}
