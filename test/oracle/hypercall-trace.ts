// Hypercalls that a PV guest makes on real Xen: QEMU's gdbstub stops at the guest's own `syscall` (64 bit) or `int 0x82` (32 bit),
// before and after.
import { readFileSync } from 'node:fs';
import { type DecodedHypercall, decodeHypercall } from '../../abi/decode-hypercall.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import type { GdbRemote, Registers } from './gdb-remote.ts';

export interface TracedHypercall {
  number: number;
  name: string;
  operation: string | null;
  args: DecodedHypercall['args'];
  /** Null for iret and for calls that never came back. */
  ret: number | null;
}

/** Addresses of the instructions that make hypercalls, two bytes each. */
export interface CallSites {
  addresses: bigint[];
  bits: 64 | 32;
}

/** Of Xen's hypercall page: each entry's syscall. iret's entry saves one register more and does not return. */
export function pageSites(hypercallPage: bigint, numbers: number[]): CallSites {
  return { addresses: numbers.map((number) => hypercallPage + BigInt(number * 32 + (number === iret ? 9 : 8))), bits: 64 };
}

/** Of a kernel that has the instruction in its own code, loaded at the addresses of its file as GRUB is: every occurrence in the first
 * bytes of its first segment. */
export function ownSites(elf: string, codeBytes: number): CallSites {
  const file = openKernel(readFileSync(elf));
  const { bits } = file;
  const segment = file.segments.find(({ type }) => type === PT_LOAD)!;
  const code = Buffer.from(file.segmentBytes(segment).subarray(0, codeBytes));
  const addresses: bigint[] = [];
  const { instruction } = width[bits];
  for (let at = code.indexOf(instruction); at >= 0; at = code.indexOf(instruction, at + 1))
    addresses.push(segment.virtualAddress + BigInt(at));
  return { addresses, bits };
}

const PT_LOAD = 1;
const iret = 23;
const schedOp = 29;
/** The instruction, Xen's flat code segment of the guest's kernel, and the argument registers. */
const width = {
  64: { instruction: Buffer.from([0x0f, 0x05]), guestCode: 0xe033, registers: ['rdi', 'rsi', 'rdx', 'r10', 'r8'] },
  32: { instruction: Buffer.from([0xcd, 0x82]), guestCode: 0xe019, registers: ['rbx', 'rcx', 'rdx', 'rsi', 'rdi'] },
} as const;

/**
 * Follows the machine to its end (or to `limit` calls) and answers the guest's hypercalls in order. A syscall instruction that was once
 * used for sched_op is not watched from then on. For guests that make hypercalls in a ticking timer, leave iret and set_timer_op out of the sites.
 */
export async function traceHypercalls(remote: GdbRemote, sites: CallSites, limit = 20_000): Promise<TracedHypercall[]> {
  const calls: TracedHypercall[] = [];
  const { bits } = sites;
  const { guestCode } = width[bits];
  const entries = new Set(sites.addresses);
  const open = new Map<bigint, { call: TracedHypercall; registers: Registers }[]>();
  const returns = new Map<bigint, number>();
  for (const address of entries) await remote.setBreakpoint(address);
  try {
    while (calls.length < limit) {
      await remote.resume();
      const registers = await remote.registers();
      const at = registers.rip;
      if (registers.cs === guestCode && entries.has(at)) {
        const waiting = open.get(at) ?? [];
        const number = Number(registers.rax & 0xffffffffn);
        // Xen lets a long call start again at its syscall after other work: the same call, not a new one.
        const continued = waiting.at(-1)?.call.number === number && waiting.at(-1)?.registers.rsp === registers.rsp;
        if (!continued) {
          const call = await decoded(remote, bits, registers, number, 'entry');
          calls.push(call);
          // Code that waits calls so often that stopping each time would hold up what it waits for.
          if (number === schedOp) {
            entries.delete(at);
            await remote.clearBreakpoint(at);
          } else if (number !== iret) {
            waiting.push({ call, registers });
            open.set(at, waiting);
            const count = returns.get(at + 2n) ?? 0;
            returns.set(at + 2n, count + 1);
            if (count === 0) await remote.setBreakpoint(at + 2n);
          }
        }
      } else if (registers.cs === guestCode && returns.has(at)) {
        const finished = open.get(at - 2n)?.pop();
        if (finished) {
          const after = await decoded(remote, bits, finished.registers, finished.call.number, 'exit');
          Object.assign(finished.call, after, { ret: Number(BigInt.asIntN(bits, registers.rax)) });
        }
        const count = (returns.get(at) ?? 1) - 1;
        if (count > 0) returns.set(at, count);
        else {
          returns.delete(at);
          await remote.clearBreakpoint(at);
        }
      }
      if (entries.has(at) || returns.has(at)) {
        await remote.clearBreakpoint(at);
        await remote.step();
        await remote.setBreakpoint(at);
      }
    }
  } catch (error) {
    // QEMU ended with the guest: what was seen is the trace.
    if (calls.length === 0) throw error;
  }
  return calls;
}

