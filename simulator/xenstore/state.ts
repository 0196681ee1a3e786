// The store's state as plain values (objects, arrays, numbers, strings, Uint8Arrays): for snapshots.

import { Connection, type Outgoing, type Watch } from './connection.ts';
import type { Permission } from './permissions.ts';
import { XenStore } from './responder.ts';
import type { Accessed, Transaction } from './transaction.ts';
import { type Node, Tree } from './tree.ts';

interface TransactionState {
  readonly id: number;
  readonly accessed: readonly Accessed[];
  readonly owned: readonly (readonly [number, number])[];
  readonly created: boolean;
  readonly failed: boolean;
}

interface ConnectionState {
  readonly domain: number;
  readonly target: number | null;
  readonly watches: readonly Watch[];
  readonly transactions: readonly TransactionState[];
  readonly nextTransactionId: number;
  readonly outgoing: readonly Outgoing[];
  readonly incoming: Uint8Array;
  readonly ignored: boolean;
}

export interface StoreState {
  readonly generation: number;
  readonly nodes: readonly Node[];
  readonly owned: readonly (readonly [number, number])[];
  readonly special: readonly (readonly [string, readonly Permission[]])[];
  readonly connections: readonly ConnectionState[];
}

const transactionState = ({ id, accessed, owned, created, failed }: Transaction): TransactionState => ({
  id,
  accessed: [...accessed.values()].map((one) => ({ ...one })),
  owned: [...owned],
  created,
  failed,
});

/** A copy of all state; the trace callback is not part of it. */
export const storeState = (store: XenStore): StoreState => ({
  generation: store.tree.generation,
  nodes: [...store.tree.nodes.values()],
  owned: [...store.tree.owned],
  special: [...store.special],
  connections: [...store.connections.values()].map((connection) => ({
    domain: connection.domain,
    target: connection.target,
    watches: [...connection.watches],
    transactions: [...connection.transactions.values()].map(transactionState),
    nextTransactionId: connection.nextTransactionId,
    outgoing: connection.outgoing.map((outgoing) => ({ ...outgoing })),
    incoming: connection.incoming.slice(),
    ignored: connection.ignored,
  })),
});

/** A store in that state. */
export function restoreStore(state: StoreState): XenStore {
  const tree = new Tree();
  tree.generation = state.generation;
  for (const node of state.nodes) tree.put(node);
  for (const [domain, count] of state.owned) tree.owned.set(domain, count);
  const store = new XenStore(tree);
  for (const [name, permissions] of state.special) store.special.set(name, permissions);
  for (const saved of state.connections) {
    const connection = new Connection(saved.domain);
    connection.target = saved.target;
    connection.watches.push(...saved.watches);
    for (const { accessed, owned, ...rest } of saved.transactions) {
      connection.transactions.set(rest.id, {
        ...rest,
        accessed: new Map(accessed.map((one) => [one.path, { ...one }])),
        owned: new Map(owned),
      });
    }
    connection.nextTransactionId = saved.nextTransactionId;
    connection.outgoing.push(...saved.outgoing.map((outgoing) => ({ ...outgoing })));
    connection.incoming = saved.incoming.slice();
    connection.ignored = saved.ignored;
    store.connections.set(saved.domain, connection);
  }
  return store;
}
