// The requests of the protocol. Each gets the payload and gives the payload of the reply, or an error.
// Source of the behaviour: docs/misc/xenstore.txt and xenstored of Xen 4.17.

import { type Access, commit, quota } from './access.ts';
import type { Watch } from './connection.ts';
import { absolutePath, domainPath, isValidPath, parentPath } from './paths.ts';
import { isPrivileged, type Permission, parsePermission, permissionText, rightsOf } from './permissions.ts';
import type { XenStore } from './responder.ts';
import { newTransaction, type Transaction } from './transaction.ts';
import type { Node } from './tree.ts';
import { bytesOf, closedStrings, type MessageName, onlyString, payloadMax, type StoreError, strings, textOf } from './wire.ts';

export interface Request {
  readonly store: XenStore;
  readonly access: Access;
  readonly payload: Uint8Array;
}

export interface Operation {
  /** Only the toolstack's domain: EACCES for others. */
  readonly privileged?: true;
  /** The transaction id is not looked at. */
  readonly outside?: true;
  readonly run: (request: Request) => Uint8Array | StoreError;
  /** Runs when the reply has been queued. */
  readonly after?: (request: Request) => void;
}

const done = strings('OK');

const pathOf = ({ access, payload }: Request): string | null => {
  const given = onlyString(payload);
  return given === null ? null : absolutePath(access.connection.domain, given);
};

/** Leading decimal number as C's atoi reads it. */
const leadingNumber = (text: string): number => Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0) >>> 0;

const reply = (node: Node | StoreError, payload: (node: Node) => Uint8Array): Uint8Array | StoreError =>
  typeof node === 'string' ? node : payload(node);

const directory = (request: Request): Uint8Array | StoreError =>
  reply(request.access.find(pathOf(request), 'read'), (node) => strings(...node.children));

/** Generation, then as many names from the byte offset given as fit; an empty string ends the list. */
function directoryPart({ access, payload }: Request): Uint8Array | StoreError {
  const parts = closedStrings(payload);
  if (parts.length !== 2) return 'EINVAL';
  const node = access.find(absolutePath(access.connection.domain, parts[0]!), 'read');
  if (typeof node === 'string') return node;
  const names = strings(...node.children);
  const generation = strings(String(node.generation));
  const offset = leadingNumber(parts[1]!);
  if (offset >= names.length) return bytesOf(`${textOf(generation)}\0`);
  const room = payloadMax - generation.length - 1;
  let end = offset;
  while (end < names.length) {
    const next = names.indexOf(0, end) + 1;
    if (next - 1 - offset >= room) break;
    end = next;
  }
  return bytesOf(textOf(generation) + textOf(names.subarray(offset, end)) + (end === names.length ? '\0' : ''));
}

function write({ access, payload }: Request): Uint8Array | StoreError {
  const end = payload.indexOf(0);
  if (end < 0) return 'EINVAL';
  const path = absolutePath(access.connection.domain, textOf(payload.subarray(0, end)));
  const data = payload.slice(end + 1);
  const found = access.find(path, 'write');
  if (typeof found === 'string' && found !== 'ENOENT') return found;
  let node: Node | StoreError;
  if (typeof found === 'string') node = access.create(path, data);
  else {
    node = { ...found, data };
    const error = access.write(node);
    if (error) return error;
  }
  if (typeof node === 'string') return node;
  access.notify(path, node, false);
  return done;
}

function mkdir(request: Request): Uint8Array | StoreError {
  const { access } = request;
  const path = pathOf(request);
  const found = access.find(path, 'write');
  if (typeof found !== 'string') return done;
  if (found !== 'ENOENT') return found;
  const node = access.create(path!, new Uint8Array(0));
  if (typeof node === 'string') return node;
  access.notify(path!, node, false);
  return done;
}

