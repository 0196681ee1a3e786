// The shared page: messages in pieces, rings that wrap and fill up, guests that break the protocol. Oracle for the latter: xenstored 4.17
// (xenstored_core.c handle_input, xenstored_domain.c check_indexes).

import { expect, test } from 'vitest';
import { offsetOf } from '../../abi/layout.ts';
import { addDomain } from '../../simulator/xenstore/domain-nodes.ts';
import { XenStore } from '../../simulator/xenstore/responder.ts';
import { restoreStore, storeState } from '../../simulator/xenstore/state.ts';
import { hasWork, type RingPage, serveRing } from '../../simulator/xenstore/store-ring.ts';
import { bytesOf, headerSize, message, readHeader, strings, textOf } from '../../simulator/xenstore/wire.ts';

const at = (field: string): number => offsetOf('xenstore_domain_interface', 64, field);

/** A guest's side of the page. */
class Guest implements RingPage {
  readonly bytes = new Uint8Array(4096);
  readonly view = new DataView(this.bytes.buffer);

  read(offset: number, length: number): Uint8Array {
    return this.bytes.slice(offset, offset + length);
  }
  write(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }
  index(field: string): number {
    return this.view.getUint32(at(field), true);
  }
  set(field: string, value: number): void {
    this.view.setUint32(at(field), value >>> 0, true);
  }
  /** Puts bytes into the request ring; how many fitted. */
  put(bytes: Uint8Array): number {
    const producer = this.index('req_prod');
    const room = 1024 - ((producer - this.index('req_cons')) >>> 0);
    const length = Math.min(room, bytes.length);
    for (let i = 0; i < length; i++) this.bytes[at('req') + ((producer + i) % 1024)] = bytes[i]!;
    this.set('req_prod', producer + length);
    return length;
  }
  /** Takes at most `limit` bytes from the reply ring. */
  take(limit = 1024): Uint8Array {
    const consumer = this.index('rsp_cons');
    const length = Math.min(limit, (this.index('rsp_prod') - consumer) >>> 0);
    const bytes = Uint8Array.from({ length }, (_, i) => this.bytes[at('rsp') + ((consumer + i) % 1024)]!);
    this.set('rsp_cons', consumer + length);
    return bytes;
  }
}

function domain(): { store: XenStore; guest: Guest } {
  const store = new XenStore();
  addDomain(store, {
    domain: 1,
    name: 'guest',
    uuid: '0-0',
    kernel: 'k',
    cmdline: '',
    memoryKib: 65536,
    vcpus: 1,
    storePort: 1,
    storeMfn: 5,
    consolePort: 2,
    consoleMfn: 6,
    startTime: 0,
    tty: '/dev/pts/0',
  });
  return { store, guest: new Guest() };
}

const readName = message('READ', 7, 0, strings('name'));

test('a request that comes byte by byte is answered when its last byte has come', () => {
  const { store, guest } = domain();
  for (const byte of readName.subarray(0, -1)) {
    guest.put(Uint8Array.of(byte));
    expect(serveRing(store, 1, guest)).toBe(true);
    expect(guest.index('rsp_prod')).toBe(0);
  }
  guest.put(readName.subarray(-1));
  serveRing(store, 1, guest);
  expect(guest.take()).toEqual(message('READ', 7, 0, bytesOf('guest')));
  expect(guest.index('req_cons')).toBe(readName.length);
});

test('nothing to do is no reason to send the guest an event', () => {
  const { store, guest } = domain();
  expect(serveRing(store, 1, guest)).toBe(false);
});

test('requests and replies longer than a ring pass through it, across its end and the wrap of the indexes', () => {
  const { store, guest } = domain();
  for (const field of ['req_prod', 'req_cons', 'rsp_prod', 'rsp_cons']) guest.set(field, 0xfffffe00);
  const value = 'v'.repeat(1500);
  const request = message('WRITE', 1, 0, bytesOf(`data/big\0${value}`));
  for (let sent = 0; sent < request.length; ) {
    sent += guest.put(request.subarray(sent));
    serveRing(store, 1, guest);
  }
  expect(guest.take()).toEqual(message('WRITE', 1, 0, strings('OK')));
  guest.put(message('READ', 2, 0, strings('data/big')));
  let reply = '';
  for (let i = 0; i < 20; i++) {
    serveRing(store, 1, guest);
    reply += textOf(guest.take(200));
  }
  expect(reply).toBe(textOf(message('READ', 2, 0, bytesOf(value))));
});

