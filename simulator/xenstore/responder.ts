// The store as a whole: connections, requests in, replies and events out.

import { Access, type Change } from './access.ts';
import { Connection, type Watch } from './connection.ts';
import { operations } from './operations.ts';
import { absolutePath, domainPath, isWithin, parentPath } from './paths.ts';
import { isPrivileged, type Permission, privilegedDomain, rightsOf } from './permissions.ts';
import { Tree } from './tree.ts';
import {
  bytesOf,
  closedStrings,
  headerSize,
  message,
  messageName,
  payloadMax,
  readHeader,
  type StoreError,
  strings,
  textOf,
} from './wire.ts';

/** One request with its outcome, for the trace. */
export interface StoreTrace {
  readonly domain: number;
  /** 'READ', 'WRITE', …; 'type 77' for a number that is no request. */
  readonly operation: string;
  /** Absolute path; of requests without one their first argument. */
  readonly path: string;
  /** What was read or written, lists joined by spaces; null where there is nothing to show or it failed. */
  readonly value: string | null;
  readonly error: StoreError | null;
}

const nobody: readonly Permission[] = [{ domain: privilegedDomain, read: false, write: false }];

export class XenStore {
  readonly tree: Tree;
  readonly connections = new Map<number, Connection>();
  /** Who may see the events of domains coming and going. */
  readonly special = new Map<string, readonly Permission[]>([
    ['@introduceDomain', nobody],
    ['@releaseDomain', nobody],
  ]);
  /** Called after every request of a domain. */
  trace: ((record: StoreTrace) => void) | null = null;

  constructor(tree: Tree = Tree.initial()) {
    this.tree = tree;
    this.connections.set(privilegedDomain, new Connection(privilegedDomain));
  }

  /** Has the id been introduced: may it own nodes? */
  knows(domain: number): boolean {
    return this.connections.has(domain);
  }

  /** Opens the connection of a domain; for one that has it: forgets what it had open. */
  introduce(domain: number): void {
    const known = this.connections.get(domain);
    if (known) {
      known.reset();
      known.ignored = false;
      return;
    }
    this.connections.set(domain, new Connection(domain));
    this.fireSpecial('@introduceDomain');
  }

  /** The domain is gone: its connection, and the nodes it owns with all below them. */
  release(domain: number): void {
    this.connections.delete(domain);
    const access = this.toolstack();
    const owned = [...this.tree.nodes.values()].filter(({ permissions }) => permissions[0]!.domain === domain).map(({ path }) => path);
    for (const path of owned) if (path !== '/' && this.tree.nodes.has(path)) access.remove(path);
    this.fireSpecial('@releaseDomain');
  }

  /** Answers one whole message of a domain. The result is everything that waits for the domain, in order: events that the request itself
   * causes come before its reply. Events for other domains wait in their connections. Throws for a domain that was not introduced. */
  handle(domain: number, bytes: Uint8Array): Uint8Array[] {
    this.receive(domain, bytes);
    return this.take(domain);
  }

  /** Takes everything that waits for a domain. */
  take(domain: number): Uint8Array[] {
    return this.connection(domain)
      .outgoing.splice(0)
      .map((outgoing) => outgoing.bytes);
  }

  connection(domain: number): Connection {
    const connection = this.connections.get(domain);
    if (!connection) throw new Error(`domain ${domain} has not been introduced to XenStore`);
    return connection;
  }

  /** Carries out one whole message; the reply is queued in the domain's connection. */
  receive(domain: number, bytes: Uint8Array): void {
    const connection = this.connection(domain);
    const { type, requestId, transactionId, length } = readHeader(bytes);
    const payload = bytes.slice(headerSize, headerSize + length);
    const name = messageName(type);
    const operation = name === null ? undefined : operations[name];
    const send = (result: Uint8Array | StoreError): StoreError | null => {
      const answer = typeof result !== 'string' && result.length > payloadMax ? 'E2BIG' : result;
      if (typeof answer === 'string') connection.reply(message('ERROR', requestId, transactionId, strings(answer)));
      else connection.reply(message(name!, requestId, transactionId, answer));
      return typeof answer === 'string' ? answer : null;
    };
    let result: Uint8Array | StoreError;
    let error: StoreError | null;
    if (!operation) {
      result = 'ENOSYS';
      error = send(result);
    } else if (operation.privileged && !isPrivileged(domain)) {
      result = 'EACCES';
      error = send(result);
    } else {
      const transaction = operation.outside || transactionId === 0 ? null : connection.transactions.get(transactionId);
      if (transaction === undefined) {
        result = 'ENOENT';
        error = send(result);
      } else {
        const request = { store: this, access: new Access(this.tree, connection, transaction, this.fire), payload };
        result = operation.run(request);
        error = send(result);
        if (error === null) operation.after?.(request);
      }
    }
    this.trace?.(describe(domain, name ?? `type ${type}`, payload, result, error));
  }

