// Puts a hypervisor together: machine memory over the engine's RAM, the domain built into it, ports, devices, first vCPU state.

import { asMfn } from '../../abi/address.ts';
import { offsetOf } from '../../abi/layout.ts';
import { buildDomain } from '../builder/build.ts';
import type { LoadPlan } from '../builder/plan.ts';
import type { Engine } from '../cpu/engine-types.ts';
import { ConsoleRing } from '../devices/console.ts';
import { StoreRing } from '../devices/store.ts';
import { InvariantChecker } from '../invariants/checker.ts';
import type { MachineConfig } from '../machine-types.ts';
import { MachineMemory, type MemoryPlan } from '../memory/allocate.ts';
import { nothingDeferred } from '../memory/deferred.ts';
import { FrameType, OWNER_XEN } from '../memory/frame-table.ts';
import { hex } from '../memory/refuse.ts';
import type { Trace } from '../trace/trace.ts';
import { addDomain } from '../xenstore/domain-nodes.ts';
import { XenStore } from '../xenstore/responder.ts';
import { FLAT32 } from './compat/flat.ts';
import type { CpuPolicy } from './cpu-policy.ts';
import { Domain } from './domain.ts';
import { unloadFpu } from './emulate-fpu.ts';
import { EventChannels } from './event-channels.ts';
import type { EventHost } from './event-port.ts';
import { GrantTable } from './grant-table.ts';
import { Hypervisor } from './hypervisor.ts';
import { checkNotPresent } from './l1tf.ts';
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
  readonly console: ConsoleRing | null;
  readonly store: XenStore | null;
}

type EngineParts = Pick<Engine, 'ram' | 'vcpus' | 'written' | 'flushFrame' | 'run'>;

export function createHypervisor(
  config: MachineConfig,
  plan: LoadPlan,
  memoryPlan: MemoryPlan,
  engine: EngineParts,
  trace: Trace,
  policy: CpuPolicy,
): Created {
  const id = config.dom0 ? 0 : 1;
  let hv: Hypervisor | null = null;
  const buildersDeferred = nothingDeferred();
  const memory = new MachineMemory(engine.ram.buffer, engine.ram.byteOffset, memoryPlan, XEN_PAGES, {
    // While the domain is built the engine has neither TLB entries nor decoded code.
    revoke: (mfn) => {
      if (hv) engine.flushFrame(memory.ram.index(mfn));
    },
    typeChanged: (mfn, from, to) => {
      if (hv && trace.wants('page-type')) trace.emit('page-type', { domain: id, vcpu: hv.current.id, mfn: hex(mfn), from, to });
    },
    freed: (_mfn, owner) => {
      if (hv && owner === id) hv.domain.pages--;
    },
    written: (mfn) => {
      hv?.checker?.touch(mfn);
      if (hv) engine.written(memory.ram.index(mfn) * 4096, 4096);
    },
    ioRights: () => config.dom0,
    notPresent: (level, entry) => (hv ? checkNotPresent(hv, level, entry) : null),
    deferred: () => (hv ? hv.current.deferred : buildersDeferred),
  });
  memory.types.preemption.mode = config.preemption ?? 'off';
  if (config.dom0) memory.frames.ownerElsewhere = OWNER_XEN;
  const pages = config.memoryMib * 256;
  const sharedInfo = memory.allocateShared(id);
  const built = buildDomain(memory, {
    plan,
    domain: id,
    dom0: config.dom0,
    pages,
    cmdline: config.cmdline,
    ramdisk: config.ramdisk,
    sharedInfo,
    storePort: STORE_PORT,
    consolePort: CONSOLE_PORT,
  });
  const created = new Hypervisor(config, memory, engine, trace, policy);
  const events = eventChannels(created);
  const grants = new GrantTable(
    () => memory.allocateShared(id),
    (mfn) => memory.ram.page(mfn),
  );
  created.domain = new Domain(id, config.dom0, sharedInfo, built, pages, config.dom0 ? DOM0_MAXIMUM : pages + SLACK_PAGES, events, grants);
  if (plan.extendedCr3) created.domain.assists |= 1n << BigInt(EXTENDED_CR3);
  if (!config.dom0) created.domain.memoryMap = oneRun(BigInt(config.memoryMib) << 20n);
  addVcpus(created, engine);
  hv = created;
  writeWallclock(created, created.domain);
  updateTimeInfo(created, created.current);
  const devices = addDevices(created);
  if (config.invariants) created.checker = new InvariantChecker(created, config.invariants.everyCalls);
  trace.emit('domain', { domain: id, vcpu: 0, state: 'created', reason: null });
  return { hv: created, ...devices };
}

/** The memory map that the toolstack gives a domU: RAM from 0 on. */
function oneRun(bytes: bigint): Uint8Array {
  const entry = new Uint8Array(20);
  const view = new DataView(entry.buffer);
  view.setBigUint64(8, bytes, true);
  view.setUint32(16, 1, true);
  return entry;
}

