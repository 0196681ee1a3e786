// What of an image can run under Xen: references followed from the entry that the Xen notes name.

import { type FlowGraph, Reference } from './flow.ts';
import type { Nodes } from './nodes.ts';
import type { Region, Regions } from './regions.ts';

/**
 * - 'direct': jumps and calls lead there from the Xen entry.
 * - 'pointer': an address of it is used or stored by what the Xen entry leads to.
 * - 'native': only another entry leads there.
 * - 'none': nothing that was found leads there.
 * - 'unknown': the image has no Xen entry.
 */
export type Reach = 'direct' | 'pointer' | 'native' | 'none' | 'unknown';

export interface Reached {
  of(node: number): Reach;
  /** Nodes from the Xen entry to this one; empty when it is not reached from there. */
  chain(node: number): number[];
}

export interface Entries {
  /** Indexes of Regions. */
  readonly xen: number | null;
  readonly native: readonly number[];
}

/** By node, what it refers to: entries of one list, from `first[node]` to `first[node + 1]`. */
interface Edges {
  readonly first: Int32Array;
  readonly to: Int32Array;
  readonly kind: Uint8Array;
}

function edgesOf({ references }: FlowGraph, nodes: Nodes): Edges {
  const count = references.length / 3;
  const from = new Int32Array(count);
  const first = new Int32Array(nodes.list.length + 1);
  for (let i = 0; i < count; i++) {
    const node = nodes.at(references.at(3 * i));
    from[i] = node;
    first[node + 1]!++;
  }
  for (let node = 0; node < nodes.list.length; node++) first[node + 1]! += first[node]!;
  const at = first.slice();
  const to = new Int32Array(count);
  const kind = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const place = at[from[i]!]!++;
    to[place] = nodes.at(references.at(3 * i + 1));
    kind[place] = references.at(3 * i + 2) === Reference.address ? 1 : 0;
  }
  return { first, to, kind };
}

/** Places that the words between two indexes of a region name: absolute pointers to anything, and 32-bit distances to the start of a node. */
export function* pointersIn(regions: Regions, starts: Uint8Array, region: Region, from: number, to: number): Generator<number> {
  const { bytes } = region;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const wide = regions.bits === 64;
  const word = wide ? 8 : 4;
  const end = Math.min(to - region.first, bytes.length);
  for (let at = (from - region.first + 3) & ~3; at + 4 <= end; at += 4) {
    const low = view.getInt32(at, true);
    if (low === 0) continue;
    if (at % word === 0 && at + word <= end) {
      const index = regions.find(wide ? view.getInt32(at + 4, true) * 2 ** 32 + (low >>> 0) : low >>> 0);
      if (index >= 0) yield index;
    }
    if (!wide) continue;
    const near = regions.find(region.address + at + low);
    if (near >= 0 && starts[near]) yield near;
  }
}

export function follow(graph: FlowGraph, nodes: Nodes, regions: Regions, entries: Entries): Reached {
  const edges = edgesOf(graph, nodes);
  const { list } = nodes;
  const state: Reach[] = new Array<Reach>(list.length).fill('none');
  const parent = new Int32Array(list.length).fill(-1);
  const visited: number[] = [];

  const reach = (node: number, from: number, as: Reach): void => {
    if (state[node] !== 'none') return;
    state[node] = as;
    parent[node] = from;
    visited.push(node);
  };
  /** A label in data stands for all up to the next label. */
  const name = (node: number, from: number, as: Reach): void => {
    reach(node, from, as);
    if (list[node]!.executable || !list[node]!.label) return;
    for (let next = node + 1; next < list.length && list[next]!.first === list[next - 1]!.end && !list[next]!.label; next++)
      reach(next, from, as);
  };
  const data = (node: number, as: Reach): void => {
    const { first, end } = list[node]!;
    for (const index of pointersIn(regions, nodes.starts, regions.regionOf(first), first, end)) name(nodes.at(index), node, as);
  };
  const spread = (start: number, direct: Reach | null, pointed: Reach | null): void => {
    for (let i = start; i < visited.length; i++) {
      const node = visited[i]!;
      for (let edge = edges.first[node]!; edge < edges.first[node + 1]!; edge++) {
        const as = edges.kind[edge] ? pointed : direct;
        if (as) name(edges.to[edge]!, node, as);
      }
      if (pointed && !list[node]!.executable) data(node, pointed);
    }
  };

  if (entries.xen !== null) {
    reach(nodes.at(entries.xen), -1, 'direct');
    spread(0, 'direct', null);
    spread(0, 'pointer', 'pointer');
  }
  const others = visited.length;
  for (const entry of entries.native) reach(nodes.at(entry), -1, 'native');
  spread(others, 'native', 'native');
  return {
    of: (node) => (entries.xen === null ? 'unknown' : state[node]!),
    chain(node) {
      const path: number[] = [];
      if (state[node] !== 'direct' && state[node] !== 'pointer') return path;
      for (let at = node; at >= 0; at = parent[at]!) path.unshift(at);
      return path;
    },
  };
}
