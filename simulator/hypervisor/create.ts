// Puts a hypervisor together: machine memory over the engine's RAM, the domains built into it, ports, devices, first vCPU states.

import { asMfn, type Mfn } from '../../abi/address.ts';
import { offsetOf } from '../../abi/layout.ts';
import { buildDomain } from '../builder/build.ts';
import type { LoadPlan } from '../builder/plan.ts';
import type { Engine } from '../cpu/engine-types.ts';
import { ConsoleRing } from '../devices/console.ts';
import { StoreRing } from '../devices/store.ts';
import { InvariantChecker } from '../invariants/checker.ts';
import type { DomainConfig, MachineConfig } from '../machine-types.ts';
import { MachineMemory, type MemoryPlan } from '../memory/allocate.ts';
import { nothingDeferred } from '../memory/deferred.ts';
import { FrameType, OWNER_XEN } from '../memory/frame-table.ts';
import { hex } from '../memory/refuse.ts';
import { dom0MayMap, readOnlyFrame } from '../pc/memory-map.ts';
import type { Trace } from '../trace/trace.ts';
import { addDomain as describeDomain } from '../xenstore/domain-nodes.ts';
import { domainPath } from '../xenstore/paths.ts';
import { XenStore } from '../xenstore/responder.ts';
import { FLAT32 } from './compat/flat.ts';
import { cpuPolicy } from './cpu-policy.ts';
import { unbindInput } from './device-interrupts.ts';
import { Domain, type DomainIdentity } from './domain.ts';
import { unloadFpu } from './emulate-fpu.ts';
import { EventChannels } from './event-channels.ts';
import type { EventHost } from './event-port.ts';
import { GrantTable } from './grant-table.ts';
import { entryDropped } from './grants/implicit-unmap.ts';
import { addPc } from './host-pc.ts';
import { Hypervisor } from './hypervisor.ts';
import { checkNotPresent } from './l1tf.ts';
import { frameOfDeadFreed } from './life.ts';
import { newGuard } from './start-info-guard.ts';
import { DEFAULT_WALLCLOCK, updateTimeInfo, writeWallclock } from './time.ts';
import { RunState, VcpuState } from './vcpu.ts';

/** Pages of Xen's own heap: shared_info and all grant frames, with room. */
export const XEN_PAGES = 80;
/** Pages that a domU may have beyond its memory (xl gives 1 MiB of slack); dom0 has no limit of its own. */
export const SLACK_PAGES = 256;
const DOM0_MAXIMUM = 0xffff_ffff;
/** Highest event channel port: xl's default for a domU (event_channels=1023); dom0 has all that the layout can name. */
const HIGHEST_PORT = 1023;
const DOM0_HIGHEST_PORT = 0x7fff_ffff;
/** So long before its first instruction the domain was made, ns. */
const BEFORE_START = 1_000_000_000;
const VCPU_INFO = 64;
const UPCALL_MASK = offsetOf('vcpu_info', 64, 'evtchn_upcall_mask');
const EXTENDED_CR3 = 3;
const STORE_PORT = 1;
const CONSOLE_PORT = 2;

export interface Created {
  readonly hv: Hypervisor;
  /** The first domain's console ring, where it has one. */
  readonly console: ConsoleRing | null;
  readonly store: XenStore | null;
}

type EngineParts = Pick<Engine, 'ram' | 'vcpus' | 'written' | 'flushFrame' | 'run'>;

/** Every domain of a configuration, the first one first. */
export const domainsOf = (config: MachineConfig): readonly DomainConfig[] => [config, ...(config.domains ?? [])];

