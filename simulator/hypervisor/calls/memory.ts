// memory_op: the guest's allowance of frames, and facts about the machine's memory.

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { addressSpace32, addressSpace64 } from '../../../abi/constants/address-space.table.ts';
import { StructView, writeBig } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notImplemented, notPrivileged, otherOperation } from '../call.ts';

/** memory_op.machphys_mapping; a 32-bit guest is shown all that could be. */
const M2P = {
  64: { start: addressSpace64.MACH2PHYS_VIRT_START, end: addressSpace64.MACH2PHYS_VIRT_END },
  32: { start: addressSpace32.MACH2PHYS_VIRT_START, end: 0xffe0_0000n },
} as const;
/** Largest extent that a domU may ask for: 2 MiB. */
const MAX_ORDER_DOMU = 9;

export function memoryOp(call: Call): HandlerResult {
  const command = call.u32(0) & 0x3f;
  const address = call.args[1]!;
  switch (command) {
    case 0:
    case 1:
    case 6:
      return reservation(call, command, address);
    case 2:
      return call.hv.memory.hostFrames;
    case 3:
    case 4:
    case 14: {
      const op = call.struct('xen_memory_domain', address);
      if (!op) return call.fault('xen_memory_domain');
      const denied = call.onlySelf(op.number('domid'), 'memory_op');
      if (denied) return denied;
      if (command === 3) return call.domain.pages;
      return counted(call, command === 4 ? call.domain.maxPages : maximumGpfn(call));
    }
    case 5:
      return machphysList(call, address);
    case 9:
      return memoryMap(call, address);
    case 10:
      return call.domain.isDom0 ? notImplemented('memory_op.machine_memory_map') : notPrivileged('memory_op.machine_memory_map');
    case 12: {
      const op = call.struct('xen_machphys_mapping', address);
      if (!op) return call.fault('xen_machphys_mapping');
      const { start, end } = M2P[call.bits];
      op.set('v_start', start);
      op.set('v_end', end);
      const entries = (end - start) / BigInt(call.word);
      op.set('max_mfn', call.domain.isDom0 && call.bits === 64 ? call.hv.memory.hostFrames - 1 : entries - 1n);
      return call.put(address, op) ? 0 : call.fault('xen_machphys_mapping');
    }
    default:
      return otherOperation(call, command);
  }
}

/** A count as a 32-bit guest gets it: never beyond the largest `int`. */
const counted = (call: Call, count: number | bigint): number | bigint => (call.bits === 32 && count > 0x7fff_ffff ? 0x7fff_ffff : count);

/** arch.max_pfn of shared_info: what the guest says its last page is. */
function maximumGpfn(call: Call): bigint {
  const view = new StructView('shared_info', call.bits, call.hv.memory.ram.page(call.domain.sharedInfo));
  return (view.big('arch.max_pfn') || 1n) - 1n;
}

/** increase_reservation, decrease_reservation, populate_physmap: returns how many extents were done. */
function reservation(call: Call, command: number, address: bigint): HandlerResult {
  // What cannot even start has done no extents: that count is the answer, not an errno.
  const none = BigInt(call.u32(0) >>> 6);
  const op = call.struct('xen_memory_reservation', address);
  if (!op) return { ...call.fault('xen_memory_reservation'), ret: none };
  const denied = call.onlySelf(op.number('domid'), 'memory_op');
  if (denied) return { ...denied, ret: none };
  const order = op.number('extent_order');
  const extents = op.number('nr_extents');
  // The operation register's high bits are Xen's note of how far a continued call has come.
  let done = call.u32(0) >>> 6;
  const from = done;
  if (order > MAX_ORDER_DOMU && !call.domain.isDom0) return partly(done, extents, { order, most: MAX_ORDER_DOMU });
  for (; done < extents; done++) {
    const slot = op.big('extent_start') + BigInt(done * call.word);
    if (!(command === 1 ? release(call, slot, order) : populate(call, command, op, slot, order))) break;
  }
  return done === extents ? done : partly(done, extents, { order, first: from, pages: call.domain.pages, allowed: call.domain.maxPages });
}

/** Fewer extents than asked: the count is the answer, and the guest must look at it. */
const partly = (done: number, extents: number, facts: Record<string, number>): Answer => ({
  ret: BigInt(done),
  refusal: refuse('ENOMEM', 'fewer-extents', { done, asked: extents, ...facts }),
});

function release(call: Call, slot: bigint, order: number): boolean {
  const first = call.readWord(slot);
  if (first === null) return false;
  const { types } = call.hv.memory;
  for (let n = 0; n < 2 ** order; n++) {
    const mfn = asMfn(Number(first) + n);
    if (types.getPage(mfn, call.domain.id)) return false;
    const released = types.release(mfn);
    if (released) call.domain.pages--;
    types.putPage(mfn);
    if (!released) return false;
  }
  return true;
}

function populate(call: Call, command: number, op: StructView, slot: bigint, order: number): boolean {
  const { memory } = call.hv;
  const count = 2 ** order;
  let pfn = 0n;
  if (command === 6) {
    const given = call.readWord(slot);
    if (given === null) return false;
    pfn = given;
  }
  if (call.domain.pages + count > call.domain.maxPages) return false;
  const run = memory.allocateRun(call.domain.id, count);
  if (!run) return false;
  call.domain.pages += count;
  if (command === 6) for (const [n, mfn] of run.entries()) memory.m2p.set(mfn, pfn + BigInt(n));
  if (command === 6 || op.big('extent_start') !== 0n) {
    return call.writeWord(slot, BigInt(run[0] as Mfn));
  }
  return true;
}

function machphysList(call: Call, address: bigint): HandlerResult {
  const op = call.struct('xen_machphys_mfn_list', address);
  if (!op) return call.fault('xen_machphys_mfn_list');
  // One extent per 2 MiB of the table.
  const { m2p } = call.hv.memory;
  const count = Math.min(op.number('max_extents'), Math.ceil(m2p.length / 2 ** 21));
  const bytes = new Uint8Array(count * call.word);
  for (let n = 0; n < count; n++) writeBig(bytes, n * call.word, call.word, BigInt(m2p.frame(n * 2 ** 21)));
  if (!call.write(op.big('extent_start'), bytes)) return call.fault('list of M2P frames');
  op.set('nr_extents', count);
  return call.put(address, op) ? 0 : call.fault('xen_machphys_mfn_list');
}

/** The pseudo-physical memory map that the toolstack gives a domU: one run of RAM. dom0 has none. */
function memoryMap(call: Call, address: bigint): HandlerResult {
  if (call.domain.isDom0) return no(refuse('ENOSYS', 'no-memory-map', {}));
  const op = call.struct('xen_memory_map', address);
  if (!op) return call.fault('xen_memory_map');
  const entry = new Uint8Array(20);
  const view = new DataView(entry.buffer);
  view.setBigUint64(8, BigInt(call.hv.config.memoryMib) << 20n, true);
  view.setUint32(16, 1, true);
  if (op.number('nr_entries') < 1) return no(refuse('EINVAL', 'buffer-too-small', { entries: op.number('nr_entries'), needed: 1 }));
  if (!call.write(op.big('buffer'), entry)) return call.fault('memory map');
  op.set('nr_entries', 1);
  return call.put(address, op) ? 0 : call.fault('xen_memory_map');
}
