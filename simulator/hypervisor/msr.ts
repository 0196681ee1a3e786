// Model-specific registers as Xen emulates them for a PV guest; null: not for guests, #GP.
// Source: public behaviour of Xen 4.17 (arch/x86/msr.c, pv/emul-priv-op.c), golden lines of test/simulator.

import { isCanonical } from '../../abi/address.ts';
import { Segment } from '../cpu/engine-types.ts';
import type { Hypervisor } from './hypervisor.ts';
import { readTsc } from './time.ts';
import type { VcpuState } from './vcpu.ts';

/** SCE, LME, LMA, NX. A 32-bit guest is not shown long mode, nor syscall on Intel's processors, where only 64-bit code has it. */
const EFER = { amd: { 64: 0xd01n, 32: 0x801n }, intel: { 64: 0xd01n, 32: 0x800n } } as const;
const isBase = (msr: number): boolean => msr >= 0xc0000100 && msr <= 0xc0000102;
/** Fast strings; no branch trace store, no precise events, xTPR off. */
const MISC_ENABLE = 0x801801n;
const PAT = 0x0005_0100_0704_06n;

export const MSR_NAMES: Readonly<Record<number, string>> = {
  16: 'TSC',
  27: 'APIC_BASE',
  631: 'PAT',
  3221225600: 'EFER',
  3221225601: 'STAR',
  3221225602: 'LSTAR',
  3221225604: 'SFMASK',
  3221225728: 'FS_BASE',
  3221225729: 'GS_BASE',
  3221225730: 'KERNEL_GS_BASE',
  3221225731: 'TSC_AUX',
};

const isMachineCheck = (msr: number): boolean =>
  (msr >= 0x179 && msr <= 0x17b) || (msr >= 0x400 && msr <= 0x47f) || (msr >= 0x280 && msr <= 0x29f);
/** P-state and performance registers of AMD's processors that read 0 and ignore writes for a guest. */
const isAmdPower = (msr: number): boolean =>
  [0xc0010041, 0xc0010042, 0xc0010055].includes(msr) ||
  (msr >= 0xc0010061 && msr <= 0xc001006b) ||
  (msr >= 0xc0010000 && msr <= 0xc0010007) ||
  msr === 0xc001001f;

/** Performance counters of Intel's processors: there, and 0 while Xen's virtual counters are off. */
const isIntelCounter = (msr: number): boolean =>
  (msr >= 0xc1 && msr <= 0xc8) || (msr >= 0x186 && msr <= 0x189) || (msr >= 0x309 && msr <= 0x30b) || (msr >= 0x38d && msr <= 0x390);

/** PLATFORM_INFO, MISC_FEATURES_ENABLES, PERF_STATUS. */
const INTEL_ZERO: ReadonlySet<number> = new Set([0xce, 0x140, 0x198]);
const ARCH_CAPABILITIES = 0x10a;

/** SYSCFG, IORRs, top of memory, TSEG: read as 0 by dom0, not there for others. */
const isAmdMemory = (msr: number): boolean =>
  msr === 0xc0010010 || (msr >= 0xc0010016 && msr <= 0xc001001a) || msr === 0xc001001d || msr === 0xc0010112 || msr === 0xc0010113;

/** Those that Xen refuses without a word: PLATFORM_ID, SPEC_CTRL, PRED_CMD, ARCH_CAPABILITIES, XSS, x2APIC, EFER, TSC_AUX, and the
 * segment bases. */
const SILENT: ReadonlySet<number> = new Set([0x17, 0x48, 0x49, 0x10a, 0xda0, 0xc0000080, 0xc0000103]);
const isSilent = (msr: number): boolean => SILENT.has(msr) || (msr >= 0x800 && msr <= 0x8ff) || isBase(msr);

const hex8 = (msr: number): string => `0x${msr.toString(16).padStart(8, '0')}`;

/** What a debug build of Xen logs of an access that it refuses. */
export function logRefused(hv: Hypervisor, vcpu: VcpuState, msr: number, written: bigint | null): void {
  if (msr === 0x40000000 || isSilent(msr)) return;
  if (written === null) hv.logMessage('rdmsr-unimplemented', { msr: hex8(msr) }, vcpu);
  else hv.logMessage('wrmsr-unimplemented', { msr: hex8(msr), value: `0x${written.toString(16).padStart(16, '0')}` }, vcpu);
}

export function readMsr(hv: Hypervisor, vcpu: VcpuState, msr: number): bigint | null {
  if (vcpu.bits === 32 && isBase(msr)) return null;
  switch (msr) {
    case 0x10:
      return readTsc(hv, vcpu.domain);
    case 0x1b:
      return 0xfee00800n | (vcpu.id === 0 ? 0x100n : 0n);
    case 0x277:
      return PAT;
    case 0x1a0:
      return MISC_ENABLE;
    case 0x40000000:
      return 0n;
    case 0xc0000080:
      return EFER[hv.config.cpu][vcpu.bits];
    case 0xc0000100:
      return vcpu.cpu.base(Segment.fs);
    case 0xc0000101:
      return vcpu.cpu.base(Segment.gs);
    case 0xc0000102:
      return vcpu.gsBaseUser();
  }
  if (isMachineCheck(msr)) return msr === 0x179 ? 2n : 0n;
  if (hv.config.cpu === 'amd') {
    if (msr === 0x8b) return 0x0100_0065n;
    if (msr === 0xc0010015) return 0x0100_0000n;
    if (isAmdPower(msr) || (isAmdMemory(msr) && vcpu.domain.isDom0) || msr === 0xc0011029) return 0n;
  } else {
    if (msr === 0x17 || isIntelCounter(msr)) return 0n;
    if (msr === 0x8b) return 0x1_0000_0000n;
    if (INTEL_ZERO.has(msr)) return 0n;
    if (msr === ARCH_CAPABILITIES) return 0x400_0000n;
  }
  return null;
}

export function writeMsr(hv: Hypervisor, vcpu: VcpuState, msr: number, value: bigint): boolean {
  if (vcpu.bits === 32 && isBase(msr)) return false;
  switch (msr) {
    case 0xc0000080:
      return value === EFER[hv.config.cpu][vcpu.bits];
    case 0xc0000100:
      if (isCanonical(value)) vcpu.cpu.setBase(Segment.fs, value);
      return isCanonical(value);
    case 0xc0000101:
      if (isCanonical(value)) vcpu.cpu.setBase(Segment.gs, value);
      return isCanonical(value);
    case 0xc0000102:
      // The inactive base: while the kernel runs, that of user mode.
      if (isCanonical(value)) vcpu.otherGsBase = value;
      return isCanonical(value);
  }
  if (isMachineCheck(msr)) return true;
  if (hv.config.cpu === 'amd') return isAmdPower(msr) || msr === 0xc0010015;
  return isIntelCounter(msr) || msr === 0x8b || (msr === 0x1a0 && value === MISC_ENABLE);
}
