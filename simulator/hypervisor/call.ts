// One hypercall on its way: its registers, the guest's memory, and the answer. A handler gives a number (the return value), a
// refusal, or one of the special answers below.

import { negative } from '../../abi/errno.ts';
import { hypercallByNumber, operationByNumber } from '../../abi/hypercalls.ts';
import { readBig, type StructureName, StructView, sizeOf, writeBig } from '../../abi/layout.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { addressAllowed } from '../memory/guest-memory.ts';
import { hex, refuse } from '../memory/refuse.ts';
import type { Continuation } from './continuation.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

/** Where Xen's part of a 32-bit guest's address space begins. */
export const XEN_START_32 = 0xf580_0000n;

export interface Answer {
  /** What the guest sees in rax; null where the call leaves the registers to something else (iret). */
  readonly ret: bigint | null;
  readonly refusal?: Refusal;
  readonly unimplemented?: true;
  /** The call is not at its end: the vCPU is to enter it again. */
  readonly continuation?: Continuation;
}

export type HandlerResult = number | bigint | Answer;
export type Handler = (call: Call) => HandlerResult;

export const NO_RETURN: Answer = { ret: null };

/** The call is refused as real Xen refuses it. */
export const no = (refusal: Refusal): Answer => ({ ret: BigInt(negative(refusal.errno)), refusal });

/** Real Xen may know this; the simulator does not. Never a silent success. */
export const notImplemented = (what: string): Answer => ({
  ret: BigInt(negative('ENOSYS')),
  refusal: refuse('ENOSYS', 'not-implemented', { what }),
  unimplemented: true,
});

/** Real Xen has no such operation. */
export const noSuch = (what: string, number: number): Answer => no(refuse('ENOSYS', 'no-such-operation', { what, number }));

/** Only a privileged domain may do this. */
export const notPrivileged = (what: string): Answer => no(refuse('EPERM', 'not-privileged', { what }));

export class Call {
  readonly hv: Hypervisor;
  readonly vcpu: VcpuState;
  readonly nr: number;
  /** Argument registers: rdi, rsi, rdx, r10, r8, r9; of a 32-bit guest in the same shape (compat/arguments.ts). */
  readonly args: readonly bigint[];
  /** What it goes on with, where it was entered before. */
  carried: Continuation | null = null;

  constructor(hv: Hypervisor, vcpu: VcpuState, nr: number, args: readonly bigint[]) {
    this.hv = hv;
    this.vcpu = vcpu;
    this.nr = nr;
    this.args = args;
  }

  /** The call that goes on with what this one left. */
  next(continuation: Continuation): Call {
    const call = new Call(this.hv, this.vcpu, continuation.nr, continuation.args);
    call.carried = continuation;
    return call;
  }

  get domain(): Domain {
    return this.vcpu.domain;
  }

  /** An argument as C's `unsigned int`. */
  u32(n: number): number {
    return Number(this.args[n]! & 0xffff_ffffn);
  }

  /** An argument as C's `int`. */
  s32(n: number): number {
    return this.u32(n) | 0;
  }

  read(address: bigint, length: number): Uint8Array | null {
    return this.hv.guest.read(this.vcpu.currentRoot(), address, length);
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    return this.hv.guest.write(this.vcpu.currentRoot(), address, bytes);
  }

  /** Width of the guest's structures. */
  get bits(): 64 | 32 {
    return this.domain.bits;
  }

  /** May the guest name this address in a list that Xen checks before it looks at it? */
  addressOk(address: bigint): boolean {
    return this.bits === 64 ? addressAllowed(address) : address < XEN_START_32;
  }

  /** Bytes of the guest's `unsigned long`, of its pointers and frame numbers. */
  get word(): 8 | 4 {
    return this.bits === 64 ? 8 : 4;
  }

  struct(name: StructureName, address: bigint): StructView | null {
    const bytes = this.read(address, sizeOf(name, this.bits));
    return bytes && new StructView(name, this.bits, bytes);
  }

  /** The guest's `unsigned long` at an address, or null. */
  readWord(address: bigint): bigint | null {
    const bytes = this.read(address, this.word);
    return bytes && readBig(bytes, 0, this.word);
  }

  writeWord(address: bigint, value: bigint): boolean {
    const bytes = new Uint8Array(this.word);
    writeBig(bytes, 0, this.word, value);
    return this.write(address, bytes);
  }

  put(address: bigint, view: StructView): boolean {
    return this.write(address, view.bytes);
  }

  writeU32(address: bigint, value: number): boolean {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    return this.write(address, bytes);
  }

  /** -EFAULT for the argument that read() or write() just failed on. */
  fault(what: string): Answer {
    const { address, errorCode } = this.hv.guest.fault;
    return no(refuse('EFAULT', 'argument-not-accessible', { what, address: hex(address), error: hex(errorCode) }));
  }

  /** A domid argument that must mean the caller. Null when it does. */
  onlySelf(domid: number, what: string): Answer | null {
    if (domid === 0x7ff0 || domid === this.domain.id) return null;
    if (domid === 0) return no(refuse('EPERM', 'not-privileged', { what: `${what} of domain ${domid}` }));
    return no(refuse('ESRCH', 'no-such-domain', { what, domain: domid }));
  }
}

/** The answer to an operation that no handler carries out: by the tables, real Xen refuses it to this guest, or does not have it, or
 * only the simulator lacks it. */
export function otherOperation(call: Call, operation: number): Answer {
  const row = hypercallByNumber(call.nr);
  const known = row && operationByNumber(row, operation);
  if (!row || !known) return noSuch(row?.name ?? 'hypercall', operation);
  const name = `${row.name}.${known.name}`;
  const who = known.who ?? row.who;
  if (who === 'dom0' && !call.domain.isDom0) return notPrivileged(name);
  if (who === 'hvm' || who === 'none') return no(refuse('ENOSYS', 'not-for-pv', { what: name }));
  return notImplemented(name);
}
