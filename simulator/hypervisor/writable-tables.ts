// Stores into page tables that Xen carries out for dom0, and for a domU with vm_assist(writable_pagetables): those of its kernel
// into level 1 tables in use. The one instruction runs on a copy of the table, then the entry that it changed is audited and taken over.
// Behaviour of Xen 4.17 (arch/x86/pv/ro-page-fault.c).

import type { Refusal, XenLine } from '../../abi/refusal.ts';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { OperandKind } from '../../x86/types.ts';
import { Segment } from '../cpu/engine-types.ts';
import { entryMfn } from '../memory/entry.ts';
import { FrameType } from '../memory/frame-table.ts';
import { isStop } from '../memory/outcome.ts';
import { alsoPrints, hex } from '../memory/refuse.ts';
import { PFEC } from '../memory/walk.ts';
import { reportEmulated } from './emulated.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

const WRITABLE_PAGETABLES = 2;
const MUST = PFEC.present | PFEC.write;
const MUST_NOT = PFEC.fetch | PFEC.reserved;

const decoded = newDecoded();
const MAX_INSTRUCTION = 15;

/** Size of the instruction's memory operand in bytes; null: it cannot be decoded. */
function storeSize(hv: Hypervisor, vcpu: VcpuState): number | null {
  const bytes = new Uint8Array(MAX_INSTRUCTION);
  const base = vcpu.cpu.segment(Segment.cs).base;
  const count = hv.peekInto(vcpu.root, BigInt.asUintN(64, base + vcpu.cpu.rip), bytes);
  if (decodeAny(bytes, 0, count, vcpu.bits, decoded) !== 'ok') return null;
  let size = 8;
  for (let n = 0; n < decoded.count; n++) if (decoded.kind[n] === OperandKind.memory) size = decoded.size[n]!;
  return size;
}

/** Only stores of 1 to 8 bytes that are naturally aligned stay inside one entry. */
const staysInEntry = (size: number | null, address: bigint): boolean =>
  size !== null && [1, 2, 4, 8].includes(size) && address % BigInt(size) === 0n;

/** Xen shows the entry as the guest stores it, not as it would keep it. */
function asStored(refusal: Refusal, entry: bigint): Refusal {
  const shown = (line: XenLine): XenLine =>
    line.template === 'l1-entry' ? { ...line, args: { ...line.args, entry: entry.toString(16).padStart(16, '0') } } : line;
  return {
    ...refusal,
    ...(refusal.xenLine ? { xenLine: shown(refusal.xenLine) } : {}),
    ...(refusal.furtherXenLines ? { furtherXenLines: refusal.furtherXenLines.map(shown) } : {}),
  };
}

/** True when the store was carried out and the guest goes on behind it. `hv.storeRefused` says why one into a level 1 table was not. */
export function storeToTable(hv: Hypervisor, vcpu: VcpuState, address: bigint, errorCode: number): boolean {
  hv.storeRefused = null;
  if (!vcpu.kernelMode || !(vcpu.domain.assist(WRITABLE_PAGETABLES) || vcpu.domain.isDom0)) return false;
  if ((errorCode & MUST) !== MUST || errorCode & MUST_NOT) return false;
  const { walker, ram, frames, types } = hv.memory;
  const step = walker.steps(vcpu.root, address).find((s) => s.level === 1);
  if (!step || (step.entry & 3n) !== 1n) return false;
  const table = entryMfn(step.entry);
  if (!ram.valid(table)) return false;
  const index = ram.index(table);
  if (frames.owner[index] !== vcpu.domain.id || frames.type[index] !== FrameType.l1 || frames.typeCount[index] === 0) return false;

  const size = storeSize(hv, vcpu);
  if (!staysInEntry(size, address)) {
    if (size !== null && size <= 8) {
      const at = address.toString(16).padStart(16, '0');
      hv.logMessage('ptwr-bad-access', { cr2: at, address: at, bytes: `${size}` }, vcpu);
    }
    hv.storeRefused = { why: 'the store is not one of 1, 2, 4 or 8 bytes at a multiple of its size, so it could change two entries' };
    return false;
  }

  const copy = hv.scratch;
  ram.page(copy).set(ram.page(table));
  const saved = vcpu.cpu.save();
  const { rip } = vcpu.cpu;
  hv.storeWindow = { page: address & ~0xfffn, frame: copy };
  vcpu.cpu.flushPage(address);
  const exit = hv.engine.run(vcpu.cpu.id, 1, true);
  hv.storeWindow = null;
  vcpu.cpu.flushPage(address);
  const changed: number[] = [];
  for (let slot = 0; slot < 512; slot++) if (ram.entry(copy, slot) !== ram.entry(table, slot)) changed.push(slot);
  hv.memory.frames.attribute('an emulated store to a page table', hv.icount);
  const done = exit.kind === 'budget' && exit.executed === 1 && changed.length <= 1;
  const outcome = done && changed.length === 1 ? types.updateEntry(table, changed[0]!, ram.entry(copy, changed[0]!), vcpu.domain.id) : null;
  if (!done || outcome) {
    vcpu.cpu.restore(saved);
    if (outcome && !isStop(outcome)) {
      const refusal = alsoPrints(asStored(outcome, ram.entry(copy, changed[0]!)), 'ptwr-refused', {});
      hv.logRefusal(refusal, vcpu);
      hv.storeRefused = { why: `the entry that the store would make is refused (${outcome.rule})`, refusal };
    }
    return false;
  }
  hv.checker?.afterCall();
  hv.icount++;
  reportEmulated(hv, vcpu, rip, 'store to a page table', 'store-to-page-table', () =>
    changed.length ? `l1 table ${hex(table)} slot ${changed[0]} = ${hex(ram.entry(table, changed[0]!))}` : 'no entry changed',
  );
  return true;
}
