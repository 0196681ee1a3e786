// Oracle: Debian's xenstored 4.17. Every message goes to both; a difference in any byte fails (both.ts).

import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveRing } from '../../simulator/xenstore/store-ring.ts';
import { message } from '../../simulator/xenstore/wire.ts';
import { Both } from './both.ts';
import { removeBuilt } from './xenstored.ts';

let both: Both;

beforeEach(async () => {
  both = await Both.start([1, 2]);
  for (const domain of [1, 2]) {
    await both.ask(0, 'MKDIR', [`/local/domain/${domain}/data`]);
    await both.ask(0, 'SET_PERMS', [`/local/domain/${domain}`, 'n0', `r${domain}`]);
    await both.ask(0, 'SET_PERMS', [`/local/domain/${domain}/data`, `n${domain}`]);
  }
});
afterEach(() => both.stop());
afterAll(removeBuilt);

const start = (domain: number): Promise<string> => both.ask(domain, 'TRANSACTION_START', ['']);
const number = (reply: string): number => Number.parseInt(reply, 10);

describe('what an unprivileged domain may use is limited as xenstored limits it', () => {
  test('1000 nodes, then ENOSPC, also for missing parents and inside a transaction', async () => {
    // data, 40 directories in it and 24 nodes in each: 1001 with the last.
    let reply = '';
    let written = 0;
    for (; !reply.includes('ENOSPC') && written < 960; written++) reply = await both.write(1, `data/${written % 40}/${written}`, '');
    expect(written).toBe(960);
    expect(reply).toContain('ENOSPC');
    expect(await both.ask(1, 'MKDIR', ['data/deep/er'])).toBe('ENOSPC\0');
    const transaction = number(await start(1));
    await both.ask(1, 'MKDIR', ['data/0/in'], transaction);
    await both.ask(1, 'TRANSACTION_END', ['T'], transaction);
    await both.ask(1, 'RM', ['data/5']);
    expect(await both.ask(1, 'MKDIR', ['data/again'])).toBe('OK\0');
  });

  test('a directory too long for one message is E2BIG; DIRECTORY_PART gives it in pieces', async () => {
    for (let i = 0; i < 9; i++) await both.write(0, `/long/${'x'.repeat(500)}${i}`, '');
    expect(await both.ask(0, 'DIRECTORY', ['/long'])).toBe('E2BIG\0');
    const first = await both.ask(0, 'DIRECTORY_PART', ['/long', '0']);
    const rest = await both.ask(0, 'DIRECTORY_PART', ['/long', String(first.length - first.indexOf('\0') - 1)]);
    expect(rest.endsWith('8\0\0')).toBe(true);
    await both.ask(0, 'DIRECTORY_PART', ['/long', '7']);
  });

  test('129 watches, then E2BIG', async () => {
    for (let i = 0; i < 129; i++) expect(await both.ask(1, 'WATCH', ['data', `t${i}`])).toBe('OK\0');
    expect(await both.ask(1, 'WATCH', ['data', 'more'])).toBe('E2BIG\0');
    await both.write(0, '/local/domain/1/data/x', '1');
  });

  test('11 transactions at once, then ENOSPC', async () => {
    for (let i = 0; i < 11; i++) expect(number(await start(1))).toBe(i + 1);
    expect(await start(1)).toBe('ENOSPC\0');
    expect(await both.ask(1, 'TRANSACTION_START', [''], 3)).toBe('EBUSY\0');
    await both.ask(1, 'TRANSACTION_END', ['F'], 4);
    expect(number(await start(1))).toBe(12);
  });

  test('1024 nodes in a transaction, then ENOSPC and ENOMEM at its end', async () => {
    const transaction = number(await start(1));
    let reply = '';
    for (let i = 0; i < 1030; i++) reply = await both.ask(1, 'READ', [`data/${i}`], transaction);
    expect(reply).toBe('ENOSPC\0');
    expect(await both.ask(1, 'TRANSACTION_END', ['T'], transaction)).toBe('ENOMEM\0');
  });

  test('a value of 2 KiB less its record, and five permissions', async () => {
    for (const length of [1900, 2014, 2015, 2016, 2017, 2048, 3000]) await both.write(1, 'data/v', 'v'.repeat(length));
    expect(await both.write(1, 'data/v', 'v'.repeat(3000))).toContain('ENOSPC');
    expect(await both.ask(1, 'SET_PERMS', ['data', 'n1', 'r2', 'r0', 'r2', 'r2'])).toBe('OK\0');
    expect(await both.ask(1, 'SET_PERMS', ['data', 'n1', 'r2', 'r0', 'r2', 'r2', 'r2'])).toBe('ENOSPC\0');
    expect(await both.ask(1, 'GET_PERMS', ['data'])).toBe('n1\0r2\0r0\0r2\0r2\0');
  });
});

