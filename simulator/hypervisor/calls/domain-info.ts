// What the toolstack learns of domains and of the machine, and the steps of a domain's life that it asks for: the commands of sysctl and domctl
// that xl begins with. Their layouts are those of Xen 4.17 (interface versions 0x15): a toolstack of another release is refused before.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/machine*; common/domctl.c, common/sysctl.c.

import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no } from '../call.ts';
import type { Domain } from '../domain.ts';
import { destroyDomain, pauseDomain, resumeDomain, unpauseDomain } from '../life.ts';
import { runStateInfo, systemTime } from '../time.ts';
import { RunState } from '../vcpu.ts';

/** Arguments begin here, behind command, version, and of domctl the domain. */
const SYSCTL_ARGUMENTS = 8;
const DOMCTL_ARGUMENTS = 16;
const DOMAIN_AT = 8;
const INFO_BYTES = 112;
const FIRST_RESERVED = 0x7ff0;
const NO_VCPU = 0xffff_ffff;
const NO_SHUTDOWN_CODE = 0xffff;
const FLAG = { dying: 1, shutdown: 4, paused: 8, blocked: 0x10, running: 0x20 } as const;
const SHUTDOWN_CODE = { poweroff: 0, reboot: 1, suspend: 2, crash: 3, watchdog: 4, 'soft-reset': 5 } as const;
/** Of a dom0: its interval timer is Xen's. */
const EMULATES_PIT = 0x100;
const ADDRESS_BITS = 40;
/** Credit2. */
const SCHEDULER = 6;
const CPU_KHZ = 1_000_000;
const LAST_NODE = 63;
/** HVM, PV, shadow page tables, and both versions of grant tables; the modelled Intel processor has no virtualization. */
const CAPABILITIES = { amd: 0x313, intel: 0x312 } as const;

/** Words of cpuid as Xen counts capabilities: leaf 1, and of the extended leaf what leaf 1 does not have. AMD's sysenter is off in long mode. */
const SHARED_WITH_LEAF_1 = 0x0183_f3ff;
const SEP = 0x800;
export function capabilityWords(call: Call): number[] {
  const { policy } = call.domain;
  const one = policy.native(1, 0);
  const extended = policy.native(0x8000_0001, 0);
  const edx = call.hv.config.cpu === 'amd' ? one.edx & ~SEP : one.edx;
  return [edx, one.ecx, extended.edx & ~SHARED_WITH_LEAF_1, extended.ecx];
}

type Command = (call: Call, view: DataView, bytes: Uint8Array, what: string) => HandlerResult;

const back = (call: Call, bytes: Uint8Array, structure: string): HandlerResult =>
  call.write(call.args[0]!, bytes) ? 0 : call.fault(structure);

/** xen_domctl_getdomaininfo of a domain. */
function infoOf(call: Call, domain: Domain): Uint8Array {
  const bytes = new Uint8Array(INFO_BYTES);
  const view = new DataView(bytes.buffer);
  const online = domain.vcpus.filter((vcpu) => vcpu.up);
  let flags: number = online.length ? FLAG.blocked : 0;
  if (online.some((vcpu) => !vcpu.wait)) flags &= ~FLAG.blocked;
  if (online.some((vcpu) => vcpu.runState === RunState.running)) flags |= FLAG.running;
  if (domain.dying === 'dead') flags |= FLAG.dying;
  if (domain.ending) flags |= FLAG.shutdown;
  if (domain.paused > 0) flags |= FLAG.paused;
  const code = domain.shutdownCode ?? (domain.ending ? SHUTDOWN_CODE[domain.ending.kind] : NO_SHUTDOWN_CODE);
  const running = domain.vcpus.reduce((sum, vcpu) => sum + runStateInfo(call.hv, vcpu, true).big('time[0]'), 0n);
  view.setUint16(0, domain.id, true);
  view.setUint32(4, (flags | (code << 16)) >>> 0, true);
  view.setBigUint64(8, BigInt(domain.pages), true);
  view.setBigUint64(16, BigInt(domain.maxPages), true);
  view.setBigUint64(48, BigInt(domain.sharedInfo), true);
  view.setBigUint64(56, running, true);
  view.setUint32(64, online.length, true);
  view.setUint32(68, domain.vcpus.length ? domain.vcpus.length - 1 : NO_VCPU, true);
  view.setUint8(96, ADDRESS_BITS);
  view.setUint32(104, domain.isDom0 ? EMULATES_PIT : 0, true);
  return bytes;
}

const physicalInfo: Command = (call, view, bytes) => {
  const { memory } = call.hv;
  const at = SYSCTL_ARGUMENTS;
  bytes.fill(0, at, at + 112);
  [1, 1, 1, 0, 1, LAST_NODE, CPU_KHZ, CAPABILITIES[call.hv.config.cpu]].forEach((word, n) => {
    view.setUint32(at + 4 * n, word, true);
  });
  view.setBigUint64(at + 40, BigInt(memory.hostFrames), true);
  view.setBigUint64(at + 48, BigInt(memory.freeFrames), true);
  view.setBigUint64(at + 72, BigInt(memory.hostFrames - 1), true);
  for (const [n, word] of capabilityWords(call).entries()) view.setInt32(at + 80 + 4 * n, word, true);
  return back(call, bytes, 'xen_sysctl');
};

