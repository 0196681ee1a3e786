// Event channels of a domain in words: a line for each port, and what keeps an event from its handler.

import type { DomainState, PortState, VcpuEvents } from './types.ts';

const at = (icount: number): string => (icount < 0 ? 'never' : `at instruction ${icount.toLocaleString('en-US')}`);

/** What is wrong with a port; null: nothing that can be seen. */
export function portTrouble(port: PortState, vcpu: VcpuEvents | undefined): string | null {
  const since = port.maskedSince < 0 ? '' : ` (masked when the event came ${at(port.maskedSince)}, and never unmasked since)`;
  if (port.pending && port.masked)
    return `pending and masked${since}: EVTCHNOP_unmask would deliver it, clearing the mask bit alone does not`;
  if (port.pending && !port.selected)
    return port.fifo
      ? 'pending, but on no queue: it was taken off without being handled, so no upcall looks at it'
      : 'pending, but its selector bit (evtchn_pending_sel) is clear: it was cleared without looking at this port, so no upcall finds it';
  if (port.pending && vcpu?.upcallMask)
    return `pending, but evtchn_upcall_mask of vCPU ${port.vcpu} is 1: whoever clears the mask must look at evtchn_upcall_pending afterwards, Xen does not deliver by itself then`;
  if (port.pending && vcpu && !vcpu.hasCallback) return 'pending, but no event callback is registered (set_callbacks)';
  if (port.pending && vcpu && !vcpu.upcallPending)
    return 'pending, but evtchn_upcall_pending is 0: it was cleared before this port was looked at';
  if (port.kind === 'unbound') return 'the other end has not bound it: events sent through it go nowhere';
  return null;
}

/** 'port 3: interdomain, the console of dom0; vCPU 0; pending, masked; bound at instruction 1,234; …'. */
export function portLine(port: PortState, vcpus: readonly VcpuEvents[]): string {
  const flags = [
    port.pending ? 'pending' : 'not pending',
    port.masked ? 'masked' : 'not masked',
    ...(port.pending ? [`${port.fifo ? 'queued' : 'selector bit'} ${port.selected ? '1' : '0'}`] : []),
  ].join(', ');
  const trouble = portTrouble(
    port,
    vcpus.find(({ vcpu }) => vcpu === port.vcpu),
  );
  const sends = port.kind === 'interdomain' || port.kind === 'ipi' ? [`last sent ${at(port.lastSent)}`] : [];
  return [
    `port ${port.port}: ${port.kind}, ${port.peer}`,
    `vCPU ${port.vcpu}`,
    flags,
    `bound ${port.boundAt <= 0 ? 'by the domain builder' : at(port.boundAt)}`,
    ...sends,
    `last event ${at(port.lastEvent)}`,
    `last upcall ${at(port.lastUpcall)}`,
    ...(trouble ? [`← ${trouble}`] : []),
  ].join('; ');
}

export function portLines({ ports, vcpus }: DomainState): string[] {
  if (ports.length === 0) return ['No event channel is bound.'];
  return ['Event channels:', ...ports.map((port) => `  ${portLine(port, vcpus)}`)];
}
