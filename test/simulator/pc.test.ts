// The simulated PC without a kernel: what firmware leaves in memory adds up, ports and configuration space answer as the devices do, the clock
// counts guest time.

import { expect, test } from 'vitest';
import { acpiTables, RSDP_AT } from '../../simulator/pc/acpi.ts';
import { Cmos } from '../../simulator/pc/cmos.ts';
import type { PcHost } from '../../simulator/pc/device.ts';
import { dom0MayMap, machineMap, memoryFrames } from '../../simulator/pc/memory-map.ts';
import { Pc } from '../../simulator/pc/pc.ts';
import { PitChannel2 } from '../../simulator/pc/pit.ts';

const HOST_FRAMES = 0x7ffe0;

/** A machine whose time the test sets, and what its devices did. */
function fakeHost() {
  const lines: string[] = [];
  const timers = new Map<string, { time: number; act: () => void }>();
  const state = { now: 0 };
  const memory = new Map<number, Uint8Array>();
  const host: PcHost = {
    now: () => state.now,
    wallclockAtStart: Date.UTC(2026, 0, 31, 23, 59, 58) * 1e6,
    at: (name, time, act) => timers.set(name, { time, act }),
    cancel: (name) => timers.delete(name),
    line: (gsi, asserted) => lines.push(`${gsi} ${asserted ? 'up' : 'down'}`),
    dma: {
      read: (address, bytes) => (memory.get(address) ?? new Uint8Array(bytes)).slice(0, bytes),
      write: (address, bytes) => memory.set(address, bytes.slice()),
    },
  };
  const until = (time: number): void => {
    for (;;) {
      const due = [...timers].sort((a, b) => a[1].time - b[1].time).find(([, timer]) => timer.time <= time);
      if (!due) break;
      timers.delete(due[0]);
      state.now = due[1].time;
      due[1].act();
    }
    state.now = time;
  };
  return { host, lines, memory, until };
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0) & 0xff;

test('every ACPI table is whole: its length, its sum, and each is reached from the RSDP', () => {
  const tables = acpiTables(HOST_FRAMES);
  const at = (address: number): Uint8Array => tables.find((table) => table.at === address)!.bytes;
  const word = (bytes: Uint8Array, offset: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
  const rsdp = at(RSDP_AT);
  expect(sum(rsdp)).toBe(0);
  const rsdt = at(word(rsdp, 16));
  const reached: string[] = [];
  const visit = (address: number): Uint8Array => {
    const bytes = at(address);
    expect(word(bytes, 4)).toBe(bytes.length);
    expect(sum(bytes)).toBe(0);
    reached.push(String.fromCharCode(...bytes.subarray(0, 4)));
    return bytes;
  };
  visit(word(rsdp, 16));
  for (let n = 36; n < rsdt.length; n += 4) visit(word(rsdt, n));
  visit(word(at(word(rsdt, 36)), 40));
  expect(reached).toEqual(['RSDT', 'FACP', 'APIC', 'HPET', 'WAET', 'DSDT']);
});

test('the memory map has no overlaps; firmware’s memory lies in what it calls RAM or reserved; the local APIC is not dom0’s', () => {
  const map = machineMap(HOST_FRAMES, true);
  for (let n = 1; n < map.length; n++) expect(map[n]!.start).toBeGreaterThanOrEqual(map[n - 1]!.start + map[n - 1]!.size);
  expect(memoryFrames(HOST_FRAMES)).toHaveLength(256 + 32);
  expect(memoryFrames(HOST_FRAMES).every((frame) => dom0MayMap(frame, true))).toBe(true);
  expect([0xfee00, 0xfeeff, 0xfec00, 0xfed00, 0xfd00000].map((frame) => dom0MayMap(frame, true))).toEqual([
    false,
    false,
    true,
    true,
    false,
  ]);
});

test('configuration space: three functions of the chipset and one device; all ones where none is; a range answers with its size', () => {
  const { pci } = new Pc(fakeHost().host);
  const ids = Array.from({ length: 256 }, (_, devfn) => pci.read(0, devfn, 0, 4)).filter((id) => id !== 0xffffffff);
  expect(ids.map((id) => id.toString(16))).toEqual(['12378086', '70008086', '71138086', '11e81234']);
  expect(pci.read(1, 0, 0, 4)).toBe(0xffffffff);
  pci.write(0, 16, 0x10, 4, 0xffffffff);
  expect(pci.read(0, 16, 0x10, 4)).toBe(0xfff00000);
});

test('the clock goes with guest time, over a month’s end, and its update interrupt comes once a second', () => {
  const { host, lines, until } = fakeHost();
  const cmos = new Cmos(host);
  const show = (): string => [4, 2, 0, 7, 8].map((at) => cmos.read(at).toString(16)).join(' ');
  expect(show()).toBe('23 59 58 31 1');
  until(2e9);
  expect(show()).toBe('0 0 0 1 2');
  cmos.read(12);
  lines.length = 0;
  cmos.write(11, 0x12);
  until(4.5e9);
  expect(lines).toEqual(['8 up', '8 up']);
  expect(cmos.read(12) & 0x90).toBe(0x90);
  expect(cmos.read(12)).toBe(0);
});

test('the second channel of the interval timer counts down 1193182 times a second while its gate is open', () => {
  const state = { now: 0 };
  const pit = new PitChannel2(() => state.now);
  pit.out(0x61, 1);
  pit.out(0x43, 0xb0);
  pit.out(0x42, 0xff);
  pit.out(0x42, 0xff);
  state.now = 10_000_000;
  pit.out(0x43, 0x80);
  const count = pit.in(0x42) | (pit.in(0x42) << 8);
  expect(0xffff - count).toBe(Math.floor(1_193_182 / 100));
  expect(pit.in(0x61) & 0x20).toBe(0);
  state.now = 60_000_000;
  expect(pit.in(0x61) & 0x20).toBe(0x20);
});

test('the device that copies: memory to its buffer and back, with an interrupt at the end, and nothing while it may not use memory', () => {
  const { host, lines, memory, until } = fakeHost();
  const { edu, pci } = new Pc(host);
  const store = (offset: number, value: number): void => edu.store(offset, Uint8Array.of(value, value >> 8, value >> 16, value >>> 24));
  const copy = (from: number, to: number, command: number, time: number): void => {
    store(0x80, from);
    store(0x88, to);
    store(0x90, 4);
    store(0x98, command);
    until(time);
  };
  memory.set(0x5000, Uint8Array.of(1, 2, 3, 4));
  copy(0x5000, 0x40000, 1, 1e9);
  copy(0x40000, 0x6000, 3, 2e9);
  expect(memory.get(0x6000)).toBeUndefined();
  pci.write(0, 16, 4, 2, 7);
  copy(0x5000, 0x40000, 1, 3e9);
  copy(0x40000, 0x6000, 7, 4e9);
  expect(memory.get(0x6000)).toEqual(Uint8Array.of(1, 2, 3, 4));
  expect(lines).toEqual(['10 up']);
  store(0x64, 0x100);
  expect(lines).toEqual(['10 up', '10 down']);
});
