// Single costs of the engine in this process: one step, one hypercall and back, decoding an instruction, memory for RAM that the guest
// does not touch. Processor time of the process, best of several, warm.

import { readFileSync } from 'node:fs';
import { guestMachine } from './guest-machine.ts';
import { memoryOf } from './memory-use.ts';

export interface Micro {
  /** One instruction for each run() of the engine. */
  readonly stepNs: number;
  /** syscall, exit to TypeScript, answer, entry, two more instructions. */
  readonly hypercallNs: number;
  /** From bytes to decoded records, for each instruction of code that was never run before. */
  readonly decodeNs: number;
  /** Growth of resident memory when an engine with 1 GiB of RAM is made. */
  readonly emptyGibMb: number;
}

const ROUNDS = 7;

function cpuNs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

function best(measure: () => number): number {
  return Math.min(...Array.from({ length: ROUNDS }, measure));
}

function step(image: Uint8Array): number {
  const machine = guestMachine(image, 64, { tier1: false });
  const { engine } = machine;
  machine.run(20);
  const STEPS = 300_000;
  return best(() => {
    machine.prepare(1000);
    return (
      cpuNs(() => {
        for (let i = 0; i < STEPS; i++) engine.run(0, 1);
      }) / STEPS
    );
  });
}

/** A flat image of: syscall; dec %edi; jnz back; ret. */
const CALLS = Uint8Array.from([0xeb, 14, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0x0f, 0x05, 0xff, 0xcf, 0x75, 0xfa, 0xc3]);

function hypercall(tier1: boolean): number {
  const machine = guestMachine(CALLS, 64, { tier1 });
  const COUNT = 200_000;
  machine.run(COUNT);
  return best(() => cpuNs(() => machine.run(COUNT)) / COUNT);
}

function decode(image: Uint8Array): number {
  return best(() => {
    const machine = guestMachine(image, 64, { tier1: false });
    const first = cpuNs(() => machine.run(1));
    const { decoded } = machine.engine.statistics;
    const again = cpuNs(() => machine.run(1));
    return (first - again) / decoded;
  });
}

function emptyGib(image: Uint8Array): number {
  const before = memoryOf().residentMb;
  const machine = guestMachine(image, 64, { ramMib: 1024, tier1: false });
  machine.run(1);
  return memoryOf().residentMb - before;
}

export function micro(files: { compute: string; wide: string }): Micro & { hypercallTier0Ns: number } {
  const compute = readFileSync(files.compute);
  const emptyGibMb = emptyGib(compute);
  return {
    stepNs: step(compute),
    hypercallNs: hypercall(true),
    hypercallTier0Ns: hypercall(false),
    decodeNs: decode(readFileSync(files.wide)),
    emptyGibMb,
  };
}
