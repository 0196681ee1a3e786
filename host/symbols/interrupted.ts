// Callers that call frame information does not know: through a stub of the hypercall page, and what an exception or upcall
// interrupted, from the bounce frame that the hypervisor pushed.

import type { Machine, Registers } from '../../simulator/machine-types.ts';
import { readWord } from '../stepping/drives.ts';
import type { GuestSymbols } from './guest-symbols.ts';

/** The registers of a caller, as far as they are known. */
export type CallerRegisters = { readonly rip: bigint; readonly rsp: bigint } & Partial<Record<keyof Registers, bigint>>;

export type WordReader = (address: bigint) => bigint | null;

export const wordReader =
  (machine: Machine, vcpu: number): WordReader =>
  (address) =>
    readWord(machine, vcpu, address);

/** __HYPERVISOR_iret: its stub has no return, it consumes the frame on the stack. */
const iret = 23;

/**
 * Unwinds a 64-bit stub by hand: `push rcx; push r11; mov eax,nr; syscall; pop r11; pop rcx; ret` (bytes 0, 1, 3, 8, 10, 12, 13), and
 * iret's `push rax; mov eax,23; syscall`. The 32-bit stub `mov eax,nr; int 0x82; ret` keeps nothing on the stack.
 */
export function unwindStub(
  stub: { nr: number; offset: number },
  bits: 64 | 32,
  now: { rsp: bigint; rcx?: bigint; r11?: bigint },
  read: WordReader,
): CallerRegisters | null {
  const word = BigInt(bits / 8);
  if (stub.nr === iret) {
    // On the stack: rax (once pushed), and in a 64-bit guest r11, rcx, flags before the interrupted rip, cs, rflags, rsp, ss.
    const frame = now.rsp + (stub.offset === 0 ? 0n : word) + (bits === 64 ? 3n * word : 0n);
    const [rip, rsp] = [read(frame), interruptedStack(frame, bits, read)];
    return rip === null || rsp === null ? null : { rip, rsp };
  }
  const saved = bits === 32 ? 0 : stub.offset >= 13 || stub.offset === 0 ? 0 : stub.offset === 1 || stub.offset === 12 ? 1 : 2;
  const rip = read(now.rsp + BigInt(saved) * word);
  if (rip === null) return null;
  const rsp = now.rsp + BigInt(saved + 1) * word;
  const rcx = saved === 0 ? now.rcx : (read(now.rsp + BigInt(saved - 1) * word) ?? undefined);
  return { rip, rsp, ...(rcx === undefined ? {} : { rcx }) };
}

/** The stack pointer of what a frame (rip, cs, flags, …) interrupted. A 32-bit frame has it only when the interrupted code had another
 * ring than the kernel's: else the frame lies on the very stack. */
function interruptedStack(frame: bigint, bits: 64 | 32, read: WordReader): bigint | null {
  const word = BigInt(bits / 8);
  if (bits === 64) return read(frame + 3n * word);
  const cs = read(frame + word);
  if (cs === null) return null;
  return (cs & 3n) === KERNEL_RING_32 ? frame + 3n * word : read(frame + 3n * word);
}

const KERNEL_RING_32 = 1n;

/** Exceptions that push an error code (SDM volume 3, table 6-1). */
const withErrorCode = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);

/**
 * The frame that lies on the stack when a vCPU stands at the first instruction of a registered handler: rcx and r11 (64-bit), an
 * error code for some vectors, then what was interrupted. Null elsewhere.
 */
export function atHandlerEntry(pc: bigint, rsp: bigint, machine: Machine, vcpu: number, read: WordReader): CallerRegisters | null {
  const { event, failsafe, traps } = machine.callbacks(vcpu);
  const trap = traps.find(({ address }) => address === pc);
  if (pc !== event && !trap) return null;
  if (pc === failsafe && !trap) return null;
  const word = BigInt(machine.bits / 8);
  const skipped = (machine.bits === 64 ? 2n : 0n) + (trap && pc !== event && withErrorCode.has(trap.vector) ? 1n : 0n);
  const at = rsp + skipped * word;
  const [rip, sp] = [read(at), interruptedStack(at, machine.bits, read)];
  if (rip === null || sp === null) return null;
  const [rcx, r11] = machine.bits === 64 ? [read(rsp), read(rsp + word)] : [null, null];
  return { rip, rsp: sp, ...(rcx === null ? {} : { rcx }), ...(r11 === null ? {} : { r11 }) };
}

/** Whether an address is in code that some handler begins with: there a return address on the stack is a left-over. */
export function isHandlerCode(pc: bigint, machine: Machine, vcpu: number, symbols: GuestSymbols): boolean {
  const code = symbols.functionAt(pc);
  if (!code) return false;
  const { event, failsafe, traps } = machine.callbacks(vcpu);
  return [event, failsafe, ...traps.map((t) => t.address)].some((entry) => entry !== null && entry >= code.low && entry < code.high);
}

/** Words of a trap frame: 15 registers, vector and error code, rcx and r11, with room. */
const mostWords = 40;
/** Bits of RFLAGS that are always 0 (SDM volume 1, section 3.4.3); bit 1 is always 1. */
const flagsZero = ~0x3f7fd7n;

/**
 * Looks upwards from a stack pointer for the frame that the hypervisor pushed: rip, cs, rflags, rsp, ss. `below`: where an ordinary
 * return address was found; a frame further up belongs to another caller.
 */
export function findBounceFrame(
  rsp: bigint,
  below: bigint | null,
  machine: Machine,
  vcpu: number,
  symbols: GuestSymbols,
  read: WordReader,
): CallerRegisters | null {
  const { bits } = machine;
  const { event, traps } = machine.callbacks(vcpu);
  // Before the guest has registered a handler nothing can have interrupted it.
  if (event === null && traps.length === 0) return null;
  const word = BigInt(bits / 8);
  for (let i = 0n; i < mostWords; i++) {
    const at = rsp + i * word;
    if (below !== null && at >= below) return null;
    const rip = read(at);
    if (rip === null) return null;
    const rest = [1n, 2n, 3n, 4n].map((n) => read(at + n * word));
    if (rest.some((value) => value === null)) return null;
    const [cs, flags, sp, ss] = rest as [bigint, bigint, bigint, bigint];
    // The upper half of the word with CS holds the saved upcall mask.
    const selector = cs & 0xffffn;
    const isSelector = (value: bigint): boolean => (value & 3n) !== 0n && value < 0x10000n && value >= 8n;
    if ((flags & 2n) === 0n || (flags & flagsZero) !== 0n || !isSelector(selector)) continue;
    const sameRing = bits === 32 && (selector & 3n) === KERNEL_RING_32;
    if (bits === 32 && cs >> 16n > 1n) continue;
    if (!sameRing && (!(isSelector(ss & 0xffffn) || (ss === 0n && bits === 64)) || sp < 0x1000n)) continue;
    // User code is not in the kernel's file; that of a 32-bit kernel must be.
    const user = bits === 64 ? rip < 0x8000_0000_0000n : !sameRing;
    if (!symbols.symbolizer.isCode(rip) && !symbols.isStub(rip) && !(user && read(rip) !== null)) continue;
    return { rip, rsp: sameRing ? at + 3n * word : sp };
  }
  return null;
}