/** A node that is not there counts as removed when its parent is there. */
function remove(request: Request): Uint8Array | StoreError {
  const { access } = request;
  const path = pathOf(request);
  const found = access.find(path, 'write');
  if (typeof found === 'string') {
    if (found !== 'ENOENT') return found;
    const parent = access.read(parentPath(path!));
    return typeof parent === 'string' ? parent : done;
  }
  if (path === '/') return 'EINVAL';
  return access.remove(path!) ?? done;
}

const getPermissions = (request: Request): Uint8Array | StoreError =>
  reply(request.access.find(pathOf(request), 'read'), (node) => strings(...node.permissions.map(permissionText)));

function setPermissions({ store, access, payload }: Request): Uint8Array | StoreError {
  const { domain } = access.connection;
  const [given, ...texts] = closedStrings(payload);
  if (given === undefined || texts.length === 0) return 'EINVAL';
  if (!isPrivileged(domain) && texts.length > quota.permissions) return 'ENOSPC';
  const permissions: Permission[] = [];
  for (const text of texts) {
    const permission = parsePermission(text);
    if (typeof permission === 'string') return permission;
    permissions.push(permission);
  }
  if (!store.knows(permissions[0]!.domain)) return 'ENOENT';
  if (given.startsWith('@')) {
    const special = store.special.get(given);
    if (!special) return 'EINVAL';
    const rights = rightsOf(domain, special, access.connection.target);
    if (!rights.write || !rights.owner) return 'EACCES';
    store.special.set(given, permissions);
    return done;
  }
  const path = absolutePath(domain, given);
  const node = access.find(path, 'own');
  if (typeof node === 'string') return node;
  const owner = node.permissions[0]!.domain;
  if (!isPrivileged(domain) && permissions[0]!.domain !== owner) return 'EPERM';
  const changed: Node = { ...node, permissions };
  const error = access.write(changed);
  if (error) return error;
  access.count(owner, -1);
  access.count(permissions[0]!.domain, 1);
  access.notify(path, changed, false, node.permissions);
  return done;
}

function startTransaction({ access }: Request): Uint8Array | StoreError {
  const { connection } = access;
  if (access.transaction) return 'EBUSY';
  if (!isPrivileged(connection.domain) && connection.transactions.size > quota.transactions) return 'ENOSPC';
  access.tree.next();
  let id: number;
  do {
    id = connection.nextTransactionId;
    connection.nextTransactionId = (id + 1) >>> 0;
  } while (id === 0 || connection.transactions.has(id));
  connection.transactions.set(id, newTransaction(id));
  return strings(String(id));
}

function endTransaction({ store, access, payload }: Request): Uint8Array | StoreError {
  const how = onlyString(payload);
  if (how !== 'T' && how !== 'F') return 'EINVAL';
  const transaction: Transaction | null = access.transaction;
  if (!transaction) return 'ENOENT';
  const { connection } = access;
  connection.transactions.delete(transaction.id);
  if (how === 'F') return done;
  return commit(access.tree, transaction, connection.domain, store.fire) ?? done;
}

function watchArguments({ access, payload }: Request): Watch | StoreError {
  const parts = closedStrings(payload);
  if (parts.length !== 2) return 'EINVAL';
  const [given, token] = parts as [string, string];
  return {
    path: absolutePath(access.connection.domain, given),
    token,
    relative: !given.startsWith('/') && !given.startsWith('@'),
    fired: 0,
  };
}

function watch(request: Request): Uint8Array | StoreError {
  const { connection } = request.access;
  const wanted = watchArguments(request);
  if (typeof wanted === 'string') return wanted;
  const valid = wanted.path.startsWith('@') ? wanted.path.length <= 2048 : isValidPath(wanted.path);
  if (!valid) return 'EINVAL';
  if (connection.watches.some(({ path, token }) => path === wanted.path && token === wanted.token)) return 'EEXIST';
  if (!isPrivileged(connection.domain) && connection.watches.length > quota.watches) return 'E2BIG';
  connection.watches.push(wanted);
  return done;
}

