// event_channel_op in the 2-level form.

import { negative } from '../../../abi/errno.ts';
import type { StructureName, StructView } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, notImplemented, notPrivileged, otherOperation } from '../call.ts';
import { type Channel, PER_VCPU_VIRQS } from '../event-channels.ts';

const NR_VIRQS = 24;
const DOMID_SELF = 0x7ff0;

const STRUCTURES: readonly (StructureName | null)[] = [
  'evtchn_bind_interdomain',
  'evtchn_bind_virq',
  'evtchn_bind_pirq',
  'evtchn_close',
  'evtchn_send',
  'evtchn_status',
  'evtchn_alloc_unbound',
  'evtchn_bind_ipi',
  'evtchn_bind_vcpu',
  'evtchn_unmask',
  'evtchn_reset',
];

export function eventChannelOp(call: Call): HandlerResult {
  return operation(call, call.s32(0), call.args[1]!);
}

function operation(call: Call, command: number, address: bigint): HandlerResult {
  const name = STRUCTURES[command];
  if (!name) return otherOperation(call, command);
  const op = call.struct(name, address);
  if (!op) return call.fault(name);
  const result = carryOut(call, command, op);
  if (result !== null) return result;
  // Structures with an output field go back to the guest.
  if ([0, 1, 5, 6, 7].includes(command) && !call.put(address, op)) return call.fault(name);
  return 0;
}

/** dom0 is there, and not for others; the rest of the domains do not exist. */
const otherDomain = (call: Call, domain: number, what: string): Answer =>
  domain === 0 && !call.domain.isDom0 ? notPrivileged(`${what} of domain 0`) : no(refuse('ESRCH', 'no-such-domain', { what, domain }));

const badPort = (call: Call, port: number): Answer => {
  const channel = call.domain.events.port(port)?.channel;
  return no(refuse('EINVAL', 'port-not-open', { port, state: channel?.kind ?? 'beyond the table' }));
};

function carryOut(call: Call, command: number, op: StructView): Answer | null {
  const { events } = call.domain;
  switch (command) {
    case 0:
      return bindInterdomain(call, op);
    case 1:
      return bindVirq(call, op.number('virq'), op.number('vcpu'), op);
    case 2:
      return call.domain.isDom0 ? notImplemented('event_channel_op.bind_pirq') : notPrivileged('event_channel_op.bind_pirq');
    case 3: {
      const port = op.number('port');
      const channel = events.port(port)?.channel;
      if (!channel || channel.kind === 'free' || channel.kind === 'reserved') return badPort(call, port);
      events.close(port);
      return null;
    }
    case 4:
      return send(call, op.number('port'));
    case 5:
      return status(call, op);
    case 6: {
      if (op.number('dom') !== DOMID_SELF && op.number('dom') !== call.domain.id)
        return otherDomain(call, op.number('dom'), 'event_channel_op.alloc_unbound');
      const remote = op.number('remote_dom') === DOMID_SELF ? call.domain.id : op.number('remote_dom');
      return allocate(op, { kind: 'unbound', remote }, 0, call);
    }
    case 7: {
      const vcpu = op.number('vcpu');
      if (!call.domain.vcpus[vcpu]) return no(refuse('ENOENT', 'no-such-vcpu', { vcpu }));
      return allocate(op, { kind: 'ipi' }, vcpu, call);
    }
    case 8:
      return bindVcpu(call, op.number('port'), op.number('vcpu'));
    case 9: {
      const port = op.number('port');
      if (!events.port(port)) return badPort(call, port);
      events.unmask(port);
      return null;
    }
    default:
      if (op.number('dom') !== DOMID_SELF && op.number('dom') !== call.domain.id)
        return otherDomain(call, op.number('dom'), 'event_channel_op.reset');
      for (let port = 1; port < events.ports.length; port++) if (events.port(port)!.channel.kind !== 'free') events.close(port);
      return null;
  }
}

function allocate(op: StructView, channel: Channel, vcpu: number, call: Call, field: 'port' | 'local_port' = 'port'): Answer | null {
  const port = call.domain.events.allocate(channel, vcpu);
  if (port === null) return no(refuse('ENOSPC', 'no-free-port', {}));
  op.set(field, port);
  return null;
}