/** Puts a machine together. `plans`: the domains' kernels, in the order of domainsOf(config). */
export function createHypervisor(
  config: MachineConfig,
  plans: readonly LoadPlan[],
  memoryPlan: MemoryPlan,
  engine: EngineParts,
  trace: Trace,
): Created {
  let hv: Hypervisor | null = null;
  const buildersDeferred = nothingDeferred();
  const domainOf = (id: number): Domain | null => hv?.domainById(id) ?? null;
  // While the first domains are built the engine has neither TLB entries nor decoded code, and nobody watches.
  let running = false;
  const memory = new MachineMemory(engine.ram.buffer, engine.ram.byteOffset, memoryPlan, xenPages(config), {
    revoke: (mfn) => {
      if (running) engine.flushFrame(memory.ram.index(mfn));
    },
    typeChanged: (mfn, from, to) => {
      if (!running || !hv || !trace.wants('page-type')) return;
      trace.emit('page-type', { domain: hv.domain.id, vcpu: hv.current.id, mfn: hex(mfn), from, to });
    },
    freed: (_mfn, owner) => {
      const domain = domainOf(owner);
      if (!running || !domain) return;
      domain.pages--;
      frameOfDeadFreed(hv!, domain);
    },
    written: (mfn) => {
      if (running) hv!.written(mfn);
    },
    ioRights: (id) => domainOf(id)?.isDom0 ?? false,
    ioMapping: (mfn, id) => {
      if (!domainOf(id)?.isDom0 || !dom0MayMap(mfn, config.cpu === 'amd')) return null;
      return readOnlyFrame(mfn) ? 'read' : 'write';
    },
    notPresent: (level, entry, id) => {
      const domain = domainOf(id);
      return running && domain ? checkNotPresent(hv!, domain, level, entry) : null;
    },
    deferred: () => (running ? hv!.current.deferred : buildersDeferred),
    entryDropped: (table, slot, entry) => {
      if (!running) return;
      hv!.handedOn.dropped(table, slot);
      entryDropped(hv!, table, slot, entry);
    },
  });
  memory.types.preemption.mode = config.preemption ?? 'off';
  const all = domainsOf(config);
  if (all.some(({ dom0 }) => dom0)) memory.frames.ownerElsewhere = OWNER_XEN;
  const ids = domainIds(all);
  const shared = ids.map((id) => memory.allocateShared(id));
  hv = new Hypervisor(config, memory, engine, trace);
  if (ids.includes(0)) hv.pc = addPc(hv);
  hv.freshCpu = engine.vcpus[0]!.save();
  const store = all.some(({ dom0 }) => !dom0) ? newStore(hv) : null;
  hv.store = store;
  for (const [n, one] of all.entries()) {
    const identity = identityOf(hv, one, { id: ids[n]!, bits: plans[n]!.bits, sharedInfo: shared[n]! });
    buildInto(hv, identity, one, plans[n]!);
  }
  running = true;
  const first = hv.domains.get(ids[0]!)!;
  hv.current = first.vcpus[0]!;
  for (const domain of hv.domains.values()) {
    writeWallclock(hv, domain);
    updateTimeInfo(hv, domain.vcpus[0]!);
    if (store && !domain.isDom0) addDevices(hv, domain, store, all[ids.indexOf(domain.id)]!);
  }
  const dom0 = hv.domainById(0);
  if (dom0) hv.startInfoGuard = newGuard(dom0.built.p2m[dom0.built.layout.startInfo]!, dom0.built.startInfo);
  startWith(hv.current);
  if (config.invariants) hv.checker = new InvariantChecker(hv, config.invariants.everyCalls);
  for (const { id } of hv.domains.values()) trace.emit('domain', { domain: id, vcpu: 0, state: 'created', reason: null });
  return { hv, console: first.console, store };
}

/** dom0 is domain 0; the others count from 1. */
function domainIds(all: readonly DomainConfig[]): number[] {
  let next = 1;
  return all.map(({ dom0 }) => (dom0 ? 0 : next++));
}

/** Pages of Xen's own heap in a machine of this configuration. */
export const xenPages = (config: MachineConfig): number => XEN_PAGES * (domainsOf(config).length + (config.spare ? config.spare.vcpus : 0));

function identityOf(
  hv: Hypervisor,
  { dom0, tsc, name, memoryMib }: DomainConfig,
  { id, bits, sharedInfo }: Pick<DomainIdentity, 'id' | 'bits' | 'sharedInfo'>,
): DomainIdentity {
  return {
    ...{ id, bits, tsc, sharedInfo, isDom0: dom0, startedAt: 0 },
    name: name ?? (dom0 ? 'Domain-0' : id === 1 ? 'guest' : `guest${id}`),
    policy: cpuPolicy(hv.config.cpu, dom0, tsc, hv.memory.hostFrames, bits),
    maxPages: dom0 ? DOM0_MAXIMUM : memoryMib * 256 + SLACK_PAGES,
  };
}

/** Makes a domain and builds a kernel into it. */
function buildInto(hv: Hypervisor, identity: DomainIdentity, config: DomainConfig, plan: LoadPlan): void {
  const { memory } = hv;
  const domain = addDomain(hv, identity);
  domain.pages = config.memoryMib * 256;
  domain.weight = config.weight ?? domain.weight;
  domain.cap = config.cap ?? 0;
  domain.image = buildDomain(memory, {
    plan,
    domain: domain.id,
    dom0: config.dom0,
    pages: domain.pages,
    cmdline: config.cmdline,
    ramdisk: config.ramdisk,
    sharedInfo: domain.sharedInfo,
    storePort: STORE_PORT,
    consolePort: CONSOLE_PORT,
  });
  domain.grants = newGrantTable(hv, domain);
  if (plan.extendedCr3) domain.assists |= 1n << BigInt(EXTENDED_CR3);
  if (!config.dom0) domain.memoryMap = oneRun(BigInt(config.memoryMib) << 20n);
  for (let n = 0; n < config.vcpus; n++) addVcpu(hv, domain, domain.image.root);
  startFirst(domain);
}

