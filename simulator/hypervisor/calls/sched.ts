// sched_op: yield, block, poll, shutdown, watchdog; and its old form.

import type { Ending } from '../../machine-types.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Call, type HandlerResult, no, notPrivileged, otherOperation } from '../call.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { SYSTEM_TIME_AT_START, timerName, watchdogTimer } from '../time.ts';
import { RunState, type VcpuState, type Wait } from '../vcpu.ts';

const MAX_POLL_PORTS = 128;
const SECOND = 1_000_000_000;
const REASONS: readonly Ending['kind'][] = ['poweroff', 'reboot', 'suspend', 'crash', 'watchdog', 'soft-reset'];

export function schedOp(call: Call): HandlerResult {
  const command = call.s32(0);
  const argument = call.args[1]!;
  switch (command) {
    case 0:
      return yieldNow(call);
    case 1:
      return block(call);
    case 2: {
      const op = call.struct('sched_shutdown', argument);
      if (!op) return call.fault('sched_shutdown');
      shutdown(call, op.number('reason') & 0xff);
      return 0;
    }
    case 3:
      return poll(call, argument);
    case 4:
      return remoteShutdown(call, argument);
    case 5: {
      const op = call.struct('sched_shutdown', argument);
      if (!op) return call.fault('sched_shutdown');
      // The first one stays, and is what a later shutdown of any reason counts as.
      call.domain.shutdownCode ??= op.number('reason') & 0xff;
      return 0;
    }
    case 6:
      return watchdog(call, argument);
    case 7:
      return pinOverride(call, argument);
    default:
      return otherOperation(call, command);
  }
}

/** For a privileged domain only. */
function remoteShutdown(call: Call, argument: bigint): HandlerResult {
  const op = call.struct('sched_remote_shutdown', argument);
  if (!op) return call.fault('sched_remote_shutdown');
  const what = 'sched_op.remote_shutdown';
  const id = op.number('domain_id');
  const domain = call.hv.domainById(id);
  if (!domain && id !== 0) return no(refuse('ESRCH', 'no-such-domain', { what, domain: id }));
  if (!domain || !call.domain.isDom0) return notPrivileged(`${what} of domain ${id}`);
  shutdownDomain(call.hv, domain, op.number('reason') & 0xff, domain === call.domain ? call.vcpu : domain.vcpus[0]!);
  return 0;
}

/** Binds dom0's vCPU to one processor for a while; this machine has processor 0. */
function pinOverride(call: Call, argument: bigint): HandlerResult {
  if (!call.domain.isDom0) return notPrivileged('sched_op.pin_override');
  const op = call.struct('sched_pin_override', argument);
  if (!op) return call.fault('sched_pin_override');
  const processor = op.number('pcpu');
  const { vcpu } = call;
  if (processor < 0 ? !vcpu.pinned : processor > 0) return no(refuse('EINVAL', 'pin-override', { processor, pinned: vcpu.pinned }));
  if (processor === 0 && vcpu.pinned) return no(refuse('EBUSY', 'pin-override', { processor, pinned: true }));
  vcpu.pinned = processor === 0;
  return 0;
}

/** The old call (number 6): the argument is a value. */
export function schedOpCompat(call: Call): HandlerResult {
  const command = call.s32(0);
  if (command === 0) return yieldNow(call);
  if (command === 1) return block(call);
  if (command === 2) {
    shutdown(call, Number(call.args[1]! & 0xffn));
    return 0;
  }
  return otherOperation(call, command);
}

function yieldNow(call: Call): number {
  call.hv.onYield();
  return 0;
}

export function goToSleep(hv: Hypervisor, wait: Omit<Wait, 'since'>): void {
  const vcpu = hv.current;
  vcpu.wait = { ...wait, since: hv.icount };
  hv.setRunState(vcpu, RunState.blocked);
  hv.trace.emit('domain', { domain: vcpu.domain.id, vcpu: vcpu.id, state: 'blocked', reason: wait.kind });
}

/** Unmasks events and sleeps until one is pending. */
function block(call: Call): number {
  const { events } = call.domain;
  events.setUpcallMask(call.vcpu.id, 0);
  if (!events.due(call.vcpu.id)) goToSleep(call.hv, { kind: 'block', ports: [] });
  return 0;
}

