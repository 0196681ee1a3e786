// Random hypercalls on machines that check themselves after each: no rule is broken and nothing throws. A failing run is shortened
// to the steps that it needs.

import { asMfn } from '../../abi/address.ts';
import { explainRefusal } from '../../explain/refusal.ts';
import type { MachineConfig } from '../../simulator/machine-types.ts';
import { FrameType } from '../../simulator/memory/frame-table.ts';
import { Guest, planOf32 } from '../simulator/guest.ts';
import { type Builder, produce, type Step } from './steps.ts';
import { type Below, generator } from './values.ts';

export interface FuzzReport {
  readonly calls: number;
  readonly guests: number;
  readonly refused: number;
  /** Calls of 32-bit guests. */
  readonly calls32: number;
  /** Calls by hypercall number. */
  readonly byNumber: ReadonlyMap<number, number>;
  readonly failure: { readonly seed: number; readonly message: string; readonly steps: readonly string[] } | null;
}

const STEPS_OF_A_GUEST = 4000;
const ARGUMENT_PAGES = 4;
const POOL = 14;
/** Calls between two sweeps over all frames. */
const SWEEP = 1000;
/** A call that is interrupted at every step is entered dozens of times, each followed by a check: fewer guests do that. */
const PREEMPTION = ['off', 'every-step', 'normal', 'off', 'normal', 'normal'] as const;

interface Options {
  readonly bits: 64 | 32;
  readonly dom0: boolean;
  readonly preemption: NonNullable<MachineConfig['preemption']>;
  readonly record: boolean;
}

/** `calls`: how many hypercalls to make; `seed` gives the same run again. */
export function fuzzHypercalls(calls: number, seed: number): FuzzReport {
  const byNumber = new Map<number, number>();
  let made = 0;
  let refused = 0;
  let guests = 0;
  let calls32 = 0;
  while (made < calls) {
    const guestSeed = (Math.imul(seed, 0x9e3779b1) + guests * 7919) | 0;
    const options = optionsOf(guests);
    const run = new Run(options);
    guests++;
    try {
      run.random(generator(guestSeed), Math.min(STEPS_OF_A_GUEST, calls - made), byNumber);
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const steps = shorten(options, run.steps).map(describe);
      return { calls: made + run.calls, calls32, guests, refused, byNumber, failure: { seed, message, steps } };
    }
    made += Math.max(1, run.calls);
    refused += run.refused;
    if (options.bits === 32) calls32 += run.calls;
  }
  return { calls: made, calls32, guests, refused, byNumber, failure: null };
}

const optionsOf = (n: number): Options => ({
  bits: n % 2 ? 32 : 64,
  dom0: n % 5 === 4,
  preemption: PREEMPTION[(n >> 1) % PREEMPTION.length]!,
  record: (n >> 1) % 8 === 0,
});

class Run {
  readonly guest: Guest;
  readonly steps: Step[] = [];
  calls = 0;
  refused = 0;
  private room = 0;

  constructor({ bits, dom0, preemption, record }: Options) {
    const plan = bits === 32 ? { plan: planOf32() } : {};
    this.guest = new Guest({ dom0, memoryMib: 4, vcpus: 2, record, ...plan, more: { preemption, invariants: { everyCalls: SWEEP } } });
  }

  random(below: Below, calls: number, byNumber: Map<number, number>): void {
    const b = this.builder(below);
    while (this.calls < calls) {
      this.room = 0;
      const from = this.steps.length;
      produce(b);
      for (let n = from; n < this.steps.length; n++) {
        const step = this.steps[n]!;
        if (step.kind === 'call') byNumber.set(step.nr, (byNumber.get(step.nr) ?? 0) + 1);
        if (!this.carryOut(step)) {
          this.steps.length = n + 1;
          return;
        }
      }
    }
  }

  /** False: this guest is at its end (it ended itself, or put itself onto tables without its arguments). */
  carryOut(step: Step): boolean {
    const { hv } = this.guest;
    switch (step.kind) {
      case 'argument':
        return hv.guest.write(hv.current.root, step.address, step.bytes);
      case 'store': {
        // As if it were mapped writable: only a page that may be.
        const { frames, ram } = hv.memory;
        const i = step.mfn - ram.base;
        const open = frames.typeCount[i] === 0 || frames.type[i] === FrameType.writable;
        if (frames.owner[i] !== hv.domain.id || !open) return true;
        if (hv.memory.types.getPageAndType(asMfn(step.mfn), FrameType.writable, hv.domain.id)) return true;
        ram.setEntry(asMfn(step.mfn), step.slot, step.value);
        hv.written(asMfn(step.mfn));
        hv.memory.types.putPageAndType(asMfn(step.mfn));
        return true;
      }
      case 'call':
        return this.call(step);
    }
  }