const domainList: Command = (call, view, bytes) => {
  const at = SYSCTL_ARGUMENTS;
  const [first, most] = [view.getUint16(at, true), view.getUint32(at + 4, true)];
  const buffer = view.getBigUint64(at + 8, true);
  let count = 0;
  const domains = [...call.hv.domains.values()].sort((a, b) => a.id - b.id);
  for (const domain of domains) {
    if (domain.id < first) continue;
    if (count === most) break;
    if (!call.write(buffer + BigInt(count * INFO_BYTES), infoOf(call, domain))) return call.fault('getdomaininfo');
    count++;
  }
  view.setUint32(at + 16, count, true);
  return back(call, bytes, 'xen_sysctl');
};

const schedulerId: Command = (call, view, bytes) => {
  view.setUint32(SYSCTL_ARGUMENTS, SCHEDULER, true);
  return back(call, bytes, 'xen_sysctl');
};

/** For how long the processor had nothing to do: what no domain's vCPU used of the time. */
const processorTimes: Command = (call, view, bytes) => {
  const at = SYSCTL_ARGUMENTS;
  const count = Math.min(1, view.getUint32(at, true));
  const used = [...call.hv.domains.values()].flatMap(({ vcpus }) => vcpus);
  const busy = used.reduce((sum, vcpu) => sum + runStateInfo(call.hv, vcpu, true).big('time[0]'), 0n);
  const idle = new Uint8Array(8);
  new DataView(idle.buffer).setBigUint64(0, BigInt(systemTime(call.hv)) - busy, true);
  if (count && !call.write(view.getBigUint64(at + 8, true), idle)) return call.fault('info');
  view.setUint32(at + 16, count, true);
  return back(call, bytes, 'xen_sysctl');
};

const sysctls: Readonly<Record<number, Command>> = { 3: physicalInfo, 4: schedulerId, 6: domainList, 8: processorTimes };

/** A command of sysctl; null: the simulator does not know it. */
export function sysctl(call: Call, command: number, bytes: Uint8Array, what: string): HandlerResult | null {
  const copy = bytes.slice();
  return sysctls[command]?.(call, new DataView(copy.buffer), copy, what) ?? null;
}

type OfDomain = (call: Call, domain: Domain, view: DataView, bytes: Uint8Array, what: string) => HandlerResult;

const itself = (what: string, domain: Domain): Answer => no(refuse('EINVAL', 'own-domain-meant', { what, domain: domain.id }));
/** Of another domain than the caller. */
const ofOthers =
  (act: OfDomain): OfDomain =>
  (call, domain, view, bytes, what) =>
    domain === call.domain ? itself(what, domain) : act(call, domain, view, bytes, what);

const domctls: Readonly<Record<number, OfDomain>> = {
  2: ofOthers((call, domain) => answered(destroyDomain(call.hv, domain))),
  3: ofOthers((call, domain) => answered(pauseDomain(call.hv, domain))),
  4: (call, domain) => answered(unpauseDomain(call.hv, domain)),
  11: (_call, domain, view) => {
    const pages = view.getBigUint64(DOMCTL_ARGUMENTS, true) >> 2n;
    domain.maxPages = pages > 0xffff_ffffn ? 0xffff_ffff : Number(pages);
    return 0;
  },
  15: ofOthers((_call, domain, view, _bytes, what) =>
    view.getUint32(DOMCTL_ARGUMENTS, true) === domain.vcpus.length ? 0 : no(refuse('EINVAL', 'field-value', { what, field: 'max' })),
  ),
  27: ofOthers((call, domain) => {
    resumeDomain(call.hv, domain);
    return 0;
  }),
  36: (call, domain, view, bytes) => {
    view.setUint32(DOMCTL_ARGUMENTS, domain.bits, true);
    return back(call, bytes, 'xen_domctl');
  },
};

const answered = (refusal: ReturnType<typeof pauseDomain>): HandlerResult => (refusal ? no(refusal) : 0);

const GET_INFO = 5;

/** A command of domctl whose domain exists; null: the simulator does not know it. */
export function domctl(call: Call, command: number, bytes: Uint8Array, what: string): HandlerResult | null {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const id = view.getUint16(DOMAIN_AT, true);
  if (command === GET_INFO) return domainInfo(call, id, view, copy, what);
  const act: OfDomain | undefined = domctls[command];
  const domain = call.hv.domainById(id);
  return act !== undefined && domain ? act(call, domain, view, copy, what) : null;
}

/** The domain, or the next higher one that exists: so lists are made. */
function domainInfo(call: Call, id: number, view: DataView, bytes: Uint8Array, what: string): HandlerResult {
  const domain = [...call.hv.domains.values()].filter((one) => one.id >= id).sort((a, b) => a.id - b.id)[0];
  if (!call.hv.domainById(id) && id >= FIRST_RESERVED) return no(refuse('EINVAL', 'no-such-domain', { what, domain: id }));
  if (!domain) return no(refuse('ESRCH', 'no-such-domain', { what, domain: id }));
  bytes.set(infoOf(call, domain), DOMCTL_ARGUMENTS);
  view.setUint16(DOMAIN_AT, domain.id, true);
  return back(call, bytes, 'xen_domctl');
}
