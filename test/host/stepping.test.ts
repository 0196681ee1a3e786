// Stepping by instruction and by line over a scripted machine: calls, returns, upcalls in between.

import { describe, expect, test } from 'vitest';
import { RunTo, type StepLine, type StepSymbols } from '../../host/stepping/drives.ts';
import { InstructionStep } from '../../host/stepping/instruction-step.ts';
import { LineStep } from '../../host/stepping/line-step.ts';
import { Harness } from './run-harness.ts';
import { nop, type Op, ScriptedMachine } from './scripted-machine.ts';

const call = (to: number): Op => ({ op: 'call', to });
const ret: Op = { op: 'ret' };

/** Lines of main (0x1000) and f (0x2000); 0x3000 has a symbol but no lines; 0x9000 is the event callback. */
const lines: Record<number, number> = {
  4096: 10,
  4100: 10,
  4104: 11,
  4108: 11,
  4112: 12,
  4116: 13,
  4120: 14,
  8192: 20,
  8196: 20,
  8200: 21,
};
const symbols: StepSymbols = {
  lineAt(address): StepLine | null {
    const line = lines[Number(address)];
    if (line === undefined) return null;
    return { file: 'a.c', line, function: address & ~0xfffn, inlineDepth: 0, isStart: lines[Number(address) - 4] !== line };
  },
  afterPrologue: (entry) => (entry === 0x2000n ? 0x2004n : entry),
  isStub: (address) => address >= 0x4000n && address < 0x5000n,
  functionAt: (address) => ({ low: address & ~0xfffn, high: (address & ~0xfffn) + 0x100n }),
};
const code = {
  4096: [nop, call(0x2000), nop, call(0x3000), call(0x4000), nop, ret],
  8192: [nop, nop, ret],
  12288: [nop, call(0x2000), ret],
  16384: [nop, ret],
  36864: [nop, nop, nop, ret],
};

async function walk(harness: Harness, kinds: readonly ('in' | 'over' | 'instruction' | 'over-instruction')[]): Promise<string[]> {
  const places: string[] = [];
  for (const kind of kinds) {
    const { machine } = harness;
    const drive =
      kind === 'in' || kind === 'over'
        ? new LineStep(machine, 0, kind === 'over', symbols)
        : new InstructionStep(machine, 0, kind === 'over-instruction');
    const outcome = await harness.go(drive);
    places.push(`${outcome.kind} 0x${machine.registers().rip.toString(16)}`);
  }
  return places;
}

describe('step over', () => {
  test('goes from line to line and through calls at full speed', async () => {
    const harness = new Harness(new ScriptedMachine(code));
    expect(await walk(harness, ['over', 'over', 'over'])).toEqual(['step 0x1008', 'step 0x1010', 'step 0x1014']);
    expect(harness.machine.runs.some((run) => run.instructions > 1)).toBe(true);
  });

  test('stops at a breakpoint inside the call', async () => {
    const harness = new Harness(new ScriptedMachine(code));
    harness.breakAt(1, 0x2004n);
    expect(await walk(harness, ['over'])).toEqual(['breakpoint 0x2004']);
  });

  test('runs through an upcall that comes in the middle of the line', async () => {
    const machine = new ScriptedMachine(code);
    machine.upcallAt = 1;
    expect(await walk(new Harness(machine), ['over', 'over'])).toEqual(['step 0x1008', 'step 0x1010']);
  });

  test('stops in the caller right after a return', async () => {
    const harness = new Harness(new ScriptedMachine(code));
    expect(await walk(harness, ['in', 'over', 'over'])).toEqual(['step 0x2004', 'step 0x2008', 'step 0x1008']);
  });

  test('tells the breakpoint that stands where the step ends, and does not stop there twice', async () => {
    const harness = new Harness(new ScriptedMachine(code));
    harness.breakAt(4, 0x1008n);
    expect(await walk(harness, ['over'])).toEqual(['breakpoint 0x1008']);
    expect(await walk(harness, ['over'])).toEqual(['step 0x1010']);
  });
});

test('a breakpoint at which a step has ended does not stop the run that follows', async () => {
  const harness = new Harness(new ScriptedMachine({ ...code, 4120: [nop, nop, { op: 'end', ending: { kind: 'poweroff' } }] }));
  harness.breakAt(4, 0x1018n);
  expect(await walk(harness, ['over', 'over', 'over', 'over'])).toEqual(['step 0x1008', 'step 0x1010', 'step 0x1014', 'breakpoint 0x1018']);
  expect((await harness.go()).kind).toBe('ended');
});

describe('step in', () => {
  test('enters a function behind its prologue', async () => {
    expect(await walk(new Harness(new ScriptedMachine(code)), ['in'])).toEqual(['step 0x2004']);
  });
  test('steps over functions without lines and over the hypercall page', async () => {
    const harness = new Harness(new ScriptedMachine(code));
    expect(await walk(harness, ['over', 'in', 'in'])).toEqual(['step 0x1008', 'step 0x1010', 'step 0x1014']);
  });
});

describe('step out', () => {
  test('ends at the return address on the same stack, not in a deeper recursion', async () => {
    const machine = new ScriptedMachine(code);
    const harness = new Harness(machine);
    await walk(harness, ['in']);
    const drive = new RunTo(machine, 0, { addresses: [0x1008n as never], low: 0x8000n, high: 0x8000n });
    expect((await harness.go(drive)).kind).toBe('step');
    expect(machine.registers().rip).toBe(0x1008n);
  });
});

describe('by instruction', () => {
  test('in follows a call, over does not', async () => {
    expect(await walk(new Harness(new ScriptedMachine(code)), ['instruction', 'instruction', 'instruction'])).toEqual([
      'step 0x1004',
      'step 0x2000',
      'step 0x2004',
    ]);
    expect(await walk(new Harness(new ScriptedMachine(code)), ['over-instruction', 'over-instruction'])).toEqual([
      'step 0x1004',
      'step 0x1008',
    ]);
  });
  test('an upcall in between is not part of the step', async () => {
    const machine = new ScriptedMachine(code);
    machine.upcallAt = 1;
    expect(await walk(new Harness(machine), ['instruction', 'instruction'])).toEqual(['step 0x1004', 'step 0x2000']);
  });
});

test('a named breakpoint stops a step too', async () => {
  const machine = new ScriptedMachine({ 4096: [nop, { op: 'hypercall', name: 'sched_op', ret: 0 }, nop] });
  const harness = new Harness(machine);
  harness.breakOn(1, { kinds: ['hypercall-entry'], matches: () => true });
  const outcome = await harness.go(
    new LineStep(machine, 0, true, {
      ...symbols,
      lineAt: (a) => ({ file: 'a.c', line: 1, function: 0n, inlineDepth: 0, isStart: a === 0n }),
    }),
  );
  expect(outcome).toMatchObject({ kind: 'record', ids: [1] });
  expect(machine.icount()).toBe(1);
});
