// Event channels: the two ends of a pair know each other.

import type { Hypervisor } from '../hypervisor/hypervisor.ts';

export function checkPorts(hv: Hypervisor): string[] {
  const wrong: string[] = [];
  const { events, id, vcpus } = hv.domain;
  for (const { port, channel, vcpu } of events.ports) {
    if (channel.kind === 'free' || channel.kind === 'reserved') continue;
    if (!vcpus[vcpu]) wrong.push(`port ${port} notifies vCPU ${vcpu}, which does not exist`);
    if (channel.kind !== 'interdomain' || channel.remote !== id) continue;
    const other = events.ports[channel.remotePort]?.channel;
    const back = other?.kind === 'interdomain' && other.remote === id && other.remotePort === port;
    if (!back) wrong.push(`port ${port} leads to port ${channel.remotePort}, which does not lead back`);
  }
  return wrong;
}
