// Reading, writing and deleting nodes for one request, inside its transaction or directly.

import type { Connection } from './connection.ts';
import { isValidPath, lastPart, parentPath } from './paths.ts';
import { isPrivileged, type Permission, rightsOf } from './permissions.ts';
import { type Accessed, firstAccess, type Transaction } from './transaction.ts';
import { type Node, newNode, noGeneration, recordSize, type Tree } from './tree.ts';
import type { StoreError } from './wire.ts';

/** Limits for unprivileged domains, as xenstored has them unless told otherwise. */
export const quota = {
  nodes: 1000,
  watches: 128,
  recordSize: 2048,
  transactions: 10,
  permissions: 5,
  transactionNodes: 1024,
  outstanding: 20,
} as const;

export interface Change {
  readonly path: string;
  readonly node: Node | null;
  /** False: also for watches on parents. */
  readonly exact: boolean;
  readonly oldPermissions: readonly Permission[] | null;
}

export class Access {
  readonly tree: Tree;
  readonly connection: Connection;
  readonly transaction: Transaction | null;
  /** Called for every change that watches may be waiting for, when there is no transaction. */
  readonly changed: (change: Change) => void;

  constructor(tree: Tree, connection: Connection, transaction: Transaction | null, changed: (change: Change) => void) {
    this.tree = tree;
    this.connection = connection;
    this.transaction = transaction;
    this.changed = changed;
  }

  private get limited(): boolean {
    return !isPrivileged(this.connection.domain);
  }

  private track(accessed: Accessed): StoreError | null {
    const { accessed: known } = this.transaction!;
    if (known.size >= quota.transactionNodes && this.limited) {
      this.transaction!.failed = true;
      return 'ENOSPC';
    }
    known.set(accessed.path, accessed);
    return null;
  }

  /** The node as this request sees it; 'ENOENT' when there is none. */
  read(path: string): Node | StoreError {
    const known = this.transaction?.accessed.get(path);
    if (known) return known.node ?? 'ENOENT';
    const node = this.tree.nodes.get(path) ?? null;
    const error = this.transaction ? this.track(firstAccess(path, node, 'read')) : null;
    return error ?? node ?? 'ENOENT';
  }

  /** The node, if the domain has these rights to it. Without any right to the nearest existing parent the answer is EACCES, whatever the
   * node is: nobody may learn of names by asking. */
  find(path: string | null, need: 'read' | 'write' | 'own'): Node | StoreError {
    if (path === null || !isValidPath(path)) return 'EINVAL';
    const found = this.read(path);
    let error: StoreError = 'EACCES';
    if (typeof found === 'string') error = found;
    else if (this.allows(found.permissions, need)) return found;
    if (error === 'ENOSPC') return error;
    for (let parent = path; parent !== '/'; ) {
      parent = parentPath(parent);
      const node = this.read(parent);
      if (node === 'ENOSPC') return node;
      if (typeof node === 'string') continue;
      const rights = rightsOf(this.connection.domain, node.permissions, this.connection.target);
      const some = need === 'read' ? rights.read : need === 'write' ? rights.write : rights.write || rights.owner;
      return some ? error : 'EACCES';
    }
    return 'EACCES';
  }

  private allows(permissions: readonly Permission[], need: 'read' | 'write' | 'own'): boolean {
    const rights = rightsOf(this.connection.domain, permissions, this.connection.target);
    return need === 'read' ? rights.read : need === 'write' ? rights.write : rights.write && rights.owner;
  }

  /** Puts a new version of a node in place. */
  write(node: Node, unlimited = false): StoreError | null {
    const version: Node = { ...node, generation: this.tree.next() };
    const { transaction } = this;
    if (transaction) {
      const known = transaction.accessed.get(node.path);
      if (!known) {
        const error = this.track(firstAccess(node.path, node, 'write'));
        if (error) return error;
      } else known.modified = true;
    }
    if (!unlimited && this.limited && recordSize(version) >= quota.recordSize) {
      if (transaction) transaction.failed = true;
      return 'ENOSPC';
    }
    if (transaction) transaction.accessed.get(node.path)!.node = version;
    else this.tree.put(version);
    return null;
  }

  private erase(path: string): void {
    const known = this.transaction?.accessed.get(path);
    if (known) known.node = null;
    else this.tree.nodes.delete(path);
  }

  count(owner: number, by: number): void {
    const { transaction } = this;
    if (transaction) transaction.owned.set(owner, (transaction.owned.get(owner) ?? 0) + by);
    else this.tree.count(owner, by);
  }

