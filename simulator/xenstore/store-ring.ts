// The XenStore page of a PV guest: a ring of 1024 bytes for requests, one for replies and events, and their free-running indexes
// (xenstore_domain_interface). Partial messages wait in the connection, replies wait until the guest makes room.

import { storeErrors } from '../../abi/constants/store.table.ts';
import { offsetOf } from '../../abi/layout.ts';
import { quota } from './access.ts';
import type { Connection } from './connection.ts';
import { isPrivileged } from './permissions.ts';
import type { XenStore } from './responder.ts';
import { headerSize, payloadMax, readHeader } from './wire.ts';

/** Access to the guest's page; offsets 0 to 4095, never across its end. */
export interface RingPage {
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
}

/** The layout is the same in both bitnesses. */
const at = (field: string): number => offsetOf('xenstore_domain_interface', 64, field);
const requests = { ring: at('req'), consumer: at('req_cons'), producer: at('req_prod') };
const replies = { ring: at('rsp'), consumer: at('rsp_cons'), producer: at('rsp_prod') };
const errorField = at('error');
const ringSize = 1024;

function getIndex(page: RingPage, offset: number): number {
  const bytes = page.read(offset, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

function setIndex(page: RingPage, offset: number, value: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  page.write(offset, bytes);
}

/** Serves a domain's page until nothing moves any more: takes requests, carries them out, puts replies and events. Call it when the guest
 * has sent the store's event, and when another domain's request has left events for this one (`hasWork`). Returns whether the guest is to
 * be sent the event: something was taken or put. A guest that breaks the protocol is answered no more, and `error` in the page says why. */
export function serveRing(store: XenStore, domain: number, page: RingPage): boolean {
  const connection = store.connection(domain);
  let moved = false;
  while (!connection.ignored) {
    const step = takeRequests(store, connection, page);
    const sent = sendOutgoing(connection, page);
    if (!step && !sent) break;
    moved = true;
  }
  return moved;
}

/** Does something wait to be put into the domain's ring? */
export const hasWork = (store: XenStore, domain: number): boolean => {
  const connection = store.connections.get(domain);
  return connection !== undefined && !connection.ignored && connection.outgoing.length > 0;
};

/** Takes what there is of one message, as xenstored does, so that replies go out before the next request is looked at. */
function takeRequests(store: XenStore, connection: Connection, page: RingPage): boolean {
  if (!isPrivileged(connection.domain) && connection.outstanding() >= quota.outstanding) return false;
  let moved = false;
  for (;;) {
    const wanted = missing(connection.incoming);
    if (wanted === null) return violation(connection, page, storeErrors.XENSTORE_ERROR_PROTO);
    if (wanted === 0) {
      const message = connection.incoming;
      connection.incoming = new Uint8Array(0);
      store.receive(connection.domain, message);
      return true;
    }
    const consumer = getIndex(page, requests.consumer);
    const available = (getIndex(page, requests.producer) - consumer) >>> 0;
    if (available > ringSize) return violation(connection, page, storeErrors.XENSTORE_ERROR_RINGIDX);
    if (available === 0) return moved;
    const position = consumer % ringSize;
    const length = Math.min(wanted, available, ringSize - position);
    const joined = new Uint8Array(connection.incoming.length + length);
    joined.set(connection.incoming);
    joined.set(page.read(requests.ring + position, length), connection.incoming.length);
    connection.incoming = joined;
    setIndex(page, requests.consumer, (consumer + length) >>> 0);
    moved = true;
  }
}

/** Bytes that a message still lacks: first its header, then its payload; null when it says that it is longer than allowed. */
function missing(bytes: Uint8Array): number | null {
  if (bytes.length < headerSize) return headerSize - bytes.length;
  const { length } = readHeader(bytes);
  return length > payloadMax ? null : headerSize + length - bytes.length;
}

function sendOutgoing(connection: Connection, page: RingPage): boolean {
  let moved = false;
  for (;;) {
    const next = connection.outgoing[0];
    if (!next) return moved;
    const producer = getIndex(page, replies.producer);
    const used = (producer - getIndex(page, replies.consumer)) >>> 0;
    if (used > ringSize) return violation(connection, page, storeErrors.XENSTORE_ERROR_RINGIDX);
    const position = producer % ringSize;
    const length = Math.min(next.bytes.length - next.sent, ringSize - used, ringSize - position);
    if (length === 0) return moved;
    page.write(replies.ring + position, next.bytes.subarray(next.sent, next.sent + length));
    setIndex(page, replies.producer, (producer + length) >>> 0);
    next.sent += length;
    moved = true;
    if (next.sent === next.bytes.length) connection.outgoing.shift();
  }
}

function violation(connection: Connection, page: RingPage, error: number): false {
  connection.reset();
  connection.ignored = true;
  setIndex(page, errorField, error);
  return false;
}
