// Which frames of others an entry of a page table may name: those of any domain in level 1 tables of dom0 and in entries that
// dom0 wrote into tables of others, and those that a grant maps.

import { asMfn } from '../../abi/address.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { PTE } from '../memory/entry.ts';
import { FrameType } from '../memory/frame-table.ts';

/** May the entry in `slot` of the table at index `table` name the frame at index `target`? */
export function mayName(hv: Hypervisor, table: number, slot: number, target: number): boolean {
  const { frames } = hv.memory;
  const owner = frames.owner[table]!;
  if (frames.owner[target] === owner) return true;
  if (frames.type[table] !== FrameType.l1) return false;
  if (hv.handedOn.has(hv.memory.ram.mfnAt(table), slot)) return true;
  return hv.domainById(owner)?.isDom0 === true || hv.grantEntries.at({ table: hv.memory.ram.mfnAt(table), slot })?.domain === owner;
}

/** May it name a frame that is no RAM? Devices, by level 1 entries of a domain that may use them; some only for reading. */
export function mayNameDevice(hv: Hypervisor, table: number, slot: number, mfn: number): boolean {
  const { frames, ram, types } = hv.memory;
  if (frames.type[table] !== FrameType.l1) return false;
  const right = types.observer.ioMapping?.(asMfn(mfn), frames.owner[table]!);
  return right === 'write' || (right === 'read' && !(ram.entry(ram.mfnAt(table), slot) & PTE.write));
}
