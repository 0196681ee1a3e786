// What one domain has open at the store.

import type { Transaction } from './transaction.ts';
import { headerSize } from './wire.ts';

export interface Watch {
  /** Absolute path, or a special name such as @introduceDomain. */
  readonly path: string;
  readonly token: string;
  /** Was it given relative to the domain's directory? Then its events are too. */
  readonly relative: boolean;
  /** Events sent for it, for looking at. */
  fired: number;
}

/** A message on its way to the domain. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  readonly event: boolean;
  /** Bytes that are in the ring already. */
  sent: number;
}

export class Connection {
  readonly domain: number;
  /** The domain that a stub domain acts for. */
  target: number | null = null;
  readonly watches: Watch[] = [];
  readonly transactions = new Map<number, Transaction>();
  nextTransactionId = 0;
  readonly outgoing: Outgoing[] = [];
  /** A request of which not all bytes have come. */
  incoming = new Uint8Array(0);
  /** After a protocol violation xenstored answers no more. */
  ignored = false;

  constructor(domain: number) {
    this.domain = domain;
  }

  /** Queues a reply. */
  reply(bytes: Uint8Array): void {
    this.outgoing.push({ bytes, event: false, sent: 0 });
  }

  /** Queues an event, unless the same one waits already; special events (`@…`) are never left out. */
  event(bytes: Uint8Array): void {
    const special = bytes[headerSize] === 0x40;
    if (special || !this.outgoing.some((other) => other.event && same(other.bytes, bytes)))
      this.outgoing.push({ bytes, event: true, sent: 0 });
  }

  /** Replies that the domain has not taken. */
  outstanding(): number {
    return this.outgoing.reduce((sum, { event }) => sum + (event ? 0 : 1), 0);
  }

  /** Forgets watches, transactions and messages. */
  reset(): void {
    this.watches.length = 0;
    this.transactions.clear();
    this.outgoing.length = 0;
    this.incoming = new Uint8Array(0);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
