// Accesses of dom0 to registers of devices: the one instruction runs on a copy of the device's page, and what it stored there is handed to the
// device. Where nothing is behind the address, reads give 0 and stores are lost, as on the reference machine.

import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { OperandKind } from '../../x86/types.ts';
import { Segment } from '../cpu/engine-types.ts';
import { hex } from '../memory/refuse.ts';
import { PFEC, type WalkResult } from '../memory/walk.ts';
import { readOnlyFrame } from '../pc/memory-map.ts';
import { reportEmulated } from './emulated.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

const decoded = newDecoded();
const MAX_INSTRUCTION = 15;
const PAGE = 4096;
const PAGE_FAULT = 14;

/** A page fault that the instruction meets with its other operand. */
export interface OtherFault {
  readonly address: bigint;
  readonly errorCode: number;
}

/** True when the access was carried out and the guest goes on behind the instruction; false when it is none to a device. */
export function deviceAccess(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): boolean | OtherFault {
  if (!hv.pc || !vcpu.domain.isDom0 || errorCode & PFEC.fetch || !(errorCode & PFEC.present)) return false;
  const write = (errorCode & PFEC.write) !== 0;
  const mfn = registersAt(hv, vcpu, address, write);
  if (mfn === null) return false;
  const found = hv.pc.memoryAt(mfn * PAGE);
  const { ram } = hv.memory;
  const copy = ram.page(hv.scratch);
  if (found) copy.set(found.device.page(found.offset));
  else copy.fill(0);
  const saved = vcpu.cpu.save();
  const { rip } = vcpu.cpu;
  const size = write ? storeSize(hv, vcpu) : 0;
  hv.storeWindow = { page: address & ~0xfffn, frame: hv.scratch };
  hv.written(hv.scratch);
  vcpu.cpu.flushPage(address);
  const exit = hv.engine.run(vcpu.cpu.id, 1, true);
  hv.storeWindow = null;
  vcpu.cpu.flushPage(address);
  if (exit.kind !== 'budget' || exit.executed !== 1) {
    const other = exit.kind === 'exception' && exit.vector === PAGE_FAULT && exit.cr2 >> 12n !== address >> 12n;
    const fault = other ? { address: exit.cr2, errorCode: exit.errorCode } : false;
    vcpu.cpu.restore(saved);
    return fault;
  }
  const offset = Number(address & 0xfffn);
  const machine = mfn * PAGE + offset;
  const stored = copy.slice(offset, offset + size);
  hv.icount++;
  reportEmulated(
    hv,
    vcpu,
    rip,
    write ? 'store to a device' : 'load from a device',
    'device-registers',
    () =>
      `machine address ${hex(machine)}${write ? `, ${size * 8} bits, bytes ${[...stored].map((b) => b.toString(16).padStart(2, '0')).join(' ')}` : ''}`,
  );
  if (write && found && !readOnlyFrame(mfn)) {
    hv.deviceStore = { vcpu, at: rip };
    found.device.store(found.offset + offset, stored);
    hv.deviceStore = null;
  }
  return true;
}

const at: WalkResult = { mfn: 0 as WalkResult['mfn'], writable: false, errorCode: 0 };

/** The frame when the address leads, with the rights that the access needs, to one that has no memory behind it. Stores of the kernel to a page
 * that Xen maps read only are carried out and lost. */
function registersAt(hv: Hypervisor, vcpu: VcpuState, address: bigint, write: boolean): WalkResult['mfn'] | null {
  const { walker, ram } = hv.memory;
  const [lo, hi] = [Number(address & 0xffff_ffffn) | 0, Number(BigInt.asUintN(64, address) >> 32n) | 0];
  const user = vcpu.bits === 32 && !vcpu.kernelMode;
  const reached = walker.walk(vcpu.currentRoot(), lo, hi, write, false, at, user);
  if (reached) return ram.pageIndex(at.mfn) < 0 ? at.mfn : null;
  if (!write || !vcpu.kernelMode || !walker.walk(vcpu.currentRoot(), lo, hi, false, false, at, user)) return null;
  return readOnlyFrame(at.mfn) ? at.mfn : null;
}

/** Bytes that the instruction at rip stores. */
function storeSize(hv: Hypervisor, vcpu: VcpuState): number {
  const bytes = new Uint8Array(MAX_INSTRUCTION);
  const base = vcpu.cpu.segment(Segment.cs).base;
  const count = hv.peekInto(vcpu.currentRoot(), BigInt.asUintN(64, base + vcpu.cpu.rip), bytes);
  if (decodeAny(bytes, 0, count, vcpu.bits, decoded) !== 'ok') return 0;
  for (let n = 0; n < decoded.count; n++) {
    if (decoded.kind[n] === OperandKind.memory || decoded.kind[n] === OperandKind.string) return decoded.size[n]!;
  }
  return decoded.operandSize;
}
