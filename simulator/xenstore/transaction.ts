// A transaction: what it has read keeps its value, what it has written is seen by itself only until it ends. At its end it fails with
// EAGAIN when a node that it read without writing first has changed meanwhile (deleted and created count as changed).

import type { Permission } from './permissions.ts';
import { type Node, noGeneration } from './tree.ts';

/** A node that a transaction has read, written or deleted. */
export interface Accessed {
  readonly path: string;
  /** Generation that it had at the first read. */
  readonly generation: number;
  /** Was it read first: must it still have that generation at the end? */
  readonly check: boolean;
  /** Permissions before the transaction; null when it did not exist. */
  readonly permissions: readonly Permission[] | null;
  modified: boolean;
  /** The transaction's own version; null: does not exist for it. */
  node: Node | null;
  /** A watch event is due at the end; `exact`: not for watches on parents. */
  watch: 'none' | 'exact' | 'subtree';
}

export interface Transaction {
  readonly id: number;
  readonly accessed: Map<string, Accessed>;
  /** Change in the number of nodes that each domain owns. */
  readonly owned: Map<number, number>;
  created: boolean;
  /** A limit was hit or a node could not be written: it will end with ENOMEM. */
  failed: boolean;
}

export const newTransaction = (id: number): Transaction => ({ id, accessed: new Map(), owned: new Map(), created: false, failed: false });

export function firstAccess(path: string, node: Node | null, type: 'read' | 'write'): Accessed {
  return {
    path,
    generation: type === 'read' && node ? node.generation : noGeneration,
    check: type === 'read',
    permissions: node?.permissions ?? null,
    modified: type === 'write',
    node: type === 'read' ? node : null,
    watch: 'none',
  };
}
