// Run control: when a run stops, how soon, and how guest time keeps to wall time. The machine is scripted.

import { describe, expect, test } from 'vitest';
import { Harness } from './run-harness.ts';
import { nop, type Op, ScriptedMachine } from './scripted-machine.ts';

const loop = (at: number): Op => ({ op: 'jump', to: at });
const powerOff: Op = { op: 'end', ending: { kind: 'poweroff' } };
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a run', () => {
  test('stops at a breakpoint before its instruction, and goes on past it', async () => {
    const harness = new Harness(new ScriptedMachine({ 4096: [nop, nop, nop, powerOff] }));
    harness.breakAt(7, 0x1008n);
    expect(await harness.go()).toEqual({ kind: 'breakpoint', vcpu: 0, address: 0x1008n, ids: [7] });
    expect(harness.machine.icount()).toBe(2);
    expect(await harness.go()).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
    expect(harness.control.state).toBe('ended');
  });

  test('does not stop at a breakpoint whose condition is false, and counts only the hits that hold', async () => {
    const set = (ret: number): Op => ({ op: 'hypercall', name: 'x', ret });
    const harness = new Harness(new ScriptedMachine({ 4096: [set(0), loop(0x100c), nop, nop, set(1), loop(0x100c)] }));
    harness.breakAt(1, 0x100cn, { condition: { kind: 'number', value: 1n }, hits: { operator: '==', count: 2 } });
    expect((await harness.go()).kind).toBe('breakpoint');
    // The first arrival, with rax 0, is no hit; then every turn of the loop of 3 is one.
    expect(harness.machine.icount()).toBe(2 + 3 + 3);
  });

  test('stops at every turn of a loop when the breakpoint is in it', async () => {
    const harness = new Harness(new ScriptedMachine({ 4096: [nop, loop(0x1000)] }));
    harness.breakAt(1, 0x1004n);
    for (const icount of [1, 3, 5]) {
      expect((await harness.go()).kind).toBe('breakpoint');
      expect(harness.machine.icount()).toBe(icount);
    }
  });

  test('that is paused in an endless loop stops after at most one slice', async () => {
    const machine = new ScriptedMachine({ 4096: [loop(0x1000)] });
    const harness = new Harness(machine);
    machine.onRun = (instructions) => {
      harness.clock.time += instructions / 100_000;
    };
    const outcome = harness.go();
    for (let i = 0; i < 5; i++) await turn();
    const slices = machine.runs.length;
    harness.control.pause();
    expect(await outcome).toEqual({ kind: 'pause', vcpu: 0 });
    expect(machine.runs.length).toBeLessThanOrEqual(slices + 1);
    expect(Math.max(...machine.runs.map((r) => r.instructions))).toBeLessThanOrEqual(2_000_000);
  });

  test('that can only go on by input says so once, waits without running, and wakes at input', async () => {
    const machine = new ScriptedMachine({ 4096: [{ op: 'wait-input' }, powerOff] });
    const harness = new Harness(machine);
    const outcome = harness.go();
    for (let i = 0; i < 5; i++) await turn();
    expect(harness.idles).toHaveLength(1);
    const runs = machine.runs.length;
    for (let i = 0; i < 5; i++) await turn();
    expect(machine.runs.length).toBe(runs);
    machine.inject({ kind: 'console', domain: 1, bytes: Uint8Array.of(13) });
    harness.control.wake();
    expect(await outcome).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
  });

  test('of a crashed guest stops for inspection when asked, then ends', async () => {
    const ending = { kind: 'crash', reason: 'triple fault', vcpu: 0 } as const;
    const harness = new Harness(new ScriptedMachine({ 4096: [{ op: 'end', ending }] }));
    harness.control.stopAtCrash = true;
    expect(await harness.go()).toEqual({ kind: 'crash', vcpu: 0, ending });
    expect(await harness.go()).toEqual({ kind: 'ended', ending });
  });

  test('is ended at once by end(), running or stopped', async () => {
    const machine = new ScriptedMachine({ 4096: [loop(0x1000)] });
    const harness = new Harness(machine);
    machine.onRun = () => {
      harness.clock.time += 4;
    };
    const outcome = harness.go();
    await turn();
    harness.control.end();
    expect(await outcome).toEqual({ kind: 'ended', ending: { kind: 'terminated' } });
    const stopped = new Harness(new ScriptedMachine({}));
    stopped.control.end();
    expect(stopped.control.state).toBe('ended');
  });
});

describe('pace', () => {
  const blockTwice = (): ScriptedMachine =>
    new ScriptedMachine({ 4096: [{ op: 'block', ns: 50_000_000 }, { op: 'block', ns: 50_000_000 }, powerOff] });

  test('fast: a blocked machine jumps to its next event', async () => {
    const harness = new Harness(blockTwice(), 'fast');
    await harness.go();
    expect(harness.clock.naps).toEqual([]);
    expect(harness.machine.runs[0]!.untilTime).toBeUndefined();
  });

  test('real: guest time never runs ahead of wall time', async () => {
    const machine = blockTwice();
    const harness = new Harness(machine, 'real');
    harness.clock.time = 500;
    machine.onRun = () => {
      // 1 ns of slack for the instruction that the engine has begun.
      expect(machine.clock()).toBeLessThanOrEqual((harness.clock.time - 500) * 1e6 + 1);
      harness.clock.time += 0.01;
    };
    harness.clock.turn = async () => {
      harness.clock.time += 0.001;
      await turn();
    };
    await harness.go();
    expect(harness.clock.time - 500).toBeGreaterThanOrEqual(100);
    expect(harness.clock.time - 500).toBeLessThan(110);
  });

  test('real: time spent stopped does not count', async () => {
    const machine = blockTwice();
    const harness = new Harness(machine, 'real');
    machine.onRun = () => {
      harness.clock.time += 0.01;
    };
    harness.clock.turn = async () => {
      harness.clock.time += 0.001;
      await turn();
    };
    harness.breakAt(1, 0x1004n);
    await harness.go();
    harness.clock.time += 60_000;
    const at = harness.clock.time;
    await harness.go();
    expect(harness.clock.time - at).toBeGreaterThan(49);
  });
});
