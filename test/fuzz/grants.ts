// Grants in the grammar: a domain that grants to itself, maps, copies, unmaps, overwrites, transfers and changes the version of its table,
// in lists, and now and then with a table or descriptor page as the frame.

import { grantCopyFlags as C, grantFlags as F, grantMapFlags as M } from '../../abi/constants/grant.table.ts';
import { type StructureName, StructView, sizeOf } from '../../abi/layout.ts';
import { call, poolFrame, SELF, store, structure, unmap, words } from './calls.ts';
import type { Builder } from './steps.ts';
import { edge } from './values.ts';

const OPERATION = 20;
/** The first eight references are the toolstack's; those behind are used again and again. */
const reference = (b: Builder): number => (b.below(10) === 0 ? [0, 1, 511, 512, 4000][b.below(5)]! : 8 + b.below(8));
const handle = (b: Builder): number => (b.below(12) === 0 ? 300 : b.below(14));
const domain = (b: Builder): number => (b.below(8) === 0 ? [0, 1, 7, SELF, 0xffff][b.below(5)]! : b.domid);
const ENTRY_FLAGS = [
  ...[F.GTF_permit_access, F.GTF_permit_access, F.GTF_permit_access, F.GTF_permit_access | F.GTF_readonly],
  ...[F.GTF_permit_access | F.GTF_sub_page, F.GTF_transitive, F.GTF_accept_transfer, F.GTF_invalid],
];
const MAP_FLAGS = [
  ...[M.GNTMAP_host_map, M.GNTMAP_host_map, M.GNTMAP_host_map | M.GNTMAP_readonly, M.GNTMAP_device_map],
  ...[M.GNTMAP_host_map | M.GNTMAP_device_map, M.GNTMAP_device_map | M.GNTMAP_readonly],
  ...[M.GNTMAP_host_map | M.GNTMAP_contains_pte, M.GNTMAP_host_map | M.GNTMAP_contains_pte | M.GNTMAP_readonly],
];

/** A list of one to four structures. */
function list(b: Builder, operation: number, name: StructureName, fields: () => Readonly<Record<string, bigint | number>>): void {
  const count = 1 + b.below(4);
  const size = sizeOf(name, b.bits);
  const bytes = new Uint8Array(count * size);
  for (let n = 0; n < count; n++) {
    const view = new StructView(name, b.bits, bytes, n * size);
    for (const [path, value] of Object.entries(fields())) view.set(path, BigInt.asUintN(64, BigInt(value)));
  }
  const at = b.place(bytes);
  if (at !== null) call(b, OPERATION, operation, at, b.below(20) === 0 ? count + 1 : count);
}

/** The guest writes an entry of its table. */
function write(b: Builder): void {
  const { frames, version } = b.grantTable();
  const flags = BigInt(ENTRY_FLAGS[b.below(ENTRY_FLAGS.length)]! | (b.below(12) === 0 ? F.GTF_reading : 0));
  const head = flags | (BigInt(domain(b)) << 16n);
  const frame = b.below(20) === 0 ? b.below(2 ** 20) : poolFrame(b);
  const ref = 8 + b.below(8);
  if (version === 1) {
    store(b, frames[0]!, ref, head | (BigInt(frame) << 32n));
    return;
  }
  store(b, frames[0]!, 2 * ref + 1, b.below(8) ? BigInt(frame) : BigInt(reference(b)));
  store(b, frames[0]!, 2 * ref, head | (BigInt(b.below(2) ? b.domid : b.below(4096)) << 32n) | (BigInt(b.below(4096)) << 48n));
}

/** An address, or that of an entry, for maps and unmaps. */
const place = (b: Builder): bigint => {
  if (b.below(4)) return b.addressOf(poolFrame(b));
  return b.below(3) ? (BigInt(poolFrame(b)) << 12n) | BigInt(8 * b.below(512)) : edge(b.below);
};

const pointer = (b: Builder, end: 'source' | 'dest', byGrant: boolean): Record<string, bigint | number> => ({
  [byGrant ? `${end}.u.ref` : `${end}.u.gmfn`]: byGrant ? reference(b) : poolFrame(b),
  [`${end}.domid`]: b.below(5) ? (byGrant ? b.domid : SELF) : domain(b),
  [`${end}.offset`]: b.below(4) ? b.below(2000) : b.below(4200),
});

function copy(b: Builder): void {
  list(b, 5, 'gnttab_copy', () => {
    const flags = b.below(4);
    return {
      ...pointer(b, 'source', (flags & C.GNTCOPY_source_gref) !== 0),
      ...pointer(b, 'dest', (flags & C.GNTCOPY_dest_gref) !== 0),
      ...{ flags, len: b.below(4) ? b.below(64) : b.below(4200) },
    };
  });
}

function transfer(b: Builder): void {
  const mfn = poolFrame(b);
  unmap(b, mfn);
  list(b, 4, 'gnttab_transfer', () => ({ mfn: b.below(3) ? mfn : b.frame(), domid: domain(b), ref: reference(b) }));
}

const operations: readonly ((b: Builder) => void)[] = [
  write,
  write,
  write,
  (b) =>
    list(b, 0, 'gnttab_map_grant_ref', () => ({
      host_addr: place(b),
      flags: MAP_FLAGS[b.below(MAP_FLAGS.length)]!,
      ref: reference(b),
      dom: domain(b),
    })),
  (b) => list(b, 0, 'gnttab_map_grant_ref', () => ({ host_addr: place(b), flags: b.below(32), ref: reference(b), dom: domain(b) })),
  (b) =>
    list(b, 1, 'gnttab_unmap_grant_ref', () => ({
      host_addr: b.below(3) ? place(b) : 0n,
      dev_bus_addr: b.below(3) ? BigInt(poolFrame(b)) << 12n : 0n,
      handle: handle(b),
    })),
  (b) => list(b, 7, 'gnttab_unmap_and_replace', () => ({ host_addr: place(b), new_addr: b.below(3) ? place(b) : 0n, handle: handle(b) })),
  copy,
  copy,
  transfer,
  (b) => list(b, 11, 'gnttab_swap_grant_ref', () => ({ ref_a: reference(b), ref_b: reference(b) })),
  (b) => call(b, OPERATION, 8, structure(b, 'gnttab_set_version', { version: 1 + b.below(2) }), 1),
  (b) => {
    const frames = words(b, ...new Array<number>(8).fill(0));
    call(b, OPERATION, 2, structure(b, 'gnttab_setup_table', { dom: SELF, nr_frames: b.below(6), frame_list: frames }), 1);
  },
  (b) => {
    const frames = words(b, ...new Array<number>(8).fill(0));
    call(b, OPERATION, 9, structure(b, 'gnttab_get_status_frames', { dom: SELF, nr_frames: b.below(3), frame_list: frames }), 1);
  },
  (b) =>
    list(b, 12, 'gnttab_cache_flush', () => ({
      'a.dev_bus_addr': BigInt(poolFrame(b)) << 12n,
      offset: b.below(4097),
      length: b.below(600),
      op: b.below(4),
    })),
];

/** Some of them, one after the other. */
export function grants(b: Builder): void {
  for (let n = 1 + b.below(6); n >= 0; n--) operations[b.below(operations.length)]!(b);
}
