// What a vCPU waits for, in words: for the message about a machine in which nothing can go on.

import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { VcpuState } from '../hypervisor/vcpu.ts';

export function describeWait(hv: Hypervisor, vcpu: VcpuState): string {
  const { events } = hv.domain;
  if (!vcpu.up) return 'down (vcpu_op.down)';
  const ports: string[] = [];
  events.ports.forEach(({ channel, vcpu: target }, port) => {
    if (port === 0 || channel.kind === 'free' || target !== vcpu.id) return;
    const name =
      channel.kind === 'virq'
        ? hv.virqName(channel.virq)
        : channel.kind === 'interdomain'
          ? (channel.backEnd?.name ?? `port ${channel.remotePort}`)
          : channel.kind;
    const state = [events.pending(port) ? 'pending' : '', events.masked(port) ? 'masked' : ''].filter(Boolean).join(', ');
    ports.push(`${port} (${name}${state ? `: ${state}` : ''})`);
  });
  const since = (vcpu.wait?.since ?? hv.icount).toLocaleString('en-US');
  const what = vcpu.wait?.kind === 'poll' ? `SCHEDOP_poll on port ${vcpu.wait.ports.join(', ') || '(none)'}` : 'SCHEDOP_block';
  const mask = events.upcallMask(vcpu.id);
  return `${what} since instruction ${since}; ports bound: ${ports.join(', ') || 'none'}; event mask ${mask}; no timer is set`;
}