function bindVirq(call: Call, virq: number, vcpu: number, op: StructView): Answer | null {
  const { events } = call.domain;
  if (virq >= NR_VIRQS) return no(refuse('EINVAL', 'no-such-virq', { virq }));
  if (!PER_VCPU_VIRQS.has(virq) && vcpu !== 0) return no(refuse('EINVAL', 'virq-is-global', { virq: call.hv.virqName(virq), vcpu }));
  if (!call.domain.vcpus[vcpu]) return no(refuse('ENOENT', 'no-such-vcpu', { vcpu }));
  const bound = events.virqPort(virq, vcpu);
  if (bound)
    return no(
      refuse(
        'EEXIST',
        'virq-bound-already',
        { virq: call.hv.virqName(virq), vcpu, port: bound },
        { template: 'evtchnop-failure', args: { error: `${negative('EEXIST')}` } },
      ),
    );
  return allocate(op, { kind: 'virq', virq }, vcpu, call);
}

function bindInterdomain(call: Call, op: StructView): Answer | null {
  const remote = op.number('remote_dom');
  const remotePort = op.number('remote_port');
  const { events } = call.domain;
  if (remote !== DOMID_SELF && remote !== call.domain.id)
    return no(refuse('ESRCH', 'no-such-domain', { what: 'bind_interdomain', domain: remote }));
  const other = events.port(remotePort);
  if (other?.channel.kind !== 'unbound' || other.channel.remote !== call.domain.id) {
    return no(refuse('EINVAL', 'port-not-unbound', { port: remotePort, state: other?.channel.kind ?? 'beyond the table' }));
  }
  const refused = allocate(op, { kind: 'interdomain', remote: call.domain.id, remotePort, backEnd: null }, 0, call, 'local_port');
  if (refused) return refused;
  const local = op.number('local_port');
  events.bind(remotePort, { kind: 'interdomain', remote: call.domain.id, remotePort: local, backEnd: null });
  // Events sent to the unbound port before now are not lost.
  events.setPending(local, { peer: `port ${remotePort}` });
  return null;
}

function send(call: Call, port: number): Answer | null {
  const { events } = call.domain;
  const channel = events.port(port)?.channel;
  if (!channel) return badPort(call, port);
  const peer = channel.kind === 'interdomain' ? (channel.backEnd?.name ?? `port ${channel.remotePort}`) : channel.kind;
  call.hv.trace.emit('event', { domain: call.domain.id, vcpu: call.vcpu.id, action: 'send', port, peer });
  switch (channel.kind) {
    case 'interdomain':
      if (channel.backEnd) channel.backEnd.notified();
      else events.setPending(channel.remotePort, { peer: `port ${port}` });
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

const STATUS = { free: 0, reserved: 0, unbound: 1, interdomain: 2, virq: 4, ipi: 5 } as const;

function status(call: Call, op: StructView): Answer | null {
  const dom = op.number('dom');
  if (dom !== DOMID_SELF && dom !== call.domain.id) return otherDomain(call, dom, 'event_channel_op.status');
  const port = op.number('port');
  const entry = call.domain.events.port(port);
  if (!entry) return badPort(call, port);
  const { channel } = entry;
  op.set('status', STATUS[channel.kind]);
  op.set('vcpu', entry.vcpu);
  if (channel.kind === 'unbound') op.set('u.unbound.dom', channel.remote);
  if (channel.kind === 'interdomain') {
    op.set('u.interdomain.dom', channel.remote);
    op.set('u.interdomain.port', channel.remotePort);
  }
  if (channel.kind === 'virq') op.set('u.virq', channel.virq);
  return null;
}

function bindVcpu(call: Call, port: number, vcpu: number): Answer | null {
  if (!call.domain.vcpus[vcpu]) return no(refuse('ENOENT', 'no-such-vcpu', { vcpu }));
  const entry = call.domain.events.port(port);
  const channel = entry?.channel;
  if (!entry || !channel || channel.kind === 'free' || channel.kind === 'reserved') return badPort(call, port);
  if (channel.kind === 'ipi' || (channel.kind === 'virq' && PER_VCPU_VIRQS.has(channel.virq))) {
    return no(refuse('EINVAL', 'port-stays-on-vcpu', { port, state: channel.kind, vcpu: entry.vcpu }));
  }
  entry.vcpu = vcpu;
  return null;
}

/** The old call (number 16): command and argument in one structure. */
export function eventChannelOpCompat(call: Call): HandlerResult {
  const bytes = call.read(call.args[0]!, 4);
  if (!bytes) return call.fault('evtchn_op');
  const command = new DataView(bytes.buffer).getUint32(0, true);
  if (command > 9) return noSuch('event_channel_op (old form)', command);
  return operation(call, command, call.args[0]! + 4n);
}