function unwatch(request: Request): Uint8Array | StoreError {
  const { watches } = request.access.connection;
  const wanted = watchArguments(request);
  if (typeof wanted === 'string') return wanted;
  const at = watches.findIndex(({ path, token }) => path === wanted.path && token === wanted.token);
  if (at < 0) return 'ENOENT';
  watches.splice(at, 1);
  return done;
}

function getDomainPath({ payload }: Request): Uint8Array | StoreError {
  const id = onlyString(payload);
  return id === null ? 'EINVAL' : strings(domainPath(leadingNumber(id)));
}

const selfId = 0x7ff0;

function isIntroduced({ store, payload }: Request): Uint8Array | StoreError {
  const text = onlyString(payload);
  if (text === null) return 'EINVAL';
  const id = leadingNumber(text);
  return strings(id === selfId || store.connections.has(id) ? 'T' : 'F');
}

/** The id of a domain with a connection, from a payload of one string. */
function connectedDomain({ store, payload }: Request): number | StoreError {
  const text = onlyString(payload);
  const id = text === null ? 0 : leadingNumber(text);
  if (id === 0) return 'EINVAL';
  return store.connections.has(id) ? id : 'ENOENT';
}

function introduce({ store, payload }: Request): Uint8Array | StoreError {
  const parts = closedStrings(payload);
  if (parts.length < 3 || leadingNumber(parts[2]!) === 0) return 'EINVAL';
  store.introduce(leadingNumber(parts[0]!));
  return done;
}

function release(request: Request): Uint8Array | StoreError {
  const id = connectedDomain(request);
  if (typeof id === 'string') return id;
  request.store.release(id);
  return done;
}

function resume(request: Request): Uint8Array | StoreError {
  const id = connectedDomain(request);
  return typeof id === 'string' ? id : done;
}

function setTarget({ store, payload }: Request): Uint8Array | StoreError {
  const parts = closedStrings(payload);
  if (parts.length < 2) return 'EINVAL';
  const connection = store.connections.get(leadingNumber(parts[0]!));
  const target = leadingNumber(parts[1]!);
  if (!connection || !store.connections.has(target)) return 'ENOENT';
  connection.target = target;
  return done;
}

function resetWatches({ access }: Request): Uint8Array {
  access.connection.watches.length = 0;
  access.connection.transactions.clear();
  return done;
}

/** Commands for the daemon itself (log files, quotas, live update): there is no daemon here, so none of them exists. */
const control = (): StoreError => 'EINVAL';

export const operations: Readonly<Partial<Record<MessageName, Operation>>> = {
  CONTROL: { privileged: true, run: control },
  DIRECTORY: { run: directory },
  READ: { run: (request) => reply(request.access.find(pathOf(request), 'read'), (node) => node.data) },
  GET_PERMS: { run: getPermissions },
  // The watch fires once at its start: whoever asks need not read first.
  WATCH: { outside: true, run: watch, after: ({ store, access }) => store.sendEvent(access.connection, access.connection.watches.at(-1)!) },
  UNWATCH: { outside: true, run: unwatch },
  TRANSACTION_START: { run: startTransaction },
  TRANSACTION_END: { run: endTransaction },
  INTRODUCE: { privileged: true, run: introduce },
  RELEASE: { privileged: true, run: release },
  GET_DOMAIN_PATH: { run: getDomainPath },
  WRITE: { run: write },
  MKDIR: { run: mkdir },
  RM: { run: remove },
  SET_PERMS: { run: setPermissions },
  IS_DOMAIN_INTRODUCED: { privileged: true, run: isIntroduced },
  RESUME: { privileged: true, run: resume },
  SET_TARGET: { privileged: true, run: setTarget },
  RESET_WATCHES: { run: resetWatches },
  DIRECTORY_PART: { run: directoryPart },
};
