// Not-present page-table entries on a processor with the L1TF flaw: it reads cached memory through the address bits of an entry
// although the entry is not present. Xen lets a PV guest have only those that are 0 or point behind all memory.
// Behaviour of Xen 4.17 (arch/x86/include/asm/shadow.h, arch/x86/spec_ctrl.c); addresses of QEMU's Nehalem, the only modelled CPU
// of a family with the flaw.

import type { Refusal } from '../../abi/refusal.ts';
import { xenLine } from '../../abi/xen-messages.table.ts';
import { PTE } from '../memory/entry.ts';
import { hex, refuse } from '../memory/refuse.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

/** Bits that the cache compares (44 bit addresses), and the first address that no memory has. */
const ADDRESS_MASK = (1n << 44n) - 0x1000n;
const SAFE_FROM = 1n << 40n;

/** Null: the entry may be stored. */
export function checkNotPresent(hv: Hypervisor, domain: Domain, level: number, entry: bigint): Refusal | null {
  const mode = hv.config.l1tf ?? 'off';
  if (mode === 'off' || domain.shadowed) return null;
  const address = entry & ADDRESS_MASK;
  const superpage = level > 1 && (entry & PTE.size) !== 0n;
  if (!superpage && (address === 0n || address >= SAFE_FROM)) return null;
  const args = { domain: `${domain.id}`, level: `${level}`, entry: entry.toString(16).padStart(16, '0') };
  const template = mode === 'warn' ? 'l1tf-shadowing' : 'l1tf-crashing';
  const line = xenLine(template, args);
  if (mode === 'warn') {
    // From now on Xen runs the domain on shadow tables, where such entries do no harm.
    domain.shadowed = true;
    hv.log(line ?? template);
    return null;
  }
  const refusal = refuse('EINVAL', 'l1tf-entry', { level, entry: hex(entry), address: hex(address) }, { template, args });
  hv.crash(
    domain === hv.domain ? hv.current : domain.vcpus[0]!,
    `a not-present level ${level} entry ${hex(entry)} leaks memory on this processor (L1TF)`,
    refusal,
  );
  return refusal;
}
