// Control and debug registers of a PV guest, as the emulator and the debug register hypercalls see them.
// Source: Intel SDM volume 3, 2.5 and 17.2; behaviour of Xen 4.17 (arch/x86/pv/emul-priv-op.c, misc-hypercalls.c).

import { asMfn, type Mfn } from '../../abi/address.ts';
import type { ErrnoName } from '../../abi/errno.table.ts';
import { isStop } from '../memory/outcome.ts';
import { newBasePointer } from './base-pointer.ts';
import { setTaskSwitched } from './emulate-fpu.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

/** PE, MP, ET, NE, WP, AM, PG: what Xen runs with. */
export const CR0 = 0x8005_0033n;
export const CR0_TS = 8n;
/** PAE, MCE, OSFXSR, OSXMMEXCPT: always shown; TSD and DE are the guest's own. */
const CR4_SHOWN = 0x660n;
const CR4_GUEST = 0xcn;
const CR4_DE = 8n;

export function readControl(hv: Hypervisor, vcpu: VcpuState, register: number): bigint | null {
  switch (register) {
    case 0:
      return CR0 | (vcpu.taskSwitched ? CR0_TS : 0n);
    case 2:
      return vcpu.cr2;
    case 3:
      return hv.cr3(vcpu);
    case 4:
      return CR4_SHOWN | vcpu.cr4;
    default:
      return null;
  }
}

/** False: #GP. */
export function writeControl(hv: Hypervisor, vcpu: VcpuState, register: number, value: bigint): boolean {
  switch (register) {
    case 0:
      if ((value ^ CR0) & ~CR0_TS) {
        hv.logMessage('cr0-flags', {}, vcpu);
        return false;
      }
      setTaskSwitched(vcpu, (value & CR0_TS) !== 0n);
      return true;
    case 2:
      hv.setCr2(vcpu, value);
      return true;
    case 3:
      return setCr3(hv, vcpu, asMfn(vcpu.bits === 64 ? Number((value >> 12n) & 0xff_ffff_ffffn) : paeFrame(Number(value & 0xffff_ffffn))));
    case 4:
      vcpu.cr4 = value & CR4_GUEST;
      vcpu.cpu.trapTsc = vcpu.domain.tsc === 'emulate';
      return true;
    default:
      return false;
  }
}

/** PAE with tables above 4 GiB: the high bits of the frame number are the low bits of the register. */
export const paeFrame = (cr3: number): number => ((cr3 >>> 12) | (cr3 << 20)) >>> 0;

/** The emulated store is not continued: what it leaves is taken apart at once. */
function setCr3(hv: Hypervisor, vcpu: VcpuState, mfn: Mfn): boolean {
  const outcome = newBasePointer(hv, vcpu, mfn);
  hv.memory.types.drain();
  if (outcome !== null && !isStop(outcome) && outcome.rule !== 'frame-not-yours') hv.logRefusal(outcome, vcpu);
  else if (outcome !== null && !isStop(outcome) && outcome.xenLine?.template === 'error-mfn')
    // A frame that is not the domain's is refused before anybody wants it as a table.
    hv.logMessage('error-mfn', outcome.xenLine.args, vcpu);
  return outcome === null;
}

/** DR4 and DR5 are DR6 and DR7 while CR4.DE is clear; null: there is none of this number. */
export function readDebug(vcpu: VcpuState, register: number): bigint | null {
  if (register > 7 || ((register === 4 || register === 5) && vcpu.cr4 & CR4_DE)) return null;
  if (register === 5 || register === 7) return vcpu.dr[7]! | vcpu.dr7Emulated;
  return vcpu.dr[register === 4 ? 6 : register]!;
}

/** Null when it was set; else the error of set_debugreg. `addressOk`: whether an address lies outside Xen. */
export function writeDebug(vcpu: VcpuState, register: number, value: bigint): ErrnoName | null {
  if (register > 7) return 'ENODEV';
  if (register < 4) {
    if (value >= 0x0000_8000_0000_0000n && value < 0xffff_8800_0000_0000n) return 'EPERM';
    vcpu.dr[register] = value;
    vcpu.cpu.setDebugRegister(register as 0 | 1 | 2 | 3, value);
    return null;
  }
  if (register < 6 && vcpu.cr4 & CR4_DE) return 'ENODEV';
  if (value >> 32n) return 'EINVAL';
  if (register === 4 || register === 6) {
    vcpu.dr[6] = (value & ~0x1000n) | 0xffff0ff0n;
    return null;
  }
  return writeDebugControl(vcpu, (value & ~0xd800n) | 0x400n);
}

/** DR7. I/O breakpoints are Xen's to watch: their enabling bits are kept apart. */
function writeDebugControl(vcpu: VcpuState, value: bigint): ErrnoName | null {
  if (value & 0x2000n) return 'EPERM';
  let emulated = 0n;
  if (value & 0xffn) {
    for (let field = 16n; field < 32n; field += 4n) {
      if (((value >> field) & 3n) !== 2n) continue;
      if (!(vcpu.cr4 & CR4_DE)) return 'EPERM';
      emulated |= value & (3n << ((field - 16n) >> 1n));
    }
  }
  vcpu.dr7Emulated = emulated;
  vcpu.dr[7] = value & ~emulated;
  vcpu.cpu.setDebugRegister(7, value & ~emulated);
  return null;
}

/** Bits of DR6 for the I/O breakpoints that an access to ports meets. */
export function ioBreakpoints(vcpu: VcpuState, port: number, size: number): bigint {
  if (vcpu.dr7Emulated === 0n || !(vcpu.cr4 & CR4_DE)) return 0n;
  let hit = 0n;
  for (let n = 0; n < 4; n++) {
    if (!((vcpu.dr7Emulated >> BigInt(2 * n)) & 3n)) continue;
    const width = BigInt([1, 2, 8, 4][Number((vcpu.dr[7]! >> BigInt(18 + 4 * n)) & 3n)]!);
    const start = vcpu.dr[n]! & ~(width - 1n);
    if (start < BigInt(port + size) && start + width > BigInt(port)) hit |= 1n << BigInt(n);
  }
  return hit;
}
