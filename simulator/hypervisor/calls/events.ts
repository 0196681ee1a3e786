// event_channel_op: binding, closing and sending; the 2-level and the FIFO form. Order of the checks as on Xen 4.17.

import { asMfn, PAGE_SIZE } from '../../../abi/address.ts';
import type { ErrnoName } from '../../../abi/errno.table.ts';
import { negative } from '../../../abi/errno.ts';
import type { StructureName, StructView } from '../../../abi/layout.ts';
import type { Refusal } from '../../../abi/refusal.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch } from '../call.ts';
import { bindInput, pirqsOf, usedByXen } from '../device-interrupts.ts';
import type { Domain } from '../domain.ts';
import { PER_VCPU_VIRQS, peerOf } from '../event-channels.ts';
import { CONTROL_BLOCK_BYTES, LINK_BITS, LOWEST_PRIORITY } from '../event-fifo.ts';
import type { Channel } from '../event-port.ts';
import { anyDomain, isDomain, mayTarget } from './domains.ts';

const NR_VIRQS = 24;
const DOMID_SELF = 0x7ff0;

interface Operation {
  readonly structure: StructureName;
  /** Has fields for the guest to read. */
  readonly answers?: true;
  readonly run: (call: Call, op: StructView) => Answer | null;
}

const operations: Readonly<Record<number, Operation>> = {
  0: { structure: 'evtchn_bind_interdomain', answers: true, run: bindInterdomain },
  1: { structure: 'evtchn_bind_virq', answers: true, run: bindVirq },
  2: { structure: 'evtchn_bind_pirq', answers: true, run: bindPirq },
  3: { structure: 'evtchn_close', run: close },
  4: { structure: 'evtchn_send', run: (call, op) => send(call, op.number('port')) },
  5: { structure: 'evtchn_status', answers: true, run: status },
  6: { structure: 'evtchn_alloc_unbound', answers: true, run: allocUnbound },
  7: { structure: 'evtchn_bind_ipi', answers: true, run: bindIpi },
  8: { structure: 'evtchn_bind_vcpu', run: bindVcpu },
  9: { structure: 'evtchn_unmask', run: unmask },
  10: { structure: 'evtchn_reset', run: reset },
  11: { structure: 'evtchn_init_control', answers: true, run: initControl },
  12: { structure: 'evtchn_expand_array', run: expandArray },
  13: { structure: 'evtchn_set_priority', run: setPriority },
  // reset_cont: how Xen itself goes on with a long reset; a guest may ask for it as well.
  14: { structure: 'evtchn_reset', run: resetOn },
};
const SEND = 4;
const UNMASK = 9;

export function eventChannelOp(call: Call): HandlerResult {
  return operation(call, call.s32(0), call.args[1]!);
}

function operation(call: Call, command: number, address: bigint): HandlerResult {
  const found = operations[command];
  if (!found) return noSuch('event_channel_op', command);
  if (command === SEND || command === UNMASK) return onPort(call, command, address);
  const op = call.struct(found.structure, address);
  if (!op) return call.fault(found.structure);
  const result = found.run(call, op);
  if (result !== null) return result;
  if (found.answers && !call.put(address, op)) return call.fault(found.structure);
  return 0;
}

/** send and unmask, the hot ones: their structure is the port. */
function onPort(call: Call, command: number, address: bigint): HandlerResult {
  const bytes = call.read(address, 4);
  if (!bytes) return call.fault(command === SEND ? 'evtchn_send' : 'evtchn_unmask');
  const port = bytes[0]! + bytes[1]! * 0x100 + bytes[2]! * 0x1_0000 + bytes[3]! * 0x100_0000;
  if (command === SEND) return send(call, port) ?? 0;
  if (!call.domain.events.port(port)) return badPort(call, port);
  call.domain.events.unmask(port);
  return 0;
}

/** A refusal that Xen's debug build logs. */
const logged = (errno: ErrnoName, rule: string, facts: Refusal['facts']): Answer =>
  no(refuse(errno, rule, facts, { template: 'evtchnop-failure', args: { error: `${negative(errno)}` } }));

const stateOf = (call: Call, port: number): string => call.domain.events.port(port)?.channel.kind ?? 'beyond the table';
const badPort = (call: Call, port: number): Answer => no(refuse('EINVAL', 'port-not-open', { port, state: stateOf(call, port) }));

