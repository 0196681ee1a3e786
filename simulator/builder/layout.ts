// Where the parts of a new domain lie, in pages from virt_base: kernel, ramdisk, p2m list, start_info, rings, page
// tables, boot stack, padding. domU as Xen's toolstack (libxenguest) lays it out, dom0 as Xen itself does.

import { PAGE_SIZE } from '../../abi/address.ts';
import { KernelImageError } from '../machine-types.ts';
import { countTables, type MappedRange, type TableRange, tablesOf } from './page-tables.ts';
import type { LoadPlan } from './plan.ts';

const PAGE = BigInt(PAGE_SIZE);
const PADDING = 512n * 1024n;
const ALIGN = 4n * 1024n * 1024n;

/** A run of pages; `pfn` and `pages` count 4 KiB pages. */
export interface Segment {
  readonly pfn: number;
  readonly pages: number;
}

export interface Layout {
  readonly kernel: Segment;
  readonly ramdisk: Segment | null;
  readonly p2m: Segment;
  /** Virtual address of the p2m list. */
  readonly p2mAddress: bigint;
  readonly startInfo: number;
  /** Pages of the XenStore and console rings; null for dom0, which has none. */
  readonly store: number | null;
  readonly console: number | null;
  readonly tables: Segment;
  readonly bootStack: number;
  /** End of what the initial tables map from virt_base. */
  readonly virtualEnd: bigint;
  readonly ranges: readonly MappedRange[];
  readonly tableRanges: readonly TableRange[];
  /** Start_info fields of a p2m that lies outside the kernel mapping; 0 else. */
  readonly firstP2mPfn: number;
  readonly p2mFrames: number;
}

const roundUp = (value: bigint, to: bigint): bigint => ((value + to - 1n) / to) * to;

class Allocator {
  next = 0;
  private readonly total: number;
  private readonly memoryMib: number;

  constructor(total: number) {
    this.total = total;
    this.memoryMib = Math.round((total * PAGE_SIZE) / 2 ** 20);
  }

  take(what: string, pages: number): Segment {
    if (pages > this.total - this.next) {
      throw new KernelImageError(
        `The domain has ${this.memoryMib} MiB, too little for its ${what}: ${pages} pages are needed and ${this.total - this.next} of ${this.total} are left. Give it more memory (--memory).`,
      );
    }
    const segment = { pfn: this.next, pages };
    this.next += pages;
    return segment;
  }
}

const pagesOf = (bytes: bigint): number => Number(roundUp(bytes, PAGE) / PAGE);

/** The p2m note counts only when it is page aligned and below the kernel's range. */
const usableP2m = (plan: LoadPlan): bigint | null =>
  plan.initP2m !== null && plan.initP2m < plan.virtualBase && plan.initP2m % PAGE === 0n ? plan.initP2m : null;

export function layoutDomU(plan: LoadPlan, totalPages: number, ramdiskBytes: number): Layout {
  const pages = new Allocator(totalPages);
  if (plan.kernelStart > plan.virtualBase)
    pages.take('space below the kernel (from VIRT_BASE to the first segment)', pagesOf(plan.kernelStart - plan.virtualBase));
  const kernel = pages.take('kernel', pagesOf(plan.kernelEnd - plan.kernelStart));
  const mapped = ramdiskBytes > 0 && !plan.modStartPfn;
  let ramdisk = mapped ? pages.take('ramdisk', pagesOf(BigInt(ramdiskBytes))) : null;
  const p2mPages = Math.ceil((totalPages * plan.bits) / 8 / PAGE_SIZE);
  const outside = usableP2m(plan);
  let p2m = outside === null ? pages.take('p2m list', p2mPages) : null;
  let p2mAddress = plan.virtualBase + BigInt(p2m?.pfn ?? 0) * PAGE;
  const startInfo = pages.take('start_info', 1).pfn;
  const store = pages.take('XenStore ring', 1).pfn;
  const console = pages.take('console ring', 1).pfn;

  // Tables map themselves, so their number and the end of the mapping depend on each other.
  const allocated = plan.virtualBase + BigInt(pages.next) * PAGE;
  const extra = 1n + PADDING / PAGE;
  let want = extra;
  let end: bigint;
  let first: TableRange[];
  for (;;) {
    end = roundUp(allocated + want * PAGE + 1n, ALIGN);
    first = tablesOf({ from: plan.virtualBase, to: end, pfn: 0 }, [], { bits: plan.bits, allL2: false });
    want = BigInt(countTables(first)) + extra;
    if (allocated + want * PAGE <= end) break;
  }
  const tables = pages.take('page tables', countTables(first));
  const bootStack = pages.take('boot stack', 1).pfn;
  const left = Number((end - (plan.virtualBase + BigInt(pages.next) * PAGE)) / PAGE);
  pages.take('padding behind the boot stack (512 KiB, then to a multiple of 4 MiB)', left);
  if (ramdiskBytes > 0 && plan.modStartPfn) ramdisk = pages.take('ramdisk', pagesOf(BigInt(ramdiskBytes)));

  const ranges: MappedRange[] = [{ from: plan.virtualBase, to: end, pfn: 0 }];
  const tableRanges: TableRange[] = placeTables(first, tables.pfn);
  let p2mTotal = 0;
  if (outside !== null) {
    const range = { from: outside, to: outside + BigInt(p2mPages) * PAGE, pfn: pages.next };
    const second = tablesOf(range, first, { bits: plan.bits, allL2: false });
    p2m = pages.take('p2m list', p2mPages + countTables(second));
    p2mTotal = p2m.pages;
    p2mAddress = outside;
    ranges.push(range);
    tableRanges.push(...placeTables(second, p2m.pfn + p2mPages));
  }
  return {
    kernel,
    ramdisk,
    p2m: p2m!,
    p2mAddress,
    startInfo,
    store,
    console,
    tables,
    bootStack,
    virtualEnd: end,
    ranges,
    tableRanges,
    firstP2mPfn: outside === null ? 0 : p2m!.pfn,
    p2mFrames: p2mTotal,
  };
}

