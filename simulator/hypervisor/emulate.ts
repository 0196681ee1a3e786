// Emulation of privileged instructions after a #GP, exactly the set that Xen 4.17 emulates for a PV guest: port I/O, cli and sti
// (which do nothing), clts, wbinvd, moves to and from control and debug registers, rdmsr, wrmsr, rdtsc, rdtscp. All others stay #GP.

import { Segment, type SegmentNumber } from '../cpu/engine-types.ts';
import { addressAllowed } from '../memory/guest-memory.ts';
import { hex } from '../memory/refuse.ts';
import { ioBreakpoints, readControl, readDebug, writeControl, writeDebug } from './control-registers.ts';
import { setTaskSwitched } from './emulate-fpu.ts';
import { reportEmulated } from './emulated.ts';
import type { Hypervisor } from './hypervisor.ts';
import { logRefused, MSR_NAMES, readMsr, writeMsr } from './msr.ts';
import { readPort, writePort } from './ports.ts';
import { readTsc } from './time.ts';
import type { VcpuState } from './vcpu.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RSI = 6;
const RDI = 7;
const ARCHITECTURAL_IOPL = 4;
const DIRECTION = 0x400;

/** null: not emulated. Else bytes of the instruction, or a fault that emulating it met. */
export type Emulated =
  | { readonly length: number; readonly again?: true }
  | { readonly pageFault: { readonly errorCode: number; readonly address: bigint } }
  /** An exception at the instruction; -1: no error code. */
  | { readonly exception: { readonly vector: number; readonly errorCode: number } };

const INVALID_OPCODE: Emulated = { exception: { vector: 6, errorCode: -1 } };
const SEGMENT_PREFIX: Readonly<Record<number, SegmentNumber>> = {
  38: Segment.es,
  46: Segment.cs,
  54: Segment.ss,
  62: Segment.ds,
  100: Segment.fs,
  101: Segment.gs,
};

/** What the prefixes say about the memory operand of ins and outs. */
interface Operand {
  readonly segment: SegmentNumber;
  readonly addressBits: 64 | 32 | 16;
}

/** May the guest do what needs IOPL? Its kernel counts as ring 1 unless it asked for the architectural IOPL. */
export function ioplAllows(vcpu: VcpuState): boolean {
  const cpl = vcpu.kernelMode ? (vcpu.domain.assist(ARCHITECTURAL_IOPL) ? 0 : 1) : 3;
  return vcpu.iopl >= cpl;
}

const report = (hv: Hypervisor, vcpu: VcpuState, instruction: string, rule: string, detail: () => string | null): void =>
  reportEmulated(hv, vcpu, vcpu.cpu.rip, instruction, rule, detail);

function portsAllowed(hv: Hypervisor, vcpu: VcpuState, port: number, size: number): boolean {
  if (ioplAllows(vcpu)) return true;
  const bitmap = vcpu.ioBitmap;
  if (!bitmap || port + size > bitmap.ports) return false;
  const bytes = hv.guest.read(vcpu.root, BigInt.asUintN(64, bitmap.address + BigInt(port >> 3)), port + size > (port | 7) + 1 ? 2 : 1);
  if (!bytes) return false;
  const mask = (bytes[0]! | ((bytes[1] ?? 0xff) << 8)) >> (port & 7);
  return (mask & ((1 << size) - 1)) === 0;
}

const setLow = (vcpu: VcpuState, register: number, size: number, value: number): void => {
  const old = vcpu.cpu.reg(register);
  if (size === 4) vcpu.cpu.setReg(register, BigInt(value >>> 0));
  else vcpu.cpu.setReg(register, (old & ~BigInt(2 ** (size * 8) - 1)) | BigInt(value & (2 ** (size * 8) - 1)));
};

