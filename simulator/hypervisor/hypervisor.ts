// The hypervisor's state and the services that hypercalls, faults and devices share: memory, the domain, time, trace, the engine.

import type { Mfn } from '../../abi/address.ts';
import { nameOf } from '../../abi/enumerations.ts';
import { offsetOf, writeBig } from '../../abi/layout.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { xenLine, xenLinesOf } from '../../abi/xen-messages.table.ts';
import type { Engine } from '../cpu/engine-types.ts';
import type { InvariantChecker } from '../invariants/checker.ts';
import type { Ending, MachineConfig } from '../machine-types.ts';
import type { MachineMemory } from '../memory/allocate.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import type { Pc } from '../pc/pc.ts';
import type { Trace } from '../trace/trace.ts';
import type { XenStore } from '../xenstore/responder.ts';
import type { Domain } from './domain.ts';
import { GrantedEntries } from './grants/granted-entries.ts';
import { GrantingStores } from './grants/granting.ts';
import { HandedOn } from './handed-on.ts';
import type { StartInfoGuard } from './start-info-guard.ts';
import { watchdogTimer } from './time.ts';
import { Timers } from './timers.ts';
import { RunState, type RunStateValue, type VcpuState } from './vcpu.ts';

/** The parts of the engine that the hypervisor itself touches. */
export type CpuEngine = Pick<Engine, 'written' | 'vcpus' | 'run'>;

const VIRQ_DOM_EXC = 3;

export class Hypervisor {
  readonly config: MachineConfig;
  readonly memory: MachineMemory;
  readonly guest: GuestMemory;
  readonly trace: Trace;
  readonly engine: CpuEngine;
  readonly timers = new Timers();
  /** Every domain, by its id. */
  readonly domains = new Map<number, Domain>();
  /** State of a vCPU of the engine before its first use. */
  freshCpu: Uint8Array | null = null;
  /** The vCPUs by the engine's number of them. */
  readonly vcpus: (VcpuState | undefined)[] = [];
  /** Instructions executed, and ns that the blocked machine jumped over: their sum is guest time. */
  icount = 0;
  jumped = 0;
  /** The vCPU in whose name the hypervisor works. */
  current!: VcpuState;
  /** What the domains print: the console devices' output, and dom0's. */
  consoleOut: (domain: Domain, bytes: Uint8Array) => void = () => {};
  /** Bytes for console_io.read. */
  readonly consoleIn: number[] = [];
  /** The wall clock at system time 0, ns since 1970, once dom0 has set it. */
  wallclock: bigint | null = null;
  /** dom0's start_info page while its accesses are watched. */
  startInfoGuard: StartInfoGuard | null = null;
  /** The access to a device that is being carried out. */
  deviceStore: { readonly vcpu: VcpuState; readonly at: bigint } | null = null;
  /** The PC around the processor, where there is a dom0 to find it. */
  pc: Pc | null = null;
  /** Address of the LDT descriptor whose page could not be used in the segment load that just failed. */
  ldtFault: bigint | null = null;
  /** A frame of Xen for instructions that run on a copy, and the page that it stands in for while one does. */
  readonly scratch: Mfn;
  storeWindow: { readonly page: bigint; readonly frame: Mfn } | null = null;
  /** A vCPU became runnable: the scheduler looks whether it goes first. */
  preempt = false;
  /** Counts what a guest does beyond waiting for its timers: output, requests to back ends, other hypercalls. */
  progress = 0;
  /** Why the last store into a level 1 table was not carried out for the guest. */
  storeRefused: { readonly why: string; readonly refusal?: Refusal } | null = null;
  /** Where the guests gave their grants. */
  readonly granting = new GrantingStores();
  /** Level 1 entries that map grants. */
  readonly grantEntries = new GrantedEntries();
  /** Checks the machine against itself after each call, where the machine was made so. */
  checker: InvariantChecker | null = null;
  /** The simulator's XenStore, where it serves any domain. */
  store: XenStore | null = null;
  /** Entries of other domains' tables that dom0 wrote, naming frames that are not theirs. */
  readonly handedOn: HandedOn;
  /** Domains that have ended since the run loop looked last. */
  readonly ended: Domain[] = [];
  /** A vCPU gave up the processor: back ends run. */
  onYield: () => void = () => {};

  constructor(config: MachineConfig, memory: MachineMemory, engine: CpuEngine, trace: Trace) {
    this.config = config;
    this.memory = memory;
    this.engine = engine;
    this.trace = trace;
    this.scratch = memory.allocateOwn();
    this.handedOn = new HandedOn(memory);
    this.guest = new GuestMemory(memory.ram, memory.walker, (mfn) => this.written(mfn));
  }

  /** The domain in whose name the hypervisor works. */
  get domain(): Domain {
    return this.current.domain;
  }

  domainById(id: number): Domain | null {
    return this.domains.get(id) ?? null;
  }

  /** Guest time in ns since the machine started. */
  now(): number {
    return this.icount + this.jumped;
  }

  /** RAM of a frame was written by other than the guest. */
  written(mfn: Mfn): void {
    this.checker?.touch(mfn);
    this.engine.written(this.memory.ram.pageIndex(mfn) * 4096, 4096);
  }