function eventChannels(hv: Hypervisor): EventChannels {
  let shared: Uint8Array | null = null;
  const host: EventHost = {
    bits: hv.memory.bits,
    shared: () => {
      shared ??= hv.memory.ram.page(hv.domain.sharedInfo);
      return shared;
    },
    info: (vcpu) => hv.vcpuInfo(hv.domain.vcpus[vcpu]!),
    touched: () => {
      hv.written(hv.domain.sharedInfo);
      for (const vcpu of hv.domain.vcpus) if (vcpu.info.mfn !== hv.domain.sharedInfo) hv.written(vcpu.info.mfn);
    },
    page: (mfn) => hv.memory.ram.page(asMfn(mfn)),
    wrotePage: (mfn) => hv.written(asMfn(mfn)),
    icount: () => hv.icount,
    log: (vcpu, text) => hv.log(`d${hv.domain.id}v${vcpu} ${text}`),
    kick: (id) => {
      const vcpu = hv.domain.vcpus[id]!;
      vcpu.entered = true;
      hv.wake(vcpu);
    },
    pollers: (port) => {
      for (const vcpu of hv.domain.vcpus) {
        // Xen remembers one port: who polls several, or none, is woken by any event and looks again.
        if (vcpu.wait?.kind === 'poll' && (vcpu.wait.ports.length !== 1 || vcpu.wait.ports[0] === port)) hv.wake(vcpu);
      }
    },
    trace: (action, port, { virq, peer }) => {
      if (!hv.trace.wants('event')) return;
      hv.trace.emit('event', {
        domain: hv.domain.id,
        vcpu: hv.current.id,
        action,
        port,
        ...(virq === undefined ? {} : { virq: hv.virqName(virq) }),
        ...(peer === undefined ? {} : { peer }),
      });
    },
  };
  return new EventChannels(host, hv.config.dom0 ? DOM0_HIGHEST_PORT : HIGHEST_PORT);
}

/** vCPU 0 starts at the kernel's entry, the others wait for vcpu_op. */
function addVcpus(hv: Hypervisor, engine: EngineParts): void {
  const { built, sharedInfo, vcpus } = hv.domain;
  const shared = hv.memory.ram.page(sharedInfo);
  for (let n = 0; n < 32; n++) shared[n * VCPU_INFO + UPCALL_MASK] = 1;
  engine.vcpus.forEach((cpu, n) => {
    const vcpu = new VcpuState(n, cpu, built.root, { mfn: sharedInfo, offset: n * VCPU_INFO }, built.bits);
    cpu.trapTsc = hv.config.tsc === 'emulate';
    cpu.alignmentMask = true;
    vcpu.runStateSince = -BEFORE_START;
    vcpu.eagerFpu = hv.config.cpu === 'intel';
    unloadFpu(vcpu);
    vcpu.resetSegments();
    vcpu.applyMode();
    vcpus.push(vcpu);
  });
  const first = vcpus[0]!;
  first.cpu.rip = built.entry;
  first.cpu.set('rsp', built.stack);
  first.cpu.set('rsi', built.startInfo);
  first.cpu.rflags = 0x202;
  first.kernelSp = built.stack;
  first.kernelSs = built.bits === 64 ? 0xe02b : FLAT32.kernelDs;
  first.initialised = true;
  first.up = true;
  first.runState = RunState.running;
  first.runStateSince = 0;
  first.runStateTime[RunState.offline] = BEFORE_START;
  hv.current = first;
}

/** A domU's rings with their ports, grants and XenStore nodes. dom0 has none. */
function addDevices(hv: Hypervisor): { console: ConsoleRing | null; store: XenStore | null } {
  const { built, events, grants, id } = hv.domain;
  if (built.store === null || built.console === null) return { console: null, store: null };
  // The back ends have the rings mapped: the frames stay writable memory whatever the guest does with its own mappings.
  for (const mfn of [built.store, built.console]) {
    if (hv.memory.types.getPageAndType(mfn, FrameType.writable, id)) throw new Error('a ring page is in use as something else');
  }
  const store = new XenStore();
  const storeRing = new StoreRing(hv, store, built.store);
  const console = new ConsoleRing(hv, built.console);
  events.allocate({ kind: 'interdomain', remote: 0, remotePort: 1, backEnd: storeRing });
  events.allocate({ kind: 'interdomain', remote: 0, remotePort: 2, backEnd: console });
  grants.permit(0, 0, asMfn(built.console));
  grants.permit(1, 0, asMfn(built.store));
  addDomain(store, {
    domain: id,
    name: 'guest',
    uuid: '00000000-0000-4000-8000-000000000001',
    kernel: '/guest/kernel',
    cmdline: hv.config.cmdline,
    memoryKib: hv.config.memoryMib * 1024,
    vcpus: hv.config.vcpus,
    storePort: STORE_PORT,
    storeMfn: built.store,
    consolePort: CONSOLE_PORT,
    consoleMfn: built.console,
    startTime: hv.config.wallclockSeconds ?? DEFAULT_WALLCLOCK,
    tty: '/dev/pts/0',
  });
  return { console, store };
}