/** A domain without memory and vCPUs, in the table. */
export function addDomain(hv: Hypervisor, identity: DomainIdentity): Domain {
  const domain = new Domain(identity);
  domain.events = eventChannels(hv, domain);
  hv.domains.set(domain.id, domain);
  const shared = hv.memory.ram.page(domain.sharedInfo);
  for (let n = 0; n < 32; n++) shared[n * VCPU_INFO + UPCALL_MASK] = 1;
  return domain;
}

export const newGrantTable = (hv: Hypervisor, { id }: Domain): GrantTable =>
  new GrantTable({
    allocate: () => hv.memory.allocateShared(id),
    free: (mfn) => hv.memory.freeShared(mfn),
    page: (mfn) => hv.memory.ram.page(mfn),
    written: (mfn) => hv.written(mfn),
  });

/** The memory map that the toolstack gives a domU: RAM from 0 on. */
function oneRun(bytes: bigint): Uint8Array {
  const entry = new Uint8Array(20);
  const view = new DataView(entry.buffer);
  view.setBigUint64(8, bytes, true);
  view.setUint32(16, 1, true);
  return entry;
}

function eventChannels(hv: Hypervisor, domain: Domain): EventChannels {
  let shared: Uint8Array | null = null;
  const host: EventHost = {
    domain: domain.id,
    bits: domain.bits,
    peer: (id) => hv.domainById(id)?.events ?? null,
    shared: () => {
      shared ??= hv.memory.ram.page(domain.sharedInfo);
      return shared;
    },
    info: (vcpu) => hv.vcpuInfo(domain.vcpus[vcpu]!),
    touched: () => {
      hv.written(domain.sharedInfo);
      for (const vcpu of domain.vcpus) if (vcpu.info.mfn !== domain.sharedInfo) hv.written(vcpu.info.mfn);
    },
    page: (mfn) => hv.memory.ram.page(asMfn(mfn)),
    wrotePage: (mfn) => hv.written(asMfn(mfn)),
    icount: () => hv.icount,
    log: (vcpu, text) => hv.log(`d${domain.id}v${vcpu} ${text}`, domain.vcpus[vcpu]),
    kick: (id) => {
      const vcpu = domain.vcpus[id]!;
      vcpu.entered = true;
      hv.wake(vcpu);
    },
    pirqClosed: (pirq) => unbindInput(hv, domain, pirq),
    pollers: (port) => {
      for (const vcpu of domain.vcpus) {
        // Xen remembers one port: who polls several, or none, is woken by any event and looks again.
        if (vcpu.wait?.kind === 'poll' && (vcpu.wait.ports.length !== 1 || vcpu.wait.ports[0] === port)) hv.wake(vcpu);
      }
    },
    trace: (action, port, { virq, peer }) => {
      if (!hv.trace.wants('event')) return;
      hv.trace.emit('event', {
        domain: domain.id,
        vcpu: hv.domain === domain ? hv.current.id : 0,
        action,
        port,
        ...(virq === undefined ? {} : { virq: hv.virqName(virq) }),
        ...(peer === undefined ? {} : { peer }),
      });
    },
  };
  return new EventChannels(host, domain.isDom0 ? DOM0_HIGHEST_PORT : HIGHEST_PORT);
}

/** A vCPU that waits for its context, on a free one of the engine. Null when the engine has none left. */
export function addVcpu(hv: Hypervisor, domain: Domain, root: Mfn): VcpuState | null {
  const cpu = hv.engine.vcpus.find(({ id }) => hv.vcpus[id] === undefined);
  if (!cpu) return null;
  // A domain that is gone may have had it.
  if (cpu.id in hv.vcpus && hv.freshCpu) cpu.restore(hv.freshCpu);
  const n = domain.vcpus.length;
  const vcpu = new VcpuState(domain, n, cpu, root, { mfn: domain.sharedInfo, offset: n * VCPU_INFO });
  cpu.trapTsc = domain.tsc === 'emulate';
  cpu.alignmentMask = true;
  vcpu.runStateSince = hv.now() - BEFORE_START;
  vcpu.eagerFpu = hv.config.cpu === 'intel';
  unloadFpu(vcpu);
  vcpu.resetSegments();
  vcpu.applyMode();
  domain.vcpus.push(vcpu);
  hv.vcpus[cpu.id] = vcpu;
  return vcpu;
}