/** The lowest free port, written to a field. */
function allocate(call: Call, op: StructView, channel: Channel, vcpu: number, field: 'port' | 'local_port' = 'port'): Answer | null {
  const port = call.domain.events.allocate(channel, vcpu);
  if (port === null) return logged('ENOSPC', 'no-free-port', { ports: call.domain.events.limit() });
  op.set(field, port);
  return null;
}

function allocUnbound(call: Call, op: StructView): Answer | null {
  const what = 'event_channel_op.alloc_unbound';
  const domain = anyDomain(call, op.number('dom'), what);
  if (!isDomain(domain)) return domain;
  if (!domain.events.room()) return noPort(domain);
  const denied = mayTarget(call, domain, what);
  if (denied) return denied;
  const remote = op.number('remote_dom') === DOMID_SELF ? call.domain.id : op.number('remote_dom');
  op.set('port', domain.events.allocate({ kind: 'unbound', remote }, 0)!);
  return null;
}

function bindInterdomain(call: Call, op: StructView): Answer | null {
  const remote = op.number('remote_dom');
  const remotePort = op.number('remote_port');
  const { domain } = call;
  const { events, id } = domain;
  const backEnd = remote === 0 ? events.waitingBackEnd(remotePort) : null;
  const other = call.hv.domainById(remote === DOMID_SELF ? id : remote);
  const channel = other?.events.port(remotePort)?.channel;
  if (backEnd && !(channel?.kind === 'unbound' && channel.remote === id)) {
    const refused = allocate(call, op, { kind: 'interdomain', remote: 0, remotePort, backEnd }, 0, 'local_port');
    if (!refused) events.setPending(op.number('local_port'), { peer: backEnd.name });
    return refused;
  }
  if (!other) {
    if (remote === 0) return notWaiting(call, 0, remotePort, undefined);
    return no(refuse('ESRCH', 'no-such-domain', { what: 'bind_interdomain', domain: remote }));
  }
  if (!events.room()) return noPort(domain);
  if (channel?.kind !== 'unbound' || channel.remote !== id) return notWaiting(call, other.id, remotePort, channel);
  const local = events.allocate({ kind: 'interdomain', remote: other.id, remotePort, backEnd: null }, 0)!;
  op.set('local_port', local);
  other.events.bind(remotePort, { kind: 'interdomain', remote: id, remotePort: local, backEnd: null });
  // Events sent to the unbound port before now are not lost.
  events.setPending(local, { peer: nameOf(call, other.id, remotePort) });
  return null;
}

/** A port as the other end is shown it: of the own domain by its number alone. */
const nameOf = (call: Call, domain: number, port: number): string =>
  domain === call.domain.id ? `port ${port}` : `port ${port} of d${domain}`;

function notWaiting(call: Call, domain: number, port: number, channel: Channel | undefined): Answer {
  const facts = { port, domain, state: stateInWords(channel, call.domain.id), caller: call.domain.id };
  const args = { domain: `${domain}`, error: `${negative('EINVAL')}` };
  return no(refuse('EINVAL', 'port-not-unbound', facts, { template: 'evtchnop-failure-domain', args }));
}

const noPort = (domain: Domain): Answer => logged('ENOSPC', 'no-free-port', { ports: domain.events.limit(), domain: domain.id });

function stateInWords(channel: Channel | undefined, id: number): string {
  if (!channel) return 'beyond the table';
  if (channel.kind === 'interdomain') return `bound to port ${channel.remotePort} of domain ${channel.remote}`;
  return channel.kind === 'unbound' && channel.remote !== id ? `unbound, for domain ${channel.remote}` : channel.kind;
}

function bindVirq(call: Call, op: StructView): Answer | null {
  const { events } = call.domain;
  const virq = op.number('virq');
  const vcpu = op.number('vcpu');
  if (virq >= NR_VIRQS) return no(refuse('EINVAL', 'no-such-virq', { virq }));
  if (!PER_VCPU_VIRQS.has(virq) && vcpu !== 0) return no(refuse('EINVAL', 'virq-is-global', { virq: call.hv.virqName(virq), vcpu }));
  if (!call.domain.vcpus[vcpu]) return noVcpu(call, vcpu);
  const bound = events.virqPort(virq, vcpu);
  if (bound) return logged('EEXIST', 'virq-bound-already', { virq: call.hv.virqName(virq), vcpu, port: bound });
  return allocate(call, op, { kind: 'virq', virq }, vcpu);
}

const noVcpu = (call: Call, vcpu: number): Answer => no(refuse('ENOENT', 'no-such-vcpu', { vcpu, vcpus: call.domain.vcpus.length }));