  private call({ nr, args, vcpu }: Extract<Step, { kind: 'call' }>): boolean {
    const { guest } = this;
    const { hv } = guest;
    const other = hv.domain.vcpus[vcpu]!;
    if (other.initialised) hv.current = other;
    guest.setArguments(args);
    guest.enter(nr);
    this.calls++;
    hv.current.wait = null;
    hv.current.kernelMode = true;
    hv.current = hv.domain.vcpus[0]!;
    for (const record of guest.records) {
      if (record.kind !== 'hypercall' || !record.refusal) continue;
      this.refused++;
      const { summary } = explainRefusal(record.refusal);
      if (/undefined|\[object/.test(summary)) throw new Error(`a refusal without words: ${summary}`);
    }
    guest.records.length = 0;
    return !hv.domain.ending;
  }

  private builder(below: Below): Builder {
    const { guest } = this;
    const { hv } = guest;
    const { layout, root } = hv.domain.built;
    const pages = Array.from({ length: POOL }, (_, n) => guest.page(ARGUMENT_PAGES + n));
    const pool = pages.map((pfn) => guest.mfn(pfn) as number);
    const special = [hv.domain.sharedInfo, hv.domain.built.store ?? root, hv.domain.built.console ?? root] as number[];
    const anyPage = (): number => (below(8) === 0 ? layout.tables.pfn + below(layout.tables.pages) : pages[below(pages.length)]!);
    return {
      below,
      bits: hv.domain.bits,
      steps: this.steps,
      pool,
      root,
      domid: hv.domain.id,
      grantTable: () => ({ frames: hv.domain.grants.frames as readonly number[], version: hv.domain.grants.version }),
      frame: () => (below(12) === 0 ? special[below(special.length)]! : below(40) === 0 ? below(2 ** 20) : guest.mfn(anyPage())),
      address: () => guest.address(anyPage()) + BigInt(below(3) ? 0 : below(4096)),
      addressOf: (mfn) => guest.address(pages[pool.indexOf(mfn)] ?? pages[0]!),
      slot: () => (below(3) === 0 ? [0, 255, 256, 271, 272, 300, 511][below(7)]! : below(512)),
      place: (bytes) => {
        if (this.room + bytes.length > ARGUMENT_PAGES * 4096) return null;
        const address = guest.scratch + BigInt(this.room);
        this.room += (bytes.length + 7) & ~7;
        this.steps.push({ kind: 'argument', address, bytes });
        return address;
      },
    };
  }
}

/** Does this sequence still fail? */
function fails(options: Options, steps: readonly Step[]): boolean {
  try {
    const run = new Run(options);
    for (const step of steps) if (!run.carryOut(step)) break;
    return run.guest.hv.checker!.sweep().length > 0;
  } catch {
    return true;
  }
}

const TRIES = 120;

/** Leaves out what the failure does not need: ever smaller parts, a bounded number of times. */
function shorten(options: Options, all: readonly Step[]): readonly Step[] {
  let steps = all;
  let tries = 0;
  for (let part = Math.ceil(steps.length / 2); part >= 1 && tries < TRIES; ) {
    let shorter = false;
    for (let at = 0; at < steps.length && tries < TRIES; ) {
      const without = [...steps.slice(0, at), ...steps.slice(at + part)];
      tries++;
      if (fails(options, without)) {
        steps = without;
        shorter = true;
      } else at += part;
    }
    if (part === 1 && !shorter) break;
    part = part === 1 ? 1 : Math.ceil(part / 2);
  }
  return steps;
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

function describe(step: Step): string {
  if (step.kind === 'call') return `vcpu ${step.vcpu}: hypercall ${step.nr}(${step.args.map(hex).join(', ')})`;
  if (step.kind === 'store') return `store ${hex(step.value)} into slot ${step.slot} of frame ${hex(step.mfn)}`;
  return `${step.bytes.length} bytes at ${hex(step.address)}: ${[...step.bytes.subarray(0, 64)].map((b) => b.toString(16).padStart(2, '0')).join('')}`;
}