/** vCPU 0 starts at the kernel's entry, the others wait for vcpu_op. */
function startFirst({ built, vcpus }: Domain): void {
  const first = vcpus[0]!;
  first.cpu.rip = built.entry;
  first.cpu.set('rsp', built.stack);
  first.cpu.set('rsi', built.startInfo);
  first.cpu.rflags = 0x202;
  first.kernelSp = built.stack;
  first.kernelSs = built.bits === 64 ? 0xe02b : FLAT32.kernelDs;
  first.initialised = true;
  first.up = true;
  first.runState = RunState.runnable;
  first.runStateSince = 0;
  first.runStateTime[RunState.offline] = BEFORE_START;
}

/** The machine starts in this vCPU. */
function startWith(vcpu: VcpuState): void {
  vcpu.runState = RunState.running;
}

/** Requests that look for a node. */
const LOOKS: ReadonlySet<string> = new Set(['READ', 'DIRECTORY', 'GET_PERMS', 'DIRECTORY_PART']);

function newStore(hv: Hypervisor): XenStore {
  const store = new XenStore();
  store.trace = (record) => {
    if (record.error === 'ENOENT' && LOOKS.has(record.operation)) hv.domainById(record.domain)?.store?.missed(record.path);
    hv.trace.emit('xenstore', { ...record, vcpu: hv.domain.id === record.domain ? hv.current.id : 0 });
  };
  return store;
}

/** A domU's rings with their ports, grants and XenStore nodes. dom0 has none. */
function addDevices(hv: Hypervisor, domain: Domain, store: XenStore, config: DomainConfig): void {
  const { built, events, grants, id } = domain;
  if (built.store === null || built.console === null) return;
  // The back ends have the rings mapped: the frames stay writable memory whatever the guest does with its own mappings.
  for (const mfn of [built.store, built.console]) {
    if (hv.memory.types.getPageAndType(mfn, FrameType.writable, id)) throw new Error('a ring page is in use as something else');
  }
  const storeRing = new StoreRing(hv, domain, store, built.store);
  const console = new ConsoleRing(hv, domain, built.console);
  domain.store = storeRing;
  domain.console = console;
  // xenstored and xenconsoled have two ports of domain 0 for each domain.
  const remotePort = 2 * (id - 1);
  events.allocate({ kind: 'interdomain', remote: 0, remotePort: remotePort + 1, backEnd: storeRing });
  events.allocate({ kind: 'interdomain', remote: 0, remotePort: remotePort + 2, backEnd: console });
  grants.permit(0, 0, asMfn(built.console));
  grants.permit(1, 0, asMfn(built.store));
  grants.mappedByBackEnd(0, 0, asMfn(built.console));
  grants.mappedByBackEnd(1, 0, asMfn(built.store));
  describeDomain(store, {
    domain: id,
    name: domain.name,
    uuid: `00000000-0000-4000-8000-${id.toString(16).padStart(12, '0')}`,
    kernel: '/guest/kernel',
    cmdline: config.cmdline,
    memoryKib: config.memoryMib * 1024,
    vcpus: config.vcpus,
    storePort: STORE_PORT,
    storeMfn: built.store,
    consolePort: CONSOLE_PORT,
    consoleMfn: built.console,
    startTime: hv.config.wallclockSeconds ?? DEFAULT_WALLCLOCK,
    tty: `/dev/pts/${id - 1}`,
  });
  for (const [path, value] of Object.entries(config.store ?? {})) writeNode(store, id, path, value);
}

/** What the toolstack would have written besides: nodes of the domain's own below its directory, readable ones elsewhere. */
function writeNode(store: XenStore, id: number, path: string, value: string): void {
  const owner = (domain: number) => ({ domain, read: false, write: false });
  const own = [owner(id), { domain: 0, read: true, write: false }];
  const toolstack = [owner(0), { domain: id, read: true, write: false }];
  if (path.startsWith('/')) {
    store.write(path, value, toolstack);
    return;
  }
  // The directory of a device is the domain's: its front end makes nodes in it.
  const device = /^device\/[^/]+\/[^/]+(?=\/)/.exec(path)?.[0];
  const home = domainPath(id);
  if (device && store.list(`${home}/${device}`) === null) store.write(`${home}/${device}`, '', own);
  store.write(`${home}/${path}`, value, own);
}
