// Watches dom0's first accesses to its start_info page. Its console member is a union: in a domU it holds the frame and the port of the console's
// ring, in dom0 the place of a description of the video console. A kernel that reads a domU's members in dom0 gets numbers that look like a frame
// and a port, and goes wrong much later.

import type { Mfn } from '../../abi/address.ts';
import { offsetOf } from '../../abi/layout.ts';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { OperandKind } from '../../x86/types.ts';
import { Segment } from '../cpu/engine-types.ts';
import { entryMfn } from '../memory/entry.ts';
import { PFEC } from '../memory/walk.ts';
import { advise } from './advise.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

/** So many accesses are looked at: a kernel copies the page or reads its members in less. */
const ACCESSES = 4096;
const MAX_INSTRUCTION = 15;
const decoded = newDecoded();

export interface StartInfoGuard {
  readonly frame: Mfn;
  /** Offset of start_info in its page. */
  readonly offset: number;
  left: number;
}

export const newGuard = (frame: Mfn, address: bigint): StartInfoGuard => ({ frame, offset: Number(address & 0xfffn), left: ACCESSES });

/** The members that exist in a domU only, of a 64-bit guest: there a frame's number is as wide as both words of dom0's member. */
const FRAME_AT = offsetOf('start_info', 64, 'console.domU.mfn');
const PORT_AT = offsetOf('start_info', 64, 'console.domU.evtchn');

/** Carries out one access to the watched page, and looks at it. False: the fault is about something else. */
export function startInfoAccess(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): boolean {
  const guard = hv.startInfoGuard;
  if (!guard || !(errorCode & PFEC.present) || !leadsTo(hv, vcpu, address, guard.frame)) return false;
  const member = errorCode & PFEC.write ? null : memberRead(hv, vcpu, Number(address & 0xfffn) - guard.offset);
  if (member) advise(hv, vcpu, 'console-member-of-domu', member, vcpu.cpu.rip);
  hv.startInfoGuard = null;
  // A page that is written is the kernel's own memory by now. The guest makes the access again, unwatched.
  if (member || errorCode & (PFEC.write | PFEC.fetch) || --guard.left === 0) return true;
  const exit = hv.engine.run(vcpu.cpu.id, 1, true);
  vcpu.cpu.flushPage(address);
  if (exit.kind !== 'budget' || exit.executed !== 1) return true;
  hv.startInfoGuard = guard;
  hv.icount++;
  return true;
}

/** The page is mapped at the address with the right that the access needs. */
function leadsTo(hv: Hypervisor, vcpu: VcpuState, address: bigint, frame: Mfn): boolean {
  const last = hv.memory.walker.steps(vcpu.currentRoot(), address).at(-1);
  return last?.level === 1 && (last.entry & 1n) === 1n && entryMfn(last.entry) === frame;
}

function memberRead(hv: Hypervisor, vcpu: VcpuState, at: number): { offset: string; field: string } | null {
  if (vcpu.bits !== 64 || (at !== FRAME_AT && at !== PORT_AT)) return null;
  const bytes = new Uint8Array(MAX_INSTRUCTION);
  const base = vcpu.cpu.segment(Segment.cs).base;
  const count = hv.peekInto(vcpu.currentRoot(), BigInt.asUintN(64, base + vcpu.cpu.rip), bytes);
  if (decodeAny(bytes, 0, count, vcpu.bits, decoded) !== 'ok') return null;
  const operand = decoded.kind.indexOf(OperandKind.memory);
  if (operand < 0) return null;
  const size = decoded.size[operand]!;
  if (at === FRAME_AT) return size === 8 ? { offset: `0x${at.toString(16)}`, field: 'console.domU.mfn' } : null;
  return size === 4 ? { offset: `0x${at.toString(16)}`, field: 'console.domU.evtchn' } : null;
}