test('a guest that takes no replies is served no further than 20 of them; what it sent after is not lost', () => {
  const { store, guest } = domain();
  store.write('/local/domain/1/data/long', 'x'.repeat(1100), [{ domain: 1, read: false, write: false }]);
  const request = message('READ', 1, 0, strings('data/long'));
  let asked = 0;
  for (; guest.put(request) === request.length && asked < 100; asked++) serveRing(store, 1, guest);
  expect(asked).toBeLessThan(60);
  expect(store.connection(1).outgoing.length).toBe(20);
  let replied = 0;
  for (let i = 0; i < 400 && (guest.index('req_prod') !== guest.index('req_cons') || hasWork(store, 1)); i++) {
    replied += guest.take().length;
    serveRing(store, 1, guest);
  }
  replied += guest.take().length;
  expect(Math.floor(replied / (headerSize + 1100))).toBeGreaterThanOrEqual(asked);
});

test('a message that says it is longer than 4096 bytes ends the conversation with the protocol error in the page', () => {
  const { store, guest } = domain();
  const bytes = message('READ', 1, 0, new Uint8Array(0));
  new DataView(bytes.buffer).setUint32(12, 4097, true);
  guest.put(bytes);
  serveRing(store, 1, guest);
  expect(guest.index('error')).toBe(3);
  guest.put(readName);
  expect(serveRing(store, 1, guest)).toBe(false);
});

test('indexes further apart than the ring is long end it with the index error', () => {
  const { store, guest } = domain();
  guest.set('req_prod', 1025);
  expect(serveRing(store, 1, guest)).toBe(false);
  expect(guest.index('error')).toBe(2);
});

test('a watch event of another party waits until the ring is served', () => {
  const { store, guest } = domain();
  guest.put(message('WATCH', 1, 0, strings('control/shutdown', 'token')));
  serveRing(store, 1, guest);
  const first = guest.take();
  expect(readHeader(first).type).toBe(4);
  expect(textOf(first)).toContain('control/shutdown\0token\0');
  expect(hasWork(store, 1)).toBe(false);
  store.write('/local/domain/1/control/shutdown', 'poweroff');
  expect(hasWork(store, 1)).toBe(true);
  expect(serveRing(store, 1, guest)).toBe(true);
  expect(guest.take()).toEqual(message('WATCH_EVENT', 0, 0, strings('control/shutdown', 'token')));
});

test('a store put away in the middle of a request and a transaction goes on where it was', () => {
  const { store, guest } = domain();
  guest.put(message('TRANSACTION_START', 1, 0, strings('')));
  guest.put(message('WRITE', 2, 1, bytesOf('data/in\0transaction')));
  guest.put(readName.subarray(0, 20));
  serveRing(store, 1, guest);
  guest.take();
  const again = restoreStore(structuredClone(storeState(store)));
  expect(again.read('/local/domain/1/data/in')).toBe(null);
  guest.put(readName.subarray(20));
  guest.put(message('TRANSACTION_END', 3, 1, strings('T')));
  serveRing(again, 1, guest);
  expect(textOf(guest.take())).toContain('guest');
  expect(again.read('/local/domain/1/data/in')).toBe('transaction');
});

test('every request is told to the trace with its absolute path, value and error', () => {
  const { store } = domain();
  const records: string[] = [];
  store.trace = ({ domain: id, operation, path, value, error }) => records.push(`${id} ${operation} ${path} ${value} ${error}`);
  for (const bytes of [
    readName,
    message('READ', 1, 0, strings('nothing')),
    message('WRITE', 1, 0, bytesOf('data/x\0y')),
    message('DIRECTORY', 1, 0, strings('store')),
  ]) {
    store.handle(1, bytes);
  }
  expect(records).toEqual([
    '1 READ /local/domain/1/name guest null',
    '1 READ /local/domain/1/nothing null ENOENT',
    '1 WRITE /local/domain/1/data/x y null',
    '1 DIRECTORY /local/domain/1/store port ring-ref null',
  ]);
});
