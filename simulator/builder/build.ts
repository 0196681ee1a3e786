// Builds a PV domain in machine memory from a plan: frames, contents, tables, start_info, first register values.

import { asPfn, type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import { addressSpace32 } from '../../abi/constants/address-space.table.ts';
import { KernelImageError } from '../machine-types.ts';
import type { MachineMemory } from '../memory/allocate.ts';
import { FrameType } from '../memory/frame-table.ts';
import { hypercallPage } from './hypercall-page.ts';
import { type Layout, layoutDom0, layoutDomU } from './layout.ts';
import { topLevel, writeTables } from './page-tables.ts';
import type { LoadPlan } from './plan.ts';
import { SIF_INITDOMAIN, SIF_MOD_START_PFN, SIF_PM_DEFAULT, SIF_PRIVILEGED, writeStartInfo } from './start-info.ts';

export interface BuildRequest {
  readonly plan: LoadPlan;
  readonly domain: number;
  readonly dom0: boolean;
  readonly pages: number;
  readonly cmdline: string;
  readonly ramdisk: Uint8Array | undefined;
  readonly sharedInfo: Mfn;
  /** Ports of the rings, in the domain; used for a domU only. */
  readonly storePort: number;
  readonly consolePort: number;
}

export interface BuiltDomain {
  readonly bits: 64 | 32;
  readonly layout: Layout;
  /** Machine frames by pseudo-physical number. */
  readonly p2m: readonly Mfn[];
  readonly root: Mfn;
  readonly entry: bigint;
  readonly stack: bigint;
  readonly startInfo: bigint;
  readonly store: Mfn | null;
  readonly console: Mfn | null;
  readonly hypercallPage: bigint | null;
}

export function buildDomain(memory: MachineMemory, request: BuildRequest): BuiltDomain {
  const { plan, domain, dom0, pages } = request;
  const ramdisk = request.ramdisk ?? new Uint8Array();
  const layout = (dom0 ? layoutDom0 : layoutDomU)(plan, pages, ramdisk.length);
  if (plan.bits === 64) refuseXenRange(plan.virtualBase, layout.virtualEnd);
  else refuseXenRange32(layout.virtualEnd);

  const p2m: Mfn[] = [];
  for (let n = 0; n < pages; n++) {
    const mfn = memory.allocate(domain);
    if (mfn === null) throw new Error('the simulated machine has fewer frames than its domain asks for');
    memory.m2p.set(mfn, asPfn(n));
    p2m.push(mfn);
  }
  const at = (pfn: number): bigint => plan.virtualBase + BigInt(pfn) * BigInt(PAGE_SIZE);
  const put = (address: bigint, bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) {
      const offset = Number(address - plan.virtualBase) + done;
      const part = Math.min(PAGE_SIZE - (offset % PAGE_SIZE), bytes.length - done);
      memory.ram.page(p2m[Math.floor(offset / PAGE_SIZE)]!).set(bytes.subarray(done, done + part), offset % PAGE_SIZE);
      done += part;
    }
  };

  for (const segment of plan.segments) put(segment.address, segment.bytes);
  if (plan.hypercallPage !== null) {
    if (plan.hypercallPage < plan.virtualBase || plan.hypercallPage + BigInt(PAGE_SIZE) > layout.virtualEnd) {
      throw new KernelImageError(
        `HYPERCALL_PAGE (0x${plan.hypercallPage.toString(16)}) lies outside what the initial page tables map (0x${plan.virtualBase.toString(16)} to 0x${layout.virtualEnd.toString(16)}). Put the page into the kernel's .text or .bss.`,
      );
    }
    put(plan.hypercallPage, hypercallPage(plan.bits));
  }
  if (layout.ramdisk) put(at(layout.ramdisk.pfn), ramdisk);
  const list = plan.bits === 64 ? BigUint64Array.from(p2m, BigInt) : Uint32Array.from(p2m);
  put(at(layout.p2m.pfn), new Uint8Array(list.buffer));

  const root = writeTables(memory.ram, p2m, layout.ranges, layout.tableRanges, plan.bits);
  const store = layout.store === null ? null : p2m[layout.store]!;
  const console = layout.console === null ? null : p2m[layout.console]!;
  writeStartInfo(memory.ram.page(p2m[layout.startInfo]!), plan.bits, {
    nrPages: pages,
    sharedInfo: request.sharedInfo,
    flags: (dom0 ? SIF_PRIVILEGED | SIF_INITDOMAIN | SIF_PM_DEFAULT : 0) | (layout.ramdisk && plan.modStartPfn ? SIF_MOD_START_PFN : 0),
    store: store === null ? null : { mfn: store, port: request.storePort },
    console: console === null ? null : { mfn: console, port: request.consolePort },
    ptBase: at(layout.tables.pfn),
    nrPtFrames: layout.tables.pages,
    mfnList: layout.p2mAddress,
    modStart: layout.ramdisk ? (plan.modStartPfn ? BigInt(layout.ramdisk.pfn) : at(layout.ramdisk.pfn)) : 0n,
    modLen: layout.ramdisk ? (plan.modStartPfn && !dom0 ? layout.ramdisk.pages * PAGE_SIZE : ramdisk.length) : 0,
    cmdline: request.cmdline,
    firstP2mPfn: layout.firstP2mPfn,
    nrP2mFrames: layout.p2mFrames,
  });

  pinTables(memory, root, domain, plan.bits);
  return {
    bits: plan.bits,
    layout,
    p2m,
    root,
    entry: plan.entry,
    stack: at(layout.bootStack + 1),
    startInfo: at(layout.startInfo),
    store,
    console,
    hypercallPage: plan.hypercallPage,
  };
}

/** The builder's tables pass the same audit as a guest's; the top one is pinned, and in use by vCPU 0. */
function pinTables(memory: MachineMemory, root: Mfn, domain: number, bits: 64 | 32): void {
  memory.frames.attribute('the domain builder', 0);
  const type = bits === 64 ? FrameType.l4 : FrameType.l3;
  const refusal = memory.types.pin(root, topLevel(bits), domain) ?? memory.types.getPageAndType(root, type, domain);
  if (refusal) throw new Error(`the builder's own page tables are refused: ${JSON.stringify(refusal)}`);
}

function refuseXenRange32(end: bigint): void {
  const { HYPERVISOR_VIRT_START } = addressSpace32;
  if (end <= HYPERVISOR_VIRT_START) return;
  throw new KernelImageError(
    `The initial page tables would map up to 0x${end.toString(16)}, into the range that Xen keeps for itself in a 32-bit domain (from 0x${HYPERVISOR_VIRT_START.toString(16)}). Link the kernel lower (VIRT_BASE), for example at 0xc0000000, or give a smaller ramdisk.`,
  );
}

function refuseXenRange(start: bigint, end: bigint): void {
  if (start < 0xffff_8800_0000_0000n && end > 0xffff_8000_0000_0000n) {
    throw new KernelImageError(
      `The kernel is linked at 0x${start.toString(16)}, inside the range that Xen keeps for itself (0xffff800000000000 to 0xffff880000000000). Link it elsewhere (VIRT_BASE), for example at 0xffffffff80000000.`,
    );
  }
}
