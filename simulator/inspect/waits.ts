// What a vCPU waits for, in words: for the message about a machine in which nothing can go on.

import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { timerName } from '../hypervisor/time.ts';
import type { VcpuState } from '../hypervisor/vcpu.ts';

export function describeWait(hv: Hypervisor, vcpu: VcpuState): string {
  const { events } = vcpu.domain;
  if (!vcpu.up) return 'down (vcpu_op.down)';
  if (vcpu.asleep) return 'up by its context (VGCF_online) and never woken: vcpu_op.up wakes only a vCPU that is down';
  const ports: string[] = [];
  events.ports.forEach(({ channel, vcpu: target }, port) => {
    if (channel.kind === 'free' || channel.kind === 'reserved' || target !== vcpu.id) return;
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
  return [
    `${what} since instruction ${since}`,
    `ports bound: ${ports.join(', ') || 'none'}`,
    `event mask ${mask}`,
    timersOf(hv, vcpu),
    ...remarks(vcpu),
  ].join('; ');
}

/** What is set to wake it. */
function timersOf(hv: Hypervisor, vcpu: VcpuState): string {
  const set: string[] = [];
  const at = (name: string): string | null => {
    const timer = hv.timers.ordered().find((one) => one.name === name);
    return timer ? `in ${Math.max(0, timer.at - hv.now()).toLocaleString('en-US')} ns` : null;
  };
  const oneShot = at(timerName(vcpu, 'singleshot'));
  if (oneShot) set.push(`one-shot timer ${oneShot}`);
  const timeout = vcpu.wait?.kind === 'poll' ? at(timerName(vcpu, 'poll')) : null;
  if (timeout) set.push(`timeout ${timeout}`);
  if (vcpu.periodicPeriod > 0)
    set.push(`periodic timer of ${vcpu.periodicPeriod.toLocaleString('en-US')} ns, which stands still while the vCPU sleeps`);
  return set.length ? set.join(', ') : 'no timer is set';
}

/** What keeps it from ever being woken, as far as it can be seen. */
function remarks(vcpu: VcpuState): string[] {
  const { events } = vcpu.domain;
  const out: string[] = [];
  const own = events.ports.filter((port) => port.usable() && port.vcpu === vcpu.id);
  const masked = own.filter(({ port }) => events.pending(port) && events.masked(port)).map(({ port }) => port);
  if (own.length === 0) out.push('nothing is bound to it, so that nothing can wake it');
  if (masked.length) out.push(`port ${masked.join(', ')} is pending but masked: EVTCHNOP_unmask would deliver it`);
  if (vcpu.wait?.kind === 'block' && vcpu.event.address === 0n) out.push('no event callback is registered (set_callbacks)');
  const timer = events.virqPort(0, vcpu.id);
  if (timer === 0 && vcpu.singleshot !== null) out.push('VIRQ_TIMER is not bound, so that its timer tells nobody');
  return out;
}