  /** Guest memory without side effects or rights (for showing it); null when any byte is unmapped. */
  peek(root: Mfn, address: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.peekInto(root, address, bytes) === length ? bytes : null;
  }

  /** As peek, up to the first unmapped byte: how many were read. */
  peekInto(root: Mfn, address: bigint, into: Uint8Array): number {
    const { ram, walker } = this.memory;
    for (let done = 0; done < into.length; ) {
      const machine = walker.peek(root, BigInt.asUintN(64, address + BigInt(done)));
      if (machine < 0) return done;
      const within = machine % 4096;
      const offset = ram.pageIndex((machine - within) / 4096) * 4096 + within;
      const part = Math.min(4096 - within, into.length - done);
      into.set(ram.bytes.subarray(offset, offset + part), done);
      done += part;
    }
    return into.length;
  }

  /** Bytes of a vCPU's vcpu_info, live. */
  vcpuInfo(vcpu: VcpuState): Uint8Array {
    const { info } = vcpu;
    info.bytes ??= this.memory.ram.page(info.mfn).subarray(info.offset, info.offset + 64);
    return info.bytes;
  }

  setCr2(vcpu: VcpuState, value: bigint): void {
    vcpu.cr2 = value;
    const info = this.vcpuInfo(vcpu);
    writeBig(info, offsetOf('vcpu_info', vcpu.bits, 'arch.cr2'), vcpu.bits / 8, value);
    this.written(vcpu.info.mfn);
  }

  /** CR3 as the guest reads it: machine address of its kernel's top table. */
  cr3(vcpu: VcpuState): bigint {
    if (vcpu.bits === 64) return BigInt(vcpu.root) << 12n;
    // PAE with tables above 4 GiB: the frame number's high bits lie in the low bits of the register.
    return BigInt.asUintN(32, (BigInt(vcpu.root) << 12n) | (BigInt(vcpu.root) >> 20n));
  }

  /** Ends the vCPU's domain with a reason in words. */
  crash(vcpu: VcpuState, reason: string, refusal?: Refusal): void {
    const { domain } = vcpu;
    // One that asked for it was told about when it did.
    if (domain.isDom0 && !domain.ending && domain.shutdownCode === null)
      this.log(`Hardware Dom${domain.id} crashed: rebooting machine in 5 seconds.`, vcpu);
    this.end(vcpu.domain, { kind: 'crash', reason, vcpu: vcpu.id, ...(refusal ? { refusal } : {}) });
  }

  /** The lines that a debug build of Xen logs for a refusal: they name the vCPU for which it worked. */
  logRefusal(refusal: Refusal, vcpu: VcpuState = this.current): void {
    for (const line of xenLinesOf(refusal, `d${vcpu.domain.id}v${vcpu.id}`)) this.log(line, vcpu);
  }

  /** A line of Xen's table of messages, with the vCPU for which it worked. */
  logMessage(id: string, args: Readonly<Record<string, string>>, vcpu: VcpuState = this.current): void {
    this.log(`d${vcpu.domain.id}v${vcpu.id} ${xenLine(id, args)}`, vcpu);
  }

  /** A line that Xen logs about a guest, by default the one in whose name it works. */
  log(text: string, vcpu: VcpuState = this.current): void {
    this.trace.emit('log', { domain: vcpu.domain.id, vcpu: vcpu.id, by: 'xen', text });
  }

  /** The domain shuts down: its vCPUs do not run any more. */
  end(domain: Domain, ending: Ending): void {
    if (domain.ending) return;
    domain.ending = ending;
    this.ended.push(domain);
    for (let n = 0; n < domain.watchdogs.length; n++) this.timers.cancel(watchdogTimer(domain, n));
    // What goes on in other domains is the tool-stack's affair, which dom0 hears of.
    if (!domain.isDom0) this.domainById(0)?.events.raiseVirq(VIRQ_DOM_EXC, 0);
    const crashed = ending.kind === 'crash';
    this.trace.emit('domain', {
      domain: domain.id,
      vcpu: this.domain === domain ? this.current.id : 0,
      state: crashed ? 'crashed' : 'shutdown',
      reason: crashed ? ending.reason : ending.kind,
      ...(crashed && ending.refusal ? { refusal: ending.refusal } : {}),
    });
  }

  setRunState(vcpu: VcpuState, state: RunStateValue): void {
    if (vcpu.runState === state) return;
    const now = this.now();
    vcpu.runStateTime[vcpu.runState]! += now - vcpu.runStateSince;
    vcpu.runState = state;
    vcpu.runStateSince = now;
    if (state === RunState.running) vcpu.entered = true;
  }

  /** Makes a blocked vCPU runnable. */
  wake(vcpu: VcpuState): void {
    if (!vcpu.wait) return;
    vcpu.wait = null;
    this.setRunState(vcpu, vcpu.up ? RunState.runnable : RunState.offline);
    this.preempt = true;
    this.trace.emit('domain', { domain: vcpu.domain.id, vcpu: vcpu.id, state: 'running', reason: null });
  }

  /** A wall-clock independent name for an event's source. */
  virqName(virq: number): string {
    return nameOf('virq', virq) ?? `VIRQ ${virq}`;
  }
}
