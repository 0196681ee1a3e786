// What is known of a domain that stands still or has ended, gathered for explain/state: event channels, XenStore, console, start_info.

import { layoutOf, offsetOf, readBig } from '../../abi/layout.ts';
import type {
  ConsoleState,
  DeviceState,
  DomainState,
  PortState,
  StartInfoState,
  StoreState,
  VcpuEvents,
} from '../../explain/state/types.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { Channel } from '../hypervisor/event-port.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { domainPath } from '../xenstore/paths.ts';
import type { XenStore } from '../xenstore/responder.ts';

const REQ_CONS = offsetOf('xenstore_domain_interface', 64, 'req_cons');
const REQ_PROD = offsetOf('xenstore_domain_interface', 64, 'req_prod');
const RSP_CONS = offsetOf('xenstore_domain_interface', 64, 'rsp_cons');
const RSP_PROD = offsetOf('xenstore_domain_interface', 64, 'rsp_prod');
const START_INFO_BYTES = 4096;

export function reportOf(hv: Hypervisor, domain: Domain): DomainState {
  return {
    domain: domain.id,
    icount: hv.icount,
    vcpus: domain.vcpus.filter((vcpu) => vcpu.initialised).map((vcpu) => vcpuEvents(domain, vcpu.id)),
    ports: portStates(hv, domain),
    store: storeState(domain),
    console: consoleState(domain),
    startInfo: startInfoState(hv, domain),
  };
}

function vcpuEvents(domain: Domain, id: number): VcpuEvents {
  return {
    vcpu: id,
    upcallPending: domain.events.upcallPending(id),
    upcallMask: domain.events.upcallMask(id) !== 0,
    hasCallback: domain.vcpus[id]!.event.address !== 0n,
  };
}

function portStates(hv: Hypervisor, domain: Domain): PortState[] {
  const { events } = domain;
  const fifo = events.fifo() !== null;
  return events.ports.flatMap((entry) => {
    const { channel, port, vcpu } = entry;
    if (channel.kind === 'free' || channel.kind === 'reserved') return [];
    return {
      port,
      kind: channel.kind,
      peer: peerText(hv, domain, channel),
      vcpu,
      pending: events.pending(port),
      masked: events.masked(port),
      selected: fifo ? events.busy(port) : selectorBit(hv, domain, vcpu, port),
      fifo,
      ...{ boundAt: entry.boundAt, lastSent: entry.lastSent, lastEvent: entry.lastEvent, lastUpcall: entry.lastUpcall },
      maskedSince: entry.maskedSince,
    };
  });
}

function selectorBit(hv: Hypervisor, domain: Domain, vcpu: number, port: number): boolean {
  const { bits } = domain;
  const info = hv.vcpuInfo(domain.vcpus[vcpu]!);
  const selector = readBig(info, offsetOf('vcpu_info', bits, 'evtchn_pending_sel'), bits === 64 ? 8 : 4);
  return ((selector >> BigInt(Math.floor(port / bits))) & 1n) !== 0n;
}

function peerText(hv: Hypervisor, domain: Domain, channel: Channel): string {
  switch (channel.kind) {
    case 'virq':
      return hv.virqName(channel.virq);
    case 'unbound':
      return `for domain ${channel.remote}`;
    case 'interdomain':
      if (channel.backEnd) return `the ${channel.backEnd.name} of dom0`;
      return `port ${channel.remotePort} of ${channel.remote === domain.id ? 'its own' : `domain ${channel.remote}`}`;
    case 'pirq':
      return `interrupt ${channel.pirq}`;
    default:
      return 'its own';
  }
}

function storeState(domain: Domain): StoreState | null {
  if (!domain.store) return null;
  const page = domain.store.page();
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  const store = domain.store.xenstore();
  const connection = store.connections.get(domain.id);
  const between = (producer: number, consumer: number): number => (view.getUint32(producer, true) - view.getUint32(consumer, true)) >>> 0;
  return {
    watches: (connection?.watches ?? []).map(({ path, token, fired }) => ({ path, token, fired })),
    missing: [...domain.store.misses].filter(([path]) => store.read(path) === null).map(([path, miss]) => ({ path, ...miss })),
    devices: devicesOf(store, domain.id),
    requestBytes: between(REQ_PROD, REQ_CONS),
    replyBytes: between(RSP_PROD, RSP_CONS),
  };
}

function devicesOf(store: XenStore, domain: number): DeviceState[] {
  const home = `${domainPath(domain)}/device`;
  return (store.list(home) ?? []).flatMap((kind) =>
    (store.list(`${home}/${kind}`) ?? []).flatMap((id) => {
      const frontPath = `${home}/${kind}/${id}`;
      const front = nodesBelow(store, frontPath);
      // Directories that are no devices (device/suspend) have neither.
      if (!('state' in front) && !('backend' in front)) return [];
      const backPath = front.backend ?? null;
      return { kind, id, frontPath, front, backPath, back: backPath !== null && store.list(backPath) ? nodesBelow(store, backPath) : null };
    }),
  );
}

/** The nodes directly below a path, by name. */
function nodesBelow(store: XenStore, path: string): Record<string, string> {
  return Object.fromEntries((store.list(path) ?? []).map((name) => [name, store.read(`${path}/${name}`) ?? '']));
}

function consoleState(domain: Domain): ConsoleState | null {
  if (!domain.console) return null;
  return {
    printed: domain.printed,
    waiting: String.fromCharCode(...domain.console.unsent()),
    refused: domain.refusedText,
  };
}

function startInfoState(hv: Hypervisor, domain: Domain): StartInfoState | null {
  const { image } = domain;
  const mfn = image?.p2m[image.layout.startInfo];
  if (!image || mfn === undefined || !hv.memory.ram.valid(mfn)) return null;
  return {
    address: `0x${image.startInfo.toString(16)}`,
    bits: domain.bits,
    dom0: domain.isDom0,
    bytes: hv.memory.ram.page(mfn).slice(0, Math.min(START_INFO_BYTES, layoutOf('start_info', domain.bits).size)),
  };
}
