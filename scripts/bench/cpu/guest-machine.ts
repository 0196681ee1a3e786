// A workload on the CPU engine: its image and stack in pages of scattered frames under real page tables (four levels; for 32 bit the
// three of PAE), walked by this host as a hypervisor's would be.

import { openSync, readSync } from 'node:fs';
import { createEngine } from '../../../simulator/cpu/engine.ts';
import { Access, type CpuHost, type Engine } from '../../../simulator/cpu/engine-types.ts';
import type { Width } from './build.ts';

const CODE = 0x10000000;
const STACK_TOP = 0x20000000;
const STACK_PAGES = 16;
const RETURN = 0x20001000;
const HYPERCALL_VECTOR = 0x82;
const PRESENT_WRITABLE_USER = 7;
const ACCESSED = 0x20;
const DIRTY = 0x40;
/** V8 compiles hot code while the engine is between two calls of run(). */
const FIRST_SLICES = 200_000;
const SLICE = 2_000_000;

/** A clock of the first thread's processor time, in microseconds, for what the engine says about its own work. V8's compilers in other
 * threads are not part of it. While the thread runs, the scheduler's accounts are some milliseconds old: sums over many spans are
 * right, single spans are not. */
function threadClock(): () => number {
  const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const text = Buffer.alloc(64);
  return () => Number.parseInt(text.toString('latin1', 0, readSync(file, text, 0, 64, 0)), 10) / 1000;
}

export interface Outcome {
  /** 16 hexadecimal digits. */
  checksum: string;
  instructions: number;
  hypercalls: number;
}

export interface GuestMachine {
  readonly engine: Engine;
  readonly walks: () => number;
  /** From the entry to the workload's return. */
  run(n: number): Outcome;
  /** Registers and stack as for run(), without running. */
  prepare(n: number): void;
}

export interface MachineOptions {
  readonly ramMib?: number;
  /** Whether hot code is translated. */
  readonly tier1: boolean;
}

export function guestMachine(image: Uint8Array, width: Width, options: MachineOptions): GuestMachine {
  const ramBytes = (options.ramMib ?? 64) << 20;
  const frames = ramBytes / 4096;
  let used = 0;
  const newFrame = (): number => {
    if (used >= frames - 1) throw new Error(`${options.ramMib ?? 64} MiB are too little for this workload`);
    return ((used++ * 9973 + 4001) % (frames - 1)) + 1;
  };
  const root = newFrame();
  let walks = 0;
  let words: Int32Array;
  const levels = width === 64 ? [39, 30, 21, 12] : [30, 21, 12];
  const indexAt = (lo: number, hi: number, shift: number): number =>
    shift === 39 ? (hi >>> 7) & 511 : shift === 30 ? ((hi & 127) << 2) | (lo >>> 30) : (lo >>> shift) & 511;

  const host: CpuHost = {
    translate(_vcpu, lo, hi, access, _bank, out) {
      walks++;
      let frame = root;
      let at = 0;
      for (const shift of levels) {
        at = frame * 1024 + indexAt(lo, hi, shift) * 2;
        const entry = words[at]!;
        if (!(entry & 1)) {
          out.errorCode = 4 | (access === Access.write ? 2 : 0) | (access === Access.execute ? 16 : 0);
          return false;
        }
        if (!(entry & ACCESSED)) words[at] = entry | ACCESSED;
        frame = ((entry >>> 12) | (words[at + 1]! << 20)) >>> 0;
      }
      if (access === Access.write) words[at]! |= DIRTY;
      out.mfn = frame;
      out.writable = (words[at]! & DIRTY) !== 0;
      return true;
    },
    cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }),
    tsc: (_vcpu, executed) => BigInt(executed),
    loadSegment: () => ({ ok: true, cache: { base: 0n, limit: 0xffffffff, attributes: 0xc0f3 } }),
    readDescriptor: () => null,
    sensitive: () => 0n,
  };
  const engine = createEngine({ ramBytes, vcpus: 1, model: 'amd', host, tier1: options.tier1, tier1Options: { clock: threadClock() } });
  words = engine.ramWords;

  const map = (va: number): number => {
    let frame = root;
    for (const shift of levels) {
      const at = frame * 1024 + indexAt(va, 0, shift) * 2;
      if (!words[at]) {
        const next = newFrame();
        words[at] = (next << 12) | PRESENT_WRITABLE_USER;
        words[at + 1] = next >>> 20;
      }
      frame = (words[at]! >>> 12) | (words[at + 1]! << 20);
    }
    return frame;
  };
  const size = new DataView(image.buffer, image.byteOffset).getUint32(8, true);
  for (let page = 0; page < size; page += 4096) {
    const frame = map(CODE + page);
    if (page < image.length) engine.ram.set(image.subarray(page, page + 4096), frame * 4096);
  }
  for (let page = 1; page <= STACK_PAGES; page++) map(STACK_TOP - page * 4096);
  engine.ram.set([0x0f, 0x0b], map(RETURN) * 4096);
  const stack = map(STACK_TOP - 4096) * 4096;
  const vcpu = engine.vcpus[0]!;
  vcpu.setMode({ bits: width, cpl: 3, bank: 1 });
  let slices = 0;

  const prepare = (n: number): void => {
    const { ramView } = engine;
    if (width === 64) {
      ramView.setBigUint64(stack + 4088, BigInt(RETURN), true);
      vcpu.set('rsp', BigInt(STACK_TOP - 8));
      vcpu.set('rdi', BigInt(n));
    } else {
      ramView.setUint32(stack + 4084, RETURN, true);
      ramView.setUint32(stack + 4088, n, true);
      vcpu.set('rsp', BigInt(STACK_TOP - 12));
    }
    vcpu.rip = BigInt(CODE);
  };
  /** (number + first) ^ second, carried over both halves. */
  const answer = (number: number, first: number, second: number): void => {
    const lo = (vcpu.regLo(number) >>> 0) + (vcpu.regLo(first) >>> 0);
    const hi = (vcpu.regHi(number) + vcpu.regHi(first) + (lo > 0xffffffff ? 1 : 0)) | 0;
    vcpu.setRegPair(number, (lo ^ vcpu.regLo(second)) | 0, width === 64 ? hi ^ vcpu.regHi(second) : 0);
  };
  const RAX = 0;
  const RCX = 1;
  const RBX = 3;
  const RSI = 6;
  const RDI = 7;
  const run = (n: number): Outcome => {
    prepare(n);
    let instructions = 0;
    let hypercalls = 0;
    for (;;) {
      const exit = engine.run(0, slices++ < 200 ? FIRST_SLICES : SLICE);
      instructions += exit.executed;
      if (exit.kind === 'syscall') {
        hypercalls++;
        answer(RAX, RDI, RSI);
      } else if (exit.kind === 'interrupt' && exit.vector === HYPERCALL_VECTOR) {
        hypercalls++;
        answer(RAX, RBX, RCX);
      } else if (exit.kind === 'exception' && exit.vector === 6 && vcpu.ripLo() === RETURN) {
        return { checksum: vcpu.get('rax').toString(16).padStart(16, '0'), instructions, hypercalls };
      } else if (exit.kind !== 'budget') {
        const at = `0x${vcpu.rip.toString(16)}`;
        throw new Error(`the workload ended at ${at} as ${exit.kind} ${exit.vector}, address 0x${exit.cr2.toString(16)}`);
      }
    }
  };
  return { engine, walks: () => walks, run, prepare };
}
