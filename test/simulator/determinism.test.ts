// The same input gives the same machine: whatever interprets or translates the code, and wherever a run is cut into slices.
// Compared at the same instruction count: state hash, console, every record of the trace.

import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { createMachine } from '../../simulator/machine.ts';
import { grubImage } from '../oracle/grub.ts';
import { configOf } from './run.ts';

const tinykernel = readFileSync(new URL('../../samples/tinykernel/prebuilt/tinykernel-xen.elf', import.meta.url));
let grub: Uint8Array;
beforeAll(async () => {
  grub = readFileSync(await grubImage());
});

/** A small generator, so that a failure repeats by its seed. */
function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

interface Way {
  readonly tier1: boolean;
  /** Instructions of the next slice. */
  readonly slice: () => number;
}

/** Runs to each of the instruction counts in turn; what the machine is there. */
function states(kernel: Uint8Array, cmdline: string, { tier1, slice }: Way, stops: readonly number[], vcpus = 1) {
  const machine = createMachine(configOf(kernel, { cmdline, tier1, vcpus }));
  let console = '';
  let trace = '';
  machine.onConsole((_, bytes) => {
    console += String.fromCharCode(...bytes);
  });
  machine.subscribe('all', (record) => {
    trace += `${JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}\n`;
  });
  return stops.map((stop) => {
    for (let turns = 0; machine.icount() < stop; turns++) {
      if (turns > 1_000_000) throw new Error(`no progress at instruction ${machine.icount()}`);
      const result = machine.run({ instructions: Math.min(stop - machine.icount(), slice()) });
      if (result.kind === 'ended' || result.kind === 'idle') break;
    }
    return { icount: machine.icount(), clock: machine.clock(), hash: machine.stateHash(), console, trace };
  });
}

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const ways = (): Record<string, Way> => {
  const next = random(seed);
  return {
    'interpreted, slices of 1 to 5,000': { tier1: false, slice: () => 1 + Math.floor(next() * 5000) },
    'translated, whole slices': { tier1: true, slice: () => 10_000_000 },
    'translated, slices of 1 to 50,000': { tier1: true, slice: () => 1 + Math.floor(next() * 50_000) },
  };
};

const guests: readonly (readonly [string, () => Uint8Array, string, readonly number[], number])[] = [
  ['the sample kernel', () => tinykernel, 'interactive', [30_000, 200_000, 900_000], 1],
  ['the sample kernel with two vCPUs', () => tinykernel, 'interactive', [250_000], 2],
  ['GRUB', () => grub, '', [1_000_000, 6_000_000], 1],
];

test.each(guests)('%s', (_, kernel, cmdline, stops, vcpus) => {
  const expected = states(kernel(), cmdline, { tier1: false, slice: () => 10_000_000 }, stops, vcpus);
  for (const [name, way] of Object.entries(ways())) {
    const got = states(kernel(), cmdline, way, stops, vcpus);
    stops.forEach((stop, i) => {
      const { trace, ...rest } = got[i]!;
      const { trace: wanted, ...others } = expected[i]!;
      const where = `${name}, at ${stop}; SEED=${seed}`;
      expect(rest, where).toEqual(others);
      expect(trace === wanted, `trace of ${where}`).toBe(true);
    });
  }
});