export function layoutDom0(plan: LoadPlan, totalPages: number, ramdiskBytes: number): Layout {
  const pages = new Allocator(totalPages);
  if (plan.kernelStart > plan.virtualBase)
    pages.take('space below the kernel (from VIRT_BASE to the first segment)', pagesOf(plan.kernelStart - plan.virtualBase));
  const kernel = pages.take('kernel', pagesOf(plan.kernelEnd - plan.kernelStart));
  const mapped = ramdiskBytes > 0 && !plan.modStartPfn;
  let ramdisk = mapped ? pages.take('ramdisk', pagesOf(BigInt(ramdiskBytes))) : null;
  const p2mPages = Math.ceil((totalPages * plan.bits) / 8 / PAGE_SIZE);
  const outside = usableP2m(plan);
  let p2m = outside === null ? pages.take('p2m list', p2mPages) : null;
  let p2mAddress = plan.virtualBase + BigInt(p2m?.pfn ?? 0) * PAGE;
  const startInfo = pages.take('start_info', 1).pfn;

  const tablesStart = plan.virtualBase + BigInt(pages.next) * PAGE;
  let end = 0n;
  let first: TableRange[] = [];
  let count = 2;
  for (; ; count++) {
    const stackEnd = tablesStart + BigInt(count + 1) * PAGE;
    end = roundUp(stackEnd, ALIGN);
    if (end - stackEnd < PADDING) end += ALIGN;
    first = tablesOf({ from: plan.virtualBase, to: end, pfn: 0 }, [], { bits: plan.bits, allL2: true });
    if (countTables(first) <= count) break;
  }
  const tables = pages.take('page tables', count);
  const bootStack = pages.take('boot stack', 1).pfn;
  // All of it lies in one run of machine frames, a power of two: what is behind the mapping comes after the whole run.
  const run = 2 ** Math.ceil(Math.log2(Number((end - plan.virtualBase) / PAGE)));
  pages.take('bootstrap memory (the mapped part, rounded up to a power of two)', run - pages.next);
  if (ramdiskBytes > 0 && plan.modStartPfn) ramdisk = pages.take('ramdisk', pagesOf(BigInt(ramdiskBytes)));
  const ranges: MappedRange[] = [{ from: plan.virtualBase, to: end, pfn: 0 }];
  const tableRanges = placeTables(first, tables.pfn);
  // Without a list of its own place dom0's start_info names the page behind the bootstrap mapping.
  let firstP2mPfn = Number((end - plan.virtualBase) / PAGE);
  let p2mFrames = 0;
  if (outside !== null) {
    const range = { from: outside, to: outside + BigInt(p2mPages) * PAGE, pfn: pages.next };
    const second = tablesOf(range, first, { bits: plan.bits, allL2: false });
    p2m = pages.take('p2m list', p2mPages + countTables(second));
    firstP2mPfn = p2m.pfn;
    p2mFrames = p2m.pages;
    p2mAddress = outside;
    ranges.push(range);
    tableRanges.push(...placeTables(second, p2m.pfn + p2mPages));
  }
  return {
    kernel,
    ramdisk,
    p2m: p2m!,
    p2mAddress,
    startInfo,
    store: null,
    console: null,
    tables,
    bootStack,
    virtualEnd: end,
    ranges,
    tableRanges,
    firstP2mPfn,
    p2mFrames,
  };
}

function placeTables(ranges: readonly TableRange[], pfn: number): TableRange[] {
  let next = pfn;
  return ranges.map((range) => {
    const placed = { ...range, pfn: next };
    next += range.count;
    return placed;
  });
}
