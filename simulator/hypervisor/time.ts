// Time as the guest sees it: vcpu_time_info, wall clock, TSC, runstate, timers. One instruction is 1 ns; the TSC runs at 1 GHz.
// Source: public/xen.h (vcpu_time_info), public/vcpu.h.

import { offsetOf, StructView } from '../../abi/layout.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

/** The same for both widths. */
const TIME = offsetOf('vcpu_info', 64, 'time');
const VIRQ_TIMER = 0;
const SECOND = 1_000_000_000;

/** Xen's system time when the guest's first instruction runs: the host has been up for a while. */
export const SYSTEM_TIME_AT_START = 10 * SECOND;
/** 2026-01-01 00:00:00 UTC, unless the configuration says otherwise. */
export const DEFAULT_WALLCLOCK = 1_767_225_600;

/** 1 GHz as tsc_to_system_mul and tsc_shift. */
const TSC_MUL = 0x8000_0000;
const TSC_SHIFT = 1;

export const systemTime = (hv: Hypervisor): number => hv.now() + SYSTEM_TIME_AT_START;

/** The TSC: emulated it counts from the domain's start, native it is the host's. */
export const readTsc = (hv: Hypervisor, { tsc, startedAt }: Domain): bigint =>
  BigInt(tsc === 'emulate' ? hv.now() - startedAt : systemTime(hv));

export function updateTimeInfo(hv: Hypervisor, vcpu: VcpuState): void {
  const info = hv.vcpuInfo(vcpu);
  const bytes = new DataView(info.buffer, info.byteOffset + TIME, 32);
  vcpu.timeVersion = (vcpu.timeVersion + 2) >>> 0;
  bytes.setUint32(0, vcpu.timeVersion, true);
  bytes.setBigUint64(8, readTsc(hv, vcpu.domain), true);
  bytes.setBigUint64(16, BigInt(systemTime(hv)), true);
  bytes.setUint32(24, TSC_MUL, true);
  bytes.setInt8(28, TSC_SHIFT);
  bytes.setUint8(29, 0);
  hv.written(vcpu.info.mfn);
  writeTimeArea(hv, vcpu);
}

/** The copy of vcpu_time_info that the guest asked for with register_vcpu_time_memory_area, for its user mode to read. */
function writeTimeArea(hv: Hypervisor, vcpu: VcpuState): void {
  if (vcpu.timeArea === null) return;
  const info = hv.vcpuInfo(vcpu);
  const copy = new Uint8Array(info.buffer, info.byteOffset + TIME, 32).slice();
  if (!hv.guest.write(vcpu.currentRoot(), vcpu.timeArea, copy) && !vcpu.kernelMode) vcpu.areasBehind = true;
}

/** The wall clock at system time 0, ns since 1970. */
const wallclockAtZero = (hv: Hypervisor): bigint =>
  hv.wallclock ?? BigInt((hv.config.wallclockSeconds ?? DEFAULT_WALLCLOCK) - SYSTEM_TIME_AT_START / SECOND) * BigInt(SECOND);

export function writeWallclock(hv: Hypervisor, domain: Domain): void {
  const view = new StructView('shared_info', domain.bits, hv.memory.ram.page(domain.sharedInfo));
  const zero = wallclockAtZero(hv);
  const seconds = Number(zero / BigInt(SECOND));
  view.set('wc_version', view.number('wc_version') + 2);
  view.set('wc_sec', seconds >>> 0);
  view.set('wc_nsec', Number(zero % BigInt(SECOND)));
  view.set(domain.bits === 64 ? 'wc_sec_hi' : 'arch.wc_sec_hi', Math.floor(seconds / 2 ** 32));
  hv.written(domain.sharedInfo);
}

/** platform_op.settime: what the wall clock shows at a system time; every domain is told. */
export function setWallclock(hv: Hypervisor, seconds: bigint, nanoseconds: number, system: bigint): void {
  hv.wallclock = BigInt.asUintN(64, seconds * BigInt(SECOND) + BigInt(nanoseconds) - system);
  for (const domain of hv.domains.values()) writeWallclock(hv, domain);
}

