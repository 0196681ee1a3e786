// Chains of calls that belong together: a guest builds, uses and takes down page tables and descriptor pages, opens and closes event
// channels, offers and uses grants, arms timers, registers callbacks and areas.

import {
  call,
  type Extended,
  levels,
  mapTo,
  mapWritable,
  mmuext,
  NEW_BASEPTR,
  NEW_USER_BASEPTR,
  poolFrame,
  quads,
  registersOf,
  SELF,
  store,
  structure,
  UNPIN,
  unmap,
  updates,
  Wide,
  words,
} from './calls.ts';
import { grants } from './grants.ts';
import type { Builder } from './steps.ts';
import { edge, entry } from './values.ts';

/** A table of a level, its entries filled by stores, made read only, pinned, perhaps hooked into the tables in use. */
function buildTable(b: Builder): void {
  const level = 1 + b.below(levels(b));
  const table = poolFrame(b);
  const pae = b.bits === 32 && level === 3;
  for (let n = b.below(6); n >= 0; n--) store(b, table, pae ? b.below(4) : b.slot(), pae ? entry(b) & ~0xe66n : entry(b));
  unmap(b, table);
  if (b.below(3)) mmuext(b, [level - 1, table]);
  if (b.below(3) === 0) updates(b, [(BigInt(b.root) << 12n) | BigInt(b.slot() * 8), (BigInt(table) << 12n) | 0x67n]);
  if (b.below(3) === 0) mmuext(b, [UNPIN, table]);
  if (b.below(2)) mapWritable(b, table);
}

/** Two or three levels over each other, as a 64-bit guest has them. */
function buildTree(b: Builder): void {
  if (b.bits === 32) {
    buildTree32(b);
    return;
  }
  const [l1, l2, l3, l4] = [poolFrame(b), poolFrame(b), poolFrame(b), poolFrame(b)];
  for (let n = b.below(4); n >= 0; n--) store(b, l1, b.slot(), entry(b));
  for (let n = b.below(3); n >= 0; n--) store(b, l2, b.slot(), (BigInt(l1) << 12n) | 0x67n);
  store(b, l3, b.slot(), (BigInt(l2) << 12n) | (b.below(4) ? 0x67n : 0x65n));
  store(b, l4, b.below(256), (BigInt(l3) << 12n) | 0x67n);
  if (b.below(3) === 0) store(b, l4, b.slot(), (BigInt(poolFrame(b)) << 12n) | 0x65n);
  for (const table of [l1, l2, l3, l4]) unmap(b, table);
  const top = 1 + b.below(3);
  mmuext(b, [top, [l2, l3, l4][top - 1]!]);
  if (b.below(3) === 0) mmuext(b, [NEW_USER_BASEPTR, l4]);
  if (b.below(3) === 0) mmuext(b, [UNPIN, [l2, l3, l4][top - 1]!]);
}

/** The same of a 32-bit guest: four entries on top, the last of them with Xen's own slots below. */
function buildTree32(b: Builder): void {
  const l2 = [poolFrame(b), poolFrame(b), poolFrame(b), poolFrame(b)];
  const [l1, l3] = [poolFrame(b), poolFrame(b)];
  for (let n = b.below(4); n >= 0; n--) store(b, l1, b.slot(), entry(b));
  for (const [n, table] of l2.entries()) {
    if (b.below(2)) store(b, table, b.slot(), (BigInt(l1) << 12n) | 0x67n);
    store(b, l3, n, (BigInt(table) << 12n) | (b.below(8) ? 1n : 0x67n));
  }
  for (const table of [l1, ...l2, l3]) unmap(b, table);
  mmuext(b, [2, l3]);
  if (b.below(12) === 0) mmuext(b, [NEW_BASEPTR, l3]);
  if (b.below(3) === 0) mmuext(b, [UNPIN, l3]);
}

const slotOfPool = (b: Builder): bigint =>
  (BigInt(b.below(6) ? poolFrame(b) : b.root) << 12n) | BigInt(b.slot() * 8 + (b.below(6) ? 0 : b.below(4)));

function descriptorPages(b: Builder): void {
  for (let n = b.below(3); n >= 0; n--) store(b, poolFrame(b), b.below(512), b.below(3) ? 0x00cffb000000ffffn : edge(b.below));
  const page = poolFrame(b);
  unmap(b, page);
  if (b.below(3)) call(b, 2, words(b, page, poolFrame(b)), 512 * b.below(3));
  else mmuext(b, [13, b.addressOf(page), b.below(3) ? 512 * b.below(3) : b.below(9000)]);
}

function reservation(b: Builder): void {
  const fields = {
    extent_start: words(b, poolFrame(b), b.below(4000), poolFrame(b)),
    nr_extents: 1 + b.below(3),
    extent_order: b.below(3),
    mem_flags: b.below(6) === 0 ? b.below(64) : 0,
    domid: SELF,
  };
  call(b, 12, [0, 1, 6][b.below(3)]!, structure(b, 'xen_memory_reservation', fields));
}

