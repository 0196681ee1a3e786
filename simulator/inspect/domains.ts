// What can be said of a machine's domains from outside: how each one is, and how the machine as a whole ended.

import { asVirtual } from '../../abi/address.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { DomainView, Ending } from '../machine-types.ts';

/** `configured`: its place in the configuration, -1 for none. */
export function describeDomain(domain: Domain, configured: number): DomainView {
  const page = domain.image?.hypercallPage ?? null;
  return {
    id: domain.id,
    name: domain.name,
    dom0: domain.isDom0,
    bits: domain.bits,
    state: stateOf(domain),
    ending: domain.ending,
    hypercalls: domain.hypercalls,
    configured: configured < 0 ? null : configured,
    vcpus: domain.vcpus.map(({ cpu }) => cpu.id),
    hypercallPage: page === null ? null : asVirtual(page),
  };
}

function stateOf({ dying, ending, paused }: Domain): DomainView['state'] {
  if (dying !== 'no') return 'dying';
  if (ending) return ending.kind === 'crash' ? 'crashed' : 'shut down';
  return paused > 0 ? 'paused' : 'runs';
}

/** Null while the machine can go on: dom0 decides, where there is one; else the last domain. */
export function machineEnding(hv: Hypervisor): Ending | null {
  const dom0 = hv.domainById(0);
  if (dom0) return dom0.ending;
  let first: Ending | null = null;
  let crash: Ending | null = null;
  for (const { ending } of hv.domains.values()) {
    if (!ending) return null;
    first ??= ending;
    if (ending.kind === 'crash') crash ??= ending;
  }
  return crash ?? first;
}