async function decoded(
  remote: GdbRemote,
  bits: 64 | 32,
  registers: Registers,
  number: number,
  phase: 'entry' | 'exit',
): Promise<TracedHypercall> {
  const values = width[bits].registers.map((name) => BigInt.asUintN(bits, registers[name]));
  const known: { address: bigint; bytes: Uint8Array | null; length: number }[] = [];
  for (let round = 0; ; round++) {
    const missing: { address: bigint; length: number }[] = [];
    const read = (address: bigint, length: number) => {
      const found = known.find((piece) => address >= piece.address && address + BigInt(length) <= piece.address + BigInt(piece.length));
      if (!found) missing.push({ address, length });
      const from = found ? Number(address - found.address) : 0;
      return found?.bytes?.subarray(from, from + length) ?? null;
    };
    const { name, operation, args } = decodeHypercall({ number, args: values, bits, read, phase });
    if (missing.length === 0 || round === 4) return { number, name, operation, args, ret: null };
    for (const { address, length } of missing) {
      // What follows in the page is asked for next, as arrays are read element by element.
      const toPageEnd = 4096 - Number(address & 4095n);
      const piece = Math.max(length, Math.min(toPageEnd, 1024));
      known.push({ address, length: piece, bytes: await remote.memory(address, piece) });
    }
  }
}

/**
 * Calls whose number and place depend on speed: waiting, ticks, output, polling, forcing a pending event (xen_version); and shutdown, whose
 * reason the run's end names. */
const timing = /^(set_timer_op|iret|xen_version\.version|sched_op\..*|event_channel_op\.send|console_io\..*)$/;

interface Call {
  name: string;
  operation: string | null;
  args: unknown;
  ret: number | null;
}

/**
 * One line for each call that does not depend on speed, `name.operation args = ret`, equal ones that follow each other as one.
 * Machine frames are left out: every machine gives a domain others.
 */
export function comparableCalls(calls: readonly Call[]): string[] {
  const lines: string[] = [];
  for (const { name, operation, args, ret } of calls) {
    const full = operation ? `${name}.${operation}` : name;
    if (timing.test(full)) continue;
    const line = `${full} ${JSON.stringify(args, withoutFrames)} = ${ret}`;
    if (lines.at(-1) !== line) lines.push(line);
  }
  return lines;
}

function withoutFrames(this: { cmd?: unknown }, key: string, value: unknown): unknown {
  if (key === 'mfn') return 'mfn';
  if (key === 'frame_list' && Array.isArray(value)) return value.map(() => 'mfn');
  // Page-table entries and their machine addresses keep what is not the frame; MACHPHYS_UPDATE stores the domain's own frame numbers.
  const holdsFrame = key === 'ptr' || (key === 'val' && this.cmd !== 'MMU_MACHPHYS_UPDATE');
  if (holdsFrame && typeof value === 'string' && BigInt(value) > 0xfffn) return `mfn + 0x${(BigInt(value) & 0xfffn).toString(16)}`;
  return value;
}
