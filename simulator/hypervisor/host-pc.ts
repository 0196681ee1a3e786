// Puts the simulated PC around the hypervisor: firmware's memory filled, devices given the machine's time, its interrupt lines and its memory.

import { asMfn } from '../../abi/address.ts';
import type { DmaMemory } from '../pc/device.ts';
import { firmware, Pc } from '../pc/pc.ts';
import { raiseLine } from './device-interrupts.ts';
import type { Hypervisor } from './hypervisor.ts';
import { DEFAULT_WALLCLOCK } from './time.ts';

const PAGE = 4096;

export function addPc(hv: Hypervisor): Pc {
  const { ram } = hv.memory;
  for (const { at, bytes } of firmware(hv.memory.hostFrames)) {
    for (let done = 0; done < bytes.length; ) {
      const offset = (at + done) % PAGE;
      const part = Math.min(PAGE - offset, bytes.length - done);
      ram.bytes.set(bytes.subarray(done, done + part), ram.pageIndex((at + done - offset) / PAGE) * PAGE + offset);
      done += part;
    }
  }
  return new Pc({
    now: () => hv.now(),
    wallclockAtStart: (hv.config.wallclockSeconds ?? DEFAULT_WALLCLOCK) * 1e9,
    at: (name, time, act) => hv.timers.set(name, time, act),
    cancel: (name) => hv.timers.cancel(name),
    line: (gsi, asserted) => raiseLine(hv, gsi, asserted),
    dma: machineMemory(hv),
  });
}

/** All memory of the machine, by machine address. Where none is, reads give 0 and stores are lost. */
function machineMemory(hv: Hypervisor): DmaMemory {
  const { ram } = hv.memory;
  const pieces = function* (address: number, count: number): Generator<{ page: number; offset: number; done: number; part: number }> {
    for (let done = 0; done < count; ) {
      const offset = (address + done) % PAGE;
      const part = Math.min(PAGE - offset, count - done);
      yield { page: ram.pageIndex((address + done - offset) / PAGE), offset, done, part };
      done += part;
    }
  };
  return {
    read: (address, count) => {
      const bytes = new Uint8Array(count);
      for (const { page, offset, done, part } of pieces(address, count))
        if (page >= 0) bytes.set(ram.bytes.subarray(page * PAGE + offset, page * PAGE + offset + part), done);
      return bytes;
    },
    write: (address, bytes) => {
      for (const { page, offset, done, part } of pieces(address, bytes.length)) {
        if (page < 0) continue;
        ram.bytes.set(bytes.subarray(done, done + part), page * PAGE + offset);
        hv.written(asMfn(Math.floor((address + done) / PAGE)));
      }
    },
  };
}
