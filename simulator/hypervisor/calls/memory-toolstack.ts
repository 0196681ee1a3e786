// The operations of memory_op that serve toolstacks, device models and HVM guests, as a PV guest meets them: what Xen looks at first decides the errno.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/calls* (memory-toolstack).

import type { ErrnoName } from '../../../abi/errno.table.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notImplemented, notPrivileged, otherOperation } from '../call.ts';
import { acquireResource } from './acquire-resource.ts';

const SELF = 0x7ff0;
const GMFN_RANGE = 2;
const RDM_FLAGS = 1;
/** E820MAX of Xen. */
const MAP_ENTRIES = 1024;
const E820_ENTRY = 20;

/** Domain 0 is always there, though the machine may be without it. */
const exists = (call: Call, domid: number): boolean => domid === 0 || call.hv.domainById(domid) !== null;
const isOwn = (call: Call, domid: number): boolean => domid === SELF || domid === call.domain.id;
const noDomain = (what: string, domain: number, errno: ErrnoName = 'ESRCH'): Answer =>
  no(refuse(errno, 'no-such-domain', { what, domain }));
const notForPv = (what: string, errno: ErrnoName): Answer => no(refuse(errno, 'not-for-pv', { what }));
const notZero = (what: string, field: string): Answer => no(refuse('EINVAL', 'field-not-zero', { what, field }));

type Own = (call: Call, address: bigint) => HandlerResult;

const operations: Readonly<Record<number, Own>> = {
  13: setMemoryMap,
  15: remove,
  16: podTarget('memory_op.set_pod_target'),
  17: podTarget('memory_op.get_pod_target'),
  // Nothing is ever shared: no memory of HVM guests is.
  18: () => 0,
  19: () => 0,
  20: () => notForPv('memory_op.paging_op', 'ENOSYS'),
  21: access,
  22: () => notForPv('memory_op.sharing_op', 'ENOSYS'),
  23: addBatch,
  24: claim,
  // A Xen that runs no 32-bit guests has no M2P for them; for a 32-bit guest it is the list of machphys_mfn_list (memory.ts).
  25: () => notForPv('memory_op.machphys_compat_mfn_list', 'EOPNOTSUPP'),
  26: vnuma,
  27: reservedDevices,
  28: acquireResource,
};

/** memory_op with a command of this file; others go by the tables. */
export function memoryToolstackOp(call: Call, command: number, address: bigint): HandlerResult {
  return operations[command]?.(call, address) ?? otherOperation(call, command);
}

/** A domain may set what its own memory_map answers. */
function setMemoryMap(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.set_memory_map';
  const op = call.struct('xen_foreign_memory_map', address);
  if (!op) return call.fault('xen_foreign_memory_map');
  const entries = op.number('map.nr_entries');
  if (entries > MAP_ENTRIES) return no(refuse('EINVAL', 'too-many-entries', { what, entries, most: MAP_ENTRIES }));
  const domid = op.number('domid');
  if (!isOwn(call, domid) && !exists(call, domid)) return noDomain(what, domid);
  if (!isOwn(call, domid) && !call.domain.isDom0) return notPrivileged(what);
  const map = call.read(op.big('map.buffer'), entries * E820_ENTRY);
  if (!map) return call.fault('map');
  const target = isOwn(call, domid) ? call.domain : call.hv.domainById(domid);
  if (!target) return noDomain(what, domid);
  target.memoryMap = map.slice();
  return 0;
}

function podTarget(what: string): Own {
  return (call, address) => {
    const op = call.struct('xen_pod_target', address);
    if (!op) return call.fault('xen_pod_target');
    const domid = op.number('domid');
    return isOwn(call, domid) || exists(call, domid) ? notForPv(what, 'EINVAL') : noDomain(what, domid);
  };
}

function access(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.access_op';
  const op = call.struct('xen_mem_access_op', address);
  if (!op) return call.fault('xen_mem_access_op');
  const domid = op.number('domid');
  if (domid === call.domain.id) return notPrivileged(`${what} for the own domain`);
  return exists(call, domid) ? notForPv(what, 'EINVAL') : noDomain(what, domid);
}

function addBatch(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.add_to_physmap_batch';
  const op = call.struct('xen_add_to_physmap_batch', address);
  if (!op) return call.fault('xen_add_to_physmap_batch');
  if (op.number('space') === GMFN_RANGE) return notForPv(what, 'EOPNOTSUPP');
  const domid = op.number('domid');
  return isOwn(call, domid) || exists(call, domid) ? notForPv(what, 'EACCES') : noDomain(what, domid);
}

function remove(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.remove_from_physmap';
  const op = call.struct('xen_remove_from_physmap', address);
  if (!op) return call.fault('xen_remove_from_physmap');
  const domid = op.number('domid');
  return isOwn(call, domid) || exists(call, domid) ? notForPv(what, 'EACCES') : noDomain(what, domid);
}

/** No toolstack gave this domain a virtual NUMA topology. */
function vnuma(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.get_vnumainfo';
  const op = call.struct('xen_vnuma_topology_info', address);
  if (!op) return call.fault('xen_vnuma_topology_info');
  if (op.number('pad') !== 0) return notZero(what, 'pad');
  const domid = op.number('domid');
  if (!isOwn(call, domid) && !exists(call, domid)) return noDomain(what, domid);
  if (!isOwn(call, domid) && !call.domain.isDom0) return notPrivileged(what);
  return no(refuse('EOPNOTSUPP', 'no-vnuma', {}));
}

function claim(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.claim_pages';
  // The form for 32-bit guests does not know it.
  if (call.bits === 32) return notForPv(what, 'ENOSYS');
  const op = call.struct('xen_memory_reservation', address);
  if (!op) return call.fault('xen_memory_reservation');
  if (op.big('extent_start') !== 0n) return notZero(what, 'extent_start');
  if (op.number('extent_order') !== 0) return notZero(what, 'extent_order');
  if (op.number('mem_flags') !== 0) return notZero(what, 'mem_flags');
  const domid = op.number('domid');
  if (!exists(call, domid)) return noDomain(what, domid, 'EINVAL');
  return call.domain.isDom0 ? notImplemented(what) : notPrivileged(what);
}

/** The machine reserves no memory for devices. */
function reservedDevices(call: Call, address: bigint): HandlerResult {
  const what = 'memory_op.reserved_device_memory_map';
  const op = call.struct('xen_reserved_device_memory_map', address);
  if (!op) return call.fault('xen_reserved_device_memory_map');
  if ((op.number('flags') & ~RDM_FLAGS) !== 0) return notZero(what, 'flags');
  op.set('nr_entries', 0);
  return call.put(address, op) ? 0 : call.fault('xen_reserved_device_memory_map');
}