  /** Sends the events of a change to every watch that may see it. */
  readonly fire = ({ path, node, exact, oldPermissions }: Change): void => {
    for (const connection of this.connections.values()) {
      if (connection.watches.length === 0 || !this.maySee(connection, path, node, oldPermissions)) continue;
      for (const watch of connection.watches) {
        if (exact ? watch.path === path : isWithin(path, watch.path)) this.sendEvent(connection, watch, path);
      }
    }
  };

  /** A watcher must be able to read the node, or have been able to, or be able to read its parent. */
  private maySee(connection: Connection, path: string, changed: Change['node'], old: Change['oldPermissions']): boolean {
    const reads = (permissions: readonly Permission[]): boolean => rightsOf(connection.domain, permissions, connection.target).read;
    if (old && reads(old)) return true;
    const node = changed ?? this.tree.nodes.get(path);
    if (!node) return false;
    if (reads(node.permissions)) return true;
    const parent = this.tree.nodes.get(parentPath(path));
    return parent !== undefined && reads(parent.permissions);
  }

  private fireSpecial(name: string): void {
    for (const connection of this.connections.values()) {
      if (!rightsOf(connection.domain, this.special.get(name)!, connection.target).read) continue;
      for (const watch of connection.watches) if (watch.path === name) this.sendEvent(connection, watch, name);
    }
  }

  /** Queues the event of a watch for a path (its own unless given). */
  sendEvent(connection: Connection, watch: Watch, path: string = watch.path): void {
    watch.fired++;
    let shown = path;
    if (watch.relative) shown = path.slice(domainPath(connection.domain).length).replace(/^\//, '');
    const payload = strings(shown, watch.token);
    if (payload.length <= payloadMax) connection.event(message('WATCH_EVENT', 0, 0, payload));
  }

  private toolstack(): Access {
    return new Access(this.tree, this.connection(privilegedDomain), null, this.fire);
  }

  /** The toolstack writes a node (parents are made), with permissions where given; watches fire. Throws on a path that is not valid. */
  write(path: string, value: string, permissions?: readonly Permission[]): void {
    const access = this.toolstack();
    const found = access.find(path, 'write');
    const data = bytesOf(value);
    const node = typeof found === 'string' ? access.create(path, data) : { ...found, data };
    if (typeof node === 'string') throw new Error(`XenStore: cannot write ${path}: ${node}`);
    const owner = node.permissions[0]!.domain;
    const version = permissions ? { ...node, permissions } : node;
    access.write(version);
    if (permissions) {
      access.count(owner, -1);
      access.count(permissions[0]!.domain, 1);
    }
    access.notify(path, version, false, node.permissions);
  }

  /** The value of a node as text; null when there is none. */
  read(path: string): string | null {
    const node = this.tree.nodes.get(path);
    return node ? textOf(node.data) : null;
  }

  /** Names of a node's children; null when there is no such node. */
  list(path: string): readonly string[] | null {
    return this.tree.nodes.get(path)?.children ?? null;
  }

  /** The toolstack removes a node with all below it; false when there is none. */
  remove(path: string): boolean {
    return this.tree.nodes.has(path) && path !== '/' && this.toolstack().remove(path) === null;
  }
}

const showsReply = new Set([
  'READ',
  'DIRECTORY',
  'GET_PERMS',
  'TRANSACTION_START',
  'GET_DOMAIN_PATH',
  'DIRECTORY_PART',
  'IS_DOMAIN_INTRODUCED',
]);
const hasPath = new Set(['READ', 'DIRECTORY', 'GET_PERMS', 'WATCH', 'UNWATCH', 'WRITE', 'MKDIR', 'RM', 'SET_PERMS', 'DIRECTORY_PART']);

function describe(
  domain: number,
  operation: string,
  payload: Uint8Array,
  result: Uint8Array | StoreError,
  error: StoreError | null,
): StoreTrace {
  const [first = '', ...rest] = textOf(payload).split('\0');
  const path = hasPath.has(operation) ? absolutePath(domain, first) : first;
  let value: string | null = null;
  if (operation === 'WRITE') value = rest.join('\0');
  else if (operation === 'WATCH' || operation === 'UNWATCH' || operation === 'SET_PERMS')
    value = rest.filter((part) => part !== '').join(' ');
  else if (error === null && typeof result !== 'string' && showsReply.has(operation)) {
    value = operation === 'READ' ? textOf(result) : closedStrings(result).join(' ');
  }
  return { domain, operation, path, value, error };
}