  /** Tells watches, or notes in the transaction that they are to be told. */
  notify(path: string, node: Node, exact: boolean, oldPermissions: readonly Permission[] | null = null): void {
    if (!this.transaction) {
      this.changed({ path, node, exact, oldPermissions });
      return;
    }
    const known = this.transaction.accessed.get(path);
    if (!known) this.transaction.failed = true;
    else if (known.watch !== 'subtree') known.watch = exact ? 'exact' : 'subtree';
  }

  /** Makes a node and the parents it lacks. They inherit their parent's permissions; an unprivileged domain owns what it makes. */
  create(path: string, data: Uint8Array): Node | StoreError {
    const missing: string[] = [];
    let parent: Node | StoreError = 'ENOENT';
    for (let at = path; parent === 'ENOENT'; at = parentPath(at)) {
      if (at === '/') return 'ENOENT';
      missing.unshift(at);
      parent = this.read(parentPath(at));
    }
    if (typeof parent === 'string') return parent;
    if (this.transaction) this.transaction.created = true;
    const versions: Node[] = [parent];
    for (const name of missing) {
      const above = versions.at(-1)!;
      versions[versions.length - 1] = { ...above, children: [...above.children, lastPart(name)] };
      versions.push(newNode(name, this.inherited(above.permissions)));
    }
    const last = versions.length - 1;
    versions[last] = { ...versions[last]!, data };
    // From the bottom up, so that no directory names a child that is not there.
    const done: Node[] = [];
    for (let i = last; i >= 0; i--) {
      const full = i > 0 && this.limited && this.tree.ownedBy(this.connection.domain) >= quota.nodes;
      const error: StoreError | null = full ? 'ENOSPC' : this.write(versions[i]!);
      if (error) {
        for (const node of done) {
          this.erase(node.path);
          this.count(node.permissions[0]!.domain, -1);
          if (this.transaction) this.transaction.failed = true;
        }
        return error;
      }
      if (i > 0) {
        done.push(versions[i]!);
        this.count(versions[i]!.permissions[0]!.domain, 1);
      }
    }
    return versions[last]!;
  }

  private inherited(permissions: readonly Permission[]): readonly Permission[] {
    const [first, ...others] = permissions;
    return this.limited ? [{ ...first!, domain: this.connection.domain }, ...others] : permissions;
  }

  /** Removes a node with all below it, deepest first. */
  remove(path: string): StoreError | null {
    const parent = this.read(parentPath(path));
    if (typeof parent === 'string') return parent === 'ENOSPC' ? parent : 'EINVAL';
    if (!this.removeTree(path, path)) return 'EIO';
    return this.write({ ...parent, children: parent.children.filter((name) => name !== lastPart(path)) }, true) ? 'EIO' : null;
  }

  /** False when a directory names a child that is not there: another client removed it after this transaction had read the directory. */
  private removeTree(path: string, top: string): boolean {
    let node = this.read(path);
    if (typeof node === 'string') return false;
    while (node.children.length > 0) {
      const [first, ...rest]: readonly string[] = node.children;
      if (!this.removeTree(`${path}/${first}`, top)) return false;
      const shorter: Node = { ...node, children: rest };
      this.write(shorter, true);
      node = shorter;
    }
    this.tree.next();
    const known = this.transaction?.accessed.get(path);
    if (known) known.modified = true;
    this.erase(path);
    this.notify(path, node, path !== top);
    this.count(node.permissions[0]!.domain, -1);
    return true;
  }
}

/** Ends a transaction: puts its changes into the tree, or says why not. */
export function commit(tree: Tree, transaction: Transaction, domain: number, changed: (change: Change) => void): StoreError | null {
  if (transaction.failed) return 'ENOMEM';
  if (transaction.created && !isPrivileged(domain)) {
    for (const [owner, by] of transaction.owned) {
      if (!isPrivileged(owner) && Math.max(0, tree.ownedBy(owner) + by) >= quota.nodes) return 'ENOSPC';
    }
  }
  for (const { path, check, generation } of transaction.accessed.values()) {
    if (check && (tree.nodes.get(path)?.generation ?? noGeneration) !== generation) return 'EAGAIN';
  }
  for (const { path, modified, node, watch, permissions } of transaction.accessed.values()) {
    if (!modified) continue;
    if (node) tree.put({ ...node, generation: tree.next() });
    else tree.nodes.delete(path);
    if (watch !== 'none') changed({ path, node: null, exact: watch === 'exact', oldPermissions: permissions });
  }
  for (const [owner, by] of transaction.owned) tree.count(owner, by);
  return null;
}