/** Name of a vCPU's timer of a kind. */
export const timerName = ({ domain, id }: VcpuState, kind: 'singleshot' | 'periodic' | 'poll'): string => `d${domain.id} ${kind} ${id}`;

export const watchdogTimer = ({ id }: Domain, index: number): string => `d${id} watchdog ${index}`;

export const timerEvent = (vcpu: VcpuState): void => vcpu.domain.events.raiseVirq(VIRQ_TIMER, vcpu.id);

/** One-shot timer at an absolute system time in ns; 0 stops it. */
export function setSingleshot(hv: Hypervisor, vcpu: VcpuState, system: number): void {
  const name = timerName(vcpu, 'singleshot');
  if (system === 0) {
    vcpu.singleshot = null;
    hv.timers.cancel(name);
    return;
  }
  const at = Math.max(hv.now(), system - SYSTEM_TIME_AT_START);
  vcpu.singleshot = at;
  hv.timers.set(name, at, () => {
    vcpu.singleshot = null;
    timerEvent(vcpu);
  });
}

/** Periodic timer with a period in ns; 0 stops it. A period that has passed since the last event gives one at once. */
export function setPeriodic(hv: Hypervisor, vcpu: VcpuState, period: number): void {
  stopPeriodic(hv, vcpu);
  vcpu.periodicPeriod = period;
  runPeriodic(hv, vcpu);
}

/** The periodic timer stands still while its vCPU does not run: it never wakes one. */
export function stopPeriodic(hv: Hypervisor, vcpu: VcpuState): void {
  if (vcpu.periodicPeriod > 0) hv.timers.cancel(timerName(vcpu, 'periodic'));
}

/** Gives the event that is due and waits for the next. */
export function runPeriodic(hv: Hypervisor, vcpu: VcpuState): void {
  const period = vcpu.periodicPeriod;
  if (period === 0) return;
  const now = systemTime(hv);
  if (now >= vcpu.periodicLast + period) {
    timerEvent(vcpu);
    vcpu.periodicLast = now;
  }
  hv.timers.set(timerName(vcpu, 'periodic'), vcpu.periodicLast + period - SYSTEM_TIME_AT_START, () => runPeriodic(hv, vcpu));
}

/** vcpu_runstate_info; `live`: with the time since the last change. */
export function runStateInfo(hv: Hypervisor, vcpu: VcpuState, live: boolean): StructView {
  const view = new StructView('vcpu_runstate_info', vcpu.bits);
  const elapsed = live ? hv.now() - vcpu.runStateSince : 0;
  view.set('state', vcpu.runState);
  view.set('state_entry_time', vcpu.runStateSince + SYSTEM_TIME_AT_START);
  for (let state = 0; state < 4; state++) view.set(`time[${state}]`, vcpu.runStateTime[state]! + (state === vcpu.runState ? elapsed : 0));
  return view;
}

const UPDATE_FLAG_ASSIST = 5;

/** Writes the run state to where the guest wants it. With the runstate_update_flag assist the top bit of state_entry_time is set while
 * it is written. Kernel memory is out of reach while user mode's tables are in use: it is written on the way back then. */
export function updateRunStateArea(hv: Hypervisor, vcpu: VcpuState): void {
  if (vcpu.runStateArea === null) return;
  const view = runStateInfo(hv, vcpu, false);
  const root = vcpu.currentRoot();
  // The flag can be seen by another vCPU only while this one writes, and there is one processor: the bytes end the same.
  if (vcpu.domain.assist(UPDATE_FLAG_ASSIST) && vcpu.bits === 64) {
    const at = view.bytes.slice(8, 16);
    at[7]! |= 0x80;
    hv.guest.write(root, vcpu.runStateArea + 8n, at);
  }
  vcpu.areasBehind = !hv.guest.write(root, vcpu.runStateArea, view.bytes) && !vcpu.kernelMode;
}

/** The guest kernel's tables are in use again: what could not be written while user mode ran is written now. */
export function backInKernel(hv: Hypervisor, vcpu: VcpuState): void {
  if (!vcpu.areasBehind) return;
  vcpu.areasBehind = false;
  updateRunStateArea(hv, vcpu);
  writeTimeArea(hv, vcpu);
}
