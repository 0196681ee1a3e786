// sched_op: yield, block, poll, shutdown, watchdog; and its old form.

import type { Ending } from '../../machine-types.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Call, type HandlerResult, no, notPrivileged, otherOperation } from '../call.ts';
import type { Hypervisor } from '../hypervisor.ts';
import { SYSTEM_TIME_AT_START } from '../time.ts';
import { RunState, type Wait } from '../vcpu.ts';

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
      shutdown(call, op.number('reason'));
      return 0;
    }
    case 3:
      return poll(call, argument);
    case 4: {
      const op = call.struct('sched_remote_shutdown', argument);
      if (!op) return call.fault('sched_remote_shutdown');
      return call.domain.isDom0
        ? no(refuse('ESRCH', 'no-such-domain', { what: 'remote_shutdown', domain: op.number('domain_id') }))
        : notPrivileged('sched_op.remote_shutdown');
    }
    case 5: {
      const op = call.struct('sched_shutdown', argument);
      if (!op) return call.fault('sched_shutdown');
      call.domain.shutdownCode = op.number('reason');
      return 0;
    }
    case 6:
      return watchdog(call, argument);
    default:
      return otherOperation(call, command);
  }
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
  hv.trace.emit('domain', { domain: hv.domain.id, vcpu: vcpu.id, state: 'blocked', reason: wait.kind });
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
  const list = call.read(op.big('ports'), count * 4);
  if (!list) return call.fault('list of ports');
  const { hv, vcpu } = call;
  const { events } = call.domain;
  const ports: number[] = [];
  for (let n = 0; n < count; n++) {
    const port = new DataView(list.buffer).getUint32(n * 4, true);
    const entry = events.port(port);
    if (!entry || port === 0) return no(refuse('EINVAL', 'port-not-open', { port, state: entry?.channel.kind ?? 'beyond the table' }));
    ports.push(port);
  }
  if (events.due(vcpu.id) || ports.some((port) => events.pending(port))) return 0;
  const timeout = Number(op.big('timeout'));
  if (timeout !== 0) {
    const at = Math.max(hv.now(), timeout - SYSTEM_TIME_AT_START);
    vcpu.pollTimeout = at;
    hv.timers.set(`poll ${vcpu.id}`, at, () => hv.wake(vcpu));
  }
  goToSleep(hv, { kind: 'poll', ports });
  return 0;
}

function shutdown(call: Call, reason: number): void {
  const kind = REASONS[reason];
  if (kind === undefined || kind === 'crash') {
    call.hv.crash(call.vcpu, kind ? 'the guest asked for it (SHUTDOWN_crash)' : `the guest shut down with the unknown reason ${reason}`);
    return;
  }
  call.hv.end({ kind });
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
  const name = `watchdog ${index}`;
  // A free one set to 0 seconds fires at once.
  if (timeout === 0 && id !== 0) {
    watchdogs[index] = 0;
    call.hv.timers.cancel(name);
    return 0;
  }
  const at = call.hv.now() + timeout * SECOND;
  watchdogs[index] = at;
  call.hv.timers.set(name, at, () => call.hv.end({ kind: 'watchdog' }));
  return id === 0 ? index + 1 : 0;
}