/** Tries to emulate the instruction in `bytes` (at rip). Registers other than rip are changed when it succeeds. */
export function emulatePrivileged(hv: Hypervisor, vcpu: VcpuState, bytes: Uint8Array): Emulated | null {
  let at = 0;
  let operand16 = false;
  let rex = 0;
  let repeated = false;
  let otherAddress = false;
  let segment: SegmentNumber = Segment.ds;
  const long = vcpu.cpu.mode().bits === 64;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === 0x66) operand16 = true;
    else if (byte === 0xf2 || byte === 0xf3) repeated = true;
    else if (byte === 0x67) otherAddress = true;
    else if (byte in SEGMENT_PREFIX) segment = SEGMENT_PREFIX[byte]!;
    else if (byte !== 0xf0) break;
  }
  if (long && (bytes[at]! & 0xf0) === 0x40) rex = bytes[at++]!;
  const opcode = bytes[at++];
  if (opcode === undefined) return null;
  const wide = operand16 ? 2 : 4;
  switch (opcode) {
    case 0xe4:
    case 0xe5:
    case 0xec:
    case 0xed:
    case 0xe6:
    case 0xe7:
    case 0xee:
    case 0xef: {
      const immediate = opcode < 0xe8;
      const port = immediate ? bytes[at]! : Number(vcpu.cpu.reg(RDX) & 0xffffn);
      const size = opcode & 1 ? wide : 1;
      if (!portsAllowed(hv, vcpu, port, size)) return null;
      const length = at + (immediate ? 1 : 0);
      if (opcode & 2) {
        const value = vcpu.cpu.regLo(RAX) & (size === 4 ? -1 : (1 << (size * 8)) - 1);
        report(hv, vcpu, 'out', 'port-io', () => `port ${hex(port)}, ${size * 8} bits, value ${hex(value >>> 0)}`);
        writePort(hv, vcpu.domain, port, size, value >>> 0);
      } else {
        const value = readPort(hv, vcpu.domain, port, size);
        report(hv, vcpu, 'in', 'port-io', () => `port ${hex(port)}, ${size * 8} bits, gives ${hex(value >>> 0)}`);
        setLow(vcpu, RAX, size, value);
      }
      vcpu.ioHits |= ioBreakpoints(vcpu, port, size);
      return { length };
    }
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x6f:
      return emulateString(hv, vcpu, opcode, opcode & 1 ? wide : 1, repeated, at, {
        segment: opcode < 0x6e ? Segment.es : segment,
        addressBits: long ? (otherAddress ? 32 : 64) : otherAddress ? 16 : 32,
      });
    case 0xfa:
    case 0xfb:
      if (!ioplAllows(vcpu)) return null;
      report(hv, vcpu, opcode === 0xfa ? 'cli' : 'sti', opcode === 0xfa ? 'cli' : 'sti', () => 'does nothing in a PV guest');
      return { length: at };
    case 0x0f:
      return emulateTwoByte(hv, vcpu, bytes, at, rex);
    default:
      return null;
  }
}

function emulateTwoByte(hv: Hypervisor, vcpu: VcpuState, bytes: Uint8Array, start: number, rex: number): Emulated | null {
  const { cpu } = vcpu;
  const opcode = bytes[start];
  const length = start + 1;
  const pair = (value: bigint): void => {
    cpu.setReg(RAX, value & 0xffff_ffffn);
    cpu.setReg(RDX, value >> 32n);
  };
  switch (opcode) {
    case 0x31: {
      if (!vcpu.kernelMode && vcpu.cr4 & 4n) return null;
      const tsc = readTsc(hv, vcpu.domain);
      report(hv, vcpu, 'rdtsc', 'rdtsc', () => `gives ${hex(tsc)}`);
      cpu.setRegPair(RAX, Number(tsc & 0xffff_ffffn) | 0, 0);
      cpu.setRegPair(RDX, Number(tsc >> 32n) | 0, 0);
      return { length };
    }
    case 0x06:
      if (!vcpu.kernelMode) return null;
      report(hv, vcpu, 'clts', 'clts', () => null);
      setTaskSwitched(vcpu, false);
      return { length };
    case 0x09:
      if (!vcpu.kernelMode) return null;
      report(hv, vcpu, 'wbinvd', 'wbinvd', () => 'ignored');
      return { length };
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23: {
      if (!vcpu.kernelMode) return null;
      const modrm = bytes[start + 1]!;
      const special = ((modrm >> 3) & 7) | (rex & 4 ? 8 : 0);
      const register = (modrm & 7) | (rex & 1 ? 8 : 0);
      const moved = emulateSpecialMove(hv, vcpu, opcode, special, register);
      // A debug register that is not there is an invalid opcode; other refusals are #GP.
      if (moved === 'no such register') return INVALID_OPCODE;
      return moved ? { length: length + 1 } : null;
    }
    case 0x32: {
      if (!vcpu.kernelMode) return null;
      const msr = cpu.regLo(RCX) >>> 0;
      const value = readMsr(hv, vcpu, msr);
      if (value === null) {
        if (vcpu.traps[13]!.address !== 0n) {
          logRefused(hv, vcpu, msr, null);
          return null;
        }
        hv.logMessage('rdmsr-faked', { msr: `0x${msr.toString(16).padStart(8, '0')}` }, vcpu);
      }
      report(hv, vcpu, 'rdmsr', 'rdmsr', () => `${MSR_NAMES[msr] ?? 'MSR'} (${hex(msr)}) gives ${hex(value ?? 0n)}`);
      pair(value ?? 0n);
      return { length };
    }
    case 0x30: {
      if (!vcpu.kernelMode) return null;
      const msr = cpu.regLo(RCX) >>> 0;
      const value = (BigInt(cpu.regLo(RDX) >>> 0) << 32n) | BigInt(cpu.regLo(RAX) >>> 0);
      if (!writeMsr(hv, vcpu, msr, value)) {
        logRefused(hv, vcpu, msr, value);
        return null;
      }
      report(hv, vcpu, 'wrmsr', 'wrmsr', () => `${MSR_NAMES[msr] ?? 'MSR'} (${hex(msr)}) = ${hex(value)}`);
      return { length };
    }
    default:
      return null;
  }
}