function exchange(b: Builder): void {
  const [one, other] = [b.below(3), b.below(3)];
  const fields = {
    'in.extent_start': words(b, poolFrame(b), poolFrame(b), poolFrame(b), poolFrame(b)),
    ...{ 'in.nr_extents': 4 >> one, 'in.extent_order': one, 'in.domid': SELF },
    'out.extent_start': words(b, b.below(4000), b.below(4000), b.below(4000), b.below(4000)),
    ...{ 'out.nr_extents': 4 >> other, 'out.extent_order': other, 'out.domid': SELF },
  };
  unmap(b, poolFrame(b));
  call(b, 12, 11, structure(b, 'xen_memory_exchange', fields));
}

/** A list of calls on tables. */
function multicall(b: Builder): void {
  const one = (): bigint[] => {
    const args = registersOf(b.bits, [quads(b, slotOfPool(b), entry(b)), 1, 0, SELF]);
    return [1n, 0n, ...args, 0n, 0n];
  };
  const list = Array.from({ length: 1 + b.below(3) }, one);
  call(b, 13, words(b, ...list.flat()), list.length);
}

/** event_channel_op: channels of all kinds, to itself and over queues of the FIFO kind in pages of the pool. */
function events(b: Builder): void {
  const port = b.below(24);
  const vcpu = b.below(2);
  const operations: readonly (() => void)[] = [
    () => call(b, 32, 6, structure(b, 'evtchn_alloc_unbound', { dom: SELF, remote_dom: b.below(3) ? SELF : b.below(4) })),
    () => call(b, 32, 0, structure(b, 'evtchn_bind_interdomain', { remote_dom: SELF, remote_port: port })),
    () => call(b, 32, 1, structure(b, 'evtchn_bind_virq', { virq: b.below(24), vcpu })),
    () => call(b, 32, 7, structure(b, 'evtchn_bind_ipi', { vcpu })),
    () => call(b, 32, 4, structure(b, 'evtchn_send', { port })),
    () => call(b, 32, 9, structure(b, 'evtchn_unmask', { port })),
    () => call(b, 32, 3, structure(b, 'evtchn_close', { port })),
    () => call(b, 32, 8, structure(b, 'evtchn_bind_vcpu', { port, vcpu })),
    () => call(b, 32, 5, structure(b, 'evtchn_status', { dom: SELF, port })),
    () => call(b, 32, 13, structure(b, 'evtchn_set_priority', { port, priority: b.below(18) })),
  ];
  for (let n = b.below(4); n >= 0; n--) operations[b.below(operations.length)]!();
  if (b.below(30) === 0)
    call(b, 32, 11, structure(b, 'evtchn_init_control', { control_gfn: poolFrame(b), offset: b.below(8) * 512, vcpu }));
  if (b.below(12) === 0) call(b, 32, 12, structure(b, 'evtchn_expand_array', { array_gfn: poolFrame(b) }));
}

/** vcpu_op and set_timer_op: timers, areas, contexts. */
function processors(b: Builder): void {
  const vcpu = b.below(2);
  const operations: readonly (() => void)[] = [
    () => call(b, 24, 10, vcpu, structure(b, 'vcpu_register_vcpu_info', { mfn: poolFrame(b), offset: b.below(70) * 64 })),
    () => call(b, 24, 5, vcpu, structure(b, 'vcpu_register_runstate_memory_area', { 'addr.v': b.address() })),
    () => call(b, 24, 13, vcpu, structure(b, 'vcpu_register_time_memory_area', { 'addr.v': b.address() })),
    () => call(b, 24, 6, vcpu, structure(b, 'vcpu_set_periodic_timer', { period_ns: b.below(4) ? b.below(10_000_000) : edge(b.below) })),
    () => call(b, 24, 8, vcpu, structure(b, 'vcpu_set_singleshot_timer', { timeout_abs_ns: b.below(10_000_000), flags: b.below(3) })),
    () => call(b, 24, 7 + 2 * b.below(2), vcpu, 0),
    () => call(b, 15, new Wide(b.below(3) ? BigInt(b.below(10_000_000)) : edge(b.below))),
    () => call(b, 24, 1 + b.below(3), 1, 0),
    () => call(b, 25, b.below(4), b.below(2) ? b.address() : edge(b.below)),
    () => call(b, 8, b.below(8), b.below(2) ? b.address() : edge(b.below)),
    () => call(b, 21, b.below(2), b.below(8)),
    () => call(b, 3, 0xe02b, b.address()),
  ];
  for (let n = b.below(3); n >= 0; n--) operations[b.below(operations.length)]!();
}

const chains: readonly ((b: Builder) => void)[] = [
  ...[buildTable, buildTree, descriptorPages, reservation, exchange, multicall, events, grants, processors],
  (b) => updates(b, ...Array.from({ length: 1 + b.below(6) }, (): [bigint, bigint] => [slotOfPool(b), entry(b)])),
  (b) => mapTo(b, b.address(), entry(b), b.below(6)),
  (b) => mmuext(b, ...Array.from({ length: 1 + b.below(4) }, (): Extended => [b.below(20), poolFrame(b), poolFrame(b)])),
  (b) =>
    call(
      b,
      10,
      new Wide((BigInt(poolFrame(b)) << 12n) | BigInt(8 * b.below(512))),
      new Wide(b.below(2) ? 0x00cffb000000ffffn : edge(b.below)),
    ),
];

/** One of them. */
export const chain = (b: Builder): void => chains[b.below(chains.length)]!(b);
