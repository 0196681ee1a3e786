// Puts the simulated PC around the hypervisor: firmware's memory filled, devices given the machine's time, its interrupt lines and its memory.

import { asMfn } from '../../abi/address.ts';
import { hex } from '../memory/refuse.ts';
import type { DmaMemory } from '../pc/device.ts';
import type { Transfer } from '../pc/edu.ts';
import { firmware, Pc } from '../pc/pc.ts';
import { advise } from './advise.ts';
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
  const pc = new Pc({
    now: () => hv.now(),
    wallclockAtStart: (hv.config.wallclockSeconds ?? DEFAULT_WALLCLOCK) * 1e9,
    at: (name, time, act) => hv.timers.set(name, time, act),
    cancel: (name) => hv.timers.cancel(name),
    line: (gsi, asserted) => raiseLine(hv, gsi, asserted),
    dma: machineMemory(hv),
  });
  pc.edu.onTransfer = (transfer) => lookAtTransfer(hv, transfer);
  return pc;
}

/** A device was told an address for a copy: is it memory of dom0, and if not, does it look like a pseudo-physical one? */
function lookAtTransfer(hv: Hypervisor, { address, direction, bytes }: Transfer): void {
  const { frames, ram } = hv.memory;
  const dom0 = hv.domainById(0);
  const frame = Math.floor(address / PAGE);
  if (!dom0 || bytes === 0 || (ram.valid(frame) && frames.owner[ram.index(asMfn(frame))] === 0)) return;
  const machine = frame < dom0.pages ? frames.m2p.indexOf(frame) : -1;
  const facts = { address: hex(address), device: 'The PCI device 00:02.0', direction: `${bytes} bytes ${direction}` };
  const rule = machine < 0 ? 'dma-not-yours' : 'dma-pseudo-physical';
  const named = machine < 0 ? facts : { ...facts, frame: hex(frame), machine: hex(ram.mfnAt(machine)) };
  advise(hv, hv.deviceStore?.vcpu ?? dom0.vcpus[0]!, rule, named, hv.deviceStore?.at);
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