/** Rule of a move to or from a control or debug register; CR0 and CR4 have one for both directions. */
function specialRule(debug: boolean, write: boolean, register: number): string {
  if (debug) return 'mov-dr';
  return register === 0 || register === 4 ? `mov-cr${register}` : `mov-${write ? 'to' : 'from'}-cr${register}`;
}

function emulateSpecialMove(
  hv: Hypervisor,
  vcpu: VcpuState,
  opcode: number,
  special: number,
  register: number,
): boolean | 'no such register' {
  const { cpu } = vcpu;
  const write = (opcode & 2) !== 0;
  const debug = (opcode & 1) !== 0;
  const name = `mov ${debug ? 'dr' : 'cr'}${special}`;
  if (write) {
    const value = cpu.reg(register);
    const refused = debug ? writeDebug(vcpu, special, value) : writeControl(hv, vcpu, special, value) ? null : 'EINVAL';
    if (refused === 'ENODEV') return 'no such register';
    if (refused) return false;
    report(hv, vcpu, `mov to ${debug ? 'dr' : 'cr'}${special}`, specialRule(debug, true, special), () => hex(value));
    return true;
  }
  const value = debug ? readDebug(vcpu, special) : readControl(hv, vcpu, special);
  if (value === null) return debug ? 'no such register' : false;
  report(hv, vcpu, `${name.replace('mov', 'mov from')}`, specialRule(debug, false, special), () => `gives ${hex(value)}`);
  cpu.setReg(register, value);
  return true;
}

/** The linear address of an element; null: #GP. In 64-bit mode only fs and gs have a base, and no address may lie in Xen's part. */
function elementAddress(vcpu: VcpuState, { segment, addressBits }: Operand, offset: bigint, size: number): bigint | null {
  const { cpu } = vcpu;
  if (cpu.mode().bits === 64) {
    const base = segment === Segment.fs || segment === Segment.gs ? cpu.base(segment) : 0n;
    const address = BigInt.asUintN(64, base + BigInt.asUintN(addressBits, offset));
    return addressAllowed(address) ? address : null;
  }
  const { base, limit } = cpu.segment(segment);
  const at = BigInt.asUintN(addressBits, offset);
  return at + BigInt(size) - 1n > BigInt(limit) ? null : BigInt.asUintN(32, base + at);
}

/** ins and outs: one element at a time, so that each counts as one instruction. */
function emulateString(
  hv: Hypervisor,
  vcpu: VcpuState,
  opcode: number,
  size: number,
  repeated: boolean,
  length: number,
  operand: Operand,
): Emulated | null {
  const { cpu } = vcpu;
  const { addressBits } = operand;
  const port = Number(cpu.reg(RDX) & 0xffffn);
  if (!portsAllowed(hv, vcpu, port, size)) return null;
  if (repeated && BigInt.asUintN(addressBits, cpu.reg(RCX)) === 0n) return { length };
  const input = opcode < 0x6e;
  const index = input ? RDI : RSI;
  const address = elementAddress(vcpu, operand, cpu.reg(index), size);
  if (address === null) return { exception: { vector: operand.segment === Segment.ss ? 12 : 13, errorCode: 0 } };
  const root = vcpu.currentRoot();
  if (input) {
    const value = readPort(hv, vcpu.domain, port, size);
    const data = new Uint8Array(size).map((_, n) => value >>> (8 * n));
    if (!hv.guest.write(root, address, data)) return { pageFault: { ...hv.guest.fault } };
  } else {
    const data = hv.guest.read(root, address, size);
    if (!data) return { pageFault: { ...hv.guest.fault } };
    writePort(
      hv,
      vcpu.domain,
      port,
      size,
      data.reduceRight((sum, byte) => sum * 256 + byte, 0),
    );
  }
  vcpu.ioHits |= ioBreakpoints(vcpu, port, size);
  report(hv, vcpu, input ? 'ins' : 'outs', 'port-io', () => `port ${hex(port)}, ${size * 8} bits`);
  step(vcpu, index, addressBits, BigInt(cpu.rflags & DIRECTION ? -size : size));
  if (!repeated) return { length };
  step(vcpu, RCX, addressBits, -1n);
  return BigInt.asUintN(addressBits, cpu.reg(RCX)) === 0n ? { length } : { length, again: true };
}

/** Adds to a register in the width of addresses: 32 bits clear the upper half, 16 bits keep the rest. */
function step(vcpu: VcpuState, register: number, bits: 64 | 32 | 16, by: bigint): void {
  const old = vcpu.cpu.reg(register);
  const sum = BigInt.asUintN(bits, old + by);
  vcpu.cpu.setReg(register, bits === 16 ? (old & ~0xffffn) | sum : sum);
}