function bindIpi(call: Call, op: StructView): Answer | null {
  const vcpu = op.number('vcpu');
  return call.domain.vcpus[vcpu] ? allocate(call, op, { kind: 'ipi' }, vcpu) : noVcpu(call, vcpu);
}

/** Binds an interrupt of a device. Only dom0 has any: its lines, once they are mapped to numbers of its own. */
function bindPirq(call: Call, op: StructView): Answer | null {
  const pirq = op.number('pirq');
  const most = pirqsOf(call.domain);
  if (pirq >= most) return no(refuse('EINVAL', 'no-such-pirq', { pirq, most: most - 1 }));
  const known = call.domain.pirqs.get(pirq);
  if (!known || known.irq <= 0) return no(refuse('EPERM', 'pirq-not-permitted', { pirq }));
  if (known.port) return logged('EEXIST', 'pirq-bound-already', { pirq, port: known.port });
  if (usedByXen(known.irq))
    return no(refuse('EBUSY', 'pirq-of-xen', { pirq }, { template: 'irq-in-use', args: inUse(pirq, call.domain.id) }));
  const refused = allocate(call, op, { kind: 'pirq', pirq }, 0);
  if (refused) return refused;
  bindInput(call.hv, call.domain, pirq, op.number('port'));
  return null;
}

const inUse = (pirq: number, domain: number): Record<string, string> => ({ irq: `${pirq}`, domain: `${domain}`, user: 'ns16550' });

function close(call: Call, op: StructView): Answer | null {
  const port = op.number('port');
  if (!call.domain.events.port(port)?.usable()) return badPort(call, port);
  call.domain.events.close(port);
  return null;
}

function send(call: Call, port: number): Answer | null {
  const { events } = call.domain;
  const channel = events.port(port)?.channel;
  if (!channel) return badPort(call, port);
  const { trace } = call.hv;
  events.port(port)!.lastSent = call.hv.icount;
  if (trace.wants('event'))
    trace.emit('event', { domain: call.domain.id, vcpu: call.vcpu.id, action: 'send', port, peer: peerOf(channel) });
  switch (channel.kind) {
    case 'interdomain':
      if (channel.backEnd) {
        call.hv.progress++;
        channel.backEnd.notified();
      } else {
        const peer = channel.remote === call.domain.id ? `port ${port}` : `port ${port} of d${call.domain.id}`;
        call.hv.domainById(channel.remote)?.events.setPending(channel.remotePort, { peer });
      }
      return null;
    case 'ipi':
      events.setPending(port, { peer: 'ipi' });
      return null;
    case 'unbound':
      return null;
    default:
      return badPort(call, port);
  }
}

const STATUS = { free: 0, reserved: 0, unbound: 1, interdomain: 2, pirq: 3, virq: 4, ipi: 5 } as const;

function status(call: Call, op: StructView): Answer | null {
  const what = 'event_channel_op.status';
  const domain = anyDomain(call, op.number('dom'), what);
  if (!isDomain(domain)) return domain;
  const port = op.number('port');
  const entry = domain.events.port(port);
  if (!entry) return no(refuse('EINVAL', 'port-not-open', { port, state: 'beyond the table', domain: domain.id }));
  const denied = mayTarget(call, domain, what);
  if (denied) return denied;
  const { channel } = entry;
  op.set('status', STATUS[channel.kind]);
  op.set('vcpu', entry.vcpu);
  if (channel.kind === 'unbound') op.set('u.unbound.dom', channel.remote);
  if (channel.kind === 'interdomain') {
    op.set('u.interdomain.dom', channel.remote);
    op.set('u.interdomain.port', channel.remotePort);
  }
  if (channel.kind === 'virq') op.set('u.virq', channel.virq);
  if (channel.kind === 'pirq') op.set('u.pirq', channel.pirq);
  return null;
}

function bindVcpu(call: Call, op: StructView): Answer | null {
  const port = op.number('port');
  const vcpu = op.number('vcpu');
  if (!call.domain.vcpus[vcpu]) return noVcpu(call, vcpu);
  const { events } = call.domain;
  const entry = events.port(port);
  if (!entry?.usable()) return badPort(call, port);
  const { channel } = entry;
  if (channel.kind === 'ipi' || (channel.kind === 'virq' && PER_VCPU_VIRQS.has(channel.virq))) {
    const state = channel.kind === 'virq' ? call.hv.virqName(channel.virq) : channel.kind;
    return no(refuse('EINVAL', 'port-stays-on-vcpu', { port, state, vcpu: entry.vcpu }));
  }
  events.setVcpu(port, vcpu);
  return null;
}

