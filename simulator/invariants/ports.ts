// Event channels: the two ends of a pair know each other.

import type { Domain } from '../hypervisor/domain.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';

export function checkPorts(hv: Hypervisor): string[] {
  const wrong: string[] = [];
  for (const domain of hv.domains.values()) checkDomain(hv, domain, wrong);
  return wrong;
}

function checkDomain(hv: Hypervisor, { events, id, vcpus }: Domain, wrong: string[]): void {
  for (const { port, channel, vcpu } of events.ports) {
    if (channel.kind === 'free' || channel.kind === 'reserved') continue;
    if (!vcpus[vcpu]) wrong.push(`port ${port} of d${id} notifies vCPU ${vcpu}, which does not exist`);
    if (channel.kind !== 'interdomain' || channel.backEnd) continue;
    const other = hv.domainById(channel.remote)?.events.ports[channel.remotePort]?.channel;
    const back = other?.kind === 'interdomain' && other.remote === id && other.remotePort === port;
    if (!back) wrong.push(`port ${port} of d${id} leads to port ${channel.remotePort} of d${channel.remote}, which does not lead back`);
  }
}