function poll(call: Call, argument: bigint): HandlerResult {
  const op = call.struct('sched_poll', argument);
  if (!op) return call.fault('sched_poll');
  const count = op.number('nr_ports');
  if (count > MAX_POLL_PORTS) return no(refuse('EINVAL', 'too-many-ports', { ports: count, most: MAX_POLL_PORTS }));
  const list = op.big('ports');
  if (count > 0 && !call.addressOk(list))
    return no(refuse('EFAULT', 'argument-not-accessible', { what: 'list of ports', address: hex(list), error: '0x0' }));
  const { hv, vcpu } = call;
  const { events } = call.domain;
  if (events.due(vcpu.id)) return 0;
  const ports: number[] = [];
  // One after the other: a port that is pending ends the call before a wrong one behind it is seen.
  for (let n = 0; n < count; n++) {
    const bytes = call.read(list + BigInt(n * 4), 4);
    if (!bytes) return call.fault('list of ports');
    const port = new DataView(bytes.buffer).getUint32(0, true);
    const entry = events.port(port);
    if (!entry?.usable()) return no(refuse('EINVAL', 'port-not-open', { port, state: entry?.channel.kind ?? 'beyond the table' }));
    if (events.pending(port)) return 0;
    ports.push(port);
  }
  const timeout = Number(op.big('timeout'));
  if (timeout !== 0) {
    // A timeout goes on after the poll was ended by an event, and ends a later one: Xen never stops it.
    const at = Math.max(hv.now(), timeout - SYSTEM_TIME_AT_START);
    hv.timers.set(timerName(vcpu, 'poll'), at, () => {
      if (vcpu.wait?.kind === 'poll') hv.wake(vcpu);
    });
  }
  goToSleep(hv, { kind: 'poll', ports });
  return 0;
}

const shutdown = (call: Call, asked: number): void => shutdownDomain(call.hv, call.domain, asked, call.vcpu);

/** The domain shuts down for a reason (SHUTDOWN_*), as if its vCPU had asked for it. */
export function shutdownDomain(hv: Hypervisor, domain: Domain, asked: number, vcpu: VcpuState): void {
  domain.shutdownCode ??= asked;
  const reason = domain.shutdownCode;
  const kind = REASONS[reason];
  if (domain.isDom0) hv.log(dom0Line(reason));
  if (kind === undefined || kind === 'crash') {
    hv.crash(vcpu, kind ? 'the guest asked for it (SHUTDOWN_crash)' : `the guest shut down with the unknown reason ${reason}`);
    return;
  }
  hv.end(domain, { kind });
}

/** What Xen says when dom0 ends. */
function dom0Line(reason: number): string {
  switch (reason) {
    case 0:
      return 'Hardware Dom0 halted: halting machine';
    case 1:
      return 'Hardware Dom0 shutdown: rebooting machine';
    case 3:
      return 'Hardware Dom0 crashed: rebooting machine in 5 seconds.';
    case 4:
      return 'Hardware Dom0 shutdown: watchdog rebooting machine';
    case 5:
      return 'Hardware domain 0 did unsupported soft reset, rebooting.';
    default:
      return `Hardware Dom0 shutdown (unknown reason ${reason}): rebooting machine in 5 seconds.`;
  }
}

/** Two timers of whole seconds; each ends the domain when it runs out. */
function watchdog(call: Call, argument: bigint): HandlerResult {
  const op = call.struct('sched_watchdog', argument);
  if (!op) return call.fault('sched_watchdog');
  const id = op.number('id');
  const timeout = op.number('timeout');
  const { watchdogs } = call.domain;
  if (id > watchdogs.length) return no(refuse('EINVAL', 'no-such-watchdog', { id }));
  let index = id - 1;
  if (id === 0) {
    index = watchdogs.indexOf(0);
    // Xen answers through an unsigned 32-bit variable here.
    if (index < 0) return { ...no(refuse('ENOSPC', 'no-such-watchdog', { id })), ret: 0xffff_ffe4n };
  } else if (watchdogs[index] === 0) return no(refuse('EINVAL', 'no-such-watchdog', { id }));
  const name = watchdogTimer(call.domain, index);
  // A free one set to 0 seconds fires at once.
  if (timeout === 0 && id !== 0) {
    watchdogs[index] = 0;
    call.hv.timers.cancel(name);
    return 0;
  }
  const at = call.hv.now() + timeout * SECOND;
  watchdogs[index] = at;
  call.hv.timers.set(name, at, () => {
    call.hv.log(`Watchdog timer fired for domain ${call.domain.id}`);
    if (call.domain.isDom0) call.hv.log(dom0Line(4));
    call.hv.end(call.domain, { kind: 'watchdog' });
  });
  return id === 0 ? index + 1 : 0;
}