function unmask(call: Call, op: StructView): Answer | null {
  const port = op.number('port');
  if (!call.domain.events.port(port)) return badPort(call, port);
  call.domain.events.unmask(port);
  return null;
}

function reset(call: Call, op: StructView): Answer | null {
  const domain = resettable(call, op, 'event_channel_op.reset');
  if (!isDomain(domain)) return domain;
  for (const frame of domain.events.reset()) call.hv.memory.types.putPageAndType(asMfn(frame));
  return null;
}

/** Going on with a reset: none is ever left half done here. */
function resetOn(call: Call, op: StructView): Answer | null {
  const domain = resettable(call, op, 'event_channel_op.reset_cont');
  return isDomain(domain) ? no(refuse('EBUSY', 'no-reset-to-go-on', {})) : domain;
}

/** Of another domain only while dom0 has it paused. */
function resettable(call: Call, op: StructView, what: string): Domain | Answer {
  const domain = anyDomain(call, op.number('dom'), what);
  if (!isDomain(domain)) return domain;
  const denied = mayTarget(call, domain, what);
  if (denied) return denied;
  if (domain !== call.domain && domain.paused === 0) return no(refuse('EINVAL', 'domain-not-paused', { what, domain: domain.id }));
  return domain;
}

/** Takes a page of the guest for event words or a control block. */
function takePage(call: Call, frame: bigint): Refusal | null {
  const mfn = asMfn(Number(frame & 0xff_ffff_ffffn));
  const refusal = call.hv.memory.types.getPageAndType(mfn, FrameType.writable, call.domain.id);
  return refusal && { ...refusal, errno: 'EINVAL' };
}

function initControl(call: Call, op: StructView): Answer | null {
  const vcpu = op.number('vcpu');
  const offset = op.number('offset');
  const most = PAGE_SIZE - CONTROL_BLOCK_BYTES;
  if (!call.domain.vcpus[vcpu]) return noVcpu(call, vcpu);
  if (offset > most || offset & 7) return no(refuse('EINVAL', 'control-block-place', { offset, most }));
  const { events } = call.domain;
  const fifo = events.fifo();
  if (fifo?.hasControlBlock(vcpu)) return no(refuse('EINVAL', 'control-block-set-already', { vcpu }));
  const frame = op.big('control_gfn');
  const refusal = takePage(call, frame);
  if (refusal) return no(refusal);
  if (fifo) fifo.setControlBlock(vcpu, Number(frame), offset);
  else events.useFifo(vcpu, Number(frame), offset);
  op.set('link_bits', LINK_BITS);
  return null;
}

function expandArray(call: Call, op: StructView): Answer | null {
  const { events } = call.domain;
  const fifo = events.fifo();
  if (!fifo) return no(refuse('EOPNOTSUPP', 'fifo-not-in-use', { what: 'expand_array' }));
  if (fifo.full()) return no(refuse('ENOSPC', 'no-free-port', { ports: fifo.ports }));
  const frame = op.big('array_gfn');
  const refusal = takePage(call, frame);
  if (refusal) return no(refusal);
  fifo.addPage(Number(frame), events.ports);
  return null;
}

function setPriority(call: Call, op: StructView): Answer | null {
  const { events } = call.domain;
  const port = op.number('port');
  const entry = events.port(port);
  if (!entry) return badPort(call, port);
  if (!events.fifo()) return no(refuse('ENOSYS', 'fifo-not-in-use', { what: 'set_priority' }));
  if (!entry.usable()) return no(refuse('EACCES', 'port-not-open', { port, state: entry.channel.kind }));
  const priority = op.number('priority');
  if (priority > LOWEST_PRIORITY) return no(refuse('EINVAL', 'event-priority', { priority, lowest: LOWEST_PRIORITY }));
  entry.priority = priority;
  return null;
}

/** The old call (number 16): command and argument in one structure. */
export function eventChannelOpCompat(call: Call): HandlerResult {
  const op = call.struct('evtchn_op', call.args[0]!);
  if (!op) return call.fault('evtchn_op');
  const command = op.number('cmd');
  if (command > UNMASK) return noSuch('event_channel_op (old form)', command);
  return operation(call, command, call.args[0]! + 4n);
}
