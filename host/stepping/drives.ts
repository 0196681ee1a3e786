// Steps as drives of a run: what to execute next and when the step is done. A step runs through event upcalls: they are not
// part of the code being stepped, and who wants to see them stops at them by a breakpoint.

import { asVirtual, type VirtualAddress } from '../../abi/address.ts';
import type { Machine, Registers, RunResult } from '../../simulator/machine-types.ts';
import type { Drive } from '../run-control.ts';

/** What stepping asks of the symbols. */
export interface StepSymbols {
  /** The line that an address belongs to; null without line information. */
  lineAt(address: bigint): StepLine | null;
  /** Where a function that was just entered has its frame set up and its arguments in place. */
  afterPrologue(entry: bigint): bigint;
  /** Code without source that a step never enters: the hypercall page. */
  isStub(address: bigint): boolean;
  /** Bounds of the function at an address, from debug information or the symbol table. */
  functionAt(address: bigint): { readonly low: bigint; readonly high: bigint } | null;
}

export interface StepLine {
  readonly file: string;
  readonly line: number;
  /** Entry address of the function: the same line in an inlined or cloned copy is another place. */
  readonly function: bigint;
  /** Inlined calls that the address is in: 0 in the function's own code. */
  readonly inlineDepth: number;
  /** The address starts a statement. */
  readonly isStart: boolean;
}

export interface Target {
  readonly addresses: readonly VirtualAddress[];
  /** The stack pointer there, lowest and highest: another stack or a deeper recursion does not count. */
  readonly low: bigint;
  readonly high: bigint;
}

/** Follows one vCPU instruction by instruction and knows when it was interrupted. */
export class Follower {
  readonly machine: Machine;
  readonly vcpu: number;
  before: Registers;
  private icount: number;
  private interruption: 'upcall' | 'exception' | null = null;
  private readonly unsubscribe: () => void;

  constructor(machine: Machine, vcpu: number) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.before = machine.registers(vcpu);
    this.icount = machine.icount();
    this.unsubscribe = machine.subscribe(['upcall', 'exception'], (record) => {
      if (machine.vcpuOf(record.domain, record.vcpu) === vcpu && (record.kind === 'upcall' || record.kind === 'exception'))
        this.interruption = record.kind;
    });
  }

  /** Whether the vCPU executed since the last call; null when it did not. */
  moved(): { readonly now: Registers; readonly before: Registers; readonly interruption: 'upcall' | 'exception' | null } | null {
    const icount = this.machine.icount();
    if (this.machine.currentVcpu() !== this.vcpu || icount === this.icount) {
      this.icount = icount;
      return null;
    }
    this.icount = icount;
    const before = this.before;
    const now = this.machine.registers(this.vcpu);
    this.before = now;
    const interruption = this.interruption;
    this.interruption = null;
    return { now, before, interruption };
  }

  close(): void {
    this.unsubscribe();
  }
}

/** A guest word at a virtual address; null where nothing is mapped. */
export function readWord(machine: Machine, vcpu: number, address: bigint): bigint | null {
  const size = machine.bits / 8;
  const bytes = machine.readMemory(vcpu, asVirtual(address), size);
  if (bytes.length < size) return null;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** The return address that the last instruction pushed when it was a call, else null. */
export function calledFrom(machine: Machine, vcpu: number, before: Registers, now: Registers): bigint | null {
  if (now.rsp !== before.rsp - BigInt(machine.bits / 8)) return null;
  const top = readWord(machine, vcpu, now.rsp);
  if (top === null || top <= before.rip || top > before.rip + 15n || now.rip === top) return null;
  return top;
}

/** Where an interrupted vCPU goes on: at the instruction, or behind it (at most 15 bytes) when the handler dealt with it. */
export function comesBack(before: Registers): Target {
  const addresses = Array.from({ length: 16 }, (_, i) => asVirtual(before.rip + BigInt(i)));
  return { addresses, low: before.rsp, high: before.rsp };
}

/** Where a call that was just made returns to; a callee may pop up to 256 bytes of arguments. */
export function returnsTo(address: bigint, stackAtCall: bigint): Target {
  return { addresses: [asVirtual(address)], low: stackAtCall, high: stackAtCall + 256n };
}

/** Whether a breakpoint result is the target. */
export function isAt(target: Target, machine: Machine, vcpu: number, result: RunResult): boolean {
  if (result.kind !== 'breakpoint' || result.vcpu !== vcpu) return false;
  const { rip, rsp } = machine.registers(vcpu);
  return target.addresses.includes(rip as VirtualAddress) && rsp >= target.low && rsp <= target.high;
}

/** Runs until one of the addresses is reached with the stack as expected. */
export class RunTo implements Drive {
  private readonly machine: Machine;
  readonly vcpu: number;
  private readonly target: Target;

  constructor(machine: Machine, vcpu: number, target: Target) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.target = target;
  }
  single = (): boolean => false;
  temporaries = (): readonly VirtualAddress[] => this.target.addresses;

  reached(result: RunResult): boolean {
    return isAt(this.target, this.machine, this.vcpu, result);
  }
}
