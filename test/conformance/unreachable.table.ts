// What no scenario can show, and why: rows of the hypercall tables that cannot be called, by kind of guest, and rows that real Xen
// always refuses to a PV domU.
import { findOperation } from '../../abi/hypercalls.ts';
import type { Bits } from './images.ts';

export const unreachable: Readonly<Record<string, Partial<Readonly<Record<Bits, string>>>>> = {};

const OLD_FORM = 'the old form of the call does not know it';
const TRANSLATED = 'only a guest with a translated address space has a physmap';
const NO_DEVICE = 'a domU has no interrupt or device of the machine';
const OFF = 'it is off in the recorded Xen';

/** Rows without a success of which the tables do not say enough: by call, or by row. */
const refusedBecause: Readonly<Record<string, string>> = {
  xenoprof_op: 'the profile is that of dom0',
  xenpmu_op: `${OFF} (vpmu)`,
  argo_op: `${OFF} (argo)`,
  hypfs_op: 'only the control domain may use it',
  physdev_op: NO_DEVICE,
  physdev_op_compat: NO_DEVICE,
  kexec_op: 'only the control domain may use it',
  arch_1: 'it is reserved',
  'event_channel_op.bind_pirq': NO_DEVICE,
  'event_channel_op_compat.bind_pirq': NO_DEVICE,
  'event_channel_op_compat.reset': OLD_FORM,
  'event_channel_op_compat.init_control': OLD_FORM,
  'event_channel_op_compat.expand_array': OLD_FORM,
  'event_channel_op_compat.set_priority': OLD_FORM,
  'memory_op.add_to_physmap': TRANSLATED,
  'memory_op.add_to_physmap_batch': TRANSLATED,
  'memory_op.remove_from_physmap': TRANSLATED,
  'memory_op.set_pod_target': TRANSLATED,
  'memory_op.get_pod_target': TRANSLATED,
  'memory_op.access_op': 'it sets rights of an HVM guest',
  'memory_op.paging_op': 'it pages an HVM guest; the recorded Xen is built without',
  'memory_op.sharing_op': 'it shares pages of HVM guests; the recorded Xen is built without',
  'memory_op.claim_pages': 'only the control domain may use it',
  'memory_op.get_vnumainfo': 'the domains of the recordings have no virtual NUMA',
  'memory_op.acquire_resource': 'only the control domain may use it',
  'grant_table_op.dump_table': 'Xen 4.17 has no handler for it',
  'mmuext_op.MARK_SUPER': 'Xen 4.17 has no superpages for PV guests',
  'mmuext_op.UNMARK_SUPER': 'Xen 4.17 has no superpages for PV guests',
  'sched_op.remote_shutdown': 'only the control domain may use it',
};

const byCaller = {
  dom0: 'only dom0 may use it',
  hvm: 'it is for HVM guests',
  none: 'Xen 4.17 does not have it any more, or never had it for guests',
  any: null,
} as const;

/** Why real Xen refuses a row to a PV domU whatever its arguments; null: nothing is known to be in the way. */
export function refusedAlways(row: string): string | null {
  const found = findOperation(row);
  const [call] = row.split('.');
  const who = found?.operation?.who ?? found?.call.who ?? 'any';
  return refusedBecause[row] ?? refusedBecause[call!] ?? byCaller[who];
}
