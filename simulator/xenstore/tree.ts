// The nodes of the store. Nodes are values: a change puts a new one in the old one's place, so a transaction can keep what it has read.

import type { Permission } from './permissions.ts';

export interface Node {
  readonly path: string;
  readonly data: Uint8Array;
  /** Names of the children in order of creation: the order in which DIRECTORY lists them. */
  readonly children: readonly string[];
  readonly permissions: readonly Permission[];
  /** Number of the change that made this version. */
  readonly generation: number;
}

/** Generation of a node that does not exist. */
export const noGeneration = -1;

const nothing = new Uint8Array(0);

export class Tree {
  readonly nodes = new Map<string, Node>();
  /** Number of the last change to any node. */
  generation = 0;
  /** Nodes that each domain owns: unprivileged domains may own 1000. */
  readonly owned = new Map<number, number>();

  /** A store as xenstored makes it at its start. */
  static initial(): Tree {
    const tree = new Tree();
    const permissions = [{ domain: 0, read: false, write: false }];
    for (const [path, child] of [
      ['/', 'tool'],
      ['/tool', 'xenstored'],
      ['/tool/xenstored', null],
    ] as const) {
      tree.put({ path, data: nothing, children: child === null ? [] : [child], permissions, generation: tree.next() });
      tree.count(0, 1);
    }
    return tree;
  }

  /** Number for a change. */
  next(): number {
    this.generation++;
    return this.generation;
  }

  put(node: Node): void {
    this.nodes.set(node.path, node);
  }

  count(domain: number, by: number): void {
    this.owned.set(domain, (this.owned.get(domain) ?? 0) + by);
  }

  ownedBy(domain: number): number {
    return this.owned.get(domain) ?? 0;
  }
}

export const newNode = (path: string, permissions: readonly Permission[], data: Uint8Array = nothing): Node => ({
  path,
  data,
  children: [],
  permissions,
  generation: noGeneration,
});

/** Bytes that xenstored counts for a node: its record has a 24-byte head, 8 per permission, the value and the children's names. */
export const recordSize = (node: Node): number =>
  24 + 8 * node.permissions.length + node.data.length + node.children.reduce((sum, name) => sum + name.length + 1, 0);
