// memory_op: the guest's allowance of frames, and facts about the machine's memory.

import { addressSpace32, addressSpace64 } from '../../../abi/constants/address-space.table.ts';
import { StructView, writeBig } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { firmwareEntries, machineMap } from '../../pc/memory-map.ts';
import { type Call, type HandlerResult, no, notPrivileged } from '../call.ts';
import type { Domain } from '../domain.ts';
import { anyDomain, isDomain, mayTarget } from './domains.ts';
import { exchange } from './memory-exchange.ts';
import { DECREASE, INCREASE, POPULATE, reservation } from './memory-reservation.ts';
import { memoryToolstackOp } from './memory-toolstack.ts';

/** memory_op.machphys_mapping; a 32-bit guest is shown all that could be. */
const M2P = {
  64: { start: addressSpace64.MACH2PHYS_VIRT_START, end: addressSpace64.MACH2PHYS_VIRT_END },
  32: { start: addressSpace32.MACH2PHYS_VIRT_START, end: 0xffe0_0000n },
} as const;
/** Bytes of an entry of the memory map. */
const MAP_ENTRY = 20;
const GMFN_FOREIGN = 4;
/** Operations that an argument of extents done does not go with. */
const WITHOUT_EXTENTS = new Set([2, 3, 4, 14]);

export function memoryOp(call: Call): HandlerResult {
  const command = call.u32(0) & 0x3f;
  const address = call.args[1]!;
  const extents = call.u32(0) >>> 6;
  if (extents && WITHOUT_EXTENTS.has(command)) return no(refuse('EINVAL', 'extra-operation-bits', { operation: command, extents }));
  switch (command) {
    case INCREASE:
    case DECREASE:
    case POPULATE:
      return reservation(call, command, address);
    case 11:
      return exchange(call, address);
    case 7:
      return addToPhysmap(call, address);
    case 2:
      return call.hv.memory.hostFrames;
    case 3:
    case 4:
    case 14: {
      const op = call.struct('xen_memory_domain', address);
      if (!op) return call.fault('xen_memory_domain');
      const what = 'memory_op';
      const domain = anyDomain(call, op.number('domid'), what);
      if (!isDomain(domain)) return domain;
      const denied = mayTarget(call, domain, what);
      if (denied) return denied;
      if (command === 3) return domain.pages;
      return counted(call, command === 4 ? domain.maxPages : maximumGpfn(call, domain));
    }
    case 5:
      return machphysList(call, address);
    case 9:
      return memoryMap(call, address);
    case 10: {
      const what = 'memory_op.machine_memory_map';
      // For a 32-bit guest the structure is copied before the caller is looked at.
      if (call.bits === 64 && !call.domain.isDom0) return notPrivileged(what);
      const op = call.struct('xen_memory_map', address);
      if (!op) return call.fault('xen_memory_map');
      return call.domain.isDom0 ? machineMemoryMap(call, address, op) : notPrivileged(what);
    }
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
    case 25:
      if (call.bits === 32) return machphysList(call, address);
      return memoryToolstackOp(call, command, address);
    default:
      return memoryToolstackOp(call, command, address);
  }
}

/** A count as a 32-bit guest gets it: never beyond the largest `int`. */
const counted = (call: Call, count: number | bigint): number | bigint => (call.bits === 32 && count > 0x7fff_ffff ? 0x7fff_ffff : count);

/** arch.max_pfn of shared_info: what the guest says its last page is. */
function maximumGpfn(call: Call, { bits, sharedInfo }: Domain): bigint {
  const view = new StructView('shared_info', bits, call.hv.memory.ram.page(sharedInfo));
  return (view.big('arch.max_pfn') || 1n) - 1n;
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

/** The pseudo-physical memory map: one run of RAM that the toolstack gives a domU, or what the domain set itself. dom0 has none. */
function memoryMap(call: Call, address: bigint): HandlerResult {
  const op = call.struct('xen_memory_map', address);
  if (!op) return call.fault('xen_memory_map');
  const map = call.domain.memoryMap;
  const present = map.length / MAP_ENTRY;
  if (present === 0) return no(refuse('ENOSYS', 'no-memory-map', {}));
  const entries = Math.min(op.number('nr_entries'), present);
  if (!call.write(op.big('buffer'), map.subarray(0, entries * MAP_ENTRY))) return call.fault('memory map');
  op.set('nr_entries', entries);
  return call.put(address, op) ? 0 : call.fault('xen_memory_map');
}

/** The machine's memory map. A buffer that is null asks for the number of entries. */
function machineMemoryMap(call: Call, address: bigint, op: StructView): HandlerResult {
  const amd = call.hv.config.cpu === 'amd';
  const map = machineMap(call.hv.memory.hostFrames, amd);
  const room = op.number('nr_entries');
  const buffer = op.big('buffer');
  if (buffer !== 0n) {
    if (room < firmwareEntries(amd) + 1 || room <= map.length)
      return no(refuse('EINVAL', 'too-few-entries', { room, entries: map.length + 1 }));
    const bytes = new Uint8Array(map.length * MAP_ENTRY);
    const view = new DataView(bytes.buffer);
    for (const [n, { start, size, type }] of map.entries()) {
      view.setBigUint64(n * MAP_ENTRY, BigInt(start), true);
      view.setBigUint64(n * MAP_ENTRY + 8, BigInt(size), true);
      view.setUint32(n * MAP_ENTRY + 16, type, true);
    }
    if (!call.write(buffer, bytes)) return call.fault('memory map');
  }
  op.set('nr_entries', map.length);
  return call.put(address, op) ? 0 : call.fault('xen_memory_map');
}

/** Pseudo-physical addresses of a PV guest mean nothing to Xen: there is nothing to add a page to. */
function addToPhysmap(call: Call, address: bigint): HandlerResult {
  const op = call.struct('xen_add_to_physmap', address);
  if (!op) return call.fault('xen_add_to_physmap');
  if (op.number('space') === GMFN_FOREIGN) return no(refuse('ENOSYS', 'not-for-pv', { what: 'add_to_physmap of foreign frames' }));
  const domid = op.number('domid');
  if (domid !== 0) {
    const missing = call.onlySelf(domid, 'memory_op');
    if (missing) return missing;
  }
  return no(refuse('EACCES', 'not-for-pv', { what: 'memory_op.add_to_physmap' }));
}
