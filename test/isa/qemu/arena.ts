// The memory that both processors see: page tables, descriptor tables, code, data and stack pages, at fixed physical addresses.
// It is built here once as bytes; QEMU's harness and the engine get the same.

export const ARENA = 0x1000000;
export const ARENA_SIZE = 0x1c000;
/** Physical pages of the arena by what they hold. */
const PAGE = {
  pml4: 0,
  pdpt: 1,
  low: 2,
  directory: 3,
  table: 4,
  gdt: 5,
  ldt: 6,
  code: 8,
  data: 12,
  stack: 20,
  highPdpt: 24,
  highDirectory: 25,
  highTable: 26,
};

/** Linear addresses. Every page of these is 4 KiB and open to ring 3 unless a vector changes its entry. */
export const CODE = 0x40000000n;
export const DATA = 0x40010000n;
/** Top of the stack. */
export const STACK = 0x40024000n;
/** 2 MiB page, writable: the arena itself. */
export const LARGE = 0x40200000n;
/** The last page of the upper half. */
export const HIGH = 0xfffffffffffff000n;
export const CR3 = ARENA + PAGE.pml4 * 4096;
export const GDT = ARENA + PAGE.gdt * 4096;
export const LDT = ARENA + PAGE.ldt * 4096;
export const GDT_LIMIT = 0x7ff;
export const LDT_LIMIT = 0x1ff;
export const LDT_SELECTOR = 0x28;

const P = 1n;
const W = 2n;
const U = 4n;
const A = 0x20n;
const D = 0x40n;
const PS = 0x80n;
export const PTE = { P, W, U, A, D, PS, NX: 1n << 63n } as const;

export interface DescriptorFields {
  readonly base?: number;
  /** As in the descriptor: 20 bits. */
  readonly limit?: number;
  /** Type with its accessed bit. */
  readonly type: number;
  /** Code or data: default. */
  readonly system?: boolean;
  readonly dpl?: number;
  readonly present?: boolean;
  readonly long?: boolean;
  readonly big?: boolean;
  readonly pages?: boolean;
}
export function descriptor(f: DescriptorFields): bigint {
  const base = BigInt((f.base ?? 0) >>> 0);
  const limit = BigInt(f.limit ?? 0xfffff);
  const access = BigInt(f.type | (f.system ? 0 : 0x10) | ((f.dpl ?? 3) << 5) | (f.present === false ? 0 : 0x80));
  const flags = BigInt((f.long ? 2 : 0) | (f.big === false || f.long ? 0 : 4) | (f.pages === false ? 0 : 8));
  return (
    (limit & 0xffffn) | ((base & 0xffffffn) << 16n) | (access << 40n) | ((limit >> 16n) << 48n) | (flags << 52n) | ((base >> 24n) << 56n)
  );
}

/** Selectors that vectors start with, flat, by ring. */
export const SELECTOR = { code64: 0x3b, code32: 0x43, data: 0x4b, ring1Code32: 0x51, ring1Data: 0x59, ring1Code64: 0x61 } as const;
/** First GDT slot free for a vector's own descriptors, and the LDT's. */
export const FREE_GDT = 0x80;
export const FREE_LDT = 0x04;

const FLAT: readonly [number, bigint][] = [
  [0x08, 0x00af9b000000ffffn],
  [0x10, 0x00cf93000000ffffn],
  [0x28, 0x0000820000000000n | (BigInt(LDT & 0xffffff) << 16n) | (BigInt(LDT >>> 24) << 56n) | BigInt(LDT_LIMIT)],
  [0x38, descriptor({ type: 0xb, long: true })],
  [0x40, descriptor({ type: 0xb })],
  [0x48, descriptor({ type: 3 })],
  [0x50, descriptor({ type: 0xb, dpl: 1 })],
  [0x58, descriptor({ type: 3, dpl: 1 })],
  [0x60, descriptor({ type: 0xb, dpl: 1, long: true })],
];

/** Offset in the arena of the page-table entry of an address in CODE to STACK; of a descriptor; of a byte at such an address. */
export const entryOffset = (va: bigint): number => PAGE.table * 4096 + Number((va >> 12n) & 511n) * 8;
export const directoryOffset = (va: bigint): number => PAGE.directory * 4096 + Number((va >> 21n) & 511n) * 8;
export const selectorOffset = (selector: number): number => (selector & 4 ? PAGE.ldt : PAGE.gdt) * 4096 + (selector & ~7);
export function byteOffset(va: bigint): number {
  const page = Number((va - CODE) >> 12n);
  const start = page < 16 ? PAGE.code : page < 32 ? PAGE.data - 16 : PAGE.stack - 32;
  return (start + page) * 4096 + Number(va & 4095n);
}
/** Physical address and flags of a 4 KiB page's entry. */
export const leaf = (va: bigint, flags: bigint): bigint => BigInt(ARENA + byteOffset(va & ~4095n)) | flags;

export function buildArena(): Uint8Array {
  const bytes = new Uint8Array(ARENA_SIZE);
  const view = new DataView(bytes.buffer);
  const put = (page: number, index: number, v: bigint): void => view.setBigUint64(page * 4096 + index * 8, v, true);
  const at = (page: number): bigint => BigInt(ARENA + page * 4096);
  // What the harness itself uses is marked accessed and dirty from the start.
  put(PAGE.pml4, 0, at(PAGE.pdpt) | P | W | U | A);
  put(PAGE.pdpt, 0, at(PAGE.low) | P | W | A);
  for (let n = 0; n < 64; n++) put(PAGE.low, n, BigInt(n * 0x200000) | P | W | A | D | PS);
  put(PAGE.pdpt, 1, at(PAGE.directory) | P | W | U);
  put(PAGE.directory, 0, at(PAGE.table) | P | W | U);
  put(PAGE.directory, 1, BigInt(ARENA) | P | W | U | PS);
  for (const [start, pages] of [
    [CODE, 4],
    [DATA, 8],
    [STACK - 0x4000n, 4],
  ] as const)
    for (let n = 0; n < pages; n++) {
      const va = start + BigInt(n * 4096);
      view.setBigUint64(entryOffset(va), leaf(va, P | W | U), true);
    }
  put(PAGE.pml4, 511, at(PAGE.highPdpt) | P | W | U);
  put(PAGE.highPdpt, 511, at(PAGE.highDirectory) | P | W | U);
  put(PAGE.highDirectory, 511, at(PAGE.highTable) | P | W | U);
  put(PAGE.highTable, 511, at(PAGE.data) | P | W | U);
  for (const [selector, v] of FLAT) view.setBigUint64(selectorOffset(selector), v, true);
  return bytes;
}
