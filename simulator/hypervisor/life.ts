// A domain's life beside running: paused and unpaused, resumed, destroyed. Its last frames go when others have let go of them; then its
// number is free again. Behaviour of Xen 4.17 (common/domain.c, arch/x86/domain.c).

import type { Mfn } from '../../abi/address.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { hex, refuse } from '../memory/refuse.ts';
import type { Domain } from './domain.ts';
import { activeGrants, releaseMappings } from './grants/release.ts';
import type { Hypervisor } from './hypervisor.ts';
import { dropLdt } from './ldt.ts';
import { relinquishFrames } from './relinquish.ts';
import { stopPeriodic, timerName, watchdogTimer } from './time.ts';
import { RunState, type VcpuState } from './vcpu.ts';

const VIRQ_DOM_EXC = 3;
/** The tool-stack may pause a domain so often at once. */
const MOST_PAUSES = 255;
const FIRST_RESERVED = 0x7ff0;

export function pauseDomain(hv: Hypervisor, domain: Domain): Refusal | null {
  if (domain.paused >= MOST_PAUSES) return refuse('EOVERFLOW', 'paused-too-often', { domain: domain.id, most: MOST_PAUSES });
  domain.paused++;
  if (domain.paused === 1) tell(hv, domain, 'paused');
  for (const vcpu of domain.vcpus) if (vcpu.runState === RunState.runnable) hv.setRunState(vcpu, RunState.offline);
  return null;
}

export function unpauseDomain(hv: Hypervisor, domain: Domain): Refusal | null {
  if (domain.paused === 0) return refuse('EINVAL', 'domain-not-paused', { what: 'unpausing', domain: domain.id });
  domain.paused--;
  if (domain.paused === 0) {
    tell(hv, domain, 'unpaused');
    mayRun(hv, domain);
  }
  return null;
}

/** After a suspend that did not leave the machine: it goes on behind its call of sched_op.shutdown. */
export function resumeDomain(hv: Hypervisor, domain: Domain): void {
  domain.ending = null;
  domain.shutdownCode = null;
  tell(hv, domain, 'resumed');
  mayRun(hv, domain);
}

function mayRun(hv: Hypervisor, domain: Domain): void {
  for (const vcpu of domain.vcpus) {
    if (vcpu.runnable() && vcpu.runState === RunState.offline) hv.setRunState(vcpu, RunState.runnable);
  }
  hv.preempt = true;
}

/** The lowest number that no domain has. */
export function freeDomainId(hv: Hypervisor): number | null {
  for (let id = 1; id < FIRST_RESERVED; id++) if (!hv.domains.has(id)) return id;
  return null;
}

/** Takes a domain apart: its uses of others' grants, its ports, its page tables, its memory. Frames that others map stay theirs to give
 * back: the domain is there, dead, until they have. */
export function destroyDomain(hv: Hypervisor, domain: Domain): Refusal | null {
  if (domain === hv.domain) return refuse('EINVAL', 'own-domain-meant', { what: 'destroying', domain: domain.id });
  if (domain.dying !== 'no') return null;
  domain.dying = 'dying';
  tell(hv, domain, 'dying');
  stopTimers(hv, domain);
  hv.memory.types.preemption.without(() => {
    releaseMappings(hv, domain);
    const { types } = hv.memory;
    for (const frame of domain.events.reset()) types.putPageAndType(frame as Mfn);
    for (const vcpu of domain.vcpus) dropTables(hv, vcpu);
    if (domain.pirqEoiPage !== null) types.putPageAndType(domain.pirqEoiPage);
    domain.pirqEoiPage = null;
    dropRings(hv, domain);
    domain.framesLeft = relinquishFrames(hv, domain);
  });
  domain.dying = 'dead';
  hv.store?.release(domain.id);
  hv.domainById(0)?.events.raiseVirq(VIRQ_DOM_EXC, 0);
  if (domain.framesLeft === 0) forget(hv, domain);
  return null;
}

/** A frame of a dead domain was let go by its last user. */
export function frameOfDeadFreed(hv: Hypervisor, domain: Domain): void {
  if (domain.dying === 'dead' && --domain.framesLeft === 0) forget(hv, domain);
}

function forget(hv: Hypervisor, domain: Domain): void {
  for (const mfn of domain.ownPages) hv.memory.reuseShared(mfn);
  for (const { cpu } of domain.vcpus) hv.vcpus[cpu.id] = undefined;
  hv.domains.delete(domain.id);
  tell(hv, domain, 'destroyed');
}

function stopTimers(hv: Hypervisor, domain: Domain): void {
  for (const vcpu of domain.vcpus) {
    stopPeriodic(hv, vcpu);
    for (const kind of ['singleshot', 'poll'] as const) hv.timers.cancel(timerName(vcpu, kind));
    hv.setRunState(vcpu, RunState.offline);
  }
  for (let n = 0; n < domain.watchdogs.length; n++) hv.timers.cancel(watchdogTimer(domain, n));
  domain.console?.stop();
  domain.store?.stop();
}

/** What a vCPU holds: the tables it runs on, descriptor tables, its vcpu_info, a table that was being taken apart. */
function dropTables(hv: Hypervisor, vcpu: VcpuState): void {
  const { types } = hv.memory;
  types.drain(vcpu.deferred);
  dropLdt(hv, vcpu);
  for (const mfn of vcpu.gdtFrames) types.putPageAndType(mfn);
  vcpu.gdtFrames = [];
  if (vcpu.userRoot !== null) types.putPageAndType(vcpu.userRoot);
  vcpu.userRoot = null;
  if (vcpu.initialised) types.putPageAndType(vcpu.root);
  if (vcpu.infoMoved) types.putPageAndType(vcpu.info.mfn);
  vcpu.infoMoved = false;
  vcpu.initialised = false;
  vcpu.up = false;
}

/** The simulator's back ends let the rings go. */
function dropRings(hv: Hypervisor, domain: Domain): void {
  if (!domain.console || !domain.image) return;
  for (const mfn of [domain.image.store, domain.image.console]) if (mfn !== null) hv.memory.types.putPageAndType(mfn);
  domain.console = null;
  domain.store = null;
}

function tell(hv: Hypervisor, domain: Domain, state: 'paused' | 'unpaused' | 'resumed' | 'dying' | 'destroyed'): void {
  const left = state === 'dying' ? holdersText(domain) : null;
  hv.trace.emit('domain', { domain: domain.id, vcpu: 0, state, reason: left });
}

/** Who maps what of a domain that is about to go; null when nobody does. */
function holdersText(domain: Domain): string | null {
  const used = activeGrants(domain).map(({ ref, mfn, by }) => `grant ${ref} (frame ${hex(mfn)}) by domain ${by}`);
  return used.length ? `domain ${domain.id} dies while others use its memory: ${used.join(', ')}` : null;
}