describe('what a domain sees of others', () => {
  test('names of nodes that it may not read are not told: EACCES, whether they exist or not', async () => {
    await both.write(2, 'data/secret', '1');
    expect(await both.ask(1, 'READ', ['/local/domain/2/data/secret'])).toBe('EACCES\0');
    expect(await both.ask(1, 'READ', ['/local/domain/2/data/nothing'])).toBe('EACCES\0');
    await both.ask(2, 'SET_PERMS', ['data', 'n2', 'r1']);
    expect(await both.ask(1, 'READ', ['/local/domain/2/data/nothing'])).toBe('ENOENT\0');
    expect(await both.write(1, '/local/domain/2/data/new', '')).toContain('EACCES');
  });

  test('watches fire only for those who may read; losing the right is the last event', async () => {
    await both.ask(1, 'WATCH', ['/local/domain/2/data', 'other']);
    await both.write(2, 'data/a', '1');
    await both.ask(2, 'SET_PERMS', ['data/a', 'n2', 'r1']);
    await both.write(2, 'data/a', '2');
    await both.ask(2, 'SET_PERMS', ['data/a', 'n2']);
    await both.write(2, 'data/a', '3');
    await both.ask(2, 'RM', ['data']);
  });

  test('giving a node away is EPERM, taking one ENOENT for a domain that is not there', async () => {
    expect(await both.ask(1, 'SET_PERMS', ['data', 'n2'])).toBe('EPERM\0');
    expect(await both.ask(1, 'SET_PERMS', ['data', 'n7'])).toBe('ENOENT\0');
    expect(await both.ask(0, 'SET_PERMS', ['/local/domain/1/data', 'n2'])).toBe('OK\0');
    expect(await both.write(1, 'data/x', '')).toContain('EACCES');
  });
});

describe('a guest that breaks the protocol', () => {
  /** The error that our ring puts into the page. */
  const ours = (bytes: Uint8Array, producer: number): number => {
    const page = new Uint8Array(4096);
    page.set(bytes);
    new DataView(page.buffer).setUint32(2052, producer, true);
    const ring = {
      read: (offset: number, length: number) => page.slice(offset, offset + length),
      write: (offset: number, data: Uint8Array) => page.set(data, offset),
    };
    serveRing(both.ours, 1, ring);
    return new DataView(page.buffer).getUint32(2072, true);
  };

  test('is told so in its page: a message longer than 4096 bytes', async () => {
    const bytes = message('READ', 1, 0, new Uint8Array(0));
    new DataView(bytes.buffer).setUint32(12, 4097, true);
    expect(await both.real.breakRing(1, bytes, 16)).toBe(3);
    expect(ours(bytes, 16)).toBe(3);
  });

  test('is told so in its page: indexes further apart than the ring is long', async () => {
    expect(await both.real.breakRing(1, new Uint8Array(16), 1025)).toBe(2);
    expect(ours(new Uint8Array(16), 1025)).toBe(2);
  });
});
