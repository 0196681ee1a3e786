// Which segment descriptors a guest may have: code and data of ring 3 and up, call gates to code of its own. What would let it
// reach ring 0 (TSS, LDT, interrupt gates in a GDT) is refused.
// Source: Intel SDM volume 3, 3.4.5; behaviour of Xen 4.17 (arch/x86/pv/descriptor-tables.c).

import type { Mfn } from '../../abi/address.ts';
import type { Refusal } from '../../abi/refusal.ts';
import type { FrameTable } from './frame-table.ts';
import type { Ram } from './ram.ts';
import { hex, refuse } from './refuse.ts';

const PRESENT = 0x8000;
const CODE_OR_DATA = 0x1000;
const DPL = 0x6000;
const LONG_CODE = 0x200000;
const GRANULARITY = 0x800000;
/** Where Xen's part of a 32-bit guest's address space begins. */
const XEN_START_32 = 0xf580_0000;

/** Checks one descriptor (words `a` low, `b` high) and returns it as Xen stores it; null when it is not allowed. */
export function checkDescriptor(a: number, b: number, bits: 64 | 32 = 64): { a: number; b: number } | null {
  if (!(b & PRESENT)) return { a: a >>> 0, b: b >>> 0 };
  const dpl = Math.max((b >> 13) & 3, bits === 32 ? 1 : 3);
  let high = (b & ~DPL) | (dpl << 13);
  if (b & CODE_OR_DATA) return bits === 64 ? { a: a >>> 0, b: high >>> 0 } : segment32(a, high);
  if ((b & 0x1f00) === 0) return { a: a >>> 0, b: b >>> 0 };
  if ((b & 0x0f00) !== 0x0c00) return null;
  const selector = a >>> 16;
  if (!gateSelectorAllowed(selector, bits)) return null;
  // DPL 0 makes the processor fault at each use: Xen carries out the call itself. The guest's DPL is kept in the selector.
  high &= ~DPL;
  if (high & (bits === 32 ? 0xe0 : 0xff)) return null;
  return { a: ((a & 0xffff) | (((selector & ~3) | dpl) << 16)) >>> 0, b: high >>> 0 };
}

/** A 32-bit guest has no 64-bit code. A flat segment that reaches into Xen's range is made 4 GiB long, so that the kernel can read
 * the machine-to-physical table. */
function segment32(a: number, b: number): { a: number; b: number } | null {
  if (b & LONG_CODE) return null;
  const base = ((b & 0xff00_0000) | ((b & 0xff) << 16) | (a >>> 16)) >>> 0;
  const units = ((b & 0xf_0000) | (a & 0xffff)) + 1;
  const size = b & GRANULARITY ? units * 4096 : units;
  if (base === 0 && size > XEN_START_32) return { a: (a | 0xffff) >>> 0, b: (b | 0xf_0000) >>> 0 };
  return { a: a >>> 0, b: b >>> 0 };
}

/** Selectors of a gate's target: the guest's own descriptors, or Xen's flat code segment for guest kernels. */
const gateSelectorAllowed = (selector: number, bits: 64 | 32): boolean =>
  selector < 0xe000 || (selector & 4) !== 0 || selector === (bits === 64 ? 0xe033 : 0xe019);

export function checkDescriptorPage(ram: Ram, mfn: Mfn, frames: FrameTable, bits: 64 | 32 = 64): Refusal | null {
  const base = ram.index(mfn) * 1024;
  for (let slot = 0; slot < 512; slot++) {
    const a = ram.u32[base + slot * 2]!;
    const b = ram.u32[base + slot * 2 + 1]!;
    const good = checkDescriptor(a, b, bits);
    if (!good)
      return refuse('EINVAL', 'descriptor-not-allowed', {
        frame: frames.fact(mfn),
        slot,
        descriptor: hex((BigInt(b) << 32n) | BigInt(a)),
        long: (b & LONG_CODE) !== 0,
      });
    ram.u32[base + slot * 2] = good.a;
    ram.u32[base + slot * 2 + 1] = good.b;
  }
  return null;
}
