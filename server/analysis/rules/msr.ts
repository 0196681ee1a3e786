// rdmsr and wrmsr: the register decides, where the statement names it.

import { evaluate } from '../constants.ts';
import type { Site } from '../site.ts';
import type { Refine } from './refine.ts';

/** Segment bases: SEGBASE_ name of set_segment_base. In the kernel the active gs is the kernel's; Xen swaps. */
export const SEGMENT_BASES: ReadonlyMap<number, string> = new Map([
  [0xc0000100, 'SEGBASE_FS'],
  [0xc0000101, 'SEGBASE_GS_KERNEL'],
  [0xc0000102, 'SEGBASE_GS_USER'],
]);
const CALLBACKS: ReadonlyMap<number, string> = new Map([
  [0xc0000081, 'STAR: selectors are fixed, drop it.'],
  [0xc0000082, 'LSTAR: callback_op with CALLBACKTYPE_syscall.'],
  [0xc0000083, 'CSTAR: callback_op with CALLBACKTYPE_syscall32.'],
  [0xc0000084, 'SFMASK: CALLBACKF_mask_events in callback_op is its counterpart.'],
  [0x174, 'SYSENTER_CS: drop it.'],
  [0x175, 'SYSENTER_ESP: stack_switch sets the kernel stack.'],
  [0x176, 'SYSENTER_EIP: callback_op with CALLBACKTYPE_sysenter.'],
]);

/** Names that kernels commonly give to the registers, for those defined in a header. */
const NAMES: Readonly<Record<string, number>> = {
  MSR_FS_BASE: 0xc0000100,
  MSR_FSBASE: 0xc0000100,
  MSR_IA32_FS_BASE: 0xc0000100,
  MSR_GS_BASE: 0xc0000101,
  MSR_GSBASE: 0xc0000101,
  MSR_IA32_GS_BASE: 0xc0000101,
  MSR_KERNEL_GS_BASE: 0xc0000102,
  MSR_KERNELGSBASE: 0xc0000102,
  MSR_KGSBASE: 0xc0000102,
  MSR_IA32_KERNEL_GS_BASE: 0xc0000102,
  MSR_STAR: 0xc0000081,
  MSR_LSTAR: 0xc0000082,
  MSR_CSTAR: 0xc0000083,
  MSR_SFMASK: 0xc0000084,
  MSR_SF_MASK: 0xc0000084,
  MSR_SYSCALL_MASK: 0xc0000084,
};

/** The number of the register that a statement loads into ecx, or null when it is not a constant. */
export function msrOf(site: Site, constants: ReadonlyMap<string, string>): number | null {
  const operand = site.asm?.statement.operands.find(({ constraint, output }) => !output && constraint === 'c');
  if (!operand) return null;
  return evaluate(operand.value, constants) ?? NAMES[operand.value.trim()] ?? null;
}

export const msr: Refine = (_hit, site, constants) => {
  const number = msrOf(site, constants);
  if (number === null) return null;
  const base = SEGMENT_BASES.get(number);
  if (base)
    return {
      message: `MSR 0x${number.toString(16)} is a segment base: it works, by a trap.`,
      replacement: `set_segment_base with ${base}.`,
    };
  const callback = CALLBACKS.get(number);
  return callback ? { message: `MSR 0x${number.toString(16)} has no effect in a PV guest.`, replacement: callback } : null;
};
