// Names of values: what `=name` in the structure and hypercall tables refers to.

import { blockOperations, blockStatuses, netExtraTypes, netStatuses } from './constants/block-net.table.ts';
import { domids, shutdownReasons } from './constants/domain.table.ts';
import { evtchnStates, virqs } from './constants/event.table.ts';
import { grantStatuses } from './constants/grant.table.ts';
import { hvmParams } from './constants/hvm.table.ts';
import { mapSpaces, resources } from './constants/memory.table.ts';
import { accessOps, altp2m, firmwareInfos, kexecRanges, pagingOps, sharingOps } from './constants/misc.table.ts';
import { assistTypes } from './constants/mmu.table.ts';
import { mmuextCommands } from './constants/mmuext.table.ts';
import { pirqTypes } from './constants/physdev.table.ts';
import { e820Types, videoTypes } from './constants/start.table.ts';
import { storeConnection, storeErrors, storeMessages } from './constants/store.table.ts';
import { exceptionVectors } from './constants/trap.table.ts';
import { callbackTypes, runStates, segmentBases } from './constants/vcpu.table.ts';

type Names = Readonly<Record<string, number>>;

const tables: Readonly<Record<string, Names>> = {
  virq: virqs,
  evtchnstat: evtchnStates,
  shutdown: shutdownReasons,
  callback: callbackTypes,
  runstate: runStates,
  segbase: segmentBases,
  mmuext: mmuextCommands,
  assist: assistTypes,
  mapspace: mapSpaces,
  resource: resources,
  gntst: grantStatuses,
  map_pirq: pirqTypes,
  blkif: blockOperations,
  blkif_status: blockStatuses,
  netif_status: netStatuses,
  netif_extra: netExtraTypes,
  hvm_param: hvmParams,
  altp2m,
  mem_paging: pagingOps,
  mem_access: accessOps,
  mem_sharing: sharingOps,
  kexec_range: kexecRanges,
  firmware_info: firmwareInfos,
  video: videoTypes,
  e820: e820Types,
  xs_message: storeMessages,
  xenstore_connection: storeConnection,
  xenstore_error: storeErrors,
  vector: exceptionVectors,
};

const names = new Map<string, Map<number, string>>();
for (const [enumeration, table] of Object.entries(tables)) {
  const byValue = new Map<number, string>();
  for (const [name, value] of Object.entries(table)) if (!byValue.has(value)) byValue.set(value, name);
  names.set(enumeration, byValue);
}
// Where a number has two names, the one that says more.
names.get('virq')!.set(virqs.VIRQ_MCA, 'VIRQ_MCA');
names.get('shutdown')!.set(shutdownReasons.SHUTDOWN_soft_reset, 'SHUTDOWN_soft_reset');

/** Adds the names of a hypercall's sub-operations; called once by hypercalls.ts. */
export function addEnumeration(enumeration: string, values: ReadonlyMap<number, string>): void {
  names.set(enumeration, new Map(values));
}

/** The name of a value, or null when it has none. Throws on an enumeration that does not exist (a mistake in a table). */
export function nameOf(enumeration: string, value: number): string | null {
  const table = names.get(enumeration);
  if (!table) throw new Error(`no enumeration '${enumeration}'`);
  return table.get(value) ?? null;
}

/** `DOMID_SELF` and the like; null for an ordinary domain's number. */
export function specialDomain(id: number): string | null {
  if (id === domids.DOMID_SELF) return 'DOMID_SELF';
  for (const [name, value] of Object.entries(domids))
    if (value === id && name !== 'DOMID_FIRST_RESERVED' && name !== 'DOMID_MASK') return name;
  return null;
}
