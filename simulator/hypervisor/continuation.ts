// Hypercalls that are continued: a call that takes long, or that leaves a table to be taken apart, ends with its arguments changed
// to what is still to be done and the instruction pointer back at the `syscall`. The guest runs into it again, after events that
// were due. With preemption off the rest is done at once.
// Behaviour of Xen 4.17 (arch/x86/hypercall.c, arch/x86/mm.c, common/multicall.c).

import type { Refusal } from '../../abi/refusal.ts';
import type { Exit } from '../cpu/engine-types.ts';
import { hex, refuse } from '../memory/refuse.ts';
import type { Answer, Call } from './call.ts';
import { no } from './call.ts';
import type { VcpuState } from './vcpu.ts';

export interface Continuation {
  readonly nr: number;
  readonly args: readonly bigint[];
  /** Why the part that is done was refused: the answer that the last round gives. */
  readonly refusal?: Refusal;
  /** multicall: the same of the entry that goes on, and how many entries are done. */
  readonly inner?: Refusal;
  readonly entriesDone?: number;
}

/** A call that the vCPU will run into again. */
export interface Continuing extends Continuation {
  readonly site: bigint;
  /** The argument registers when the guest made the call. */
  readonly first: readonly bigint[];
}

/** Bit of the count in mmu_update and mmuext_op: this is not the first round. */
const PREEMPTED = 0x8000_0000;
const UPDATE_VA_MAPPING = 14;
const UPDATE_VA_MAPPING_OTHER_DOMAIN = 22;
const ARGUMENTS_32 = 5;

export const again = (continuation: Continuation): Answer => ({ ret: null, continuation });

/** The argument registers of a call, from the arguments as handlers have them. A 32-bit guest has 64-bit page-table entries in two. */
export function registersOf({ nr, args }: Continuation, bits: 64 | 32): bigint[] {
  if (bits === 64) return [...args];
  const wide = nr === UPDATE_VA_MAPPING || nr === UPDATE_VA_MAPPING_OTHER_DOMAIN;
  const list = wide ? [args[0]!, args[1]!, args[1]! >> 32n, ...args.slice(2)] : [...args];
  return list.slice(0, ARGUMENTS_32).map((value) => value & 0xffff_ffffn);
}

/** The continuation that this call is, or null. It is used up. */
export function takeContinuing(vcpu: VcpuState, site: bigint, nr: number, registers: readonly bigint[]): Continuing | null {
  if (!isContinued(vcpu, site, nr, registers)) return null;
  const { continuing } = vcpu;
  vcpu.continuing = null;
  return continuing;
}

/** Carries out what a continuation leaves at once, where calls are not interrupted. */
export function toTheEnd(call: Call, carryOut: (call: Call) => Answer): Answer {
  let answer = carryOut(call);
  while (answer.continuation && call.hv.memory.types.preemption.mode === 'off') answer = carryOut(call.next(answer.continuation));
  return answer;
}

/** Does the vCPU run into the call that it is to go on with? The handler of an event may have made another one from the same place. */
export function isContinued(vcpu: VcpuState, site: bigint, nr: number, registers: readonly bigint[]): boolean {
  const { continuing } = vcpu;
  if (continuing === null || continuing.site !== site || continuing.nr !== nr) return false;
  return registersOf(continuing, vcpu.bits).every((value, n) => value === registers[n]);
}

/** The same asked of an exit, before anything is known of the call: a call counts as one instruction however often it is entered. */
export function resumesCall(vcpu: VcpuState, exit: Exit): boolean {
  if (vcpu.continuing === null || (exit.kind !== 'syscall' && exit.kind !== 'interrupt')) return false;
  return isContinued(vcpu, exit.instruction, vcpu.cpu.regLo(0) >>> 0, argumentRegisters(vcpu));
}

const REGISTERS_64 = [7, 6, 2, 10, 8, 9] as const;
/** ebx, ecx, edx, esi, edi. */
const REGISTERS_32 = [3, 1, 2, 6, 7] as const;

/** The argument registers as the guest filled them. */
export const argumentRegisters = (vcpu: VcpuState): bigint[] =>
  vcpu.bits === 64
    ? REGISTERS_64.map((register) => vcpu.cpu.reg(register))
    : REGISTERS_32.map((register) => vcpu.cpu.reg(register) & 0xffff_ffffn);

/** Sends the vCPU into the call again: registers, and rip at the instruction. */
export function continueLater(vcpu: VcpuState, continuation: Continuation, site: bigint, first: readonly bigint[]): void {
  const { cpu } = vcpu;
  const registers = vcpu.bits === 64 ? REGISTERS_64 : REGISTERS_32;
  registersOf(continuation, vcpu.bits).forEach((value, n) => {
    cpu.setReg(registers[n]!, value);
  });
  cpu.setReg(0, BigInt(continuation.nr));
  cpu.rip = site;
  vcpu.continuing = { ...continuation, site, first };
}

/** The start of mmu_update and mmuext_op: what an earlier round left is taken apart first. */
export function batchStart(call: Call): { readonly count: number; readonly before: number } | { readonly answer: Answer } {
  if (call.hv.memory.types.drain()) return { answer: again({ ...call.carried, nr: call.nr, args: call.args }) };
  const raw = call.u32(1);
  if (raw === PREEMPTED && call.args[0] === 0n) {
    const refusal = call.carried?.refusal;
    return { answer: { ret: BigInt(call.s32(3)), ...(refusal ? { refusal } : {}) } };
  }
  let before = 0;
  const doneAt = call.args[2]!;
  if (raw & PREEMPTED && doneAt !== 0n) {
    const bytes = call.read(doneAt, 4);
    if (bytes) before = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }
  return { count: (raw & ~PREEMPTED) >>> 0, before };
}

export interface Batch {
  readonly list: bigint;
  /** Bytes of an element. */
  readonly entry: number;
  /** Elements of this round, those that earlier rounds did, and those that this one did. */
  readonly count: number;
  readonly before: number;
  readonly done: number;
  readonly result: Answer | 'again' | null;
}

/** The end of a round: tells the guest how much is done, and makes the continuation where one is needed. */
export function finishBatch(call: Call, { list, entry, count, before, done, result }: Batch): Answer {
  const doneAt = call.args[2]!;
  const foreign = call.args[3]! & 0xffff_ffffn;
  const { nr } = call;
  const tell = (): void => {
    if (doneAt !== 0n) call.writeU32(doneAt, before + done);
  };
  if (result === 'again') {
    tell();
    const left = BigInt(((count - done) | PREEMPTED) >>> 0);
    return again({ nr, args: [list + BigInt(done * entry), left, doneAt, foreign] });
  }
  const answer = result?.refusal
    ? { ...result, refusal: { ...result.refusal, facts: { ...result.refusal.facts, request: before + done } } }
    : (result ?? { ret: 0n });
  const left = call.hv.memory.types.deferred.table !== null;
  tell();
  if (!left) return answer;
  const ret = BigInt.asUintN(32, answer.ret ?? 0n);
  return again({ nr, args: [0n, BigInt(PREEMPTED), 0n, ret], ...(answer.refusal ? { refusal: answer.refusal } : {}) });
}

/** The list lies where no guest may point: nothing is done, not even the count told. */
export const listFault = (call: Call, list: bigint): Answer =>
  no(refuse('EFAULT', 'argument-not-accessible', { what: `list of hypercall ${call.nr}`, address: hex(list), error: '0x0' }));
